"""The protocol of a producer, without sockets and clocks.

A driver calls turn(now) when next_timeout(now) is due or a message has come, on_frames with each
message, and send is how the machine answers.  Brokers are numbered in the order of preference;
client.h says when another than the first gets requests.  Client and AsyncClient are two drivers of it.
producer/client.h is the same machine in C++.
"""

import collections
import math
import operator
import secrets
from collections.abc import Callable, Hashable

from collage_client import wire
from collage_client.brokers import Brokers
from collage_client.delivery import Delivery
from collage_client.request import Options, Request
from collage_client.result import Result

# Refusals after which a request is sent again.
RETRIED = ("full", "no_credit", "draining", "overloaded")
RETRY_MIN_S = 0.02
DEADLINE_MAX_S = 86400.0
RECONNECT_S = 2.0  # Without a welcome for so long: the broker's other key, on a new connection.
NO_CREDIT = 1 << 62
USUAL_MAX = 3   # In units of resubmit_after_s.
WORDS_MAX = 10  # Bounds the time until a request is sent again.


class Machine:
    """Times are seconds of one clock that never goes back."""

    def __init__(self, options: Options, send: Callable[[int, wire.Frames], bool],
                 brokers: int = 1) -> None:
        """send(broker, frames) returns whether the link took the message; it never waits."""
        self.options = options
        self.brokers = Brokers(brokers, options)
        self.counters: collections.Counter[str] = collections.Counter()
        self.delivery = Delivery(options.corrections, options.grace_s, self.counters)
        self._send_frames = send
        self._producer = (secrets.randbits(64), secrets.randbits(64))
        self._open: dict[int, Request] = {}  # ids rise, so this is the order of submission
        self._last = 0
        self._welcome: wire.Welcome | None = None  # of the broker that requests go, or went, to

    @property
    def joined(self) -> bool:
        return self.brokers.link.joined

    @property
    def refusal(self) -> str:
        """Why the broker ended the conversation, if it did."""
        return self.brokers.link.refusal

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
        return max(0, min(self.brokers.link.credit - len(self._open), room))

    def submit(self, image: bytes, now: float, deadline_s: float | None = None,
               stream: Hashable = None, priority: str = "normal", latest: int = 0) -> int | None:
        if priority not in wire.PRIORITY:
            raise ValueError(f"priority {priority!r} is not low, normal or high")
        latest = operator.index(latest)
        if not 0 <= latest < 1 << 64:
            raise ValueError("latest is not a number of 64 bits")
        hash(stream)  # What has no hash fails here, and not when the result comes.
        if self.open + len(self.delivery.done) >= self.options.open_max:
            return None
        within = min(deadline_s or self.options.deadline_s, DEADLINE_MAX_S)
        if math.isnan(within):
            raise ValueError("deadline_s is not a number")
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

    def greet_again(self, broker: int, now: float) -> None:
        """On a new connection."""
        self.brokers.links[broker].hello_due = now

    # --- time ---

    def turn(self, now: float) -> None:
        """Does what is due; harmless if nothing is."""
        for request_id in self._superseded():
            self._deliver(Result(request_id, "superseded", local=True), now)
        for request_id in [i for i, r in self._open.items() if now >= self._expires(r)]:
            self.counters["expired"] += 1
            self._deliver(self._own_result(request_id), now)
        self.delivery.expire(now)
        for request in self._open.values():
            if request.wakes and request.wake <= now:
                # Under overload a word takes long although nothing is lost: a request is sent again
                # only if it waits for twice as long as others did; within a bound, for the deadline
                # runs.
                usual_s = self.brokers.links[request.broker].usual_s
                at = request.sent + min(2 * usual_s, USUAL_MAX * self.options.resubmit_after_s)
                if request.state == "sent" and now < at:
                    request.wake = at
                else:
                    request.state = "queued"
        if len(self.brokers.links) > 1:
            self._fail_over(now)
        for broker in self.brokers.greeted(self._busy()):
            if now >= self.brokers.links[broker].hello_due:
                self._greet(broker, now)
        for broker, link in enumerate(self.brokers.links):
            for request_id in link.take_withdrawn():
                self._send(broker, wire.cancel(request_id))
        for request_id, request in [(i, r) for i, r in self._open.items() if r.cancelled]:
            self._cancel(request_id, request, now)
        current = self.brokers.current
        credit = self.brokers.link.credit if now >= self.brokers.link.send_after else 0
        credit -= sum(r.state == "sent" and r.broker == current for r in self._open.values())
        for request_id, request in list(self._open.items()):
            if request.state == "queued" and credit > 0 and now < request.deadline:
                credit -= self._send_request(request_id, request, now)

    def next_timeout(self, now: float) -> float:
        times = [*self.brokers.timeouts(self._busy()), *self.delivery.timeouts()]
        times += [self._expires(r) for r in self._open.values()]
        times += [r.wake for r in self._open.values() if r.wakes]
        times += [link.send_after for link in self.brokers.links if link.send_after > now]
        return min(times)

    def _busy(self) -> set[int]:
        """The brokers that have requests of ours."""
        return {r.broker for r in self._open.values() if r.state == "sent"}

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

    def _greet(self, broker: int, now: float) -> None:
        link = self.brokers.links[broker]
        if link.on_hello(now):
            self.counters["silences"] += 1
            link.reconnect_at = now
        self._send(broker, wire.hello(self._producer, self.options.corrections))

    def _fail_over(self, now: float) -> None:
        greeted = self.brokers.greeted(self._busy())
        for broker, link in enumerate(self.brokers.links):
            if broker not in greeted:
                link.joined = False  # Until it is greeted again.
                continue
            silent = link.leave_if_silent(now)
            self.counters["failovers"] += silent
            # One that drains answers what it has; one that refuses us does not.
            if silent or (not link.joined and link.failed):
                self._leave(broker)
        self.brokers.choose(now)
        self._welcome = self.brokers.link.welcome or self._welcome

    def _leave(self, broker: int) -> None:
        """Takes what is in flight to a broker from it."""
        for request_id, request in self._open.items():
            if request.state == "sent" and request.broker == broker:
                self.brokers.links[broker].leave_request(request_id, self._expires(request))
                request.state, request.cancel_sent = "queued", False
                self.counters["moved"] += 1

    def _cancel(self, request_id: int, request: Request, now: float) -> None:
        """A request that the broker has is answered by it; another is not sent again."""
        link = self.brokers.links[request.broker]
        tell = request.ever_sent and not request.cancel_sent and link.joined
        if tell and now >= link.send_after:
            request.cancel_sent = self._send(request.broker, wire.cancel(request_id))
            if not request.cancel_sent:
                link.send_after = now + RETRY_MIN_S
        if request.state != "sent":
            self._deliver(self._own_result(request_id), now)

    def _send_request(self, request_id: int, request: Request, now: float) -> int:
        """Returns how much credit it took."""
        if self._welcome and len(request.image) > self._welcome.image_bytes_max:
            self._deliver(Result(request_id, "refused", "image_too_large", local=True), now)
            return 0
        remaining_ns = max(1, int((request.deadline - now) * 1e9))
        current, link = self.brokers.current, self.brokers.link
        if not self._send(current, wire.submit(request_id, remaining_ns, request.image,
                                               request.priority, request.latest)):
            link.send_after = now + RETRY_MIN_S
            return NO_CREDIT
        link.answer_left(request_id)  # It is this broker's again.
        if request.ever_sent:
            self.counters["retried" if request.refusal else "resubmitted"] += 1
            if request.broker != current and not request.refusal:
                other = self.brokers.links[request.broker]
                other.leave_request(request_id, self._expires(request))
        request.state, request.ever_sent, request.refusal = "sent", True, ""
        request.broker, request.sent = current, now
        request.wake = self._resubmit_at(request, now)
        return 1

    def _resubmit_at(self, request: Request, now: float) -> float:
        """When a request is sent again if no other word comes.  A word that the broker has it puts
        this off, but not for good: the answer may be lost as well."""
        return now + self.options.resubmit_after_s * 2.0 ** min(request.words, WORDS_MAX)

    def _send(self, broker: int, frames: wire.Frames) -> bool:
        sent = self._send_frames(broker, frames)
        self.counters["undelivered"] += not sent
        return sent

    # --- from the broker ---

    def on_frames(self, frames: wire.Frames, now: float, broker: int = 0) -> None:
        self.brokers.links[broker].on_heard(now)
        try:
            message = wire.decode(frames)
        except wire.Unexpected:
            self.counters["unexpected"] += 1
        except wire.Undecodable:
            self.counters["undecodable"] += 1
        else:
            self._on_message(broker, message, now)

    def _on_message(self, broker: int,
                    message: wire.Welcome | wire.Refuse | wire.Reply | wire.Correction,
                    now: float) -> None:
        link = self.brokers.links[broker]
        if isinstance(message, wire.Welcome):
            self._on_welcome(broker, message, now)
        elif isinstance(message, wire.Refuse):
            link.part(message.reason, now)
        elif isinstance(message, wire.Reply):
            if link.joined:
                link.unanswered = 0
            self._on_result(broker, message.result, message.retry_after_s, now)
        else:
            self.delivery.correct(message.result, now)

    def _on_welcome(self, broker: int, welcome: wire.Welcome, now: float) -> None:
        link = self.brokers.links[broker]
        if link.on_welcome(welcome, now):
            # What was sent may be lost: the broker tells apart what it has already.
            self.counters["rejoined"] += 1
            for request in self._open.values():
                if request.broker == broker:
                    request.cancel_sent = False
                    if request.state == "sent":
                        request.state = "queued"
        link.reconnect_at = now + RECONNECT_S
        if broker == self.brokers.current:
            self._welcome = welcome
            self.delivery.correction_window_s = welcome.correction_window_s

    def _on_result(self, broker: int, result: Result, retry_after_s: float, now: float) -> None:
        request = self._open.get(result.request)
        link = self.brokers.links[broker]
        left = link.answer_left(result.request)
        if request and request.broker == broker and result.status == "answered":
            link.usual_s = max(now - request.sent, link.usual_s * 15 / 16)
        if request is None:
            known = 0 < result.request <= self._last
            self.counters["duplicate_results" if known else "unknown_results"] += 1
        elif result.status == "refused":
            self._on_refused(broker, request, result, retry_after_s, now)
        elif left and result.status not in ("answered", "rejected"):
            self.counters["left_results"] += 1
        else:
            self._deliver(result, now)

    def _on_refused(self, broker: int, request: Request, result: Result, retry_after_s: float,
                    now: float) -> None:
        sent = request.state == "sent" and request.broker == broker
        if result.reason == "duplicate_request":
            self.counters["open_already"] += 1  # The broker has it: no result.
            if sent:
                request.words += 1
                request.wake = self._resubmit_at(request, now)
        elif result.reason == "unknown_producer":
            self.brokers.links[broker].part(result.reason, now)
            if sent:
                request.state = "queued"
        elif request.broker != broker:
            self.counters["left_results"] += 1
        elif result.reason == "draining" and len(self.brokers.links) > 1:
            self.brokers.links[broker].draining = True
            if sent:
                request.state = "queued"
        elif result.reason not in RETRIED:
            self._deliver(result, now)
        elif sent:
            self._retry(request, result, now + max(retry_after_s, RETRY_MIN_S), now)

    def _retry(self, request: Request, result: Result, wake: float, now: float) -> None:
        if wake < request.deadline:
            request.state, request.wake, request.refusal = "asleep", wake, result.reason
        else:
            self._deliver(result, now)

    def _deliver(self, result: Result, now: float) -> None:
        request = self._open.pop(result.request)
        for link in self.brokers.links:
            link.on_end(result.request)
        self.counters["cancelled"] += result.status == "cancelled"
        self.counters["superseded"] += result.status == "superseded"
        self.counters["delivered"] += 1
        self.delivery.settle(result, request.submitted, request.stream, now)
