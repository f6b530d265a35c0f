#!/usr/bin/env python3
"""`./run bench`: how fast the parts are, each against a reference in the same run.

Rounds follow one another; in each, everything that was chosen is measured once, ours and the
reference by turns, so that a machine whose speed changes changes both.  Prints a table and writes
bench.json, an array with an object for each benchmark:
  name
  value, reference: medians, in seconds an operation; of a rate: operations a second, no reference
  ratio: the median of the rounds' ratios, value / reference where the bar says "at most" and
    reference / value otherwise
  spread: the range of the middle half of the ratios, as a part of their median
  bar, met

Exit code 0 whatever is met.  2: it could not run.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from typing import Callable

import bars

ROOT = pathlib.Path(__file__).resolve().parents[2]
BY_PILLOW = ("collage-cpu", "collage-path")
REPEATS = 3


class CannotRun(Exception):
    pass


class Program:
    """collage_bench."""

    def __init__(self, path: pathlib.Path, seconds: float) -> None:
        self.path, self.seconds = path, seconds

    def run(self, *arguments: str) -> str:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        ran = subprocess.run([str(self.path), *arguments], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, env=environment)
        if ran.returncode != 0:
            raise CannotRun(ran.stderr.strip().splitlines()[-1] if ran.stderr else
                            f"{self.path} ended with {ran.returncode}")
        return ran.stdout

    def names(self) -> list[str]:
        return self.run("--benchmark_list_tests=true").split()

    def times(self, names: list[str]) -> dict[str, float]:
        """Seconds for one operation of each: of CPU, but of the broker, which has several threads,
        of the clock."""
        # No name has a character that means anything in an expression.
        chosen = "|".join(f"^{name}$" for name in names)
        text = self.run(f"--benchmark_filter={chosen}", "--benchmark_format=json",
                        f"--benchmark_min_time={self.seconds}")
        scale = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
        found: dict[str, float] = {}
        if not text.startswith("{"):  # It says so in words, with exit code 0.
            raise CannotRun(text.strip())
        for one in json.loads(text)["benchmarks"]:
            name, whose, *clock = one["name"].split("/")
            for quantile in ("p50", "p99"):  # Of a latency, in seconds.
                if quantile in one:
                    found[f"{name.replace('latency', quantile)}/{whose}"] = one[quantile]
            time_of = "real_time" if clock else "cpu_time"
            found[f"{name}/{whose}"] = one[time_of] * scale[one["time_unit"]]
        return found


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


def measure(program: Program, names: list[str], rounds: int) -> list[dict[str, object]]:
    ours: dict[str, list[float]] = defaultdict(list)
    reference: dict[str, list[float]] = defaultdict(list)
    recipe = any(name in BY_PILLOW for name in names)
    photographs = photographs_of(program) if recipe else []
    wanted = [one for one in program.names() if set(shown_of(one)) & set(names)]
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for one, seconds in program.times(wanted).items():
            name, _, whose = one.partition("/")
            (ours if whose == "ours" else reference)[name].append(seconds)
        if recipe:
            seconds = timed(lambda: published_recipe(photographs))
            for name in BY_PILLOW:
                reference[name].append(seconds)
    return [bars.judged(name, ours[name], reference[name]) for name in names]


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


def run(options: argparse.Namespace) -> None:
    program = Program(options.program, options.seconds)
    all_names = list(dict.fromkeys(name for one in program.names() for name in shown_of(one)))
    names = chosen(all_names, options.names)
    if options.list:
        for name in names:
            bar = bars.bar_of(name)
            print(f"{name}: {bar.what}" if bar else name)
        return
    records = measure(program, names, options.rounds)
    print(bars.HEADER)
    for record in records:
        print(bars.line(record))
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "bench.json"
    file.write_text(json.dumps(records, indent=1) + "\n")


def main(argv: list[str]) -> int:
    options = parse(argv)
    try:
        run(options)
    except (CannotRun, OSError) as error:
        print(f"./run bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
