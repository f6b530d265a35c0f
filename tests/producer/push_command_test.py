"""The command line of collage-push, also as the model of the Python client's.

    push_command_test.py PROGRAM
"""

import csv
import io
import json
import os
import subprocess
import sys
import unittest

from command_test import CLIENT, Broker, Folder

sys.path.insert(0, str(CLIENT))
from collage_client import rank_brokers  # noqa: E402

PROGRAM = sys.argv.pop(1)
PYTHON = [sys.executable, "-B", "-m", "collage_client"]


class PushCommand(Folder):
    def run_program(self, program, *arguments):
        """What it prints, its errors and its exit code."""
        ran = subprocess.run([*program, *arguments], capture_output=True, timeout=50,
                             stdin=subprocess.DEVNULL,
                             env=os.environ | {"PYTHONPATH": str(CLIENT)})
        return ran.stdout.decode(), ran.stderr.decode(), ran.returncode

    def results(self, program, *arguments):
        """What is printed about one image of each kind, and the errors."""
        broker = Broker()
        broker.start()
        self.addCleanup(broker.stop)
        for name, image in (("d/1", b"x"), ('d/2 quo"te,\n', b"x"), ("d/3 \udcff", b"x"),
                            ("d/4", Broker.BROWNOUT), ("d/5", Broker.JPEG_XL),
                            ("d/6 日", b"x" * 101)):
            self.write(name, image)
        os.makedirs(self.path("empty"), exist_ok=True)
        out, errors, code = self.run_program(program, self.path("d"), self.path("empty"),
                                             "--in-order", "-e", broker.endpoint, *arguments)
        self.assertEqual(code, 1, errors)
        return out, errors

    def test_status_names_only_the_broker_that_it_asked(self):
        brokers = [f"ipc://{self.path(name)}" for name in "ab"]
        asked, other = rank_brokers("camera-7", brokers)
        _, errors, code = self.run_program([PROGRAM], "--status", "--endpoint", ",".join(brokers),
                                           "--stream", "camera-7", "--timeout", "0.01")
        self.assertEqual(code, 2)
        self.assertIn(f"no broker answered at {asked} within", errors)
        self.assertNotIn(other, errors)

    def test_both_clients_print_the_same_json(self):
        lines = []
        for program in ([PROGRAM], PYTHON):
            lines.append([json.loads(line) for line in self.results(program)[0].splitlines()])
            self.assertEqual(len(lines[-1]), 7)
            for line in lines[-1]:
                if "latency_s" in line:
                    line["latency_s"] = 0
            lines[-1].sort(key=lambda line: line["file"])
        for ours, pythons in zip(*lines):
            self.assertEqual(list(pythons.items()), list(ours.items()))  # In the same order.

    def test_both_clients_print_the_same_columns(self):
        rows = []
        for program in ([PROGRAM], PYTHON):
            rows.append([*csv.reader(io.StringIO(self.results(program, "--format", "csv")[0]))])
            self.assertEqual(len(rows[-1]), 1 + 7)
            at = rows[-1][0].index("latency_s")
            for row in rows[-1][1:]:
                row[at] = row[at] and "0"
            rows[-1][1:] = sorted(rows[-1][1:], key=lambda row: row[1])
        self.assertEqual(rows[1], rows[0])

    def test_both_clients_count_the_same(self):
        counts = []
        for program in ([PROGRAM], PYTHON):
            _, errors = self.results(program)
            lines = [line.partition(": ")[2] for line in errors.splitlines()]
            # Without what depends on time.
            counts.append([line.partition(" in ")[0] + line.partition("): ")[2]
                           for line in lines if not line.startswith("latency")])
        self.assertEqual(counts[1], counts[0])
        self.assertIn("4 of 7 answered", counts[0][0])


if __name__ == "__main__":
    unittest.main()
