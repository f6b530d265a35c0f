"""What a soak is judged by.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import cells
from account import Figures
from growth import Growth
from latency import Latencies

# The p99 of the last third beside that of the first; a third has so many seconds at least.
DRIFT_MAX = 2.0
THIRD_MIN_S = 60.0


@dataclass(frozen=True)
class Bar:
    name: str
    held: Optional[bool]  # None: it cannot be judged.
    why: str


def of_account(figures: Figures, http: dict[str, int]) -> Bar:
    held = not (figures.lost or figures.duplicated or figures.wrong or http["lost"]
                or http["wrong"])
    return Bar("nothing lost", held,
               f"{figures.sent:,} images: {figures.lost} lost, {figures.duplicated} doubled, "
               f"{figures.wrong} wrong; {http['sent']:,} by HTTP: {http['lost']} lost, "
               f"{http['wrong']} wrong")


def of_missing(figures: Figures, redundant: bool) -> Bar:
    """`redundant`: there are two of each, so that no single fault costs an answer."""
    why = f"{figures.missing} missing, {figures.refused} refused at the client library"
    if not redundant:
        return Bar("all answered", None, why + "; it takes two brokers and two sinks")
    return Bar("all answered", figures.missing + figures.refused == 0, why)


def of_ends(faults: list[dict[str, Any]]) -> Bar:
    ended = sum(sum(one["ended"].values()) for one in faults)
    strange = [f"{ending} at {one['fault']}/{one['role']}" for one in faults
               for ending in cells.unexpected_ends(one)]
    why = f"{ended} processes ended, " + (
        "each by its fault" if not strange else f"{len(strange)} by themselves: "
        + ", ".join(strange))
    return Bar("none ended by itself", not strange, why)


def of_memory(growths: list[Growth], restarts: int) -> Bar:
    return _of_growth("memory", [(one, one.of_memory(), one.share, (
        f"{one.memory_before / 1e6:.1f} to {one.memory / 1e6:.1f} MB")) for one in growths],
        restarts)


def of_descriptors(growths: list[Growth], restarts: int) -> Bar:
    return _of_growth("descriptors", [
        (one, one.of_descriptors(), one.descriptors - one.descriptors_before,
         f"{one.descriptors_before} to {one.descriptors}") for one in growths], restarts)


def _of_growth(name: str, judged: list[tuple[Growth, bool, float, str]], restarts: int) -> Bar:
    again = sum(one.restarted for one, *_ in judged)
    if again == len(judged):
        return Bar(name, None, "no process is old enough")
    grown = [one for one in judged if one[1]]
    worst = sorted(grown or judged, key=lambda one: one[2], reverse=True)[:None if grown else 1]
    shown = ", ".join(f"{one.process}#{one.number} {'at equal age ' if one.restarted else ''}"
                      f"{span}" for one, _, _, span in worst)
    return Bar(name, not grown,
               f"{len(judged) - again} old processes, {again} of {restarts} restarted ones; "
               f"{f'{len(grown)} grew' if grown else 'most'}: {shown}")


def of_latency(latencies: Latencies, begin: float, seconds: float) -> Bar:
    """Of undisturbed times alone: the others are as long as the faults are."""
    third = seconds / 3
    if third < THIRD_MIN_S:
        return Bar("latency", None, "it is too short")
    first, last = (latencies.percentile(0.99, at, at + third) for at in (begin, begin + 2 * third))
    if first is None or last is None:
        return Bar("latency", None, "no time was undisturbed")
    return Bar("latency", last <= DRIFT_MAX * first,
               f"p99 of undisturbed times {1000 * first:.0f} ms in the first third, "
               f"{1000 * last:.0f} ms in the last")
