"""Which faults a soak inflicts, when and on which process: from a seed alone.  Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Callable, Iterator

import cells


@dataclass(frozen=True)
class Planned:
    at_s: float      # Since the soak began; the fault comes later if the one before took longer.
    cell: cells.Cell
    process: str
    repetition: int  # Even or odd: the direction of a half-open link.


def may_hit(cell: cells.Cell, processes: list[str]) -> list[str]:
    """The first process of a role is spared what ends processes, so that one of each grows old.  Of
    producers the one that is hit is not the one that is measured (cells.py)."""
    return processes[1:] if cell.fault.ends and cell.role != "producer" else processes


def draw(seed: int, seconds: float, every: float,
         processes: Callable[[cells.Cell], list[str]]) -> list[Planned]:
    """One fault after another, each over for a second before the next begins.  Every cell comes
    once before any comes again."""
    chance = random.Random(seed)
    planned: list[Planned] = []
    at = every
    for cell in _decks(chance, [one for one in cells.all_cells() if may_hit(one, processes(one))]):
        next_at = at + cells.period(cell.fault, every)
        if next_at > seconds:
            break
        planned.append(Planned(at, cell, chance.choice(may_hit(cell, processes(cell))),
                               chance.randrange(2)))
        at = next_at
    return planned


def _decks(chance: random.Random, deck: list[cells.Cell]) -> Iterator[cells.Cell]:
    while True:
        yield from chance.sample(deck, len(deck))
