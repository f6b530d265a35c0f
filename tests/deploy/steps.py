"""What tests on booted hosts have in common: their arguments, their steps and their account."""

import json
import pathlib
import struct
import subprocess
import sys
import time
import zlib

from hosts import CannotBoot, Failed, require


def expect(what, condition):
    if not condition:
        raise Failed(what)


def folders(usage):
    """PACKAGES, NEXT, SCRATCH and OUT of the command line, the last two made.  Ends the program with 2 if
    they are not there, with 77 if this machine cannot boot hosts."""
    if len(sys.argv) != 5:
        print(usage, file=sys.stderr)
        sys.exit(2)
    packages, following, scratch, out = (pathlib.Path(path).resolve() for path in sys.argv[1:])
    try:
        require()
    except CannotBoot as reason:
        print(f"not tested: {reason}")
        sys.exit(77)
    for each in (scratch, out):
        each.mkdir(parents=True, exist_ok=True)
    return packages, following, scratch, out


def grey_png(side):
    """A grey picture, brighter to the right."""
    def chunk(kind, body):
        return (struct.pack(">I", len(body)) + kind + body +
                struct.pack(">I", zlib.crc32(kind + body)))
    rows = b"".join(b"\0" + bytes(255 * x // side for x in range(side)) for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Account:
    """What became of the images of a step."""

    def __init__(self):
        self.sent = self.lost = self.refused = 0

    def add(self, answers):
        """Results as collage-push prints them."""
        self.sent += len(answers)
        self.lost += sum(answer["status"] not in ("answered", "refused") for answer in answers)
        self.refused += sum(answer["status"] == "refused" for answer in answers)


class Test:
    """Steps are methods, run in order until one is not good."""

    def __init__(self):
        self.account = Account()

    def run(self, steps, file):
        """Prints a line a step and writes `file`: an array of {"step", "ok", "seconds", "sent",
        "lost", "refused"}.  Whether all were good."""
        rows = []
        for step in steps:
            self.account = Account()
            begun = time.monotonic()
            problem = ""
            try:
                step()
            except (Failed, subprocess.SubprocessError) as error:
                problem = str(error)
            row = {"step": step.__name__.replace("_", "-"), "ok": not problem,
                   "seconds": round(time.monotonic() - begun, 1), **vars(self.account)}
            rows.append(row)
            print(f"{row['step']:22} {'ok' if row['ok'] else 'failed':6} {row['seconds']:6.1f} s  "
                  f"sent {row['sent']}  lost {row['lost']}  refused {row['refused']}", flush=True)
            if problem:
                print(problem, file=sys.stderr)
                break
        file.write_text(json.dumps(rows, indent=2))
        return all(row["ok"] for row in rows)
