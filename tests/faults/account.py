"""The account of every image: what was sent, and what came back for it.  Pure: callers pass times.

A `life` is one life of one producer: ids count from 1 in each.  Images of a life that a fault has
ended on purpose are nobody's any more: nobody is left to be told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

# An answer that takes longer than this is one of a pipeline that has not recovered.
SLOW_S = 0.25


@dataclass
class Request:
    image: int
    sent: float
    answered: Optional[float] = None  # When its one result came.
    status: str = ""                  # That of the result: answered, missing, refused, rejected.


@dataclass
class Figures:
    """Of the images that were sent from the begin of a cell on."""
    sent: int = 0
    lost: int = 0        # No result of any kind.
    duplicated: int = 0  # A result more than one.
    wrong: int = 0       # Another class than this image has by the s-CNN, or nobody's result.
    missing: int = 0     # Nobody answered by the deadline.
    refused: int = 0     # The pipeline did not take it, and retries did not help.
    collage_other: int = 0  # A collage's answer that is not the s-CNN's: it is less accurate.
    longest_gap_s: float = 0.0


@dataclass
class Life:
    requests: dict[int, Request] = field(default_factory=dict)
    forgotten: int = 0  # Ids up to this one belong to former cells.


class Account:
    """`reference` is the class of each image by an s-CNN; the first answer decides."""

    def __init__(self, paced: str) -> None:
        self.paced = paced  # The life whose answers come evenly: gaps are looked for in it alone.
        self.reference: dict[int, int] = {}
        self.lives: dict[str, Life] = {}
        self.begin(0.0)

    def begin(self, now: float) -> None:
        """A cell begins: forgets what was sent before and is answered."""
        self.since = now
        self.figures = Figures()
        self.last_answer = now
        self.retire()

    def retire(self) -> list[Request]:
        """Forgets the images that have their result, and returns them."""
        retired: list[Request] = []
        for life in self.lives.values():
            done = [number for number, one in life.requests.items() if one.answered is not None]
            retired += [life.requests.pop(number) for number in done]
            life.forgotten = max([life.forgotten, *done])
        return retired

    def sent(self, life: str, number: int, image: int, now: float) -> None:
        requests = self.lives.setdefault(life, Life()).requests
        requests[number] = Request(image, now)
        self.figures.sent += 1

    def result(self, life: str, number: int, status: str, source: str, label: Optional[int],
               now: float) -> None:
        requests = self.lives.setdefault(life, Life()).requests
        request = requests.get(number)
        if request is None:
            if number <= self.lives[life].forgotten:
                self.figures.duplicated += 1
            else:
                self.figures.wrong += 1
            return
        if request.answered is not None:
            self.figures.duplicated += 1
            return
        request.answered, request.status = now, status
        if status == "answered":
            self._compare(request.image, source, label)
            if life == self.paced:
                self.end_gap(now)
        elif status == "missing":
            self.figures.missing += 1
        elif status == "refused":
            self.figures.refused += 1
        else:
            self.figures.wrong += 1  # Every image is a good one.

    def _compare(self, image: int, source: str, label: Optional[int]) -> None:
        if label is None:
            self.figures.wrong += 1
        elif source == "collage":
            if image in self.reference and self.reference[image] != label:
                self.figures.collage_other += 1
        elif self.reference.setdefault(image, label) != label:
            self.figures.wrong += 1

    def end_gap(self, now: float) -> None:
        """An answer came, or the cell ends."""
        self.figures.longest_gap_s = max(self.figures.longest_gap_s, now - self.last_answer)
        self.last_answer = now

    def end_life(self, life: str, excused: bool) -> None:
        """A producer's process is gone.  `excused`: a fault was meant to end it."""
        gone = self.lives.get(life)
        if gone is not None and excused:
            open_now = [number for number, one in gone.requests.items() if one.answered is None]
            for number in open_now:
                if gone.requests[number].sent >= self.since:
                    self.figures.sent -= 1
                del gone.requests[number]

    def open(self, before: float) -> int:
        """How many images that were sent in this cell and before that time have no result."""
        return sum(1 for life in self.lives.values() for one in life.requests.values()
                   if one.answered is None and self.since <= one.sent < before)

    def slow_until(self, begin: float, end: float) -> float:
        """When the last slow answer came of those that a fault at `begin` has delayed, if another
        followed at `end`; `begin` if none was slow, `end` if one came later or not at all."""
        last = begin
        for life in self.lives.values():
            for one in life.requests.values():
                # What was sent just before a fault is delayed by it, not by the one before.
                if begin <= one.sent + SLOW_S < end:
                    came = end if one.answered is None else min(one.answered, end)
                    if came - one.sent > SLOW_S or one.status == "missing":
                        last = max(last, came)
        return last

    def steady(self, now: float) -> bool:
        """Whether of the images of the last second none took long."""
        recent = [one for life in self.lives.values() for one in life.requests.values()
                  if one.sent >= now - 1 - SLOW_S and one.sent < now - SLOW_S]
        return bool(recent) and all(
            one.status == "answered" and one.answered is not None
            and one.answered - one.sent <= SLOW_S for one in recent)

    def close(self, before: float) -> Figures:
        """The figures of the cell; what is open and was sent before that time is lost."""
        self.figures.lost = self.open(before)
        return self.figures
