#!/usr/bin/env python3
"""Prints how many lines of the codec and of the machines the committed corpora reach.

    coverage.py BUILD [--missed]     --missed also names the lines that they do not reach

Exit code 1 if it is less than 95 % of either.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAST = 95
ROW = "{:<16} {:>7} {:>8} {:>7}"
# The message types and the utilities of wire/ are not the codec.
CODEC = {"wire/" + name for name in ("decode.cc", "encode.cc", "fields.h", "tokens.cc", "tokens.h",
                                     "utf8.cc", "utf8.h")}
MACHINES = ("broker/", "stages/", "producer/", "gateway/gateway.")


def part_of(name):
    """The rows to which a file counts."""
    if name in CODEC:
        return ["codec", "wire"]
    if name.startswith(MACHINES):
        return ["machines", str(pathlib.Path(name).parent)]
    return []


def profile(build):
    """Runs every target over its corpus; returns the merged profile and the programs."""
    programs, raw = sorted(build.glob("bin/fuzz_*")), []
    for program in programs:
        raw.append(build / f"{program.name}.profraw")
        corpus = ROOT / "tests/fuzz/corpus" / program.name.removeprefix("fuzz_")
        subprocess.run([program, corpus], check=True, stdout=subprocess.DEVNULL,
                       env={"LLVM_PROFILE_FILE": str(raw[-1])})
    merged = build / "corpora.profdata"
    subprocess.run(["llvm-profdata-14", "merge", "-o", merged, *raw], check=True)
    return merged, programs


def llvm_cov(verb, merged, programs, *more):
    objects = [argument for program in programs[1:] for argument in ("-object", program)]
    command = ["llvm-cov-14", verb, f"-instr-profile={merged}", programs[0], *objects, *more]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def print_missed(merged, programs, names):
    shown = llvm_cov("show", merged, programs, "-show-instantiations=false", *names)
    name = ""
    for line in shown.splitlines():
        if line.startswith("/"):
            name = line.rstrip(":")
        columns = line.split("|", 2)
        if len(columns) == 3 and columns[1].strip() == "0":
            print(f"{name}:{columns[0].strip()}:{columns[2]}")


def main():
    parser = argparse.ArgumentParser(prog="./run fuzz coverage")
    parser.add_argument("build", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--missed", action="store_true")
    arguments = parser.parse_args()
    merged, programs = profile(arguments.build.resolve())
    files = json.loads(llvm_cov("export", merged, programs, "-summary-only"))["data"][0]["files"]
    rows, names = collections.Counter(), []
    for file in files:
        path = pathlib.Path(file["filename"])
        parts = part_of(str(path.relative_to(ROOT))) if path.is_relative_to(ROOT) else []
        if parts:
            names.append(path)
        for part in parts:
            rows[part, "count"] += file["summary"]["lines"]["count"]
            rows[part, "covered"] += file["summary"]["lines"]["covered"]
    if arguments.missed:
        print_missed(merged, programs, names)
    print(ROW.format("", "lines", "reached", "%"))
    totals = ["codec", "machines"]
    least = 100.0
    for part in sorted({part for part, _ in rows} - set(totals)) + totals:
        share = 100 * rows[part, "covered"] / rows[part, "count"]
        least = min(least, share) if part in totals else least
        print(ROW.format(part, rows[part, "count"], rows[part, "covered"], f"{share:.1f}"))
    return 0 if least >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
