"""The Python client against a broker played by hand, over real sockets and a clock of our own."""

import os
import sys
import tempfile
import unittest

import msgpack
import zmq

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "producer", "python"))
from collage_client import Client, Unreachable, choose_broker, json_line  # noqa: E402

ANSWERED, MISSING, REJECTED, REFUSED, CANCELLED, SUPERSEDED = range(6)
FULL, DUPLICATE, UNKNOWN_PRODUCER, OVERLOADED = 17, 19, 20, 23


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.now = 0.0
        self.context = zmq.Context()
        self.broker = self.context.socket(zmq.ROUTER)
        self.broker.setsockopt(zmq.LINGER, 0)
        port = self.broker.bind_to_random_port("tcp://127.0.0.1")
        self.client = Client(f"tcp://127.0.0.1:{port}", deadline_s=2.0, clock=lambda: self.now,
                             corrections=True)
        self.peer = None

    def tearDown(self):
        self.client.close()
        self.broker.close()
        self.context.term()

    def advance(self, now):
        """Lets the client do what is due at `now`; returns what it gives back."""
        self.now = now
        return [(r.request, r.status) for r in self.client.poll(0)]

    def heard(self, count):
        """The next `count` messages at the broker: [kind, fields...] and the payload, if any."""
        out = []
        for _ in range(count):
            self.assertTrue(self.broker.poll(5000), "the client said nothing")
            self.peer, header, *payload = self.broker.recv_multipart()
            out.append(msgpack.unpackb(header)[1:] + payload)
        self.assertFalse(self.broker.poll(0))
        return out

    def say(self, kind, *fields):
        """One message to the client; returns what that makes it give back."""
        self.broker.send_multipart([self.peer, msgpack.packb([3, kind, *fields])])
        self.take()
        return self.advance(self.now)

    def take(self):
        """Has the client take the message that is on its way."""
        session = self.client._session
        self.assertTrue(session.wait(5))
        session.receive(lambda: self.now)

    def welcome(self, epoch=7, credit=2):
        return self.say(3, epoch, 10 ** 10, credit, 100, 5 * 10 ** 9, 10 ** 9)

    def join(self, credit=2):
        self.advance(0.0)
        hello = self.heard(1)[0]
        self.assertEqual(hello[0], 1)
        self.heard_before = [[hello[0], hello[2]]]
        self.welcome(credit=credit)

    def result(self, request, status=ANSWERED, reason=0, retry_after=0):
        top = [["coat", [4, 0.75]]] if status == ANSWERED else []
        return self.say(6, request, status, 2 if top else 0, reason, 10 ** 6, retry_after, top, "v",
                        False)

    def correct(self, request, name="shirt"):
        self.say(22, request, 1, 10 ** 9, [[name, [6, 0.5]]], "s")
        return [(r.request, r.status, r.name, r.source) for r in self.client.corrections()]

    def submit(self, count, stream=None):
        for _ in range(count):
            self.assertIsNotNone(self.client.submit(b"image", stream=stream))
        return self.advance(self.now)

    def sent(self, count):
        return [message[1] for message in self.heard(count)]

    def test_an_answer_comes_back_with_its_class_and_source(self):
        self.join()
        self.submit(1)
        self.assertEqual(self.heard(1), [[5, 1, 2 * 10 ** 9, 1, 0, b"image"]])
        self.broker.send_multipart(
            [self.peer, msgpack.packb([3, 6, 1, 0, 2, 0, 10 ** 6, 0, [["coat", [4, 0.75]]], "v",
                                       False])])
        self.now = 0.5
        self.take()
        (result,) = self.client.poll(0)
        self.assertEqual((result.name, result.source, result.model), ("coat", "collage", "v"))
        self.assertEqual((result.latency_s, result.broker_latency_s), (0.5, 0.001))
        self.assertEqual((result.label, result.labels), (4, [4]))
        self.assertIn('"class": "coat", "label": 4', json_line("a.png", result))

    def test_credit_is_never_exceeded(self):
        self.join(credit=2)
        self.submit(3)
        self.assertEqual(self.sent(2), [1, 2])
        self.assertEqual(self.result(1), [(1, "answered")])
        self.assertEqual(self.sent(1), [3])

    def test_a_second_result_is_counted_and_dropped(self):
        self.join()
        self.submit(1)
        self.heard(1)
        self.assertEqual(self.result(1), [(1, "answered")])
        self.assertEqual(self.result(1), [])
        self.assertEqual(self.result(9), [])
        self.assertEqual(self.client.counters["duplicate_results"], 1)
        self.assertEqual(self.client.counters["unknown_results"], 1)

    def test_another_epoch_has_everything_unanswered_sent_again(self):
        self.join()
        self.submit(2)
        self.heard(2)
        self.welcome(epoch=8)
        self.assertEqual(self.sent(2), [1, 2])
        self.assertEqual(self.client.counters["resubmitted"], 2)

    def test_a_broker_that_forgot_us_is_greeted_and_gets_everything_again(self):
        self.join()
        self.submit(1)
        self.heard(1)
        self.advance(0.9)
        self.assertEqual(self.result(1, REFUSED, UNKNOWN_PRODUCER), [])
        self.assertEqual(self.heard(1)[0][0], 1)
        self.welcome()
        self.assertEqual(self.sent(1), [1])

    def test_a_silent_broker_gets_everything_again_once_it_speaks(self):
        self.join()
        self.client.submit(b"image", deadline_s=5.0)
        self.advance(0.0)
        self.heard(1)
        for now in (10.0, 10.2, 10.5, 11.0):  # Its heartbeat is 10 s.
            self.advance(now)
        self.assertFalse(self.client.joined)
        self.heard(4)
        self.client.submit(b"image")
        self.welcome()
        self.assertEqual(self.sent(1), [2])  # 1 has expired at 5.5 s.
        self.assertEqual(self.client.counters["silences"], 1)

    def test_the_deadline_and_a_grace_make_it_missing(self):
        self.join()
        self.submit(1)
        self.assertEqual(self.advance(2.49), [])
        self.assertEqual(self.advance(2.51), [(1, "missing")])
        self.assertEqual(self.client.counters["expired"], 1)

    def test_a_full_broker_is_tried_again_after_its_hint(self):
        self.join()
        self.submit(1)
        self.heard(1)
        self.assertEqual(self.result(1, REFUSED, FULL, 5 * 10 ** 8), [])
        self.advance(0.49)
        self.assertFalse(self.broker.poll(0))
        self.advance(0.51)
        self.assertEqual(self.sent(1), [1])
        self.assertEqual(self.result(1, REFUSED, FULL, 5 * 10 ** 9), [(1, "refused")])

    def test_an_overloaded_broker_is_tried_again_too(self):
        self.join()
        self.client.submit(b"image", priority="high", latest=9)
        self.advance(0.0)
        self.assertEqual(self.heard(1), [[5, 1, 2 * 10 ** 9, 2, 9, b"image"]])
        self.assertEqual(self.result(1, REFUSED, OVERLOADED, 5 * 10 ** 8), [])
        self.advance(0.5)
        self.assertEqual(self.heard(1), [[5, 1, 15 * 10 ** 8, 2, 9, b"image"]])

    def test_only_known_priorities_and_numbers_are_taken(self):
        for wrong in ({"priority": "urgent"}, {"latest": -1}, {"latest": 1 << 64}):
            with self.assertRaises(ValueError):
                self.client.submit(b"image", **wrong)
        self.assertEqual(self.client.open, 0)

    def test_superseded_is_final(self):
        self.join()
        for _ in range(2):
            self.client.submit(b"image", latest=9)
            self.assertEqual(self.advance(0.0), [])
        self.assertEqual(self.sent(2), [1, 2])
        self.assertEqual(self.result(1, SUPERSEDED), [(1, "superseded")])
        self.assertEqual(self.result(2), [(2, "answered")])
        self.assertEqual(self.client.counters["superseded"], 1)

    def test_what_the_broker_does_not_have_is_superseded_here(self):
        self.join(credit=2)
        self.client.submit(b"image", latest=9)
        self.submit(1)
        self.client.submit(b"image", latest=9)
        self.client.submit(b"image", latest=8)
        self.assertEqual(self.advance(0.0), [])
        self.client.submit(b"image", latest=9)
        self.assertEqual(self.advance(0.0), [(3, "superseded")])
        self.assertEqual(self.sent(2), [1, 2])
        self.assertEqual(self.result(1, REFUSED, OVERLOADED, 10 ** 8), [(1, "superseded")])
        self.assertEqual(self.sent(1), [4])

    def test_an_answer_in_a_brownout_says_so(self):
        self.join()
        self.submit(1)
        self.heard(1)
        self.broker.send_multipart(
            [self.peer, msgpack.packb([3, 6, 1, 0, 2, 0, 10 ** 6, 0, [["coat", [4, 0.75]]], "v",
                                       True])])
        self.take()
        (result,) = self.client.poll(0)
        self.assertTrue(result.brownout)
        self.assertIn('"brownout": true', json_line("a.png", result))

    def test_duplicate_request_is_no_result(self):
        self.join()
        self.submit(1)
        self.assertEqual(self.result(1, REFUSED, DUPLICATE), [])
        self.assertEqual(self.client.counters["open_already"], 1)
        self.assertEqual(self.result(1, REJECTED, 2), [(1, "rejected")])

    def test_an_image_above_the_limit_is_refused_here(self):
        self.join()
        self.client.submit(b"x" * 101)
        self.assertEqual(self.advance(0.0), [(1, "refused")])

    def test_beyond_open_max_nothing_is_taken(self):
        self.client._session.machine.options.open_max = 1
        self.assertEqual(self.client.submit(b"a"), 1)
        self.assertIsNone(self.client.submit(b"b"))

    def test_what_the_broker_has_it_is_asked_to_cancel_once(self):
        self.join()
        self.submit(1)
        self.heard(1)
        self.assertTrue(self.client.cancel(1))
        self.assertEqual(self.advance(0.1), [])
        self.assertEqual(self.heard(1), [[21, 1]])
        self.assertEqual(self.advance(0.2), [])
        self.assertFalse(self.broker.poll(0))
        self.assertEqual(self.result(1, CANCELLED), [(1, "cancelled")])
        self.assertFalse(self.client.cancel(1))

    def test_what_has_not_been_sent_is_cancelled_here(self):
        self.join(credit=1)
        self.submit(2)
        self.heard(1)
        self.client.cancel(2)
        self.assertEqual(self.advance(0.1), [(2, "cancelled")])
        self.assertEqual(self.result(1), [(1, "answered")])
        self.assertFalse(self.broker.poll(100))

    def test_an_answer_that_crosses_a_cancel_is_given_back(self):
        self.join()
        self.submit(1)
        self.client.cancel(1)
        self.assertEqual(self.result(1), [(1, "answered")])
        self.assertEqual(self.result(1, CANCELLED), [])

    def test_a_lost_cancel_leaves_it_to_its_deadline(self):
        self.join()
        self.submit(1)
        self.client.cancel(1)
        self.assertEqual(self.advance(2.49), [])
        self.assertEqual(self.advance(2.51), [(1, "cancelled")])

    def test_a_cancelled_request_is_not_sent_to_a_restarted_broker(self):
        self.join()
        self.submit(1)
        self.client.cancel(1)
        self.advance(0.1)
        self.heard(2)
        self.assertEqual(self.welcome(epoch=8), [(1, "cancelled")])
        self.assertEqual(self.heard(1), [[21, 1]])

    def test_results_of_a_stream_come_in_order(self):
        self.join(credit=4)
        self.submit(3, stream="a")
        self.submit(1, stream="b")
        self.assertEqual(self.result(3), [])
        self.assertEqual(self.result(4), [(4, "answered")])
        self.assertEqual(self.result(2), [])
        self.assertEqual(self.client.open, 3)
        self.assertFalse(self.client.cancel(2))
        self.assertEqual(self.advance(2.6), [(1, "missing"), (2, "answered"), (3, "answered")])
        self.assertEqual(self.client.open, 0)

    def test_a_collage_answer_is_corrected_once_and_by_another_class_only(self):
        self.join()
        self.assertEqual(self.heard_before, [[1, True]])
        self.submit(2)
        self.result(1)
        self.result(2)
        self.assertEqual(self.correct(1), [(1, "corrected", "shirt", "single")])
        self.assertEqual(self.correct(1), [])
        self.assertEqual(self.correct(2, "coat"), [])
        self.assertEqual(self.client.counters["corrections_dropped"], 2)

    def test_no_correction_is_expected_after_the_window(self):
        self.join()
        self.submit(1)
        self.result(1)
        self.advance(1.49)
        self.assertEqual(self.client.correctable, 1)
        self.advance(1.5)
        self.assertEqual(self.client.correctable, 0)
        self.assertEqual(self.correct(1), [])

    def test_a_correction_waits_for_its_result(self):
        self.join()
        self.submit(2, stream=1)
        self.result(2)
        self.assertEqual(self.correct(2), [])
        self.assertEqual(self.result(1), [(1, "answered"), (2, "answered")])
        self.assertEqual([r.request for r in self.client.corrections()], [2])

    def test_rubbish_is_counted_and_dropped(self):
        self.join()
        self.say(6, "not a result")
        self.say(3, 1)
        self.say(6, [1], 0, 1, 0, 10 ** 6, 0, [], "v", False)
        self.say(6, 1, 0, 1, 0, 10 ** 6, 0, [], "v")  # As in version 2.
        self.say(6, 1, 0, 1, 0, 10 ** 6, 0, [], "v", 1)
        self.say(6, 1, 0, 1, 0, 10 ** 6, 0, [["coat", ["no label", 0.5]]], "v", False)
        self.say(18)
        self.assertEqual(self.client.counters["undecodable"], 6)
        self.assertEqual(self.client.counters["unexpected"], 1)


class ConnectTest(unittest.TestCase):
    """Waiting for the broker's greeting; the clock goes on by itself at each reading."""

    def setUp(self):
        self.now = 0.0
        self.context = zmq.Context()
        self.broker = self.context.socket(zmq.ROUTER)
        port = self.broker.bind_to_random_port("tcp://127.0.0.1")
        self.client = Client(f"tcp://127.0.0.1:{port}", clock=self.clock)

    def tearDown(self):
        self.client.close()
        self.context.destroy(linger=0)  # Closes the brokers.

    def clock(self):
        self.now += 0.001
        return self.now

    def add_broker(self):
        """Another broker: one that welcomes the client, as soon as it asks for the time."""
        broker = self.context.socket(zmq.ROUTER)
        port = broker.bind_to_random_port("tcp://127.0.0.1")
        first = self.client._session.endpoint
        self.client.close()

        def clock():
            if broker.poll(0):
                peer, _ = broker.recv_multipart()
                broker.send_multipart(
                    [peer, msgpack.packb([3, 3, 7, 10 ** 10, 2, 100, 5 * 10 ** 9, 10 ** 9])])
            return self.clock()

        self.client = Client([first, f"tcp://127.0.0.1:{port}"], clock=clock)

    def answer(self, kind, *fields, protocol=3):
        """To the client's hello, so that the answer is there before the client asks for it."""
        self.client.poll(0)
        self.assertTrue(self.broker.poll(5000))
        peer, _ = self.broker.recv_multipart()
        self.broker.send_multipart([peer, msgpack.packb([protocol, kind, *fields])])
        self.assertTrue(self.client._session.wait(5))

    def test_it_returns_once_the_broker_has_greeted(self):
        self.answer(3, 7, 10 ** 10, 2, 100, 5 * 10 ** 9, 10 ** 9)
        self.client.connect()
        self.assertTrue(self.client.joined)

    def test_another_protocol_is_known_at_once(self):
        self.answer(4, 32, 2, protocol=2)
        with self.assertRaisesRegex(Unreachable, "within 3600 s: wrong_protocol"):
            self.client.connect(3600)
        self.assertLess(self.now, 1.0)

    def test_one_that_speaks_another_protocol_leaves_the_next(self):
        self.add_broker()
        self.answer(4, 32, 2, protocol=2)
        self.client.connect(3600)
        self.assertTrue(self.client.joined)
        self.assertLess(self.now, 1.0)

    def test_silence_is_an_error_in_time(self):
        with self.assertRaisesRegex(Unreachable, "no broker answered at tcp://.* within 0.1 s"):
            self.client.connect(0.1)


class ChooseBrokerTest(unittest.TestCase):
    """docs/WIRE.md has the table; the client in C++ is held to the same."""

    def test_it_is_as_written(self):
        brokers = ["tcp://a:5570", "tcp://b:5570", "tcp://c:5570"]
        chosen = [choose_broker(f"camera-{i}", brokers)[6] for i in range(8)]
        self.assertEqual("".join(chosen), "bbaabbcb")

    def test_the_order_of_the_list_does_not_matter(self):
        brokers = ["tcp://c:5570", "tcp://a:5570", "tcp://b:5570"]
        self.assertEqual(choose_broker("camera-2", brokers), "tcp://a:5570")


class KeysTest(unittest.TestCase):
    """A broker with a key, and a client that knows two."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.own, self.broker, self.other = (zmq.curve_keypair() for _ in range(3))
        self.write("producer.secret", f"public {self.own[0].decode()}\n"
                                      f"secret {self.own[1].decode()}\n", 0o400)

    def write(self, name, text, mode=0o444):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)

    def trust(self, *pairs):
        self.write("broker.public", "".join(public.decode() + "\n" for public, _ in pairs))

    def test_a_client_tries_the_brokers_keys_in_turn(self):
        self.trust(self.other, self.broker)
        now = [0.0]
        with zmq.Context() as context, context.socket(zmq.ROUTER) as broker:
            broker.linger = 0
            broker.curve_server = True
            broker.curve_secretkey = self.broker[1]
            port = broker.bind_to_random_port("tcp://127.0.0.1")
            with Client(f"tcp://127.0.0.1:{port}", clock=lambda: now[0],
                        keys=self.folder.name) as client:
                client.poll(0)
                self.assertFalse(broker.poll(200))
                now[0] = 2.0
                client.poll(0)
                self.assertTrue(broker.poll(5000))
                self.assertEqual(client.counters["server_keys_tried"], 1)

    def test_a_secret_that_others_may_read_is_refused(self):
        self.trust(self.broker)
        os.chmod(os.path.join(self.folder.name, "producer.secret"), 0o444)
        with self.assertRaisesRegex(ValueError, "may be used by others"):
            Client("tcp://127.0.0.1:9", keys=self.folder.name)

    def test_missing_or_wrong_files_are_named(self):
        with self.assertRaisesRegex(ValueError, "broker.public: No such file"):
            Client("tcp://127.0.0.1:9", keys=self.folder.name)
        self.write("broker.public", "no key\n")
        with self.assertRaisesRegex(ValueError, "broker.public: is no file of keys"):
            Client("tcp://127.0.0.1:9", keys=self.folder.name)


if __name__ == "__main__":
    unittest.main()
