"""How long images take while nothing is disturbed.  Pure."""

from __future__ import annotations

import bisect
import math
from array import array
from typing import Optional

from account import SLOW_S, Request

# From the end of a fault until the pipeline counts as undisturbed.
BACK_S = 1.0


class Latencies:
    """Of every image that has been answered, or is missing: as long as that took."""

    def __init__(self) -> None:
        self.sent = array("d")
        self.took = array("d")
        self.quiet: list[tuple[float, float]] = []  # Begin and end of undisturbed times, in order.

    def add(self, requests: list[Request]) -> None:
        for one in requests:
            if one.answered is not None and one.status in ("answered", "missing"):
                self.sent.append(one.sent)
                self.took.append(one.answered - one.sent)

    def undisturbed(self, fault_over: float, next_fault: float) -> None:
        """An image that is sent just before a fault is delayed by it."""
        begin, end = fault_over + BACK_S, next_fault - SLOW_S
        if begin < end:
            self.quiet.append((begin, end))

    def percentile(self, part: float, begin: float, end: float) -> Optional[float]:
        """Of what was sent in undisturbed times from `begin` to `end`, in seconds; None if nothing
        was."""
        took = sorted(took for sent, took in zip(self.sent, self.took)
                      if begin <= sent < end and self._is_quiet(sent))
        return took[math.ceil(part * len(took)) - 1] if took else None

    def _is_quiet(self, at: float) -> bool:
        number = bisect.bisect_right(self.quiet, (at, math.inf)) - 1
        return number >= 0 and at < self.quiet[number][1]
