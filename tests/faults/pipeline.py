"""The pipeline under test as it runs: its processes, their producers, and the account of these."""

from __future__ import annotations

import asyncio
import json
import pathlib
import time
from collections import Counter
from typing import Optional

import cells
import injector
import pictures
import topology
from account import Account
from fleet import Child, how_ended
from web import WebClients

RATE, NEIGHBOUR_RATE, WEB_RATE = 100.0, 10.0, 5.0
IMAGES = 100
START_MAX_S = 120.0
CALM_S = 2.0
RECOVER_MAX_S = 30.0
UP_MAX_S = 30.0
# An image has its result shortly after its deadline at the latest.
SETTLE_S = topology.DEADLINE_S + 3.0


class CannotStart(Exception):
    """The pipeline, or one of its processes after a fault."""


class Pipeline:
    """The processes under test, with their producers and the account of these."""

    def __init__(self, size: topology.Size, programs: pathlib.Path, out: pathlib.Path) -> None:
        self.folder = out / "processes"
        self.account = Account(paced="")
        self.children: dict[str, Child] = {}
        self.ended: Counter[str] = Counter()
        self.unanswered: Counter[str] = Counter()
        images = pictures.write(out / "images", IMAGES)
        builder = topology.build(size, programs, self.folder)
        self.made = builder.made
        for program in self.made.programs:
            self.children[program.name] = Child(program.name, program.argv, self.folder,
                                                on_end=self._on_end)
        for name, rate in (("producer", RATE), ("neighbour", NEIGHBOUR_RATE)):
            endpoints = [builder.to_producers(name, b) for b in range(size.brokers)]
            argv = [str(programs / "faults_producer"),
                    str(out / "images"), str(rate),
                    str(int(1000 * topology.DEADLINE_S)), *endpoints]
            self.children[name] = Child(name, argv, self.folder, self._on_line, self._on_end)
        self.ports = builder.ports  # Held until the start, so that no other pipeline draws them.
        self.clock_library = programs / "stepped_clock.so"
        self.web = WebClients(self.made.gateway_port, images, self.account.reference, WEB_RATE,
                              self.unanswered)

    def _on_line(self, life: str, line: bytes) -> None:
        told = json.loads(line)
        if "sent" in told:
            self.account.sent(life, told["sent"], told["image"], told["at"])
        else:
            self.account.result(life, told["result"], told["status"], told["source"],
                                told.get("label"), told["at"])
            if told["status"] != "answered":
                by = "client" if told["local"] else "broker"
                self.unanswered[f"{told['status']} by the {by}: {told['reason'] or 'none'}"] += 1

    def _on_end(self, child: Child, code: int) -> None:
        self.ended[f"{child.name}: {how_ended(code)}"] += 1
        self.account.end_life(child.life, excused=child.expected_end)

    def hit_by(self, cell: cells.Cell) -> list[str]:
        """The processes that it may hit."""
        if cell.role == "producer":
            return ["producer" if cell.fault.of_link else "neighbour"]
        return self.made.of_role(cell.role)

    def begin(self) -> float:
        """Accounts begin anew.  Returns when."""
        now = time.monotonic()
        self.account.begin(now)
        self.web.begin()
        self.ended.clear()
        self.unanswered.clear()
        return now

    async def inflict(self, fault: cells.Fault, child: Child, repetition: int) -> float:
        """Does the fault to the process once that is up; over when it returns.  Returns when it
        began.  A process that cannot get up is hit all the same."""
        end = time.monotonic() + UP_MAX_S
        while not child.alive() or (not child.up() and time.monotonic() < end):
            self.stop_if_broken()
            await asyncio.sleep(0.05)
        begin = time.monotonic()
        links = self.made.links_of(child.name)
        await injector.inflict(fault, injector.Victim(child, links, repetition, self.web.send_big))
        return begin

    async def settle(self) -> float:
        """Waits until all that has been sent by now has its result, or is lost.  Returns when it
        was called: the time with which to close the account."""
        closing = time.monotonic()
        while self.account.open(closing) > 0 and time.monotonic() < closing + SETTLE_S:
            await asyncio.sleep(0.05)
        self.account.end_gap(time.monotonic())
        return closing

    async def start(self) -> None:
        self.ports.release()
        for link in self.made.links:
            await link.open()
        for child in self.children.values():
            child.start(self.clock_library)
        # Gaps are those of one life: a cell that ends the producer itself has another measure.
        self.account.paced = self.children["producer"].life
        self.web_task = asyncio.ensure_future(self.web.run())

    async def calm(self, busy: bool = False) -> bool:
        """Until an s-CNN has told the class of every image and answers come quickly.  `busy`: the
        machine may have too much else to do for the latter.  Returns whether they did."""
        end = time.monotonic() + START_MAX_S
        quiet_since: Optional[float] = None
        while quiet_since is None or time.monotonic() < quiet_since + CALM_S:
            await asyncio.sleep(0.1)
            now = time.monotonic()
            self.stop_if_broken()
            known = len(self.account.reference) == IMAGES
            if now > end and busy and known:
                return False
            if now > end:
                raise CannotStart(f"the pipeline is not calm; logs are in {self.folder}")
            calm = known and self.account.steady(now)
            quiet_since = (quiet_since or now) if calm else None
        return True

    def stop_if_broken(self) -> None:
        """CannotStart: systemd would not start one of the processes again."""
        for child in self.children.values():
            if child.given_up:
                lines = child.log_path.read_text().splitlines() or ["(no log)"]
                raise CannotStart(f"{child.life} ended with exit code 2, after which systemd does "
                                  f"not start it again: {lines[-1]}")

    async def recovered(self) -> bool:
        """Waits until every process lives and answers come quickly."""
        end = time.monotonic() + RECOVER_MAX_S
        while time.monotonic() < end:
            self.stop_if_broken()
            if self.account.steady(time.monotonic()) and all(
                    child.alive() and time.monotonic() > child.started + 1
                    for child in self.children.values()):
                return True
            await asyncio.sleep(0.1)
        return False

    async def end(self) -> None:
        await asyncio.gather(*(child.end() for child in self.children.values()))
