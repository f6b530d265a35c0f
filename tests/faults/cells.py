"""Which faults there are, whom they may hit, and which cells have no meaning, and why.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

APART_S = 1.0  # From the end of a fault to the begin of the next, at least.
ROLES = ("producer", "broker", "sink", "assembler", "collage", "classifier", "gateway")


@dataclass(frozen=True)
class Fault:
    name: str
    length_s: float  # From its begin to its end.
    of_link: bool    # Leaves the process of the role alone.
    what: str
    ends: tuple[str, ...] = ()  # How it may end the process, as fleet.how_ended() says it.


FAULTS = (
    Fault("kill", 0.0, False, "SIGKILL", ("SIGKILL",)),
    Fault("stop-5s", 5.0, False, "SIGSTOP, SIGCONT after 5 s"),
    Fault("stop-then-kill", 2.0, False, "SIGSTOP, SIGKILL after 2 s", ("SIGKILL",)),
    Fault("restart", 0.0, False, "SIGTERM, and started again when it has ended",
          ("exit 0", "SIGTERM")),  # The latter while it starts.
    Fault("hang", 2.0, False, "the work thread loops for ever, the others live; SIGABRT after "
                              "2 s, as a watchdog sends it", ("SIGABRT",)),
    Fault("slow", 2.0, False, "runs for a tenth of the time (SIGSTOP, SIGCONT) for 2 s"),
    Fault("cut", 0.0, True, "all its connections are reset"),
    Fault("half-open", 2.0, True, "for 2 s all bytes of one direction vanish, of the other in the "
                                  "next repetition; then the connections are reset"),
    Fault("half-open-both", 2.0, True, "the same in both directions at once"),
    Fault("not-reading", 2.0, True, "for 2 s nobody reads what is sent, nothing is lost"),
    Fault("half-message", 0.5, True, "the first half of a message, then nothing, after 0.5 s a "
                                     "reset"),
    Fault("logs-full", 2.0, False, "for 2 s its log is on a full disk (/dev/full), while its "
                                   "connections are reset, which is logged"),
    Fault("memory-limit", 2.0, False, "for 2 s it gets no more memory (RLIMIT_AS), while an "
                                      "image of 9 MB comes"),
    Fault("no-descriptors", 2.0, False, "for 2 s it gets no descriptor (RLIMIT_NOFILE) while its "
                                        "connections are reset"),
    Fault("clock-step", 2.0, False, "its wall clock runs ahead by an hour for 2 s"),
)

# Cells without a meaning: (fault, role) -> why.  Whoever adds one says what stands in for it.
NO_MEANING: dict[tuple[str, str], str] = {
    ("logs-full", "producer"): "the client library writes no log",
    ("memory-limit", "producer"): "a program without memory ends by its own std::bad_alloc, as in "
                                  "kill/producer",
    ("memory-limit", "sink"): "no image passes through the sink, so none asks it for memory; "
                              "kill/sink shows what its end costs",
}


@dataclass(frozen=True)
class Cell:
    fault: Fault
    role: str

    @property
    def name(self) -> str:
        return f"{self.fault.name}/{self.role}"


def all_cells() -> list[Cell]:
    """Those with a meaning, in the order in which they run."""
    return [Cell(fault, role) for fault in FAULTS for role in ROLES
            if (fault.name, role) not in NO_MEANING]


def chosen(only: list[str]) -> list[Cell]:
    """Those that FAULT or FAULT/ROLE name; all if nothing is named.  ValueError: no such cell."""
    cells = all_cells()
    if not only:
        return cells
    picked: list[Cell] = []
    for name in only:
        some = [cell for cell in cells if name in (cell.name, cell.fault.name)]
        if not some:
            fault, _, role = name.partition("/")
            raise ValueError(NO_MEANING.get((fault, role), f"no cell is named {name}"))
        picked += [cell for cell in some if cell not in picked]
    return picked


def period(fault: Fault, every: float) -> float:
    """From one fault to the next: a fault is over for a second before the next begins."""
    return max(every, fault.length_s + APART_S)


def missed(record: dict[str, Any]) -> bool:
    """Whether a cell has lost, doubled or mistaken an image."""
    return any(record[key] != 0 for key in ("lost", "duplicated", "wrong")) or any(
        record["http"][key] != 0 for key in ("lost", "wrong"))


def unexpected_ends(record: dict[str, Any]) -> dict[str, int]:
    """Which processes ended that the fault was not to end, and how often.  The record may name the
    one process that was hit."""
    fault, = (one for one in FAULTS if one.name == record["fault"])
    unexpected = {}
    for ending, count in record["ended"].items():
        process, how = ending.split(": ")
        if how not in fault.ends or process != record.get("process", process):
            unexpected[ending] = count
    return unexpected
