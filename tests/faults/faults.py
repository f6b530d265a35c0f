"""`./run faults`: faults by name on a pipeline of real processes under load.

One pipeline stays up.  A producer sends 100 images a second through the C++ client library, a
second one 10, HTTP clients 5; the second is the one that faults of the role `producer` hit, unless
they are of its link.  Each cell (a fault and a role, cells.py) repeats its fault; the account
(account.py) says what became of every image.

faults.json has an array with an object for each cell:
  fault, role, repetitions, sent, lost, duplicated, wrong, missing: images at the client library
  longest_gap_s: between two answers to the producer
  recovered_s: from a fault until the last slow answer after it, the longest of the repetitions
  refused; collage_other (a collage's answer is not the s-CNN's); http (the same for the gateway's
  clients); unanswered (why, by whose word); ended (which processes ended, how often); ready
  (whether all was well before the first fault)
  commit, brokers, sinks, every_s: the setting, which --resume compares

Exit code 0: nothing was lost, doubled or wrong.  1: something was.  2: it could not start.
3: the time was over before all cells had run; the next call goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pathlib
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict
from typing import Optional

import cells
import injector
import pictures
import ptrace
import report
import topology
from account import Account
from fleet import Child, how_ended
from web import WebClients

RATE, NEIGHBOUR_RATE, WEB_RATE = 100.0, 10.0, 5.0
IMAGES = 100
START_MAX_S = 120.0
CALM_S = 2.0
RECOVER_MAX_S = 30.0
# An image has its result shortly after its deadline at the latest.
SETTLE_S = topology.DEADLINE_S + 3.0


class CannotStart(Exception):
    pass


class Pipeline:
    """The processes under test, with their producers and the account of these."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.folder: pathlib.Path = options.out / "processes"
        self.account = Account(paced="")
        self.children: dict[str, Child] = {}
        self.ended: Counter[str] = Counter()
        self.unanswered: Counter[str] = Counter()
        images = pictures.write(options.out / "images", IMAGES)
        size = topology.Size(options.brokers, options.sinks)
        builder = topology.build(size, options.programs, self.folder)
        self.made = builder.made
        for program in self.made.programs:
            self.children[program.name] = Child(program.name, program.argv, self.folder,
                                                on_end=self._on_end)
        for name, rate in (("producer", RATE), ("neighbour", NEIGHBOUR_RATE)):
            endpoints = [builder.to_producers(name, b) for b in range(size.brokers)]
            argv = [str(options.programs / "collage-faults-producer"),
                    str(options.out / "images"), str(rate),
                    str(int(1000 * topology.DEADLINE_S)), *endpoints]
            self.children[name] = Child(name, argv, self.folder, self._on_line, self._on_end)
        builder.ports.release()
        self.clock_library: pathlib.Path = options.programs / "collage-stepped-clock.so"
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

    def victims(self, cell: cells.Cell) -> list[Child]:
        if cell.role == "producer":
            names = ["producer" if cell.fault.of_link else "neighbour"]
        else:
            names = self.made.of_role(cell.role)
        return [self.children[name] for name in names]

    async def start(self) -> None:
        for link in self.made.links:
            await link.open()
        for child in self.children.values():
            child.start(self.clock_library)
        # Gaps are those of one life: a cell that ends the producer itself has another measure.
        self.account.paced = self.children["producer"].life
        self.web_task = asyncio.ensure_future(self.web.run())

    async def calm(self) -> None:
        """Until an s-CNN has told the class of every image and answers come quickly."""
        end = time.monotonic() + START_MAX_S
        quiet_since: Optional[float] = None
        while quiet_since is None or time.monotonic() < quiet_since + CALM_S:
            await asyncio.sleep(0.1)
            now = time.monotonic()
            self.stop_if_broken()
            if now > end:
                raise CannotStart(f"the pipeline is not calm; logs are in {self.folder}")
            calm = len(self.account.reference) == IMAGES and self.account.steady(now)
            quiet_since = (quiet_since or now) if calm else None

    def stop_if_broken(self) -> None:
        for ending in self.ended:
            name, _, how = ending.partition(": ")
            if how == "exit 2":
                lines = self.children[name].log_path.read_text().splitlines() or ["(no log)"]
                raise CannotStart(f"{name} cannot start: {lines[-1]}")

    async def recovered(self) -> bool:
        """Waits until every process lives and answers come quickly."""
        end = time.monotonic() + RECOVER_MAX_S
        while time.monotonic() < end:
            if self.account.steady(time.monotonic()) and all(
                    child.alive() and time.monotonic() > child.started + 1
                    for child in self.children.values()):
                return True
            await asyncio.sleep(0.1)
        return False

    async def end(self) -> None:
        await asyncio.gather(*(child.end() for child in self.children.values()))


class Run:
    def __init__(self, options: argparse.Namespace, pipeline: Pipeline,
                 todo: list[cells.Cell], setting: report.Record) -> None:
        self.options, self.pipeline, self.todo, self.setting = options, pipeline, todo, setting
        self.file: pathlib.Path = options.out / "faults.json"
        self.until = time.monotonic() + 60 * options.minutes

    async def run_all(self, records: list[report.Record]) -> list[cells.Cell]:
        """Runs them, and returns those for which there was no time."""
        left = list(self.todo)
        while left:
            need = cells.period(left[0].fault, self.options.every) * self.options.repetitions
            if time.monotonic() + need > self.until:
                break
            cell = left.pop(0)
            records[:] = [record for record in records
                          if (record["fault"], record["role"]) != (cell.fault.name, cell.role)]
            records.append(await self.run_one(cell))
            report.save(self.file, records)
            clear = "\r\x1b[K" if sys.stdout.isatty() else ""
            print(clear + report.line(records[-1]), flush=True)
        return left

    async def run_one(self, cell: cells.Cell) -> report.Record:
        pipeline, account = self.pipeline, self.pipeline.account
        ready = await pipeline.recovered()
        account.begin(time.monotonic())
        pipeline.web.begin()
        pipeline.ended.clear()
        pipeline.unanswered.clear()
        spans = [await self.repetition(cell, number)
                 for number in range(self.options.repetitions)]
        closing = time.monotonic()
        while account.open(closing) > 0 and time.monotonic() < closing + SETTLE_S:
            await asyncio.sleep(0.05)
        account.end_gap(time.monotonic())
        figures = asdict(account.close(closing))
        back = max(account.slow_until(begin, end) - begin for begin, end in spans)
        # HTTP clients that began by now have their say, too.
        web = pipeline.web.figures
        await pipeline.web.settle()
        gap = figures.pop("longest_gap_s")
        extra = {key: figures.pop(key) for key in ("refused", "collage_other")}
        return {"fault": cell.fault.name, "role": cell.role,
                "repetitions": self.options.repetitions, **figures,
                "longest_gap_s": round(gap, 3), "recovered_s": round(back, 3), **extra,
                "http": asdict(web), "unanswered": dict(pipeline.unanswered),
                "ended": dict(pipeline.ended), "ready": ready, **self.setting}

    async def repetition(self, cell: cells.Cell, number: int) -> tuple[float, float]:
        """Inflicts the fault once.  Returns when it began and when the next may begin."""
        if sys.stdout.isatty():
            print(f"\r{cell.name} {number + 1}/{self.options.repetitions}\x1b[K", end="",
                  flush=True)
        victims = self.pipeline.victims(cell)
        child = victims[number % len(victims)]
        while not child.alive():
            await asyncio.sleep(0.05)
        begin = time.monotonic()
        links = self.pipeline.made.links_of(child.name)
        await injector.inflict(cell.fault, injector.Victim(
            child, links, number, self.pipeline.web.send_big))
        end = max(begin + cells.period(cell.fault, self.options.every), time.monotonic() + 0.5)
        await asyncio.sleep(end - time.monotonic())
        return begin, end


def commit() -> str:
    """The commit of the tree, with a + if it has been changed since."""
    def git(*arguments: str) -> str:
        ran = subprocess.run(["git", "-C", str(topology.ROOT), *arguments], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return ran.stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no")
    return (git("rev-parse", "--short=12", "HEAD") or "none+") + ("+" if changed else "")


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run faults", description="Faults by name on a pipeline of real processes under "
        "load; writes OUT/faults.json.", epilog="faults: " + ", ".join(
            fault.name for fault in cells.FAULTS) + "; roles: " + ", ".join(cells.ROLES))
    parser.add_argument("--only", action="append", default=[], metavar="FAULT[/ROLE]",
                        help="these cells alone; may be given several times")
    parser.add_argument("--repetitions", type=int, default=20, metavar="N")
    parser.add_argument("--every", type=float, default=3.0, metavar="SECONDS",
                        help="from one fault to the next (longer for faults that take long)")
    parser.add_argument("--minutes", type=float, default=50.0,
                        help="no cell begins that would not end by then")
    parser.add_argument("--out", type=pathlib.Path, default=topology.ROOT / "out/faults")
    parser.add_argument("--resume", action=argparse.BooleanOptionalAction, default=True,
                        help="leave out cells that OUT/faults.json has of this commit")
    parser.add_argument("--brokers", type=int, default=1)
    parser.add_argument("--sinks", type=int, default=1, help="of each broker")
    parser.add_argument("--list", action="store_true", help="only list the cells")
    parser.add_argument("--programs", type=pathlib.Path,
                        default=topology.ROOT / "build/release/bin")
    options = parser.parse_args(argv)
    if options.repetitions < 1 or min(options.brokers, options.sinks) < 1 or options.every <= 0:
        parser.error("--repetitions, --every, --brokers and --sinks are above 0")
    options.out, options.programs = options.out.resolve(), options.programs.resolve()
    return options


async def run(options: argparse.Namespace) -> int:
    setting: report.Record = {
        "commit": commit(), "brokers": options.brokers, "sinks": options.sinks,
        "every_s": options.every, "repetitions": options.repetitions}
    records = report.load(options.out / "faults.json") if options.resume else []
    asked = cells.chosen(options.only)
    records = [record for record in records
               if any(report.known([record], cell, setting) for cell in cells.all_cells())]
    todo = [cell for cell in asked if not report.known(records, cell, setting)]
    left: list[cells.Cell] = []
    if todo:
        pipeline = Pipeline(options)
        try:
            await pipeline.start()
            await pipeline.calm()
            print(report.HEADER, flush=True)
            left = await Run(options, pipeline, todo, setting).run_all(records)
        finally:
            await pipeline.end()
    order = [(cell.fault.name, cell.role) for cell in asked]
    shown = sorted((one for one in records if (one["fault"], one["role"]) in order),
                   key=lambda one: order.index((one["fault"], one["role"])))
    print("\n" + report.table(shown))
    for (fault, role), why in cells.NO_MEANING.items():
        print(f"no {fault}/{role}: {why}")
    bad = [f"{one['fault']}/{one['role']}" for one in shown if cells.missed(one)]
    if bad:
        print("lost, doubled or wrong: " + ", ".join(bad))
    if left:
        print(f"left for the next call: {', '.join(cell.name for cell in left)}")
    return 1 if bad else 3 if left else 0


async def until_interrupted(options: argparse.Namespace) -> int:
    task = asyncio.ensure_future(run(options))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def main(argv: list[str]) -> int:
    options = parse(argv)
    try:
        if options.list:
            print("\n".join(cell.name for cell in cells.chosen(options.only)))
            return 0
        if not ptrace.possible():
            raise CannotStart("it needs Linux on x86-64")
        return asyncio.run(until_interrupted(options))
    except (CannotStart, ValueError, OSError) as error:
        print(f"./run faults: {error}", file=sys.stderr)
        return 2
    except asyncio.CancelledError:
        print("\ninterrupted; the next call goes on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
