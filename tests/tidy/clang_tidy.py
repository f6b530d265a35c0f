#!/usr/bin/env python3
"""Runs clang-tidy over the source files of a build, a few at a time; .clang-tidy lists the checks.

    clang_tidy.py BUILD [--jobs N] [PART ...]    only files whose path has one of the parts

Left out are files that need LibTorch, whose headers cost clang-tidy half a minute each, and the
tests, which would double the time.  Exit code 1 if there is a finding.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

CLANG_TIDY = "clang-tidy-14"
# The flags of the build are GCC's: it has warnings that clang does not know, and its -Wconversion
# does not include this one.
EXTRA = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-sign-conversion"]
ROOT = pathlib.Path(__file__).resolve().parents[2]


def files_of(build):
    """The paths of our own sources in a compile database, in order, relative to the root."""
    found = set()
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if not path.is_relative_to(ROOT) or path.is_relative_to(build):
            continue
        name = path.relative_to(ROOT)
        if name.parts[0] != "tests" and "include/torch" not in entry["command"]:
            found.add(str(name))
    return sorted(found)


def check(build, name):
    """What clang-tidy prints about a file; nothing if it is clean."""
    ran = subprocess.run(
        [CLANG_TIDY, "-p", build, "--quiet", *EXTRA, name],
        cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if ran.returncode == 0 else ran.stdout or ran.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    names = [name for name in files_of(build)
             if not arguments.parts or any(part in name for part in arguments.parts)]
    if not names:
        sys.exit("clang_tidy.py: no file to check")
    # A header is reported once for each file that includes it, in the same words.
    seen = {""}
    findings = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for text in pool.map(lambda name: check(build, name), names):
            findings += text != ""
            if text not in seen:
                seen.add(text)
                print(text, flush=True)
    print(f"clang-tidy: {len(names)} files, {findings} with findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
