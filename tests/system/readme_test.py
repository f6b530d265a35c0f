"""Every command in README.md is run or, where it takes minutes, checked to exist.

    readme_test.py FOLDER-OF-PROGRAMS

The commands that start a pipeline by hand are the pipeline of this test, with ports of its
own; the commands that use a pipeline are run against it.
"""

import json
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path()  # From the command line.
ENDPOINT = "tcp://127.0.0.1:5570"  # As README.md and pipeline.yaml have it.
DOOR = "http://127.0.0.1:8080"  # Likewise.
COMMAND = re.compile(r"(\./run|cmake|ctest|curl|collage-\w+) ")
# Blocks that are no commands: the picture, an answer, the folder map.
OTHER = re.compile(r'producers --DEALER|\{"request":|[a-z]+/ ')

# What ./run makes of its verbs, for those that this test runs.
PROGRAM_OF_VERB = {
    "push": ["collage-push"],
    "sim": ["collage-replay", "sim"],
    "replay": ["collage-replay", "run"],
    "demo": ["collage-replay", "demo"],
    "pipeline": ["collage-replay", "pipeline"],
}


def blocks(text):
    """The indented blocks of a page, each a list of lines without indentation and comments."""
    found, block = [], []
    for line in text.splitlines() + [""]:
        if line.startswith("    "):
            block.append(re.sub(r"\s{2,}#.*", "", line[4:]).rstrip(" &"))
        elif block:
            found.append(block)
            block = []
    return found


def commands():
    page = (ROOT / "README.md").read_text()
    return [shlex.split(line) for block in blocks(page) if COMMAND.match(block[0] + " ")
            for line in block]


def output(argv, timeout=60, **options):
    """What a program prints; an error if it fails."""
    ran = subprocess.run(argv, text=True, timeout=timeout, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, **options)
    if ran.returncode != 0:
        raise AssertionError(f"{shlex.join(map(str, argv))} ended with {ran.returncode}:\n"
                             + ran.stdout)
    return ran.stdout


def program(argv):
    """The command with the programs of this build in place of ./run and of installed ones."""
    if argv[0] == "./run":
        argv = PROGRAM_OF_VERB[argv[1]] + argv[2:]
    return [str(PROGRAMS / argv[0]), *argv[1:]]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Text(unittest.TestCase):
    def test_every_block_is_commands_or_known_to_be_none(self):
        for block in blocks((ROOT / "README.md").read_text()):
            with self.subTest(block=block[0]):
                if COMMAND.match(block[0] + " "):
                    for line in block:
                        self.assertRegex(line + " ", COMMAND)
                else:
                    self.assertRegex(block[0], OTHER)

    def test_every_verb_of_run_is_in_its_help(self):
        verbs = set(re.findall(r"^  (\w+)", output([ROOT / "run", "help"]), re.MULTILINE))
        for argv in commands():
            if argv[0] == "./run":
                self.assertIn(argv[1], verbs)
        text = (ROOT / "README.md").read_text()
        for verb in re.findall(r"`\./run (\w+)", text):
            self.assertIn(verb, verbs | {"help"})

    def test_every_preset_exists(self):
        lists = {"cmake": ["cmake", "--list-presets"],
                 "build": ["cmake", "--build", "--list-presets"],
                 "ctest": ["ctest", "--list-presets"]}
        checked = 0
        for argv in commands():
            if argv[0] not in ("cmake", "ctest"):
                continue
            kind = "build" if "--build" in argv else argv[0]
            preset = argv[argv.index("--preset") + 1]
            self.assertIn(f'"{preset}"', output(lists[kind], cwd=ROOT))
            checked += 1
        self.assertEqual(checked, 3)


class Programs(unittest.TestCase):
    def test_every_program_prints_its_version(self):
        for name in sorted({argv[0] for argv in commands() if argv[0].startswith("collage-")}):
            self.assertRegex(output([PROGRAMS / name, "--version"]),
                             r"^collage \S+, protocol \d+, commit \w+")

    def test_every_option_is_in_the_help_of_its_program(self):
        for argv in commands():
            if argv[0] in ("cmake", "ctest", "curl") or argv[:2] == ["./run", "test"]:
                continue
            full = program(argv)
            # A verb of a program comes first; what follows are its arguments.
            verb = [word for word in full[1:2] if re.fullmatch("[a-z]+", word)]
            page = output([full[0], *verb, "--help"])
            for option in (word for word in argv if word.startswith("--")):
                self.assertIn(option, page, shlex.join(argv))

    def test_every_scenario_exists(self):
        names = [argv[2] for argv in commands() if argv[:2] == ["./run", "replay"]]
        self.assertTrue(names)
        for name in names:
            self.assertTrue((ROOT / "replay/scenarios" / (name + ".yaml")).exists(), name)

    def test_the_simulator_checks_seeds(self):
        seeds = [argv for argv in commands() if argv[:2] == ["./run", "sim"]]
        self.assertEqual(len(seeds), 1)
        full = program(seeds[0])
        full[full.index("--seeds") + 1] = "1..3"
        output(full)


class Pipeline(unittest.TestCase):
    """The commands that start a pipeline by hand, and those that use one."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="readme")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        text = (ROOT / "pipeline.yaml").read_text()
        *ports, door = free_ports(4)
        text = self.replaced(text, r"(?m)^  port: 8080\b", f"  port: {door}")
        self.door = f"http://127.0.0.1:{door}"
        for port, free in zip((5570, 5571, 5572), ports):
            text = self.replaced(text, rf"tcp://127\.0\.0\.1:{port}\b", f"tcp://127.0.0.1:{free}")
            if port == 5570:
                self.endpoint = f"tcp://127.0.0.1:{free}"
        text = self.replaced(text, r"(?m)^  address: 127\.0\.0\.1 +# `none`", "  address: none #")
        text = self.replaced(text, r"(?m)^(  (?:single|collage): )models/", rf"\1{ROOT}/models/")
        (self.folder / "pipeline.yaml").write_text(text)
        self.running = []
        self.addCleanup(self.kill)

    def replaced(self, text, pattern, by):
        text, count = re.subn(pattern, by, text)
        self.assertGreater(count, 0, pattern)
        return text

    def kill(self):
        for process in self.running:
            process.kill()
            process.wait()

    def run_here(self, argv):
        """Runs one command of README.md to its end against this pipeline."""
        argv = [self.endpoint if word == ENDPOINT else word.replace(DOOR, self.door)
                for word in argv]
        return output(argv if argv[0] == "curl" else program(argv), cwd=self.folder)

    def start(self, argv):
        log = open(self.folder / f"{argv[0]}-{len(self.running)}.log", "w")
        self.addCleanup(log.close)
        self.running.append(subprocess.Popen(program(argv), cwd=self.folder, stdout=log,
                                             stderr=subprocess.STDOUT))

    def await_workers(self):
        """Asks the broker until sink and both stages have joined."""
        expected = {"sinks": 1, "classifiers": 1, "assemblers": 1}
        end = time.monotonic() + 60
        joined = {}
        while time.monotonic() < end:
            status = subprocess.run(
                [PROGRAMS / "collage-push", "--status", "--endpoint", self.endpoint],
                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
            joined = {key: int(value) for key, value in
                      re.findall(r"\b(sinks|classifiers|assemblers)\W+(\d+)", status.stdout)}
            if joined == expected:
                return
        self.fail(f"joined after a minute: {joined}")

    def test_it_starts_by_hand_answers_and_drains(self):
        by_hand = [argv for argv in commands() if "pipeline.yaml" in argv]
        self.assertEqual(len(by_hand), 6)
        self.assertIn("--check", by_hand[0])
        output(program(by_hand[0]), cwd=self.folder)
        for argv in by_hand[1:]:
            self.start(argv)
        self.await_workers()

        record = next(argv for argv in commands() if argv[:2] == ["collage-replay", "record"])
        self.run_here(record + ["--images", "50"])
        self.assertTrue((self.folder / "out/latency.csv").exists())

        push = next(argv for argv in commands() if argv[:2] == ["./run", "push"])
        images = list((self.folder / push[2]).glob("*.png"))
        self.assertTrue(images, push[2])
        answers = [json.loads(line) for line in self.run_here(push).splitlines()
                   if line.startswith("{")]
        self.assertEqual(len(answers), len(images))
        shown = next(block for block in blocks((ROOT / "README.md").read_text())
                     if block[0].startswith("{"))
        keys = re.findall(r'"(\w+)":', re.sub(r"\[.*?\]", "[]", " ".join(shown)))
        for answer in answers:
            self.assertEqual(answer["status"], "answered")
            self.assertEqual(set(keys) - set(answer), set())

        curl = next(argv for argv in commands() if argv[0] == "curl")
        answer = json.loads(self.run_here([*curl, "--silent", "--show-error"]))
        self.assertEqual(answer["status"], "answered")
        self.assertEqual(set(keys) - {"request", "file"} - set(answer), set())

        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            self.assertEqual(process.wait(timeout=10), 0)


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
