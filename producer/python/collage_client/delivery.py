"""Results on their way to the caller: the order of streams, and corrections after them."""

import collections
import dataclasses
from collections.abc import Hashable

from collage_client.result import Result

CORRECTION_MAX = 1024  # collage answers remembered; corrections that nobody took


@dataclasses.dataclass
class _Held:
    """A result that waits for others of its stream."""

    result: Result
    submitted: float
    correction: Result | None = None  # that came for it meanwhile


class Delivery:
    """Takes each result once and hands it out in the order of its stream."""

    def __init__(self, corrections: bool, grace_s: float, counters: collections.Counter[str]):
        self.corrections = corrections
        self.correction_window_s = 0.0  # as the broker says
        self._grace_s = grace_s
        self._counters = counters
        self.done: list[Result] = []
        self.corrected: list[Result] = []
        self._streams: dict[Hashable, collections.deque[int]] = {}  # not handed out, in order
        self._held: dict[int, _Held] = {}
        # Collage answers that may be corrected, the oldest first: class, submission, until when.
        self._correctable: collections.OrderedDict[int, tuple[str | None, float, float]] = \
            collections.OrderedDict()

    @property
    def held(self) -> int:
        return len(self._held)

    @property
    def correctable(self) -> int:
        return len(self._correctable)

    def add(self, request: int, stream: Hashable) -> None:
        """Notes a submission; a stream of None has no order."""
        if stream is not None:
            self._streams.setdefault(stream, collections.deque()).append(request)

    def settle(self, result: Result, submitted: float, stream: Hashable, now: float) -> None:
        """Takes the result of a request that was added."""
        if stream is None:
            self._hand_out(_Held(result, submitted), now)
            return
        self._held[result.request] = _Held(result, submitted)
        waiting = self._streams[stream]
        while waiting and waiting[0] in self._held:
            self._hand_out(self._held.pop(waiting.popleft()), now)
        if not waiting:
            del self._streams[stream]

    def correct(self, correction: Result, now: float) -> None:
        """Takes a correction; it is dropped unless it contradicts an answer of a collage."""
        if correction.request in self._held:
            self._held[correction.request].correction = correction
            return
        name, submitted, _ = self._correctable.pop(correction.request, (None, 0.0, 0.0))
        room = len(self.corrected) < CORRECTION_MAX
        if name is None or correction.name in (None, name) or not room:
            self._counters["corrections_dropped"] += 1
            return
        correction.latency_s = now - submitted
        self._counters["corrections"] += 1
        self.corrected.append(correction)

    def expire(self, now: float) -> None:
        for request in [i for i, (_, _, until) in self._correctable.items() if now >= until]:
            del self._correctable[request]

    def timeouts(self) -> list[float]:
        """When expire has work to do."""
        return [until for _, _, until in self._correctable.values()]

    def _hand_out(self, held: _Held, now: float) -> None:
        result = held.result
        result.latency_s = now - held.submitted
        self.done.append(result)
        if self.corrections and result.source == "collage" and self.correction_window_s > 0:
            until = now + self.correction_window_s + self._grace_s
            self._correctable[result.request] = (result.name, held.submitted, until)
            if len(self._correctable) > CORRECTION_MAX:
                self._correctable.popitem(last=False)
        if held.correction:
            self.correct(held.correction, now)
