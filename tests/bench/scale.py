#!/usr/bin/env python3
"""`./run bench scale`: what an image costs the broker, and the memory that it takes, while workers,
producers or open images become more, and with a second broker.  Everything does nothing but speak
the protocol.

Prints a table; writes OUT/scale.json, an array with an object for each case: {"what", "count",
"machine_us", "cpu_us", "loop_us", "memory_bytes", "images_per_s"}, and OUT/scale.svg.  The times
are of processors: machine_us of a broker that only decides, with its peers in the same thread and
no connection; cpu_us of a broker whose peers are connected, loop_us of its first thread, which
decides and encodes.  The rest of cpu_us is that of ZeroMQ's own thread, for the most part system
calls.  Two brokers have their own peers each, half of them, and share the images; the memory is
that of both.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/faults"))

import topology  # noqa: E402

IMAGES = 20_000
WORKERS, PRODUCERS, OPEN = 10, 1, 64


@dataclass(frozen=True)
class Case:
    what: str
    count: int
    workers: int = WORKERS
    producers: int = PRODUCERS
    open: int = OPEN
    brokers: int = 1


# A producer has an image open at least; so have workers something to do.
CASES = (
    [Case("workers", n, workers=n) for n in (1, 10, 100, 300, 1000)]
    + [Case("producers", n, producers=n, open=max(OPEN, n)) for n in (1, 10, 100, 500)]
    + [Case("open images", n, workers=100, open=n) for n in (1, 10, 100, 1000, 10_000)]
    + [Case("brokers", n, workers=100 // n, producers=10 // n, open=1000 // n, brokers=n)
       for n in (1, 2)])


def pipeline_text(endpoints: dict[str, str]) -> str:
    text = topology.pipeline_text((ROOT / "pipeline.yaml").read_text(), endpoints,
                                  gateway_port=1, brokers=[])
    for key, value in {"open_request_max": "20000", "producer_credit": "20000",
                       "worker_max": "2000", "producer_max": "1000", "deadline": "60s",
                       "task_age_max": "60s", "hedge_after": "50s", "wait_max": "60s",
                       "open_batch_max": "20000", "linger": "20ms", "heartbeat": "1m"}.items():
        text = topology.replaced(text, rf"(?m)^  {key}: \S+", f"  {key}: {value}")
    return text


def cpu_s(process: int) -> tuple[float, float]:
    """Of all threads, and of the first, which runs the broker's loop; that of a thread which runs
    just now may be what it was a tick before, 4 ms."""
    spent = {int(task.name): int((task / "schedstat").read_text().split()[0]) / 1e9
             for task in pathlib.Path(f"/proc/{process}/task").iterdir()}
    return sum(spent.values()), spent[process]


def memory(process: int) -> int:
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    found = re.search(r"(?m)^VmRSS:\s+(\d+) kB", status)
    assert found
    return 1024 * int(found[1])


def failure(case: Case, log: pathlib.Path) -> SystemExit:
    said = "\n".join(log.read_text().splitlines()[-5:])
    return SystemExit(f"./run bench scale: {case} failed; the broker's last words:\n{said}")


def hears(process: subprocess.Popen[bytes], word: bytes) -> bool:
    assert process.stdout
    return process.stdout.readline() == word + b"\n"


def go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    process.stdin.write(b"go\n")
    process.stdin.flush()


def machine_us(case: Case, programs: pathlib.Path, images: int) -> float:
    """Processor time an image of a broker without connections."""
    numbers = map(str, (case.workers, case.producers, case.open, images))
    with subprocess.Popen([programs / "bench_machine", *numbers], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as machine:
        try:
            if hears(machine, b"ready"):
                before = cpu_s(machine.pid)[0]
                go(machine)
                if hears(machine, b"done"):
                    return 1e6 * (cpu_s(machine.pid)[0] - before) / images
        finally:
            machine.kill()
    raise SystemExit(f"./run bench scale: {case} failed without connections")


class Served:
    """A broker and its peers, which are connected and wait for `go`."""

    def __init__(self, case: Case, programs: pathlib.Path, images: int, scratch: pathlib.Path,
                 number: int) -> None:
        ports = topology.Ports()
        endpoints = {key: topology.endpoint(ports.draw())
                     for key in ("producers", "workers", "answers")}
        endpoints["collage"] = "inproc://collage"
        ports.release()
        file = scratch / f"pipeline{number}.yaml"
        file.write_text(pipeline_text(endpoints))
        self.case = case
        self.log = scratch / f"broker{number}.log"
        with self.log.open("wb") as out:
            self.broker = subprocess.Popen([programs / "collage-broker", file], stderr=out)
        self.peers = subprocess.Popen(
            [programs / "bench_peers", endpoints["producers"], endpoints["workers"],
             *map(str, (case.workers, case.producers, case.open, images))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def expect(self, word: bytes) -> None:
        if not hears(self.peers, word):
            raise failure(self.case, self.log)

    def end(self) -> None:
        for process in (self.peers, self.broker):
            process.kill()
            process.wait()


def measure(case: Case, programs: pathlib.Path, images: int) -> dict[str, Any]:
    alone = machine_us(case, programs, images)
    served: list[Served] = []
    with tempfile.TemporaryDirectory() as scratch:
        try:
            for number in range(case.brokers):
                served.append(Served(case, programs, images // case.brokers,
                                     pathlib.Path(scratch), number))
            for one in served:
                one.expect(b"ready")
            before, begin = [cpu_s(one.broker.pid) for one in served], time.monotonic()
            for one in served:
                go(one.peers)
            for one in served:
                one.expect(b"done")
            seconds = time.monotonic() - begin
            after = [cpu_s(one.broker.pid) for one in served]
            cpu, loop = (1e6 / images * sum(now[i] - then[i]
                                            for now, then in zip(after, before, strict=True))
                         for i in (0, 1))
            return {"what": case.what, "count": case.count, "machine_us": alone, "cpu_us": cpu,
                    "loop_us": loop,
                    "memory_bytes": sum(memory(one.broker.pid) for one in served),
                    "images_per_s": images / seconds}
        finally:
            for one in served:
                one.end()


def picture(rows: list[dict[str, Any]]) -> str:
    """Processor time an image over the count, both axes logarithmic; two lines for each kind, the
    dashed one of the machine alone."""
    width, height, left, bottom, right, top = 720, 380, 64, 56, 24, 44
    most = max(int(row["count"]) for row in rows)
    costs = [float(row[key]) for row in rows for key in ("cpu_us", "machine_us")]
    least = 10 ** math.floor(math.log10(min(costs)))
    highest = 10 ** math.ceil(math.log10(max(costs)))

    def x(count: float) -> float:
        return left + (width - left - right) * math.log10(count) / math.log10(most)

    def y(value: float) -> float:
        share = math.log(value / least) / math.log(highest / least)
        return height - bottom - (height - bottom - top) * share

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             'font-family="sans-serif" font-size="13">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for power in range(int(math.log10(most)) + 1):
        parts.append(f'<text x="{x(10 ** power):.0f}" y="{height - bottom + 20}" '
                     f'text-anchor="middle">{10 ** power:,}</text>')
    value = float(least)
    while value <= highest:
        for line in (value, 2 * value, 5 * value):
            if line <= highest:
                parts.append(f'<line x1="{left}" x2="{width - right}" y1="{y(line):.0f}" '
                             f'y2="{y(line):.0f}" stroke="#ddd"/>'
                             f'<text x="{left - 8}" y="{y(line) + 4:.0f}" text-anchor="end">'
                             f'{line:.0f}</text>')
        value *= 10
    colours = {"workers": "#2f6fb2", "producers": "#b2552f", "open images": "#3c8c4a"}
    for number, (what, colour) in enumerate(colours.items()):
        for key, dash in (("cpu_us", ""), ("machine_us", ' stroke-dasharray="5 4"')):
            points = [(x(row["count"]), y(row[key])) for row in rows if row["what"] == what]
            line_points = " ".join(f"{px:.0f},{py:.0f}" for px, py in points)
            parts.append(f'<polyline points="{line_points}" fill="none" stroke="{colour}" '
                         f'stroke-width="2"{dash}/>')
            parts += [f'<circle cx="{px:.0f}" cy="{py:.0f}" r="3" fill="{colour}"/>'
                      for px, py in points]
        parts.append(f'<text x="{width - right - 290 + 100 * number}" y="{height - 10}" '
                     f'fill="{colour}">{what}</text>')
    parts.append(f'<text x="{left}" y="22">Processor time of the broker an image, us; '
                 'dashed: without connections</text>'
                 f'<text x="{left}" y="{height - 10}">How many</text></svg>')
    return "\n".join(parts) + "\n"


def run(programs: pathlib.Path, out: pathlib.Path, rounds: int, images: int, most: int) -> None:
    taken: dict[Case, list[dict[str, Any]]] = {case: [] for case in CASES if case.count <= most}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for case in taken:
            taken[case].append(measure(case, programs, images))
    rows = []
    for case, all_rows in taken.items():
        rows.append({"what": case.what, "count": case.count}
                    | {key: statistics.median(row[key] for row in all_rows)
                       for key in ("machine_us", "cpu_us", "loop_us", "memory_bytes",
                                   "images_per_s")})
    print("| what | how many | machine alone | CPU an image | of it the loop | memory | images/s |\n"
          "|---|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {row['what']} | {row['count']:,} | {row['machine_us']:.1f} us "
              f"| {row['cpu_us']:.0f} us "
              f"| {row['loop_us']:.0f} us | {row['memory_bytes'] / 2**20:.1f} MiB "
              f"| {row['images_per_s']:,.0f} |")
    out.mkdir(parents=True, exist_ok=True)
    (out / "scale.json").write_text(json.dumps(rows, indent=1) + "\n")
    (out / "scale.svg").write_text(picture(rows))


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="./run bench scale",
        description="What an image costs the broker while workers, producers or open images "
        "become more, and with a second broker; writes OUT/scale.json and OUT/scale.svg.")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="[3]")
    parser.add_argument("--images", type=int, default=IMAGES, metavar="N",
                        help=f"of each case [{IMAGES}]")
    parser.add_argument("--most", type=int, default=10_000, metavar="N",
                        help="leave out rows whose number is larger, 10 at least [all]")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "out/bench")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/release/bin",
                        help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.most < 10 or options.rounds < 1 or options.images < 1:
        parser.error("expected --most 10 or more, --rounds and --images 1 or more")
    try:
        run(options.programs, options.out, options.rounds, options.images, options.most)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
