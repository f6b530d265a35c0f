"""The pure parts of ./run soak: the schedule, what grows, latencies, and what a soak is judged by."""

import os
import unittest
from collections import Counter

import bars
import cells
import growth
import schedule
import soak
from account import Account, Figures, Request
from latency import Latencies

MB = 10**6
NAMES = {"broker": ["broker-0", "broker-1"], "sink": ["sink-0", "sink-1"], "assembler":
         ["assembler-1"], "collage": ["collage-0", "collage-cnn-1"], "gateway": ["gateway"],
         "classifier": ["classifier-0", "classifier-1", "classifier-2"], "producer": ["neighbour"]}


def drawn(seed=1, seconds=1800.0, every=5.0):
    return schedule.draw(seed, seconds, every, lambda cell: NAMES[cell.role])


class ScheduleTest(unittest.TestCase):
    def test_the_seed_alone_chooses(self):
        self.assertEqual(drawn(), drawn())
        self.assertNotEqual(drawn(seed=1), drawn(seed=2))

    def test_a_longer_soak_begins_as_a_shorter_one(self):
        short = drawn(seconds=60)
        self.assertEqual(drawn()[:len(short)], short)

    def test_a_fault_is_over_for_a_second_before_the_next_begins(self):
        for every in (5.0, 1.0):
            planned = drawn(every=every)
            for one, after in zip(planned, planned[1:]):
                self.assertGreaterEqual(after.at_s, one.at_s + one.cell.fault.length_s + 1)

    def test_a_fault_comes_every_five_seconds_and_the_last_is_over_by_the_end(self):
        planned = drawn()
        gaps = Counter(after.at_s - one.at_s for one, after in zip(planned, planned[1:]))
        self.assertEqual(set(gaps), {5.0, 6.0})
        self.assertLess(gaps[6.0], gaps[5.0] / 5)
        self.assertLessEqual(planned[-1].at_s + 5, 1800)
        self.assertEqual(drawn(seconds=3), [])

    def test_every_cell_comes_once_before_any_comes_again(self):
        possible = [cell for cell in cells.all_cells()
                    if schedule.may_hit(cell, NAMES[cell.role])]
        first = [one.cell for one in drawn()[:len(possible)]]
        self.assertCountEqual(first, possible)

    def test_the_first_process_of_a_role_is_never_ended(self):
        hit = {one.process for one in drawn() if one.cell.fault.ends}
        self.assertEqual(hit, {"broker-1", "sink-1", "collage-cnn-1", "classifier-1",
                               "classifier-2", "neighbour"})

    def test_both_directions_of_a_link_come(self):
        self.assertEqual({one.repetition for one in drawn()
                          if one.cell.fault.name == "half-open"}, {0, 1})


def life(process="broker-0", number=1, born=-10.0, until=1800.0, memory=100 * MB, more_a_s=0.0,
         descriptors=30):
    """Looked at every 3 s; grows by so many bytes a second."""
    ages = range(0, int(until - born), 3)
    return growth.Life(process, process.rstrip("-0123456789"), number, born, [
        growth.Sample(float(age), int(memory + more_a_s * age), descriptors) for age in ages])


class GrowthTest(unittest.TestCase):
    def test_what_lives_since_minute_three_is_compared_from_then_to_the_end(self):
        one, = growth.compare([life(more_a_s=10_000)], 1800)
        # The least of minutes 3 to 12 and of minutes 21 to 30; it was born 10 s before.
        self.assertAlmostEqual(one.memory_before, 100 * MB + 10_000 * 190, delta=50_000)
        self.assertAlmostEqual(one.memory, 100 * MB + 10_000 * 1270, delta=50_000)
        self.assertTrue(one.of_memory())
        self.assertFalse(growth.compare([life(more_a_s=2_000)], 1800)[0].of_memory())

    def test_what_is_given_back_is_no_growth(self):
        one = life()
        for at, sample in enumerate(one.samples):
            if sample.age_s > 600 and at % 50:
                one.samples[at] = growth.Sample(sample.age_s, 900 * MB, 300)
        compared, = growth.compare([one], 1800)
        self.assertFalse(compared.of_memory() or compared.of_descriptors())

    def test_a_small_process_may_grow_by_a_twentieth_as_well(self):
        for more, grown in ((220, False), (250, True)):
            compared, = growth.compare([life(memory=5 * MB, more_a_s=more)], 1800)
            self.assertEqual(compared.of_memory(), grown)

    def test_one_descriptor_more_is_growth(self):
        one = life()
        for at, sample in enumerate(one.samples):
            if sample.age_s > 1000:
                one.samples[at] = growth.Sample(sample.age_s, sample.memory, 31)
        self.assertTrue(growth.compare([one], 1800)[0].of_descriptors())

    def test_the_fewest_descriptors_count_beside_what_was_usual_before(self):
        one = life()
        # Peers were away for a while at first, and clients came and went in the end.
        for at, sample in enumerate(one.samples):
            away = 300 < sample.age_s < 320
            count = 25 if away else 30 + at % 9 if sample.age_s > 1200 else 30
            one.samples[at] = growth.Sample(sample.age_s, sample.memory, count)
        compared, = growth.compare([one], 1800)
        self.assertEqual((compared.descriptors_before, compared.descriptors), (30, 30))

    def test_nothing_is_compared_before_the_sixth_minute_is_over(self):
        self.assertEqual(growth.compare([life(until=350)], 350), [])
        self.assertEqual(len(growth.compare([life(until=360)], 360)), 1)

    def test_what_ended_or_began_later_is_not_compared_over_time(self):
        self.assertEqual(growth.compare([life(until=1760)], 1800), [])
        self.assertEqual(growth.compare([life(born=200.0)], 1800), [])

    def test_what_was_restarted_is_compared_with_the_first_of_its_kind_at_equal_age(self):
        first = life(more_a_s=10_000)
        again = life("broker-1", 3, born=900.0, until=1200.0, memory=120 * MB, more_a_s=10_000)
        compared = [one for one in growth.compare([first, again], 1800) if one.restarted]
        self.assertEqual([(one.process, one.number) for one in compared], [("broker-1", 3)])
        self.assertEqual(compared[0].memory - compared[0].memory_before, 20 * MB)
        self.assertTrue(compared[0].of_memory())

    def test_the_first_of_a_kind_that_grew_as_old_is_the_measure(self):
        # The very first ended young, so the second is the measure of the third.
        lives = [life("neighbour", 1, until=20.0), life("neighbour", 2, 21.0, 400.0),
                 life("neighbour", 3, 401.0, 1800.0, memory=130 * MB)]
        compared = {one.number: one for one in growth.compare(lives, 1800)}
        self.assertEqual(set(compared), {3})  # Nobody before the second grew old.
        self.assertAlmostEqual(compared[3].share, 0.3)

    def test_of_several_that_grew_as_old_the_first_is_the_measure(self):
        lives = [life("sink-0", 1), life("sink-1", 2, 300.0, memory=80 * MB),
                 life("sink-1", 3, 900.0)]
        compared = {one.number: one for one in growth.compare(lives, 1800) if one.restarted}
        self.assertEqual(compared[3].share, 0)

    def test_who_is_too_young_is_not_compared(self):
        first = life()
        for age, count in ((50, 0), (70, 1)):
            young = life("broker-1", 2, born=900.0, until=900.0 + age)
            compared = [one for one in growth.compare([first, young], 1800) if one.restarted]
            self.assertEqual(len(compared), count)

    def test_other_kinds_are_no_measure(self):
        again = life("collage-cnn-1", 2, born=900.0)
        self.assertEqual([one for one in growth.compare([life("collage-0"), again], 1800)
                          if one.restarted], [])

    def test_a_process_is_looked_at(self):
        kept = bytearray(os.urandom(64 * MB))
        here = growth.look(os.getpid(), 7.0)
        self.assertGreater(here.memory, len(kept))
        held = [os.open("/dev/null", os.O_RDONLY) for _ in range(9)]
        after = growth.look(os.getpid(), 8.0)
        for one in held:
            os.close(one)
        self.assertEqual((here.age_s, after.descriptors - here.descriptors), (7.0, 9))
        with self.assertRaises(OSError):
            growth.look(2**22 + 1, 0.0)


class LatencyTest(unittest.TestCase):
    def test_only_what_was_sent_in_undisturbed_times_counts(self):
        latencies = Latencies()
        latencies.undisturbed(0.0, 10.0)   # From 1 to 9.75.
        latencies.undisturbed(12.0, 13.0)  # Too short to be back.
        latencies.undisturbed(14.0, 20.0)
        for sent, took in ((0.5, 5), (2.0, 0.01), (9.8, 5), (12.5, 5), (16.0, 0.03), (30.0, 5)):
            latencies.add([Request(0, sent, sent + took, "answered")])
        self.assertAlmostEqual(latencies.percentile(0.99, 0, 40), 0.03)
        self.assertAlmostEqual(latencies.percentile(0.99, 0, 10), 0.01)
        self.assertIsNone(latencies.percentile(0.99, 20, 40))

    def test_of_a_hundred_the_ninety_ninth_is_the_p99(self):
        latencies = Latencies()
        latencies.undisturbed(-2.0, 100.0)
        latencies.add([Request(0, 1.0, 1.0 + took, "answered") for took in range(1, 101)])
        self.assertEqual(latencies.percentile(0.99, 0, 9), 99)

    def test_a_missing_image_took_its_time_and_a_refused_one_took_none(self):
        latencies = Latencies()
        latencies.undisturbed(-2.0, 100.0)
        latencies.add([Request(0, 1.0, 6.0, "missing"), Request(0, 1.0, 9.0, "refused")])
        self.assertEqual(latencies.percentile(1.0, 0, 9), 5)


class RetireTest(unittest.TestCase):
    def test_what_has_its_result_is_forgotten_and_a_second_result_is_a_double_all_the_same(self):
        account = Account(paced="p#1")
        for number in (1, 2):
            account.sent("p#1", number, 0, 1.0)
        account.result("p#1", 2, "answered", "single", 7, 1.5)
        retired, = account.retire()
        self.assertEqual((retired.sent, retired.answered), (1.0, 1.5))
        self.assertEqual((account.retire(), account.open(9.0)), ([], 1))
        account.result("p#1", 2, "answered", "single", 7, 2.0)
        account.result("p#1", 1, "answered", "single", 7, 2.0)
        figures = account.close(9.0)
        self.assertEqual((figures.sent, figures.lost, figures.duplicated, figures.wrong),
                         (2, 0, 1, 0))


GOOD_HTTP = {"sent": 9, "lost": 0, "wrong": 0, "missing": 3}


class BarsTest(unittest.TestCase):
    def test_an_image_that_is_lost_doubled_or_wrong_misses_the_bar(self):
        self.assertTrue(bars.of_account(Figures(sent=5), GOOD_HTTP).held)
        for figures in (Figures(lost=1), Figures(duplicated=1), Figures(wrong=1)):
            self.assertFalse(bars.of_account(figures, GOOD_HTTP).held)
        for key in ("lost", "wrong"):
            self.assertFalse(bars.of_account(Figures(), GOOD_HTTP | {key: 1}).held)

    def test_a_missing_image_misses_a_bar_only_where_there_are_two_of_each(self):
        self.assertTrue(bars.of_missing(Figures(), True).held)
        self.assertFalse(bars.of_missing(Figures(missing=1), True).held)
        self.assertFalse(bars.of_missing(Figures(refused=1), True).held)
        self.assertIsNone(bars.of_missing(Figures(missing=1), False).held)

    def test_only_the_process_that_is_hit_may_end_and_only_as_the_fault_ends_it(self):
        kill = {"fault": "kill", "role": "sink", "process": "sink-1"}
        self.assertTrue(bars.of_ends([kill | {"ended": {"sink-1: SIGKILL": 1}}]).held)
        for ending in ("sink-0: SIGKILL", "sink-1: SIGSEGV", "broker-0: exit 1"):
            bar = bars.of_ends([kill | {"ended": {"sink-1: SIGKILL": 1, ending: 1}}])
            self.assertFalse(bar.held)
            self.assertIn(f"{ending} at kill/sink", bar.why)

    def test_growth_is_named_and_without_an_old_process_nothing_is_judged(self):
        young = life("broker-1", 2, born=900.0, until=1000.0)
        still, grown = life(), life("sink-0", more_a_s=20_000)
        bar = bars.of_memory(growth.compare([still, grown, young], 1800), restarts=1)
        self.assertFalse(bar.held)
        self.assertIn("sink-0#1 103.8 to 125.4 MB", bar.why)
        self.assertTrue(bars.of_descriptors(growth.compare([still, grown], 1800), 0).held)
        self.assertIsNone(bars.of_memory([], 0).held)

    def test_latency_may_double_from_the_first_third_to_the_last(self):
        for factor, held in ((1.9, True), (2.1, False)):
            latencies = Latencies()
            latencies.undisturbed(-2.0, 200.0)
            for sent, took in ((10.0, 0.05), (70.0, 9.0), (130.0, 0.05 * factor)):
                latencies.add([Request(0, sent, sent + took, "answered")])
            self.assertEqual(bars.of_latency(latencies, 0.0, 180.0).held, held)
            self.assertIsNone(bars.of_latency(latencies, 0.0, 179.0).held)
        self.assertIsNone(bars.of_latency(Latencies(), 0.0, 180.0).held)


class ShownTest(unittest.TestCase):
    def test_a_line_has_eighty_columns_at_most(self):
        row = {"minute": 1440, "images": 9_504_000, "lost": 0, "doubled": 0, "wrong": 0,
               "missing": 100, "p99": 1000, "memory": 2500, "fds": 1000}
        self.assertEqual(len(soak.ROW.format(**row)), len(soak.HEADER))
        self.assertLessEqual(len(soak.HEADER), 80)


if __name__ == "__main__":
    unittest.main()
