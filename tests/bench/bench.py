#!/usr/bin/env python3
"""`./run bench`: how fast the parts are, each against a reference in the same run.

Rounds follow one another; in each, everything that was chosen is measured once, ours and the
reference by turns, so that a machine whose speed changes changes both.  Prints a table and writes
bench.json, an array with an object for each benchmark:
  name
  value, reference: medians, in seconds an operation or in bytes; of a rate: operations a second,
    no reference; of a count: what is counted, no reference
  ratio: the median of the rounds' ratios, value / reference where the bar says "at most" and
    reference / value otherwise
  spread: the range of the middle half of the ratios, as a part of their median
  bar, met

Exit code 0 whatever is met.  2: it could not run.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from typing import Callable, Iterator

import bars
import fleets
from bars import CannotRun

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BY_PILLOW = ("collage-cpu", "collage-path")
REPEATS = 3


class Program:
    """collage_bench."""

    def __init__(self, path: pathlib.Path, seconds: float) -> None:
        self.path, self.seconds = path, seconds
        self.networks: dict[str, str] = {}  # Where it finds networks that do not ship.

    def make_networks(self, folder: str) -> None:
        made = subprocess.run([sys.executable, "-B", str(HERE / "networks.py"), folder],
                              stderr=subprocess.PIPE, text=True)
        if made.returncode != 0:
            raise CannotRun(made.stderr.strip().splitlines()[-1])
        self.networks = {"COLLAGE_BENCH_NETWORKS": folder}

    def run(self, *arguments: str) -> str:
        environment = os.environ | self.networks | {"OMP_NUM_THREADS": "1",
                                                    "OPENBLAS_NUM_THREADS": "1"}
        ran = subprocess.run([str(self.path), *arguments], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, env=environment)
        if ran.returncode != 0:
            raise CannotRun(ran.stderr.strip().splitlines()[-1] if ran.stderr else
                            f"{self.path} ended with {ran.returncode}")
        return ran.stdout

    def names(self) -> list[str]:
        return self.run("--benchmark_list_tests=true").split()

    def times(self, names: list[str]) -> dict[str, float]:
        """Seconds for one operation of each: of CPU, but of what has several threads of the clock.
        Of a benchmark that counts, what it has counted."""
        # No name has a character that means anything in an expression.
        chosen = "|".join(f"^{name}$" for name in names)
        text = self.run(f"--benchmark_filter={chosen}", "--benchmark_format=json",
                        f"--benchmark_min_time={self.seconds}")
        scale = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
        found: dict[str, float] = {}
        if not text.startswith("{"):  # It says so in words, with exit code 0.
            raise CannotRun(text.strip())
        for one in json.loads(text)["benchmarks"]:
            name, whose, *rest = one["name"].split("/")
            clock = any(word.endswith("_time") for word in rest)
            for quantile in ("p50", "p99"):  # Of a latency, in seconds.
                if quantile in one:
                    found[f"{name.replace('latency', quantile)}/{whose}"] = one[quantile]
            time_of = "real_time" if clock else "cpu_time"
            time = one[time_of] * scale[one["time_unit"]]
            found[f"{name}/{whose}"] = one.get("count", time)
        return found


    def times_on_all_cores(self, names: list[str]) -> dict[str, float]:
        """The means of as many runs at once as there are cores: what a core does in a time is less
        while the others have work, too."""
        cores = os.cpu_count() or 1
        with concurrent.futures.ThreadPoolExecutor(cores) as pool:
            runs = list(pool.map(lambda _: self.times(names), range(cores)))
        return {name: statistics.mean(run[name] for run in runs) for name in runs[0]}


def published_recipe(photographs: list[bytes]) -> None:
    """Narra et al.: each image decoded, resized to 256, cut to 224, pasted; the whole resized."""
    from PIL import Image  # type: ignore[import]
    collage = Image.new("RGB", (672, 672))
    for number in range(9):
        image = Image.open(io.BytesIO(photographs[number % len(photographs)])).convert("RGB")
        scale = 256 / min(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)),
                             Image.BILINEAR)
        left, top = (image.width - 224) // 2, (image.height - 224) // 2
        image = image.crop((left, top, left + 224, top + 224))
        collage.paste(image, (number % 3 * 224, number // 3 * 224))
    collage.resize((416, 416), Image.LANCZOS).tobytes()


def timed(work: Callable[[], None]) -> float:
    """Seconds of CPU."""
    begin = time.process_time()
    for _ in range(REPEATS):
        work()
    return (time.process_time() - begin) / REPEATS


def photographs_of(program: Program) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        program.run("--photographs", folder)
        return [file.read_bytes() for file in sorted(pathlib.Path(folder).iterdir())]


def shown_of(benchmark: str) -> list[str]:
    """The names under which a benchmark of the program is shown."""
    name = benchmark.partition("/")[0]
    if name.endswith("-latency"):
        return [name.replace("latency", quantile) for quantile in ("p50", "p99")]
    return [name]


def measure(program: Program, names: list[str], rounds: int) -> Iterator[list[dict[str, object]]]:
    """After each round the records of all rounds so far."""
    ours: dict[str, list[float]] = defaultdict(list)
    reference: dict[str, list[float]] = defaultdict(list)
    recipe = any(name in BY_PILLOW for name in names)
    photographs = photographs_of(program) if recipe else []
    of_fleets = [name for name in names if name in fleets.NAMES]
    parts = fleets.parts_of(of_fleets)
    wanted = [one for one in program.names() if set(shown_of(one)) & set(names)]
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        times = program.times(wanted) if wanted else {}
        busy = program.times_on_all_cores(parts) if parts else {}
        for name, pair in fleets.measure(program.path.parent, of_fleets, busy).items():
            ours[name].append(pair.ours)
            reference[name].append(pair.reference)
        for one, seconds in times.items():
            name, _, whose = one.partition("/")
            (ours if whose == "ours" else reference)[name].append(seconds)
        if recipe:
            seconds = timed(lambda: published_recipe(photographs))
            for name in BY_PILLOW:
                reference[name].append(seconds)
        yield [bars.judged(name, ours[name], reference[name]) for name in names if ours[name]]
    for name in names:
        if not ours[name]:
            print(f"{name}: left out, for its data set is not here (COLLAGE_DATA)",
                  file=sys.stderr)


def chosen(all_names: list[str], asked: list[str]) -> list[str]:
    """Those that are asked for, by name or by the begin of one."""
    if not asked:
        return all_names
    for one in asked:
        if not any(name.startswith(one) for name in all_names):
            raise CannotRun(f"no benchmark is named {one}; there are {', '.join(all_names)}")
    return [name for name in all_names if any(name.startswith(one) for one in asked)]


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run bench", description="How fast the parts are, each against a reference in the "
        "same run; writes OUT/bench.json.  COLLAGE_BENCH_PHOTOGRAPHS may name a folder of JPEG "
        "files to decode instead of drawn ones.")
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="these alone, or those whose names begin so")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="[9]")
    parser.add_argument("--seconds", type=float, default=0.1,
                        help="that each is measured for in a round [0.1]")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "out/bench")
    parser.add_argument("--list", action="store_true", help="only list the benchmarks")
    parser.add_argument("--program", type=pathlib.Path,
                        default=ROOT / "build/release/bin/collage_bench", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds and --seconds are above 0")
    return options


def run(options: argparse.Namespace, scratch: str) -> None:
    program = Program(options.program, options.seconds)
    if not options.names or any(name.startswith("inf") for name in options.names):
        program.make_networks(scratch)
    all_names = list(dict.fromkeys(name for one in program.names() for name in shown_of(one)))
    all_names += fleets.NAMES
    names = chosen(all_names, options.names)
    if options.list:
        for name in names:
            bar = bars.bar_of(name)
            print(f"{name}: {bar.what}" if bar else name)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    records: list[dict[str, object]] = []
    for records in measure(program, names, options.rounds):  # What is interrupted keeps its rounds.
        (options.out / "bench.json").write_text(json.dumps(records, indent=1) + "\n")
    print(bars.HEADER)
    for record in records:
        print(bars.line(record))


def main(argv: list[str]) -> int:
    options = parse(argv)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            run(options, scratch)
    except (CannotRun, OSError) as error:
        print(f"./run bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
