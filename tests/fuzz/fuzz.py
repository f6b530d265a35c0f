#!/usr/bin/env python3
"""Runs fuzz targets one after another and prints a line about each.

    fuzz.py BUILD [TARGET ...] [--executions N | --seconds S]     default: 60 seconds each

What a target has learned is kept in BUILD/corpus/TARGET and is where its next run begins; what
libFuzzer says is in BUILD/logs/TARGET.txt.  Exit code 1 if there is a finding: its line names the
input, which the target takes as an argument to fail again.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = "{:<15} {:>12} {:>8} {:>8}  {}"


def targets_of(build):
    return sorted(path.name.removeprefix("fuzz_") for path in build.glob("bin/fuzz_*"))


def number(pattern, text):
    """The last number that follows the pattern; 0 if there is none."""
    found = re.findall(pattern + r"\s*(\d+)", text)
    return int(found[-1]) if found else 0


def run(build, target, bound):
    """Runs a target; returns its row and whether all was well."""
    folders = [build / name for name in ("corpus", "findings", "logs")]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    corpus, findings, logs = folders[0] / target, folders[1], folders[2]
    corpus.mkdir(exist_ok=True)
    log = logs / f"{target}.txt"
    # By perf, libFuzzer's entropic schedule took three fifths of the time of the target `broker`.
    with log.open("wb") as out:
        code = subprocess.run(
            [build / "bin" / f"fuzz_{target}", bound, "-print_final_stats=1", "-timeout=30",
             "-entropic=0", f"-artifact_prefix={findings}/{target}-", corpus,
             ROOT / "tests/fuzz/corpus" / target],
            stdout=out, stderr=subprocess.STDOUT, check=False,
            env=os.environ | {"LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp:"
                                              "print_suppressions=0"}).returncode
    text = log.read_text(errors="replace")
    found = re.findall(r"Test unit written to (\S+)", text)
    what = "none" if code == 0 else found[-1] if found else f"see {log}"
    runs = number("stat::number_of_executed_units:", text)
    rate = number("stat::average_exec_per_sec:", text)
    learned = len(list(corpus.iterdir()))
    return ROW.format(target, f"{runs:,}", f"{rate:,}", learned, what), code == 0


def main():
    parser = argparse.ArgumentParser(prog="./run fuzz")
    parser.add_argument("build", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--executions", type=int, help="of each target, instead of a time")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    known = targets_of(build)
    for target in arguments.targets:
        if target not in known:
            parser.error(f"no target {target}, expected one of {', '.join(known)}")
    bound = (f"-runs={arguments.executions}" if arguments.executions
             else f"-max_total_time={arguments.seconds}")
    print(ROW.format("target", "executions", "a second", "corpus", "finding"), flush=True)
    good = True
    for target in arguments.targets or known:
        row, well = run(build, target, bound)
        good = good and well
        print(row, flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
