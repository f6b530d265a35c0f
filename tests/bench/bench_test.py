"""The judgement of ./run bench, and what it asks of the program that measures."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import bars
import bench

FAKE = """#!/bin/sh
case "$1" in
  *list*) printf 'decode-small-png/ours\\ndecode-small-png/reference\\njoiner/ours\\n' ;;
  *) cat <<'END'
{"benchmarks": [
 {"name": "decode-small-png/ours", "cpu_time": 3.0, "time_unit": "us"},
 {"name": "decode-small-png/reference", "cpu_time": 2000.0, "time_unit": "ns"},
 {"name": "joiner/ours", "cpu_time": 45.0, "time_unit": "ms"}]}
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

    def test_a_rate_has_no_reference(self):
        record = bars.judged("joiner", [0.09], [])
        self.assertAlmostEqual(record["value"], 1e6)
        self.assertFalse(bars.judged("joiner", [0.0901], [])["met"])

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
        code, out, _ = self.run_bench()
        self.assertEqual(code, 0)
        records = json.loads((self.folder / "bench.json").read_text())
        self.assertEqual([one["name"] for one in records], ["decode-small-png", "joiner"])
        self.assertAlmostEqual(records[0]["ratio"], 1.5)
        self.assertAlmostEqual(records[1]["value"], 2e6)
        self.assertIn("| decode-small-png | 3 us | 2 us | 1.50 | 0% | 2x at most | yes |", out)

    def test_some_are_chosen_by_the_begin_of_their_names(self):
        self.assertEqual(self.run_bench("--list", "dec")[1], "decode-small-png\n")
        code, _, error = self.run_bench("other")
        self.assertEqual(code, 2)
        self.assertIn("no benchmark is named other; there are decode-small-png, joiner", error)

    def test_a_program_that_fails_is_an_error(self):
        self.program.write_text("#!/bin/sh\necho it broke >&2\nexit 2\n")
        code, _, error = self.run_bench()
        self.assertEqual((code, error), (2, "./run bench: it broke\n"))


if __name__ == "__main__":
    unittest.main()
