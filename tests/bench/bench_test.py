"""The judgement of ./run bench, and what it asks of the program that measures."""

import contextlib
import io
import json
import os
import pathlib
import tempfile
import unittest

import bars
import bench
import fleets

FAKE = """#!/bin/sh
case "$1" in
  *list*) printf 'decode-small-png/ours\\ndecode-small-png/reference\\njoiner/ours\\n'
          printf 'broker-1k/ours/real_time\\nbroker-1k/reference/real_time\\n'
          printf 'broker-latency/ours/manual_time\\nbroker-latency/reference/manual_time\\n' ;;
  *) cat <<'END'
{"benchmarks": [
 {"name": "decode-small-png/ours", "cpu_time": 3.0, "time_unit": "us"},
 {"name": "decode-small-png/reference", "cpu_time": 2000.0, "time_unit": "ns"},
 {"name": "joiner/ours", "cpu_time": 45.0, "time_unit": "ms"},
 {"name": "broker-1k/ours/real_time", "cpu_time": 1, "real_time": 80.0, "time_unit": "us"},
 {"name": "broker-1k/reference/real_time", "cpu_time": 1, "real_time": 20.0, "time_unit": "us"},
 {"name": "broker-latency/ours/manual_time", "cpu_time": 1, "real_time": 1, "time_unit": "us",
  "p50": 200e-6, "p99": 900e-6},
 {"name": "broker-latency/reference/manual_time", "cpu_time": 1, "real_time": 1, "time_unit": "us",
  "p50": 150e-6, "p99": 300e-6}]}
END
esac
"""


class JudgedTest(unittest.TestCase):
    def test_at_most_compares_ours_with_the_reference(self):
        record = bars.judged("decode-small-png", [3.0, 4.0, 9.0], [2.0, 2.0, 3.0])
        self.assertEqual((record["ratio"], record["met"]), (2.0, True))
        self.assertEqual((record["value"], record["reference"]), (4.0, 2.0))
        self.assertFalse(bars.judged("decode-small-png", [4.1], [2.0])["met"])

    def test_faster_compares_the_reference_with_ours(self):
        self.assertTrue(bars.judged("inference-fashion_single", [1.0], [1.3])["met"])
        self.assertFalse(bars.judged("inference-fashion_single", [1.0], [1.29])["met"])

    def test_of_rate_compares_operations_a_second(self):
        record = bars.judged("broker-1k", [5.0], [2.0])
        self.assertEqual((record["ratio"], record["met"]), (0.4, True))
        self.assertFalse(bars.judged("broker-1k", [5.1], [2.0])["met"])
        self.assertIn("| 0.4 of its rate | yes |", bars.line(record))

    def test_above_compares_the_difference_with_the_bar(self):
        self.assertTrue(bars.judged("broker-p50", [210e-6], [150e-6 + 1e-9])["met"])
        record = bars.judged("broker-p50", [211e-6], [150e-6])
        self.assertFalse(record["met"])
        self.assertIn("| 60 us above | **no** |", bars.line(record))

    def test_a_rate_has_no_reference(self):
        record = bars.judged("joiner", [0.09], [])
        self.assertAlmostEqual(record["value"], 1e6)
        self.assertFalse(bars.judged("joiner", [0.0901], [])["met"])

    def test_a_count_has_no_reference(self):
        record = bars.judged("broker-copies", [0.0, 0.0, 0.0], [])
        self.assertTrue(record["met"])
        self.assertFalse(bars.judged("broker-copies", [1.0, 1.0, 0.0], [])["met"])
        self.assertEqual(bars.line(record), "| broker-copies | 0 | - | - | - | 0 | yes |")

    def test_memory_is_told_in_mebibytes(self):
        record = bars.judged("host-memory", [2.0**28], [2.0**30])
        self.assertIn("| 256 MiB | 1024 MiB | 4.00 | 0% | 3x less | yes |", bars.line(record))

    def test_the_ratio_is_that_of_rounds_and_not_of_medians(self):
        # A machine that is twice as slow in one of three rounds.
        record = bars.judged("decode-small-png", [1.5, 3.0, 1.5], [1.0, 2.0, 1.0])
        self.assertEqual((record["ratio"], record["spread"]), (1.5, 0.0))

    def test_a_round_without_its_reference_is_an_error(self):
        with self.assertRaises(ValueError):
            bars.judged("decode-small-png", [1.0, 1.0], [1.0])

    def test_the_spread_is_that_of_the_middle_half(self):
        self.assertAlmostEqual(bars.spread([1.0, 1.1, 1.0, 0.9, 1.0, 9.0, 1.0]), 0.1)

    def test_a_duration_has_a_unit_that_suits_it(self):
        self.assertEqual([bars.duration(one) for one in (2.0, 0.0153, 2.5e-6, 7e-9, None)],
                         ["2 s", "15.3 ms", "2.5 us", "7 ns", "-"])


class FleetsTest(unittest.TestCase):
    PARTS = {"inference-fashion_single/ours": 4e-3, "inference-fashion_collage_3x3/ours": 9e-3,
             "decode-small-png/ours": 1e-3}

    def test_all_that_an_image_needs_is_shared_by_the_cores(self):
        cores = os.cpu_count() or 1
        none = fleets.least_time("fashion", "none", self.PARTS, producer_s=1e-3)
        self.assertAlmostEqual(none * cores, 6e-3)
        default = fleets.least_time("fashion", "collage-hedge", self.PARTS, producer_s=1e-3)
        self.assertAlmostEqual(default * cores, 8e-3)  # A ninth of a collage, and its tile.

    def test_only_what_is_needed_is_measured(self):
        self.assertEqual(fleets.parts_of(["host-ready", "brownout"]), [])
        self.assertEqual(fleets.parts_of(["pipeline-fashion-none", "pipeline-fashion-default"]),
                         list(self.PARTS))

    def test_a_pipeline_has_the_models_and_the_policy_that_are_asked_for(self):
        fleet = fleets.Fleet(pathlib.Path("/nowhere"), "cifar10", "none")
        self.addCleanup(fleet.scratch.cleanup)
        text = fleet.file.read_text()
        self.assertIn("models/cifar10_single.yaml", text)
        self.assertIn("models/cifar10_collage_3x3.yaml", text)
        self.assertIn("\npolicy: none", text)
        self.assertIn(f"producers: {fleet.endpoint}", text)


class DriverTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.program = self.folder / "program"
        self.program.write_text(FAKE)
        self.program.chmod(0o755)

    def run_bench(self, *arguments):
        out, error = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            code = bench.main(["--program", str(self.program), "--out", str(self.folder),
                               "--rounds", "2", *arguments])
        return code, out.getvalue(), error.getvalue()

    def test_it_writes_a_record_for_each_benchmark(self):
        code, out, _ = self.run_bench("decode", "joiner", "broker")
        self.assertEqual(code, 0)
        records = json.loads((self.folder / "bench.json").read_text())
        self.assertEqual([one["name"] for one in records], ["decode-small-png", "joiner", "broker-1k", "broker-p50", "broker-p99"])
        self.assertAlmostEqual(records[2]["ratio"], 0.25)
        self.assertTrue(records[3]["met"])
        self.assertAlmostEqual(records[4]["ratio"], 3.0)
        self.assertAlmostEqual(records[0]["ratio"], 1.5)
        self.assertAlmostEqual(records[1]["value"], 2e6)
        self.assertIn("| decode-small-png | 3 us | 2 us | 1.50 | 0% | 2x at most | yes |", out)

    def test_some_are_chosen_by_the_begin_of_their_names(self):
        self.assertEqual(self.run_bench("--list", "dec")[1],
                         "decode-small-png: 28x28 PNG to pixels; libpng alone\n")
        code, _, error = self.run_bench("other")
        self.assertEqual(code, 2)
        self.assertIn("no benchmark is named other; there are decode-small-png, joiner, broker-1k, ", error)

    def test_a_program_that_fails_is_an_error(self):
        self.program.write_text("#!/bin/sh\necho it broke >&2\nexit 2\n")
        code, _, error = self.run_bench("joiner")
        self.assertEqual((code, error), (2, "./run bench: it broke\n"))

    def test_a_program_that_measures_nothing_is_an_error(self):
        self.program.write_text(FAKE.replace("cat <<'END'", "echo no match; exit; cat <<'END'"))
        code, _, error = self.run_bench("joiner")
        self.assertEqual(code, 2)
        self.assertIn("./run bench: no match", error)


if __name__ == "__main__":
    unittest.main()
