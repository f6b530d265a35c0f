"""`./run soak MINUTES`: one fault after another, drawn from a seed, on a pipeline of real processes
under load; and whether that leaves anything behind.

The pipeline, the load and the faults are those of `./run faults`, with two brokers and two sinks
each, for then no single fault may cost an answer, and a large image every 10 s.  schedule.py draws
the faults, which never overlap.  bars.py judges:

  nothing lost          no image lost, doubled or wrong
  all answered          none missing or refused at the client library
  none ended by itself  no process but those that a fault is to end
  memory, descriptors   growth.py has the rule
  latency               the p99 of undisturbed times has at most doubled

soak.json, written every minute, has an object:
  commit, seed, minutes, brokers, sinks, every_s: the setting
  account, http: the figures of images at the client library (account.py) and by HTTP (web.py)
  unanswered: why, by whose word
  faults: at_s (since the begin), length_s, fault, role, process, ended (which processes ended until
  the next fault, how often)
  by_minute: the rows that were printed
  processes: process, kind, number (of its lives), born_s, samples: [age in s, bytes, descriptors]
  growths: what was compared (growth.Growth)
  bars: name, held (null: not judged), why; empty until the end

Exit code 0: every bar that could be judged was held.  1: one was missed.  2: it could not start, or
a process that was to be hit had ended in such a way that systemd would not start it again.
130: interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import pathlib
import sys
import textwrap
import time
from collections import Counter
from dataclasses import asdict
from typing import Any

import bars
import cells
import command
import growth
import report
import schedule
import topology
from fleet import Child
from latency import Latencies
from pipeline import SETTLE_S, Pipeline

SAMPLE_S = 3.0
BIG_S = 10.0
# Batches that a sink remembers: so few that the table is full before minute 3.
TABLE_MAX = 512
ROW = "{minute:>6}{images:>9}{lost:>6}{doubled:>9}{wrong:>7}{missing:>9}{p99:>9}{memory:>11}{fds:>7}"
HEADER = ROW.format(minute="minute", images="images", lost="lost", doubled="doubled",
                    wrong="wrong", missing="missing", p99="p99 ms", memory="memory MB", fds="fds")


class Soak:
    def __init__(self, options: argparse.Namespace, pipeline: Pipeline,
                 setting: report.Record) -> None:
        self.pipeline, self.setting = pipeline, setting
        self.file: pathlib.Path = options.out / "soak.json"
        self.seconds = 60 * options.minutes
        self.planned = schedule.draw(options.seed, self.seconds, options.every,
                                     pipeline.hit_by)
        self.redundant = min(options.brokers, options.sinks) >= 2
        self.latencies = Latencies()
        self.kinds = {program.name: program.kind for program in pipeline.made.programs}
        self.lives: dict[str, growth.Life] = {}
        self.faults: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []

    async def run(self) -> list[bars.Bar]:
        self.begin = self.pipeline.begin()
        beside = [asyncio.ensure_future(self.sample()), asyncio.ensure_future(self.tell())]
        faults = asyncio.ensure_future(self.inflict_all())
        try:
            done, _ = await asyncio.wait([faults, *beside], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # Only the faults come to an end; the others may fail.
        finally:
            for task in (faults, *beside):
                task.cancel()
        closing = await self.pipeline.settle()
        self.pipeline.account.close(closing)
        await self.pipeline.web.settle()
        self.retire()
        judged = self.judge()
        self.save(judged)
        return judged

    async def inflict_all(self) -> None:
        over = self.begin
        for one in self.planned:
            at = max(self.begin + one.at_s, over + cells.APART_S)
            await asyncio.sleep(at - time.monotonic())
            # What ends from now on is the fault's doing, until the next.
            ended = self.pipeline.ended = Counter()
            began = await self.pipeline.inflict(
                one.cell.fault, self.pipeline.children[one.process], one.repetition)
            self.latencies.undisturbed(over, began)
            over = time.monotonic()
            self.faults.append({
                "at_s": round(began - self.begin, 3), "length_s": round(over - began, 3),
                "fault": one.cell.fault.name, "role": one.cell.role, "process": one.process,
                "ended": ended})
        end = self.begin + self.seconds
        await asyncio.sleep(end - time.monotonic())
        self.latencies.undisturbed(over, end)

    async def sample(self) -> None:
        while True:
            for child in self.pipeline.children.values():
                self.look(child)
            await asyncio.sleep(SAMPLE_S)

    def look(self, child: Child) -> None:
        life = self.lives.setdefault(child.life, growth.Life(
            child.name, self.kinds.get(child.name, child.name), child.lives,
            child.started - self.begin))
        try:
            life.samples.append(growth.look(child.pid, time.monotonic() - child.started))
        except OSError:  # It has ended, and is about to be started again.
            pass

    async def tell(self) -> None:
        print(HEADER, flush=True)
        for minute in range(1, sys.maxsize):
            at = self.begin + 60 * minute
            await asyncio.sleep(at - time.monotonic())
            self.retire()
            self.rows.append(self.row(minute, at))
            shown = {key: "-" if value is None else value for key, value in self.rows[-1].items()}
            print(ROW.format(**shown), flush=True)
            self.save([])

    def retire(self) -> None:
        self.latencies.add(self.pipeline.account.retire())

    def row(self, minute: int, at: float) -> dict[str, Any]:
        account = self.pipeline.account
        p99 = self.latencies.percentile(0.99, at - 60, at)
        last = [self.lives[child.life].samples[-1] for child in self.pipeline.children.values()
                if child.life in self.lives and self.lives[child.life].samples]
        return {"minute": minute, "images": account.figures.sent,
                "lost": account.open(at - SETTLE_S),
                "doubled": account.figures.duplicated, "wrong": account.figures.wrong,
                "missing": account.figures.missing,
                "p99": None if p99 is None else round(1000 * p99),
                "memory": round(sum(one.memory for one in last) / 1e6),
                "fds": sum(one.descriptors for one in last)}

    def judge(self) -> list[bars.Bar]:
        figures, http = self.pipeline.account.figures, asdict(self.pipeline.web.figures)
        lives = list(self.lives.values())
        growths = growth.compare(lives, self.seconds)
        restarts = sum(life.number > 1 for life in lives)
        return [bars.of_account(figures, http), bars.of_missing(figures, self.redundant),
                bars.of_ends(self.faults), bars.of_memory(growths, restarts),
                bars.of_descriptors(growths, restarts),
                bars.of_latency(self.latencies, self.begin, self.seconds)]

    def save(self, judged: list[bars.Bar]) -> None:
        lives = list(self.lives.values())
        processes = [{"process": life.process, "kind": life.kind, "number": life.number,
                      "born_s": round(life.born_s, 1),
                      "samples": [[round(one.age_s, 1), one.memory, one.descriptors]
                                  for one in life.samples]} for life in lives]
        growths = growth.compare(lives, self.seconds) if judged else []
        report.write(self.file, json.dumps(self.setting | {
            "account": asdict(self.pipeline.account.figures),
            "http": asdict(self.pipeline.web.figures),
            "unanswered": dict(self.pipeline.unanswered), "faults": self.faults,
            "by_minute": self.rows, "processes": processes,
            "growths": [asdict(one) for one in growths],
            "bars": [asdict(one) for one in judged]}) + "\n")


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run soak", description="Faults drawn from a seed, one after another, on a pipeline "
        "of real processes under load: is anything lost, does anything grow?  Writes "
        "OUT/soak.json.", epilog="Exit code 0: every bar held; 1: one was missed; 2: it could not "
        "start; 130: interrupted.  Latency is judged from 3 minutes on, memory and "
        "descriptors from 6.")
    parser.add_argument("minutes", type=float, metavar="MINUTES")
    parser.add_argument("--seed", type=int, default=1, help="chooses the faults (default 1)")
    parser.add_argument("--every", type=float, default=5.0, metavar="SECONDS",
                        help="from one fault to the next (default 5; longer for stop-5s)")
    parser.add_argument("--brokers", type=int, default=2, help="default 2")
    parser.add_argument("--sinks", type=int, default=2, help="of each broker (default 2)")
    parser.add_argument("--list", action="store_true", help="only list the faults")
    parser.add_argument("--out", type=pathlib.Path, default=topology.ROOT / "out/soak")
    parser.add_argument("--programs", type=pathlib.Path,
                        default=topology.ROOT / "build/release/bin")
    options = parser.parse_args(argv)
    if min(options.minutes, options.every) <= 0 or min(options.brokers, options.sinks) < 1:
        parser.error("MINUTES, --every, --brokers and --sinks are above 0")
    options.out, options.programs = options.out.resolve(), options.programs.resolve()
    return options


def show(judged: list[bars.Bar]) -> None:
    print()
    for one in judged:
        held = {True: "held", False: "MISSED", None: "not judged"}[one.held]
        print(textwrap.fill(f"{one.name + ':':<22}{held + ';':<12}{one.why}", 79,
                            subsequent_indent=" " * 34, break_on_hyphens=False))


async def send_big(pipeline: Pipeline) -> None:
    """A stage keeps room for the largest image that it has seen: each shall see one while young."""
    while True:
        await asyncio.sleep(BIG_S)
        pipeline.web.send_big()


async def run(options: argparse.Namespace) -> int:
    setting: report.Record = {
        "commit": command.commit(), "seed": options.seed, "minutes": options.minutes,
        "brokers": options.brokers, "sinks": options.sinks, "every_s": options.every}
    size = topology.Size(options.brokers, options.sinks, table_max=TABLE_MAX)
    pipeline = Pipeline(size, options.programs, options.out)
    soak = Soak(options, pipeline, setting)
    if options.list:
        for one in soak.planned:
            print(f"{one.at_s:8.1f} s  {one.cell.name:<26}{one.process}")
        return 0
    try:
        await pipeline.start()
        big = asyncio.ensure_future(send_big(pipeline))
        if not await pipeline.calm(busy=True):
            print("the machine is busy: answers do not come quickly", flush=True)
        judged = await soak.run()
        big.cancel()
    finally:
        await pipeline.end()
    show(judged)
    return 1 if any(one.held is False for one in judged) else 0


def main(argv: list[str]) -> int:
    options = parse(argv)
    return command.run("soak", lambda: run(options),
                       f"{options.out / 'soak.json'} has what was measured")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
