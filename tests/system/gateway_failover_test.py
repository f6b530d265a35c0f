"""A gateway that lists the brokers of two pipelines, whose first is stopped and killed.

    gateway_failover_test.py FOLDER-OF-PROGRAMS

Each broker has a key of its own.  HTTP clients post images throughout; each must get the answer of
its own image, and soon.
"""

import http.client
import itertools
import json
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import unittest

import gateway_test
from gateway_test import PNG, grey_png
from readme_test import free_ports

CLIENTS = 8
SHADES = 24
# Nothing is heard from a broker for so long before it is left; a request that was in flight then
# has waited for at least half of it.
FAILOVER_S = 1.0
GAP_MAX_S = 2.0  # On top of what a request takes undisturbed.
# Two stages may serve the same network in forms that are equally fast, fused and frozen, whose
# probabilities differ in their last digits.
SAME_WITHIN = 1e-5


class Clients:
    """Post images, each its own share of the shades in turn, until they are told to end."""

    def __init__(self, port):
        self.port = port
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.ends = []  # (shade, status, class and probability, begin, end)
        self.threads = [threading.Thread(target=self.run, args=(number,))
                        for number in range(CLIENTS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def run(self, number):
        while not self.over.is_set():
            for shade in range(number, SHADES, CLIENTS):
                begin = time.monotonic()
                status, answer = post(self.port, shade)
                with self.lock:
                    self.ends.append((shade, status, answer, begin, time.monotonic()))

    def answered_after(self, moment):
        with self.lock:
            return sum(end[3] > moment for end in self.ends)

    def longest(self):
        return max(end - begin for _, _, _, begin, end in self.ends)


def post(port, shade):
    """The status of a response, and its class and probability.  One that is not whole raises."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/v1/classify", grey_png(level=10 * shade),
                           {**PNG, "Connection": "close"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        return response.status, (answer.get("class"), answer.get("probability"))
    finally:
        connection.close()


def same(one, other, within):
    """Whether two pairs of class and probability are answers to the same image."""
    return one[0] == other[0] and abs(one[1] - other[1]) <= within


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def await_true(condition, what):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"within a minute: not {what}")


class Failover(gateway_test.Running):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        *ports, cls.port = free_ports(7)
        cls.brokers = [f"tcp://127.0.0.1:{ports[0]}", f"tcp://127.0.0.1:{ports[3]}"]
        for name, own in (("a", ports[:3]), ("b", ports[3:])):
            cls.make_keys(name)
            cls.write_keyed(f"{name}.yaml", own, f"{name}/here")
        # A producer of both pipelines: its own key is allowed in both, and it knows both brokers'.
        cls.write_keyed("gateway.yaml", ports[:3], "a/gate")
        own = (cls.folder / "a/gate/producer.secret").read_text()
        public = re.search(r"public (\S+)", own)[1]
        (cls.folder / "b/here/allowed/producers/gate.public").write_text(public + "\n")
        with open(cls.folder / "a/gate/broker.public", "a") as known:
            known.write((cls.folder / "b/gate/broker.public").read_text())
        for name in ("a", "b"):
            for program in (["collage-broker"], ["collage-sink"], ["collage-stage", "classifier"]):
                cls.start(f"{program[0]}-{name}", program, f"{name}.yaml")
        cls.start("gateway", ["collage-gateway"], "gateway.yaml")
        await_true(lambda: cls.answers(0), "an answer")

    @classmethod
    def make_keys(cls, name):
        subprocess.run([gateway_test.PROGRAMS / "collage-keys", "make", name, "--broker", "here",
                        "--sink", "here", "--stages", "here", "--producers", "gate"],
                       cwd=cls.folder, check=True, stdout=subprocess.DEVNULL)

    @classmethod
    def write_keyed(cls, name, ports, keys):
        # Without collages each image has one answer, by which it is recognised.
        cls.write(name, ports, cls.port, ("policy: collage-hedge", "policy: none"),
                  ("  brokers: []", f"  brokers: [{', '.join(cls.brokers)}]"),
                  ("# security:\n#   keys: keys", f"security:\n  keys: {keys}"))

    @classmethod
    def answers(cls, shade):
        try:
            return post(cls.port, shade)[0] == 200
        except OSError:
            return False

    def await_broker(self, number):
        said = (200, f"ready\nimages go to {self.brokers[number]}\n")
        await_true(lambda: get(self.port, "/readyz") == said, f"broker {number} in use")

    def figure(self, name):
        text = get(self.port, "/metrics")[1]
        return sum(float(line.split()[-1]) for line in text.splitlines()
                   if line.startswith(name) and not line.startswith("#"))

    def each_is_answered_while(self, fault, heal):
        """Posts images while the first broker has a fault; then has them return to it."""
        self.await_broker(0)
        known = {shade: post(self.port, shade) for shade in range(SHADES)}
        self.assertEqual({status for status, _ in known.values()}, {200})
        answers = [answer for _, answer in known.values()]
        alike = [pair for pair in itertools.combinations(answers, 2) if same(*pair, 2 * SAME_WITHIN)]
        self.assertEqual(alike, [], "shades that no answer tells apart")
        with Clients(self.port) as usual:
            await_true(lambda: usual.answered_after(0) >= 4 * SHADES, "images answered")
        failovers = self.figure("collage_gateway_failovers_total")
        moved = self.figure("collage_gateway_moved_total")
        with Clients(self.port) as clients:
            await_true(lambda: clients.answered_after(0) >= 2 * SHADES, "images answered")
            fault()
            self.await_broker(1)
            moment = time.monotonic()
            await_true(lambda: clients.answered_after(moment) >= SHADES, "the next answers")
            heal()
            self.await_broker(0)
            moment = time.monotonic()
            await_true(lambda: clients.answered_after(moment) >= SHADES, "the first again")
        wrong = [end for end in clients.ends
                 if end[1] != 200 or not same(end[2], known[end[0]][1], SAME_WITHIN)]
        self.assertEqual(wrong, [])
        self.assertEqual(self.figure("collage_gateway_failovers_total"), failovers + 1)
        # What was in flight waited, and was moved.
        self.assertGreater(self.figure("collage_gateway_moved_total"), moved)
        self.assertGreater(clients.longest(), FAILOVER_S / 2)
        self.assertLess(clients.longest(), GAP_MAX_S + usual.longest())

    def test_what_a_stopped_broker_has_is_answered_by_the_next(self):
        broker = self.running["collage-broker-a"]
        self.each_is_answered_while(lambda: broker.send_signal(signal.SIGSTOP),
                                    lambda: broker.send_signal(signal.SIGCONT))

    def test_what_a_killed_broker_had_is_answered_by_the_next(self):
        def kill():
            self.running["collage-broker-a"].kill()
            self.running["collage-broker-a"].wait()
        self.each_is_answered_while(
            kill, lambda: self.start("collage-broker-a", ["collage-broker"], "a.yaml"))


if __name__ == "__main__":
    gateway_test.PROGRAMS = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
