"""The Python machine with several brokers played by hand, on a clock of our own."""

import pathlib
import sys
import unittest

import msgpack

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "producer" / "python"))

from collage_client import choose_broker, rank_brokers  # noqa: E402
from collage_client.machine import Machine  # noqa: E402
from collage_client.request import Options  # noqa: E402

HELLO, WELCOME, SUBMIT, RESULT, CANCEL = 1, 3, 5, 6, 21


class FailoverTest(unittest.TestCase):
    """A broker that is up answers each hello at once, as brokers do."""

    def setUp(self):
        self.now = 0.0
        self.up = [True, True, True]
        self.epochs = [7, 7, 7]
        self.sent = [[], [], []]
        self.cancels = [[], [], []]
        self.hellos = [0, 0, 0]
        self.greeted = []
        self.make(Options(resubmit_after_s=60.0))

    def make(self, options):
        self.machine = Machine(options, self.send, 3)
        self.advance(0.0)

    def send(self, broker, frames):
        kind, *fields = msgpack.unpackb(frames[0])[1:]
        if kind == SUBMIT:
            self.sent[broker].append(fields[0])
        elif kind == CANCEL:
            self.cancels[broker].append(fields[0])
        else:
            self.hellos[broker] += 1
            self.greeted.append(broker)
        return True

    def say(self, broker, kind, *fields):
        self.machine.on_frames([msgpack.packb([3, kind, *fields])], self.now, broker)
        self.turn()

    def turn(self):
        self.machine.turn(self.now)
        while self.greeted:
            broker = self.greeted.pop()
            if self.up[broker]:
                self.welcome(broker)

    def welcome(self, broker):
        self.say(broker, WELCOME, self.epochs[broker], 500_000_000, 4, 100, 20 * 10 ** 9, 0)

    def result(self, broker, request, status=0, reason=0):
        self.say(broker, RESULT, request, status, 1 if status == 0 else 0, reason, 0, 0,
                 [["cat", [3, 0.5]]] if status == 0 else [], "v", False)

    def advance(self, until):
        for _ in range(10000):
            due = self.machine.next_timeout(self.now)
            if due > until:
                break
            self.now = max(self.now, due)
            self.turn()
        else:
            self.fail("the machine keeps itself busy")
        self.now = until

    def submit(self, stream=None):
        self.machine.submit(b"abcd", self.now, stream=stream)
        self.turn()

    def delivered(self):
        done, self.machine.delivery.done = self.machine.delivery.done, []
        return [(result.request, result.status) for result in done]

    def lose_first(self, stream=None):
        """The first broker falls silent with the requests 1 and 2, and the second gets them."""
        self.submit(stream)
        self.submit(stream)
        self.up[0] = False
        self.advance(1.6)
        self.assertEqual(self.sent, [[1, 2], [1, 2], []])

    def test_a_healthy_first_broker_is_the_only_one_that_hears_of_us(self):
        self.submit()
        self.advance(9.0)
        self.assertEqual(self.hellos[1:], [0, 0])

    def test_what_is_unanswered_goes_to_the_next_when_the_first_is_silent(self):
        self.submit()
        self.up[0] = False
        self.advance(0.99)
        self.assertEqual(self.sent[1], [])
        self.advance(1.01)
        self.assertEqual(self.sent[1], [1])
        self.assertTrue(self.machine.joined)
        self.assertEqual(self.machine.counters["failovers"], 1)

    def test_the_first_answer_is_delivered_and_the_second_dropped(self):
        self.lose_first()
        self.result(0, 1)
        self.result(1, 1)
        self.result(1, 2)
        self.assertEqual(self.delivered(), [(1, "answered"), (2, "answered")])
        self.assertEqual(self.machine.counters["duplicate_results"], 1)

    def test_of_a_broker_that_was_left_only_an_answer_counts(self):
        self.lose_first()
        self.result(0, 1, status=1, reason=51)
        self.result(0, 2, status=3, reason=17)
        self.assertEqual(self.delivered(), [])
        self.assertEqual(self.machine.counters["left_results"], 2)

    def test_results_of_a_stream_keep_their_order(self):
        self.lose_first(stream="a")
        self.result(0, 2)
        self.assertEqual(self.delivered(), [])
        self.result(1, 1)
        self.assertEqual(self.delivered(), [(1, "answered"), (2, "answered")])

    def test_the_first_gets_requests_again_once_it_has_been_back_for_a_while(self):
        self.lose_first()
        self.up[0] = True
        self.welcome(0)
        self.advance(3.5)
        self.submit()
        self.assertEqual(self.sent[1], [1, 2, 3])
        self.advance(3.7)
        for request in (1, 2, 3):
            self.result(1, request)
        self.submit()
        self.assertEqual(self.sent[0], [1, 2, 4])
        self.assertEqual(self.cancels[0], [1, 2])
        hellos = self.hellos[1]
        self.advance(6.0)
        self.assertEqual(self.hellos[1], hellos)

    def test_a_broker_that_drains_gets_nothing_new(self):
        self.submit()
        self.submit()
        self.result(0, 2, status=3, reason=21)
        self.assertEqual(self.sent, [[1, 2], [2], []])
        self.result(0, 1)
        self.assertEqual(self.delivered(), [(1, "answered")])

    def test_a_client_that_was_stopped_itself_reads_before_it_judges(self):
        self.submit()
        for pause in (0.3, 0.45, 0.6, 5.0):
            self.up[0] = False
            self.advance(self.now + 0.6)
            self.now += pause
            self.turn()
            self.up[0] = True
            self.welcome(0)
            self.advance(self.now + 1.0)
        self.assertEqual(self.machine.counters["failovers"], 0)

    def test_a_request_without_a_word_is_sent_again_after_a_second(self):
        self.make(Options())
        self.submit()
        self.advance(0.99)
        self.assertEqual(self.sent[0], [1])
        self.advance(1.01)
        self.assertEqual(self.sent[0], [1, 1])
        self.result(0, 1, status=3, reason=19)  # The broker has it.
        self.advance(2.99)
        self.assertEqual(self.sent[0], [1, 1])
        self.advance(3.02)
        self.assertEqual(self.sent[0], [1, 1, 1])

    def test_the_next_broker_is_that_of_the_same_hash(self):
        brokers = [f"tcp://{host}:5570" for host in "abc"]
        for i in range(20):
            ranked = rank_brokers(f"camera-{i}", brokers)
            self.assertEqual(sorted(ranked), brokers)
            self.assertEqual(choose_broker(f"camera-{i}", ranked[1:]), ranked[1])


if __name__ == "__main__":
    unittest.main()
