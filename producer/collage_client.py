#!/usr/bin/python3
"""A producer of the Collage pipeline in one file (pyzmq, msgpack).

As a module:

    with Client("tcp://127.0.0.1:5570") as client:
        client.submit(open("photo.jpg", "rb").read())
        for result in client.results():        # until everything is answered
            print(result.request, result.status, result.name, result.latency_s)

With Client(endpoint, keys="FOLDER") the connection is encrypted: the folder has producer.secret and
broker.public, as collage-keys writes them.  While the broker's key is being replaced the latter has
two, and the client tries them in turn.

As a command: collage_client.py photo.jpg ... --endpoint tcp://127.0.0.1:5570 [--keys FOLDER]
prints one JSON line a result; exit code 0 if every image was answered, 1 if some were not,
2 if it could not start.  Of several --endpoint it chooses one by --stream, as collage-push does.

It promises what producer/client.h does: every submitted image is given back exactly once, as the
broker answered it or as `missing` by its deadline (plus a grace), which runs from submit; what is
unanswered is sent again under the same id when the broker has restarted, has forgotten us, or
speaks again after a silence.  submit(image, stream=1) has results of one stream come in the order
of submission; cancel(request) asks for no answer any more; Client(..., corrections=True) has
client.corrections() say where a late single answer contradicts a collage's.  Everything happens
inside poll, on the caller's thread.  The wire is described in docs/WIRE.md.
"""

import argparse
import collections
import dataclasses
import json
import os
import secrets
import stat
import sys
import time

import msgpack
import zmq

PROTOCOL = 2
PRODUCER_HELLO, WELCOME, REFUSE, SUBMIT, RESULT, CANCEL, CORRECTION = 1, 3, 4, 5, 6, 21, 22
STATUS = ("answered", "missing", "rejected", "refused", "cancelled")
SOURCE = ("none", "single", "collage", "hedge")
REASON = {
    0: "", 1: "empty_image", 2: "not_an_image", 3: "truncated_image", 4: "too_many_pixels",
    5: "unsupported_image", 6: "bad_scores", 16: "image_too_large", 17: "full", 18: "no_credit",
    19: "duplicate_request", 20: "unknown_producer", 21: "draining", 32: "wrong_protocol",
    33: "bad_message", 34: "wrong_model", 35: "wrong_grid", 36: "too_many_peers",
    37: "wrong_role", 38: "unknown_worker",
}
RETRIED = ("full", "no_credit", "draining")
HELLO_MIN_S, HELLO_MAX_S, HELLO_UNANSWERED_MAX = 0.1, 5.0, 3
RETRY_MIN_S = 0.02
CORRECTION_MAX = 1024    # collage answers remembered
HEADER_BYTES_MAX = 73728
KNOCK_S = 2.0  # Without a welcome for so long: the next key of the broker, on a new socket.


def choose_broker(stream, brokers):
    """Which of several brokers a stream of images goes to, both by name; as producer/choice.h has
    it: rendezvous hashing, so that the order of the brokers does not matter."""
    def rank(broker):
        value = 0xcbf29ce484222325
        for byte in f"{broker}\0{stream}".encode():
            value = (value ^ byte) * 0x100000001b3 % 2 ** 64
        for factor in (0xff51afd7ed558ccd, 0xc4ceb9fe1a85ec53):
            value = (value ^ value >> 33) * factor % 2 ** 64
        return value ^ value >> 33
    return max(sorted(brokers), key=rank)


class Keys:
    """A producer's pair and the broker's public keys, from their files."""

    def __init__(self, folder):
        own = dict(self._lines(os.path.join(folder, "producer.secret"), secret=True))
        self.public, self.secret = own["public"].encode(), own["secret"].encode()
        broker = self._lines(os.path.join(folder, "broker.public"), secret=False)
        self.broker = [key.encode() for key, _ in broker]
        if not self.broker:
            raise ValueError("broker.public: holds no key")

    @staticmethod
    def _lines(path, secret):
        with open(path) as file:
            if secret and os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ValueError(f"{path}: may be used by others, expected a mode of 0400 or 0600")
            lines = [line.strip() for line in file]
        pairs = [line.partition(" ")[::2] for line in lines
                 if line and line != "#" and not line.startswith("# ")]
        keys = [value if secret else key + value for key, value in pairs]
        named = not secret or sorted(key for key, _ in pairs) == ["public", "secret"]
        if not named or any(len(key) != 40 for key in keys):
            raise ValueError(f"{path}: is no file of keys")
        return pairs


@dataclasses.dataclass
class Result:
    """What became of one image; times in seconds, probabilities 0..1."""

    request: int
    status: str                # answered, missing, rejected, refused or cancelled; or corrected
    reason: str = ""           # why not answered, if there is a reason
    source: str = "none"       # single, collage or hedge
    top: list = dataclasses.field(default_factory=list)  # [(class name, probability)], best first
    model: str = ""            # version of the model that answered
    broker_latency_s: float = 0.0
    latency_s: float = 0.0     # from submit to here
    local: bool = False        # the client's own word, not the broker's

    @property
    def name(self):
        """The most probable class; None without an answer."""
        return self.top[0][0] if self.top else None


@dataclasses.dataclass
class _Request:
    image: bytes
    submitted: float
    deadline: float
    state: str = "queued"      # queued, asleep or sent
    wake: float = 0.0          # when asleep: until then
    ever_sent: bool = False
    refusal: str = ""
    cancelled: bool = False
    cancel_sent: bool = False
    stream: object = None


class Client:
    """One producer; not for use by several threads at once."""

    def __init__(self, endpoint, deadline_s=10.0, grace_s=0.5, open_max=1024,
                 clock=time.monotonic, corrections=False, keys=None):
        self.deadline_s, self.grace_s, self.open_max = deadline_s, grace_s, open_max
        self._now = clock
        self.joined = False
        self.refusal = ""      # the last refusal of the conversation since a welcome
        self.counters = collections.Counter()
        self._producer = [secrets.randbits(64), secrets.randbits(64)]
        self._open = {}        # by rising id, so that its order is the order of submission
        self._done = []
        self._streams = {}     # by stream: the requests that are not given back, in order
        self._held = {}        # results that wait for others of their stream
        self._corrections = corrections
        self._correction_window_s = 0.0
        self._correctable = collections.OrderedDict()  # collage answers, the oldest first
        self._corrected = []
        self._last = 0
        self._epoch = None
        self._credit = self._image_bytes_max = 0
        self._deadline_max = None
        self._hello_due = self._hello_sent = 0.0
        self._hello_unanswered = 0
        self._send_after = 0.0
        try:
            self._keys = Keys(keys) if keys else None
        except OSError as error:
            raise ValueError(f"{error.filename}: {error.strerror}") from error
        self._endpoint = endpoint
        self._broker_key = 0   # which of the broker's
        self._context = zmq.Context()
        self._open_socket()

    def _open_socket(self):
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.MAXMSGSIZE, 1 << 20)
        try:
            if self._keys:
                self._socket.curve_publickey = self._keys.public
                self._socket.curve_secretkey = self._keys.secret
                self._socket.curve_serverkey = self._keys.broker[self._broker_key]
            self._socket.connect(self._endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise ValueError(f"{self._endpoint}: {error}") from error
        self._knock_at = self._now() + KNOCK_S

    def _knock_anew(self):
        """libzmq goes on with the key it began with, and gives up for good when ours is refused."""
        self._broker_key = (self._broker_key + 1) % len(self._keys.broker)
        self._socket.close()
        self._open_socket()
        self.counters["knocks"] += 1
        self._hello_due = self._now()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Leaves; what is still open is not given back any more."""
        self._socket.close()
        self._context.term()

    @property
    def open(self):
        return len(self._open) + len(self._held)

    @property
    def correctable(self):
        """How many answers may still be corrected."""
        return len(self._correctable)

    @property
    def window(self):
        """How many more images would go out at once."""
        credit = self._credit if self.joined else 0
        room = self.open_max - len(self._done) - self.open
        return max(0, min(credit - len(self._open), room))

    def submit(self, image, deadline_s=None, stream=None):
        """Takes an encoded image; returns its request id, or None while open_max are open.  Results
        of one stream (any value but None) are given back in the order of submission."""
        if self.open + len(self._done) >= self.open_max:
            return None
        now = self._now()
        within = min(deadline_s or self.deadline_s, 86400.0)
        if self._deadline_max:
            within = min(within, self._deadline_max)
        self._last += 1
        self._open[self._last] = _Request(bytes(image), now, now + within, stream=stream)
        if stream is not None:
            self._streams.setdefault(stream, collections.deque()).append(self._last)
        return self._last

    def cancel(self, request_id):
        """Asks for no answer to an image any more; False if it is not open.  It is given back all
        the same, once: as cancelled, or as it was answered meanwhile."""
        if request_id not in self._open:
            return False
        self._open[request_id].cancelled = True
        return True

    def results(self):
        """Yields results until nothing is open."""
        while self.open or self._done:
            yield from self.poll(1.0)

    def corrections(self):
        """Takes what has been corrected: results that contradict one given back before, by its
        request.  They come, if asked for, while somebody polls."""
        corrected, self._corrected = self._corrected, []
        return corrected

    def poll(self, timeout_s):
        """Sends and receives until there are results or corrections, timeout_s at most; returns the
        results."""
        until = self._now() + timeout_s
        while True:
            now = self._now()
            self._turn(now)
            if self._done or self._corrected or now >= until:
                done, self._done = self._done, []
                return done
            wait = max(0.0, min(until, self._next_timeout(now)) - now)
            if self._socket.poll(int(wait * 1000) + 1):
                self._receive()

    # --- one turn ---

    def _turn(self, now):
        for request_id in [i for i, r in self._open.items() if now >= self._expires(r)]:
            self.counters["expired"] += 1
            self._deliver(self._own_word(request_id))
        for request_id in [i for i, (_, _, until) in self._correctable.items() if now >= until]:
            del self._correctable[request_id]
        if self._keys and not self.joined and now >= self._knock_at:
            self._knock_anew()
        if now >= self._hello_due:
            self._greet(now)
        for request_id, request in [(i, r) for i, r in self._open.items() if r.cancelled]:
            self._cancel(request_id, request, now)
        credit = self._credit if self.joined and now >= self._send_after else 0
        credit -= sum(r.state == "sent" for r in self._open.values())
        for request_id, request in list(self._open.items()):
            if request.state == "asleep" and request.wake <= now:
                request.state = "queued"
            if request.state == "queued" and credit > 0 and now < request.deadline:
                credit -= self._send_request(request_id, request, now)

    def _own_word(self, request_id):
        request = self._open[request_id]
        if request.cancelled:
            return Result(request_id, "cancelled", local=True)
        status = "refused" if request.refusal else "missing"
        return Result(request_id, status, request.refusal, local=True)

    def _cancel(self, request_id, request, now):
        """One that is with the broker is answered by it; another is not sent again."""
        tell = request.ever_sent and not request.cancel_sent and self.joined
        if tell and now >= self._send_after:
            request.cancel_sent = self._send(CANCEL, request_id)
            if not request.cancel_sent:
                self._send_after = now + RETRY_MIN_S
        if request.state != "sent":
            self._deliver(self._own_word(request_id))

    def _expires(self, request):
        return request.deadline + (self.grace_s if request.ever_sent else 0.0)

    def _next_timeout(self, now):
        times = [self._hello_due]
        if self._keys and not self.joined:
            times.append(self._knock_at)
        times += [self._expires(r) for r in self._open.values()]
        times += [r.wake for r in self._open.values() if r.state == "asleep"]
        times += [until for _, _, until in self._correctable.values()]
        if self._send_after > now:
            times.append(self._send_after)
        return min(times)

    def _greet(self, now):
        if self.joined and self._hello_unanswered >= HELLO_UNANSWERED_MAX:
            self.joined = False
            self.counters["silences"] += 1
            self._knock_at = now
        wait = min(HELLO_MIN_S * 2 ** min(self._hello_unanswered, 16), HELLO_MAX_S)
        self._hello_due = now + wait * (1 - 0.25 * secrets.randbelow(1000) / 1000)
        self._hello_sent = now
        self._hello_unanswered += 1
        self._send(PRODUCER_HELLO, self._producer, self._corrections)

    def _send_request(self, request_id, request, now):
        """Returns how much credit it took."""
        if len(request.image) > self._image_bytes_max:
            self._deliver(Result(request_id, "refused", "image_too_large", local=True))
            return 0
        remaining_ns = max(1, int((request.deadline - now) * 1e9))
        if not self._send(SUBMIT, request_id, remaining_ns, payload=request.image):
            self._send_after = now + RETRY_MIN_S
            return 1 << 62
        if request.ever_sent:
            self.counters["retried" if request.refusal else "resubmitted"] += 1
        request.state, request.ever_sent, request.refusal = "sent", True, ""
        return 1

    def _send(self, kind, *fields, payload=None):
        frames = [msgpack.packb([PROTOCOL, kind, *fields])]
        if payload is not None:
            frames.append(payload)
        try:
            self._socket.send_multipart(frames, zmq.DONTWAIT)
            return True
        except zmq.Again:
            self.counters["undelivered"] += 1
            return False

    # --- what the broker says ---

    def _receive(self):
        for _ in range(256):
            try:
                frames = self._socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            try:
                if len(frames) != 1 or len(frames[0]) > HEADER_BYTES_MAX:
                    raise ValueError("frames")
                protocol, kind, *fields = msgpack.unpackb(frames[0])
                if protocol != PROTOCOL:
                    raise ValueError("protocol")
                self._handle(kind, fields)
            except (ValueError, TypeError, KeyError, IndexError, msgpack.UnpackException):
                self.counters["undecodable"] += 1

    def _handle(self, kind, fields):
        now = self._now()
        if kind == WELCOME:
            self._welcomed(now, *fields)
        elif kind == REFUSE:
            reason, _ = fields
            self._parted(REASON[reason], now)
        elif kind == RESULT:
            request_id, status, source, reason, latency, retry_after, top, model = fields
            top = [(name, probability) for name, (_, probability) in top]
            result = Result(request_id, STATUS[status], REASON[reason], SOURCE[source], top, model,
                            latency / 1e9)
            if self.joined:
                self._hello_unanswered = 0
            self._on_result(result, retry_after / 1e9, now)
        elif kind == CORRECTION:
            request_id, source, latency, top, model = fields
            top = [(name, probability) for name, (_, probability) in top]
            self._correct(Result(request_id, "corrected", "", SOURCE[source], top, model,
                                 latency / 1e9), now)
        else:
            self.counters["unexpected"] += 1

    def _welcomed(self, now, epoch, heartbeat, credit, image_bytes_max, deadline_max, window):
        if self._epoch is not None and (epoch != self._epoch or not self.joined):
            self.counters["rejoined"] += 1
            for request in self._open.values():
                request.cancel_sent = False
                if request.state == "sent":
                    request.state = "queued"
        self._epoch, self._credit, self._image_bytes_max = epoch, credit, image_bytes_max
        self._deadline_max, self._correction_window_s = deadline_max / 1e9, window / 1e9
        self.joined, self.refusal, self._hello_unanswered = True, "", 0
        self._knock_at = now + KNOCK_S
        self._hello_due = now + max(heartbeat / 1e9, HELLO_MIN_S)

    def _parted(self, reason, now):
        self.refusal = reason
        if self.joined:
            self.joined = False
            self._hello_due = max(now, self._hello_sent + HELLO_MIN_S)

    def _on_result(self, result, retry_after_s, now):
        request = self._open.get(result.request)
        if request is None:
            known = 0 < result.request <= self._last
            self.counters["duplicate_results" if known else "unknown_results"] += 1
        elif result.status != "refused":
            self._deliver(result)
        elif result.reason == "duplicate_request":
            self.counters["open_already"] += 1  # The broker has it: no result.
        elif result.reason == "unknown_producer":
            self._parted(result.reason, now)
            if request.state == "sent":
                request.state = "queued"
        elif result.reason not in RETRIED:
            self._deliver(result)
        elif request.state == "sent":
            wake = now + max(retry_after_s, RETRY_MIN_S)
            if wake < request.deadline:
                request.state, request.wake, request.refusal = "asleep", wake, result.reason
            else:
                self._deliver(result)

    def _deliver(self, result):
        request = self._open.pop(result.request)
        self.counters["cancelled"] += result.status == "cancelled"
        self.counters["delivered"] += 1
        if request.stream is None:
            return self._hand_out(result, request.submitted, None)
        self._held[result.request] = [result, request.submitted, None]
        stream = self._streams[request.stream]
        while stream and stream[0] in self._held:
            self._hand_out(*self._held.pop(stream.popleft()))
        if not stream:
            del self._streams[request.stream]

    def _hand_out(self, result, submitted, correction):
        now = self._now()
        result.latency_s = now - submitted
        self._done.append(result)
        if self._corrections and result.source == "collage" and self._correction_window_s > 0:
            until = now + self._correction_window_s + self.grace_s
            self._correctable[result.request] = (result.name, submitted, until)
            if len(self._correctable) > CORRECTION_MAX:
                self._correctable.popitem(last=False)
        if correction:
            self._correct(correction, now)

    def _correct(self, correction, now):
        if correction.request in self._held:
            self._held[correction.request][2] = correction
            return
        name, submitted, _ = self._correctable.pop(correction.request, (None, 0.0, 0.0))
        room = len(self._corrected) < CORRECTION_MAX
        if name is None or correction.name in (None, name) or not room:
            self.counters["corrections_dropped"] += 1
            return
        correction.latency_s = now - submitted
        self.counters["corrections"] += 1
        self._corrected.append(correction)


def json_line(file, result):
    """One result as a line of JSON, with the names that collage-push uses."""
    line = {"request": result.request, "file": file, "status": result.status}
    if result.status in ("answered", "corrected"):
        name, probability = result.top[0] if result.top else (None, 0.0)
        line |= {"class": name, "probability": round(probability, 6),
                 "top": [{"class": n, "probability": round(p, 6)} for n, p in result.top],
                 "source": result.source, "broker_latency_s": result.broker_latency_s,
                 "model": result.model}
    line["latency_s"] = round(result.latency_s, 6)
    if result.reason:
        line["reason"] = result.reason
    return json.dumps(line)


def push(client, files, timeout_s, stream=None):
    """Sends files as credit allows and prints their results; returns the exit code."""
    reach_until = time.monotonic() + timeout_s
    while not client.joined:
        if time.monotonic() > reach_until or client.refusal == "wrong_protocol":
            return None
        client.poll(0.05)
    names, late, files, answered_all = {}, {}, collections.deque(files), True
    while files or client.open or client.correctable:
        while files and client.window > 0:
            file = files.popleft()
            try:
                with open(file, "rb") as image:
                    names[client.submit(image.read(), stream=stream)] = file
            except OSError as error:
                answered_all = False
                print(json.dumps({"file": file, "status": "unreadable", "error": error.strerror}))
        idle = not (client.open or files or client.correctable)
        for result in client.poll(0.0 if idle else 1.0):
            file = names.pop(result.request)
            print(json_line(file, result), flush=True)
            if result.source == "collage":
                late[result.request] = file
                if len(late) > CORRECTION_MAX:
                    late.pop(next(iter(late)))
            answered_all = answered_all and result.status == "answered"
        for result in client.corrections():
            print(json_line(late.pop(result.request), result), flush=True)
    return 0 if answered_all else 1


def main():
    parser = argparse.ArgumentParser(description="Sends images to a Collage pipeline.")
    parser.add_argument("file", nargs="+")
    parser.add_argument("--endpoint", required=True, action="append",
                        help="tcp://HOST:PORT of the broker; again: of others, for --stream to "
                             "choose from")
    parser.add_argument("--stream", help='what these images are a stream of, "camera-7": of several '
                                         "brokers it always goes to the same one")
    parser.add_argument("--keys", help="folder of producer.secret and broker.public: encrypt")
    parser.add_argument("--deadline", type=float, default=10.0, help="seconds (10)")
    parser.add_argument("--timeout", type=float, default=5.0,
                        help="seconds to reach the broker (5)")
    parser.add_argument("--in-order", action="store_true",
                        help="print results in the order of the files, but for unreadable ones")
    parser.add_argument("--corrections", action="store_true",
                        help="print a line more, status corrected, where a late single answer "
                             "contradicts a collage's")
    arguments = parser.parse_args()
    if len(arguments.endpoint) > 1 and arguments.stream is None:
        parser.error("of several endpoints --stream chooses one")
    endpoint = choose_broker(arguments.stream or "", arguments.endpoint)
    try:
        with Client(endpoint, deadline_s=arguments.deadline,
                    corrections=arguments.corrections, keys=arguments.keys) as client:
            code = push(client, arguments.file, arguments.timeout,
                        stream=1 if arguments.in_order else None)
    except ValueError as error:
        print(f"collage_client: {error}", file=sys.stderr)
        return 2
    if code is None:
        print(f"collage_client: no broker answered at {endpoint} within "
              f"{arguments.timeout:g} s {client.refusal}".rstrip(), file=sys.stderr)
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main())
