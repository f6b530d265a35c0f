"""Instructions of broker, joiner, codec and decoding, by callgrind: as many as instructions.json
says, 3 % more or less.  More is a loss of speed that no noise hides; fewer is to be kept.

    instructions_test.py PROGRAM            compares
    instructions_test.py PROGRAM --update   writes instructions.json

Counts hold for Debian 12's compiler and libraries, optimised.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

FILE = pathlib.Path(__file__).with_name("instructions.json")
NAMES = ("broker", "codec", "decode", "joiner")
MARGIN = 0.03


def count(program, name):
    with tempfile.TemporaryDirectory() as scratch:
        ran = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=counted_work",
             f"--callgrind-out-file={scratch}/out", program, name],
            stderr=subprocess.PIPE, text=True)
    found = re.findall(r"Collected : (\d+)", ran.stderr)
    if ran.returncode != 0 or not found:
        sys.exit(f"{name}: {ran.stderr}")
    if found[-1] == "0":
        sys.exit(f"{name}: callgrind has not found counted_work")
    return int(found[-1])


def main(program, *options):
    counts = {name: count(program, name) for name in NAMES}
    if options:
        FILE.write_text(json.dumps(counts, indent=1) + "\n")
        return 0
    wrong = False
    known = json.loads(FILE.read_text())
    if set(known) != set(NAMES):
        sys.exit(f"{FILE.name} has {sorted(known)}, expected {sorted(NAMES)}")
    for name, expected in known.items():
        ratio = counts[name] / expected
        well = abs(ratio - 1) <= MARGIN
        wrong |= not well
        print(f"{name}: {counts[name]:,}, expected {expected:,}, {ratio:.3f}"
              f"{'' if well else '  NOT within 3 %; --update if it is meant'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
