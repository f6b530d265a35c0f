"""The protocol of a producer, without sockets and clocks.

A driver calls turn(now) when next_timeout(now) is due or a message has come, on_frames with each
message, and send is how the machine answers.  Client and AsyncClient are two drivers of it.
producer/client.h is the same machine in C++.
"""

import collections
import secrets
from collections.abc import Callable, Hashable

from collage_client import wire
from collage_client.delivery import Delivery
from collage_client.request import Options, Request
from collage_client.result import Result

# Refusals after which a request is sent again.
RETRIED = ("full", "no_credit", "draining", "overloaded")
HELLO_MIN_S, HELLO_MAX_S, HELLO_UNANSWERED_MAX = 0.1, 5.0, 3
RETRY_MIN_S = 0.02
DEADLINE_MAX_S = 86400.0
RECONNECT_S = 2.0  # Without a welcome for so long: the broker's other key, on a new connection.
NO_CREDIT = 1 << 62


class Machine:
    """Times are seconds of one clock that never goes back."""

    def __init__(self, options: Options, send: Callable[[wire.Frames], bool]) -> None:
        """send(frames) returns whether the link took the message; it never waits."""
        self.options = options
        self.joined = False
        self.refusal = ""      # why the broker ended the conversation, if it did
        self.reconnect_at = 0.0  # when another connection is worth a try, unless joined
        self.counters: collections.Counter[str] = collections.Counter()
        self.delivery = Delivery(options.corrections, options.grace_s, self.counters)
        self._send_frames = send
        self._producer = (secrets.randbits(64), secrets.randbits(64))
        self._open: dict[int, Request] = {}  # ids rise, so this is the order of submission
        self._last = 0
        self._welcome: wire.Welcome | None = None
        self._hello_due = self._hello_sent = 0.0
        self._hello_unanswered = 0
        self._send_after = 0.0

    @property
    def open(self) -> int:
        return len(self._open) + self.delivery.held

    @property
    def image_bytes_max(self) -> int:
        return self._welcome.image_bytes_max if self._welcome else 0

    @property
    def window(self) -> int:
        """How many more images would go out at once."""
        room = self.options.open_max - len(self.delivery.done) - self.open
        return max(0, min(self._credit - len(self._open), room))

    @property
    def _credit(self) -> int:
        return self._welcome.credit if self._welcome and self.joined else 0

    def submit(self, image: bytes, now: float, deadline_s: float | None = None,
               stream: Hashable = None, priority: str = "normal", latest: int = 0) -> int | None:
        if priority not in wire.PRIORITY:
            raise ValueError(f"priority {priority!r} is not low, normal or high")
        if not 0 <= latest < 1 << 64:
            raise ValueError("latest is not a number of 64 bits")
        if self.open + len(self.delivery.done) >= self.options.open_max:
            return None
        within = min(deadline_s or self.options.deadline_s, DEADLINE_MAX_S)
        if self._welcome and self._welcome.deadline_max_s:
            within = min(within, self._welcome.deadline_max_s)
        self._last += 1
        self._open[self._last] = Request(bytes(image), now, now + within, stream=stream,
                                         priority=priority, latest=latest)
        self.delivery.add(self._last, stream)
        return self._last

    def cancel(self, request: int) -> bool:
        if request not in self._open:
            return False
        self._open[request].cancelled = True
        return True

    def greet_again(self, now: float) -> None:
        """On a new connection."""
        self._hello_due = now

    # --- time ---

    def turn(self, now: float) -> None:
        """Does what is due; harmless if nothing is."""
        for request_id in self._superseded():
            self._deliver(Result(request_id, "superseded", local=True), now)
        for request_id in [i for i, r in self._open.items() if now >= self._expires(r)]:
            self.counters["expired"] += 1
            self._deliver(self._own_result(request_id), now)
        self.delivery.expire(now)
        if now >= self._hello_due:
            self._greet(now)
        for request_id, request in [(i, r) for i, r in self._open.items() if r.cancelled]:
            self._cancel(request_id, request, now)
        credit = self._credit if now >= self._send_after else 0
        credit -= sum(r.state == "sent" for r in self._open.values())
        for request_id, request in list(self._open.items()):
            if request.state == "asleep" and request.wake <= now:
                request.state = "queued"
            if request.state == "queued" and credit > 0 and now < request.deadline:
                credit -= self._send_request(request_id, request, now)

    def next_timeout(self, now: float) -> float:
        times = [self._hello_due, *self.delivery.timeouts()]
        times += [self._expires(r) for r in self._open.values()]
        times += [r.wake for r in self._open.values() if r.state == "asleep"]
        if self._send_after > now:
            times.append(self._send_after)
        return min(times)

    def _expires(self, request: Request) -> float:
        return request.deadline + (self.options.grace_s if request.ever_sent else 0.0)

    def _superseded(self) -> list[int]:
        """Images that have a newer one and that the broker does not have: it answers the others."""
        newest = {r.latest: i for i, r in self._open.items() if r.latest}
        return [i for i, r in self._open.items() if i < newest.get(r.latest, 0)
                and (r.state == "asleep" or not r.ever_sent)]

    def _own_result(self, request_id: int) -> Result:
        request = self._open[request_id]
        if request.cancelled:
            return Result(request_id, "cancelled", local=True)
        if request.refusal:
            return Result(request_id, "refused", request.refusal, local=True)
        # A broker that has the request would have answered it by now.
        unsent = self.joined and not request.ever_sent
        return Result(request_id, "missing", "no_credit" if unsent else "no_broker", local=True)

    # --- to the broker ---

    def _greet(self, now: float) -> None:
        if self.joined and self._hello_unanswered >= HELLO_UNANSWERED_MAX:
            self.joined = False
            self.counters["silences"] += 1
            self.reconnect_at = now
        wait = min(HELLO_MIN_S * 2.0 ** min(self._hello_unanswered, 16), HELLO_MAX_S)
        # Shortened at random, so that many clients do not greet a restarted broker in step.
        self._hello_due = now + wait * (1 - 0.25 * secrets.randbelow(1000) / 1000)
        self._hello_sent = now
        self._hello_unanswered += 1
        self._send(wire.hello(self._producer, self.options.corrections))

    def _cancel(self, request_id: int, request: Request, now: float) -> None:
        """A request that the broker has is answered by it; another is not sent again."""
        tell = request.ever_sent and not request.cancel_sent and self.joined
        if tell and now >= self._send_after:
            request.cancel_sent = self._send(wire.cancel(request_id))
            if not request.cancel_sent:
                self._send_after = now + RETRY_MIN_S
        if request.state != "sent":
            self._deliver(self._own_result(request_id), now)

    def _send_request(self, request_id: int, request: Request, now: float) -> int:
        """Returns how much credit it took."""
        if self._welcome and len(request.image) > self._welcome.image_bytes_max:
            self._deliver(Result(request_id, "refused", "image_too_large", local=True), now)
            return 0
        remaining_ns = max(1, int((request.deadline - now) * 1e9))
        if not self._send(wire.submit(request_id, remaining_ns, request.image, request.priority,
                                       request.latest)):
            self._send_after = now + RETRY_MIN_S
            return NO_CREDIT
        if request.ever_sent:
            self.counters["retried" if request.refusal else "resubmitted"] += 1
        request.state, request.ever_sent, request.refusal = "sent", True, ""
        return 1

    def _send(self, frames: wire.Frames) -> bool:
        sent = self._send_frames(frames)
        self.counters["undelivered"] += not sent
        return sent

    # --- from the broker ---

    def on_frames(self, frames: wire.Frames, now: float) -> None:
        try:
            message = wire.decode(frames)
        except wire.Unexpected:
            self.counters["unexpected"] += 1
        except wire.Undecodable:
            self.counters["undecodable"] += 1
        else:
            self._on_message(message, now)

    def _on_message(self, message: wire.Welcome | wire.Refuse | wire.Reply | wire.Correction,
                    now: float) -> None:
        if isinstance(message, wire.Welcome):
            self._on_welcome(message, now)
        elif isinstance(message, wire.Refuse):
            self._part(message.reason, now)
        elif isinstance(message, wire.Reply):
            if self.joined:
                self._hello_unanswered = 0
            self._on_result(message.result, message.retry_after_s, now)
        else:
            self.delivery.correct(message.result, now)

    def _on_welcome(self, welcome: wire.Welcome, now: float) -> None:
        before = self._welcome
        if before and (welcome.epoch != before.epoch or not self.joined):
            # What was sent may be lost: the broker tells apart what it has already.
            self.counters["rejoined"] += 1
            for request in self._open.values():
                request.cancel_sent = False
                if request.state == "sent":
                    request.state = "queued"
        self._welcome = welcome
        self.delivery.correction_window_s = welcome.correction_window_s
        self.joined, self.refusal, self._hello_unanswered = True, "", 0
        self.reconnect_at = now + RECONNECT_S
        self._hello_due = now + max(welcome.heartbeat_s, HELLO_MIN_S)

    def _part(self, reason: str, now: float) -> None:
        self.refusal = reason
        if self.joined:
            self.joined = False
            self._hello_due = max(now, self._hello_sent + HELLO_MIN_S)

    def _on_result(self, result: Result, retry_after_s: float, now: float) -> None:
        request = self._open.get(result.request)
        if request is None:
            known = 0 < result.request <= self._last
            self.counters["duplicate_results" if known else "unknown_results"] += 1
        elif result.status != "refused":
            self._deliver(result, now)
        elif result.reason == "duplicate_request":
            self.counters["open_already"] += 1  # The broker has it: no result.
        elif result.reason == "unknown_producer":
            self._part(result.reason, now)
            if request.state == "sent":
                request.state = "queued"
        elif result.reason not in RETRIED:
            self._deliver(result, now)
        elif request.state == "sent":
            self._retry(request, result, now + max(retry_after_s, RETRY_MIN_S), now)

    def _retry(self, request: Request, result: Result, wake: float, now: float) -> None:
        if wake < request.deadline:
            request.state, request.wake, request.refusal = "asleep", wake, result.reason
        else:
            self._deliver(result, now)

    def _deliver(self, result: Result, now: float) -> None:
        request = self._open.pop(result.request)
        self.counters["cancelled"] += result.status == "cancelled"
        self.counters["superseded"] += result.status == "superseded"
        self.counters["delivered"] += 1
        self.delivery.settle(result, request.submitted, request.stream, now)
