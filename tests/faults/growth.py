"""Whether processes grow: their memory and descriptors over time, and the rule by which they are
judged.  Pure but for `look`.

Memory is what a process has for itself, RssAnon and VmSwap: the heap, stacks and private mappings.
VmRSS also counts pages of libraries and models, which the kernel drops and reads again as it likes,
and PSS changes whenever another process that shares a page ends.

The rule compares the level to which a process comes back, because memory goes up with a large image
and descriptors with each connection:
  - a process that is alive from minute 3 to the end: the last third of that time beside the first;
  - a process that has been started again: the last half minute of its life beside that half minute,
    by age, of the first process of its kind that grew as old.  One younger than a minute is not
    compared: it is still warming up.
That level is the least memory and the fewest descriptors, which are compared with those that the
process usually had before: while a peer is away it has fewer.
"""

from __future__ import annotations

import pathlib
import statistics
from dataclasses import dataclass, field
from typing import Optional

SETTLED_S = 180.0
THIRD_MIN_S = 60.0
GONE_S = 30.0  # A process that was last looked at so long before the end has ended.
YOUNG_S = 60.0
AGE_WINDOW_S = 30.0
SAME_START_S = 10.0
MEMORY_GROWTH_MAX = 0.05
DESCRIPTORS_MORE_MAX = 0


@dataclass(frozen=True)
class Sample:
    age_s: float
    memory: int  # Bytes.
    descriptors: int


@dataclass
class Life:
    """A process from its start to its end."""
    process: str
    kind: str      # Those of one kind run the same program in the same way under the same load.
    number: int    # Of the lives under this name, from 1 on.
    born_s: float  # On the soak's clock; the first ones before it, so below 0.
    samples: list[Sample] = field(default_factory=list)

    @property
    def age_s(self) -> float:
        return self.samples[-1].age_s if self.samples else 0.0

    def between(self, begin: float, end: float) -> list[Sample]:
        """By age."""
        return [one for one in self.samples if begin <= one.age_s <= end]


@dataclass(frozen=True)
class Growth:
    """How much a process had before, or another of its kind at its age, and how much it has."""
    process: str
    number: int
    restarted: bool
    memory_before: int
    memory: int
    descriptors_before: int
    descriptors: int

    @property
    def share(self) -> float:
        return self.memory / self.memory_before - 1

    def of_memory(self) -> bool:
        return self.share > MEMORY_GROWTH_MAX

    def of_descriptors(self) -> bool:
        return self.descriptors - self.descriptors_before > DESCRIPTORS_MORE_MAX


def compare(lives: list[Life], end_s: float) -> list[Growth]:
    """All that can be compared when the soak has lasted for `end_s`."""
    found = [_old(life, end_s) for life in lives]
    found += [_restarted(life, lives) for life in lives if life.number > 1]
    return [one for one in found if one is not None]


def _growth(life: Life, restarted: bool, before: list[Sample],
            after: list[Sample]) -> Optional[Growth]:
    if not before or not after:
        return None
    return Growth(life.process, life.number, restarted,
                  min(one.memory for one in before), min(one.memory for one in after),
                  statistics.median_low(one.descriptors for one in before),
                  min(one.descriptors for one in after))


def _old(life: Life, end_s: float) -> Optional[Growth]:
    third = (end_s - SETTLED_S) / 3
    alive = life.born_s <= SETTLED_S and life.born_s + life.age_s > end_s - GONE_S
    if not alive or third < THIRD_MIN_S:
        return None
    settled, end = SETTLED_S - life.born_s, end_s - life.born_s
    return _growth(life, False, life.between(settled, settled + third),
                   life.between(end - third, end))


def _restarted(life: Life, lives: list[Life]) -> Optional[Growth]:
    elders = [one for one in lives if one.kind == life.kind and one.born_s < life.born_s]
    age = min(life.age_s, max((one.age_s for one in elders), default=0.0))
    if age < YOUNG_S:
        return None
    elders = [one for one in elders if one.age_s >= age]
    first = min(one.born_s for one in elders)
    before = [sample for one in elders if one.born_s <= first + SAME_START_S
              for sample in one.between(age - AGE_WINDOW_S, age)]
    return _growth(life, True, before, life.between(age - AGE_WINDOW_S, age))


def look(pid: int, age_s: float) -> Sample:
    """OSError: the process is gone."""
    folder = pathlib.Path(f"/proc/{pid}")
    kilobytes = {name: int(value.split()[0]) for name, _, value in (
        line.partition(":") for line in (folder / "status").read_text().splitlines())
        if name in ("RssAnon", "VmSwap")}
    if len(kilobytes) != 2:
        raise ProcessLookupError(f"process {pid} has ended")  # It is a zombie.
    return Sample(age_s, 1024 * sum(kilobytes.values()), len(list((folder / "fd").iterdir())))
