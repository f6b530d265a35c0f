"""The conversations with one or several brokers, and which of them requests go to.

producer/broker_link.h and producer/client_brokers.cc are the same in C++.
"""

import secrets

from collage_client import wire
from collage_client.request import Options

HELLO_MIN_S, HELLO_MAX_S, HELLO_UNANSWERED_MAX = 0.1, 5.0, 3
HELLO_LOST_S = 0.25      # Bounds the back-off towards a broker that was lost, or an eighth of the
                         # time since it was heard does.
RETURN_AFTER_S = 2.0     # A preferred broker that is back has answered for so long before its use.

LISTENS = 8              # The part of failover_after_s for which a broker in doubt is listened to.


class BrokerLink:
    """The conversation with one broker: hellos, credit, silence."""

    def __init__(self, options: Options) -> None:
        self._failover_after_s = options.failover_after_s
        self.welcome: wire.Welcome | None = None
        self.joined = False
        self.refusal = ""          # why the broker ended the conversation, if it did
        self.reconnect_at = 0.0    # when another connection is worth a try, unless joined
        self.hello_due = 0.0
        self.send_after = 0.0      # nothing is sent before, because the link was full
        self.unanswered = 0        # hellos
        self.usual_s = 0.0         # the slowest of recent requests took about so long
        self.draining = False      # takes nothing new for the rest of its life
        self._left_silent = False  # left, and no welcome since
        self._hello_sent = 0.0
        self._heard: float | None = None
        self._asked: float | None = None  # the first hello since then
        self._doubted: float | None = None
        self._usable_since = 0.0
        # Requests that were given to another broker while this one may still answer them, until
        # when; they count against its credit.
        self._left: dict[int, float] = {}
        self._withdrawn: list[int] = []

    @property
    def greeting(self) -> bool:
        """Whether a welcome is waited for."""
        return not self.joined and self._asked is not None

    def greet(self, now: float) -> None:
        """Begins the conversation."""
        self.hello_due, self.unanswered = now, 0
        self._heard, self._asked, self._doubted = now, None, None
        self._left_silent = False

    def on_hello(self, now: float) -> bool:
        """Notes that one is sent; returns whether the broker counts as silent from now on."""
        silent = self.joined and self.unanswered >= HELLO_UNANSWERED_MAX
        self.joined = self.joined and not silent
        wait = min(HELLO_MIN_S * 2.0 ** min(self.unanswered, 16), HELLO_MAX_S)
        if self.welcome and not self.joined and self._heard is not None:
            wait = min(wait, max(HELLO_LOST_S, (now - self._heard) / 8))
        # Shortened at random, so that many clients do not greet a restarted broker in step.
        self.hello_due = now + wait * (1 - 0.25 * secrets.randbelow(1000) / 1000)
        self._hello_sent = now
        self.unanswered += 1
        if self._asked is None:
            self._asked = now
        return silent

    def on_heard(self, now: float) -> None:
        self._heard, self._asked, self._doubted = now, None, None

    def on_welcome(self, welcome: wire.Welcome, now: float) -> bool:
        """Returns whether what was sent may be lost."""
        before = self.welcome
        restarted = before is not None and welcome.epoch != before.epoch
        lost = before is not None and (restarted or not self.joined)
        if restarted:
            self.draining, self._left, self._withdrawn = False, {}, []
        self._left = {i: until for i, until in self._left.items() if until > now}
        if not self.joined or restarted:
            self._usable_since = now
        self.welcome, self.joined, self.refusal, self.unanswered = welcome, True, "", 0
        self._left_silent = False
        self.hello_due = now + max(welcome.heartbeat_s, HELLO_MIN_S)
        return lost

    def part(self, reason: str, now: float) -> None:
        self.refusal = reason
        if self.joined:
            self.joined = False
            self.hello_due = max(now, self._hello_sent + HELLO_MIN_S)

    @property
    def credit(self) -> int:
        if not self.joined or self.welcome is None:
            return 0
        return max(0, self.welcome.credit - len(self._left))

    @property
    def usable(self) -> bool:
        return self.joined and not self.draining

    @property
    def failed(self) -> bool:
        """Whether the broker is known to take nothing.  One that does not know us yet, or any more,
        welcomes us at our next hello."""
        return (self._left_silent or self.draining
                or self.refusal not in ("", "unknown_producer"))

    def judged_at(self) -> float | None:
        """When leave_if_silent has something to do."""
        if self._left_silent or self._asked is None:
            return None
        listen = self._failover_after_s / LISTENS
        if self._doubted is not None:
            return self._doubted + listen
        heard = self._asked if self._heard is None else self._heard
        # With a long heartbeat the first hello comes late, and its answer needs time, too.
        return max(heard + self._failover_after_s, self._asked + self._failover_after_s / 2) - listen

    def leave_if_silent(self, now: float) -> bool:
        """A client that was stopped itself may not have read what the broker said.  So it doubts the
        broker first, and leaves it if it has listened since."""
        at = self.judged_at()
        if at is None or now < at:
            return False
        listen = self._failover_after_s / LISTENS
        if self._doubted is None or now > self._doubted + 2 * listen:
            self._doubted = now
            return False
        self._left_silent, self.joined = True, False
        return True

    def steady_at(self) -> float | None:
        return self._usable_since + RETURN_AFTER_S if self.usable else None

    def leave_request(self, request: int, until: float) -> None:
        self._left.setdefault(request, until)

    def answer_left(self, request: int) -> bool:
        return self._left.pop(request, None) is not None

    def on_end(self, request: int) -> None:
        """If this broker still has the request, it is to be withdrawn."""
        if request in self._left:
            self._withdrawn.append(request)

    def take_withdrawn(self) -> list[int]:
        if not self.joined:
            return []
        withdrawn, self._withdrawn = self._withdrawn, []
        return [request for request in withdrawn if self.answer_left(request)]


class Brokers:
    """The links in the order of preference; requests go to `current`."""

    def __init__(self, count: int, options: Options) -> None:
        self.links = [BrokerLink(options) for _ in range(count)]
        self.current = 0
        self._greeted = 1  # How many of the first ones get hellos in any case.

    @property
    def link(self) -> BrokerLink:
        return self.links[self.current]

    def greeted(self, busy: set[int]) -> list[int]:
        """The brokers that get hellos; `busy` have requests of ours and must go on hearing us."""
        return [i for i in range(len(self.links)) if i < self._greeted or i in busy]

    def choose(self, now: float) -> None:
        """The most preferred broker that serves us; one that has just come back is tried for a
        while first, unless there is no other.  While none serves us, the next is greeted as soon as
        all before it are known to fail."""
        usable = self.link.usable
        for i, link in enumerate(self.links):
            steady_at = link.steady_at()
            if steady_at is None or (usable and i != self.current and steady_at > now):
                continue
            self.current, self._greeted = i, i + 1
            return
        if self._greeted < len(self.links) and all(
                link.failed for link in self.links[:self._greeted]):
            self.current = self._greeted
            self._greeted += 1
            self.link.greet(now)

    def timeouts(self, busy: set[int]) -> list[float]:
        greeted = self.greeted(busy)
        times = [self.links[i].hello_due for i in greeted]
        if len(self.links) > 1:
            times += [at for i in greeted if (at := self.links[i].judged_at()) is not None]
            times += [at for i in range(self.current)
                      if (at := self.links[i].steady_at()) is not None]
        return times
