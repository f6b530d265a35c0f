"""What ./run says about builds, with tools played by scripts: nothing is built or installed."""

import os
import pathlib
import pty
import shutil
import stat
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Every package is installed.
DPKG_QUERY = "printf 'ii '"
PUSH = 'printf "%s " "$(basename "$0")" "$@"; printf "in %s\\n" "$PWD"'
COMMIT = "[50%, 1 of 2] Running utility command for collage_commit"


class Run(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="run-test-")
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)
        shutil.copy(ROOT / "run", self.root / "run")
        (self.root / "CMakePresets.json").write_text("{}")
        self.script("tools/dpkg-query", DPKG_QUERY)
        self.script("tools/cmake", "echo configured >&2")
        self.script("build/release/bin/collage-push", PUSH)
        (self.root / "build/release/build.ninja").write_text("")
        self.ninja("echo \"ninja: Entering directory 'build/release'\"", f'echo "{COMMIT}"')

    def script(self, name, *lines):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(["#!/bin/bash", *lines, ""]))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def ninja(self, *lines):
        self.script("tools/ninja", 'printf "%s\\n" "$*" > "$(dirname "$0")/asked"', *lines)

    def asked(self):
        return (self.root / "tools/asked").read_text().split()

    def call(self, *arguments, **options):
        """Its output, its errors and its exit code."""
        environment = os.environ | {"PATH": f"{self.root / 'tools'}:{os.environ['PATH']}"}
        ran = subprocess.run([self.root / "run", *arguments], env=environment, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=30,
                             **({"stderr": subprocess.PIPE} | options))
        return ran.stdout, ran.stderr, ran.returncode

    def on_a_terminal(self, *arguments):
        """What it prints on a terminal as its standard error, and the exit code."""
        ours, theirs = pty.openpty()
        code = self.call(*arguments, stderr=theirs)[2]
        os.close(theirs)
        shown = b""
        try:
            while block := os.read(ours, 4096):
                shown += block
        except OSError:  # The terminal is gone: its last writer has ended.
            pass
        os.close(ours)
        return shown.decode(), code

    def test_nothing_is_said_if_nothing_is_built(self):
        self.assertEqual(self.call("push", "a.png", cwd="/"),
                         ("collage-push a.png in /\n", "", 0))
        self.assertEqual(self.on_a_terminal("push", "a.png"), ("", 0))

    def test_a_build_is_said_once_and_on_a_terminal_how_far_it_is(self):
        self.ninja(f'echo "{COMMIT}"', *(f'echo "[{n}0%, {n} of 10] Building x"' for n in (1, 9)))
        self.assertEqual(self.call("push", "a")[1], "building release\n")
        shown, code = self.on_a_terminal("push", "a")
        self.assertEqual(code, 0)
        self.assertIn("\rbuilding release [10%, 1 of 10]", shown)
        self.assertIn("\rbuilding release [90%, 9 of 10]", shown)
        self.assertTrue(shown.endswith("\r\x1b[K"), repr(shown))

    def test_errors_are_passed_on_once(self):
        self.ninja('echo "[10%, 1 of 10] Building x"', "echo 'FAILED: x.o'",
                   "echo 'x.cc:1: error: no'", "exit 1")
        out, errors, code = self.call("push", "a")
        self.assertEqual((out, code), ("", 2))
        self.assertEqual(errors, "building release\nFAILED: x.o\nx.cc:1: error: no\n")

    def test_a_full_disk_is_said(self):
        self.script("tools/df", "echo header", "echo /dev/x 100 90 3 97% /")
        self.ninja("echo 'fatal error: error writing to x.s: No space left on device'", "exit 1")
        _, errors, code = self.call("push", "a")
        self.assertEqual(code, 2)
        self.assertIn("is full: 3 MB are free", errors)
        self.script("tools/df", "echo header", "echo /dev/x 100 90 5000 97% /")
        self.assertNotIn("is full", self.call("push", "a")[1])

    def test_build_leaves_out_the_tests(self):
        out, _, code = self.call("build")
        self.assertEqual(code, 0)
        self.assertEqual(self.asked(), ["-C", "build/release", "products"])
        self.assertIn("build/release/bin", out)

    def test_a_shell_finds_the_programs_from_where_it_was_called(self):
        out, _, code = self.call("shell", "collage-push", "a", cwd="/")
        self.assertEqual((out, code), ("collage-push a in /\n", 0))

    def test_help_of_a_verb_begins_nothing(self):
        for verb in ("deps", "test", "train", "build", "package", "tidy", "format"):
            for flag in ("-h", "--help"):
                output, errors, code = self.call(verb, flag)
                self.assertEqual((errors, code), ("", 0), verb)
                self.assertIn("./run VERB", output)
        self.assertFalse((self.root / "tools/asked").exists())

    def test_an_unknown_verb_is_an_error(self):
        self.assertEqual(self.call("biuld")[2], 2)


if __name__ == "__main__":
    unittest.main()
