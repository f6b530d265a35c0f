"""`./run faults`: faults by name on a pipeline of real processes under load.

One pipeline stays up.  A producer sends 100 images a second through the C++ client library, a
second one 10, HTTP clients 5; the second is the one that faults of the role `producer` hit, unless
they are of its link.  Each cell (a fault and a role, cells.py) repeats its fault; the account
(account.py) says what became of every image.

--pipelines N keeps N of them up, each with its producers, and they share the cells out: the machine
has then N times the load, and the table is there in less time.

By default it has two sinks, as a pipeline that is to answer throughout has, and one broker, so that
every process is under load: a second broker is a pipeline of its own, whose sinks and stages have
nothing to do until the first is left.  --brokers 2 is for the roles whose faults it is for: broker,
producer and gateway.

faults.json has an array with an object for each cell:
  fault, role, repetitions, sent, lost, duplicated, wrong, missing: images at the client library
  longest_gap_s: between two answers to the producer
  recovered_s: from a fault until the last slow answer (over 0.25 s) before the next fault, the
  longest of the repetitions
  refused; collage_other (a collage's answer is not the s-CNN's); http (the same for the gateway's
  clients); unanswered (why, by whose word); ended (which processes ended, how often); ready
  (whether all was well before the first fault)
  commit, brokers, sinks, pipelines, every_s: the setting, which --resume compares

Exit code 0: nothing was lost, doubled or wrong.  1: something was.  2: it could not start, or a
process ended in such a way that systemd would not start it again.
3: the time was over before all cells had run; the next call goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import pathlib
import sys
import textwrap
import time
from dataclasses import asdict

import cells
import command
import report
import topology
from pipeline import Pipeline


class Run:
    """`records`: of cells that ran, which it adds to."""

    def __init__(self, options: argparse.Namespace, todo: list[cells.Cell],
                 records: list[report.Record], setting: report.Record) -> None:
        self.options, self.setting, self.records = options, setting, records
        self.file: pathlib.Path = options.out / "faults.json"
        self.until = time.monotonic() + 60 * options.minutes
        self.left = list(todo)
        self.progress: dict[Pipeline, str] = {}

    async def run_all(self, pipelines: list[Pipeline]) -> list[cells.Cell]:
        """Runs them, each on a pipeline that is free, and returns those for which there was no
        time."""
        await command.together(*(self.run_on(pipeline) for pipeline in pipelines))
        return self.left

    async def run_on(self, pipeline: Pipeline) -> None:
        while self.left:
            need = cells.period(self.left[0].fault, self.options.every) * self.options.repetitions
            if time.monotonic() + need > self.until:
                break
            cell = self.left.pop(0)
            record = await self.run_one(pipeline, cell)
            self.records[:] = [one for one in self.records
                               if (one["fault"], one["role"]) != (cell.fault.name, cell.role)]
            self.records.append(record)
            report.save(self.file, self.records)
            clear = "\r\x1b[K" if sys.stdout.isatty() else ""
            print(clear + report.line(record), flush=True)

    async def run_one(self, pipeline: Pipeline, cell: cells.Cell) -> report.Record:
        account = pipeline.account
        ready = await pipeline.recovered()
        pipeline.begin()
        spans = [await self.repetition(pipeline, cell, number)
                 for number in range(self.options.repetitions)]
        figures = asdict(account.close(await pipeline.settle()))
        back = max(account.slow_until(begin, end) - begin for begin, end in spans)
        pipeline.stop_if_broken()
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

    async def repetition(self, pipeline: Pipeline, cell: cells.Cell,
                         number: int) -> tuple[float, float]:
        """Inflicts the fault once.  Returns when it began and when the next may begin."""
        self.progress[pipeline] = f"{cell.name} {number + 1}/{self.options.repetitions}"
        if sys.stdout.isatty():
            print("\r" + ", ".join(self.progress.values())[:79] + "\x1b[K", end="", flush=True)
        names = pipeline.hit_by(cell)
        child = pipeline.children[names[number % len(names)]]
        begin = await pipeline.inflict(cell.fault, child, number)
        end = max(begin + cells.period(cell.fault, self.options.every), time.monotonic() + 0.5)
        await asyncio.sleep(end - time.monotonic())
        return begin, end


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
    parser.add_argument("--brokers", type=int, default=1,
                        help="each with its sinks and a share of the stages [1]")
    parser.add_argument("--sinks", type=int, default=2, help="of each broker [2]")
    parser.add_argument("--pipelines", type=int, default=1,
                        help="that are up at once and share the cells out [1]")
    parser.add_argument("--list", action="store_true", help="only list the cells")
    parser.add_argument("--programs", type=pathlib.Path,
                        default=topology.ROOT / "build/release/bin")
    options = parser.parse_args(argv)
    counts = (options.repetitions, options.brokers, options.sinks, options.pipelines)
    if min(counts) < 1 or options.every <= 0:
        parser.error("--repetitions, --every, --brokers, --sinks and --pipelines are above 0")
    options.out, options.programs = options.out.resolve(), options.programs.resolve()
    return options


def folders(options: argparse.Namespace) -> list[pathlib.Path]:
    """Of each pipeline: where its files and logs are."""
    if options.pipelines == 1:
        return [options.out]
    return [options.out / f"pipeline-{number}" for number in range(options.pipelines)]


async def run(options: argparse.Namespace) -> int:
    if options.list:
        print("\n".join(cell.name for cell in cells.chosen(options.only)))
        return 0
    setting: report.Record = {
        "commit": command.commit(), "brokers": options.brokers, "sinks": options.sinks,
        "pipelines": options.pipelines, "every_s": options.every,
        "repetitions": options.repetitions}
    records = report.load(options.out / "faults.json") if options.resume else []
    asked = cells.chosen(options.only)
    records = [record for record in records
               if any(report.known([record], cell, setting) for cell in cells.all_cells())]
    todo = [cell for cell in asked if not report.known(records, cell, setting)]
    left: list[cells.Cell] = []
    if todo:
        size = topology.Size(options.brokers, options.sinks)
        pipelines = [Pipeline(size, options.programs, folder) for folder in folders(options)]
        try:
            await command.together(*(pipeline.start() for pipeline in pipelines))
            await command.together(*(pipeline.calm() for pipeline in pipelines))
            print(report.HEADER, flush=True)
            left = await Run(options, todo, records, setting).run_all(pipelines)
        finally:
            await asyncio.gather(*(pipeline.end() for pipeline in pipelines))
    order = [(cell.fault.name, cell.role) for cell in asked]
    shown = sorted((one for one in records if (one["fault"], one["role"]) in order),
                   key=lambda one: order.index((one["fault"], one["role"])))
    print("\n" + report.table(shown))
    for (fault, role), why in cells.NO_MEANING.items() if not options.only else ():
        print(textwrap.fill(f"no {fault}/{role}: {why}", 79))
    bad = [f"{one['fault']}/{one['role']}" for one in shown if cells.missed(one)]
    if bad:
        print("lost, doubled or wrong: " + ", ".join(bad))
    for one in shown:
        for ending, count in cells.unexpected_ends(one).items():
            print(f"ended by itself at {one['fault']}/{one['role']}: {ending}, {count} times")
    if left:
        print(f"left for the next call: {', '.join(cell.name for cell in left)}")
    return 1 if bad else 3 if left else 0


def main(argv: list[str]) -> int:
    options = parse(argv)
    return command.run("faults", lambda: run(options), "the next call goes on")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
