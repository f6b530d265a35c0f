"""What the command line prints: a line per result as JSON or CSV, the progress, a summary."""

import collections
import csv
import io
import json
import time
from typing import Any

from collage_client.result import Result, name_fields

COLUMNS = ("request", "file", "status", "class", "label", "probability", "source", "latency_s",
           "broker_latency_s", "model", "brownout", "reason", "error", "file_base64", "format")


def error_line(file: str, error: str) -> str:
    """A file that was not sent, as JSON."""
    return json.dumps(name_fields(file) | {"status": "unreadable", "error": error})


def interrupted_line(file: str, request: int) -> str:
    """An image that was sent and not waited for, as JSON."""
    return json.dumps({"request": request} | name_fields(file) | {"status": "interrupted"})


def csv_line(line: str) -> str:
    """A line of JSON as a row of COLUMNS."""
    values: dict[str, Any] = json.loads(line)
    if values.get("brownout"):
        values["brownout"] = "true"
    out = io.StringIO()
    # With another end of line the writer would not quote a name that has one in it.
    csv.writer(out, lineterminator="\r\n").writerow(values.get(name, "") for name in COLUMNS)
    return out.getvalue().removesuffix("\r\n")


class Tally:
    """Counts results by source and by cause, and keeps the latencies of answers."""

    LATENCY_MAX = 1 << 20  # Latencies kept: the newest.

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.reported = 0
        self.sources: collections.Counter[str] = collections.Counter()
        self.causes: collections.Counter[str] = collections.Counter()
        self.brownout = 0
        self.corrected = 0
        self.latencies: collections.deque[float] = collections.deque(maxlen=self.LATENCY_MAX)

    def add(self, result: Result, image_format: str = "") -> None:
        self.reported += 1
        if result.status == "answered":
            self.sources[result.source] += 1
            self.brownout += result.brownout
            self.latencies.append(result.latency_s)
        else:
            why = result.reason + (f": {image_format}" if image_format else "")
            self.causes[result.status + (f" ({why})" if why else "")] += 1

    def add_unreadable(self, error: str) -> None:
        self.reported += 1
        self.causes[f"unreadable ({error})"] += 1

    def add_interrupted(self) -> None:
        self.reported += 1
        self.causes["interrupted"] += 1

    @property
    def answered(self) -> int:
        return sum(self.sources.values())

    def summary(self) -> list[str]:
        elapsed = max(time.monotonic() - self.begun, 1e-9)
        by_source = ", ".join(f"{name} {self.sources[name]}"
                              for name in ("single", "collage", "hedge"))
        lines = [f"{self.answered} of {self.reported} answered in {elapsed:.3g} s "
                 f"({self.reported / elapsed:.1f}/s): {by_source}"
                 + (f", in brownout {self.brownout}" if self.brownout else "")
                 + (f", corrected {self.corrected}" if self.corrected else "")]
        if self.latencies:
            ranked = sorted(self.latencies)
            shown = [f"p{p} {ranked[-(-len(ranked) * p // 100) - 1]:.3g} s" for p in (50, 95, 99)]
            lines.append(f"latency: {', '.join(shown)}, max {ranked[-1]:.3g} s")
        return lines + [f"{count} {cause}" for cause, count in sorted(self.causes.items())]

    def progress(self) -> str:
        elapsed = max(time.monotonic() - self.begun, 1e-9)
        text = f"{self.reported}, {self.reported / elapsed:.1f}/s"
        if self.reported > self.answered:
            text += f", {self.reported - self.answered} without answer"
        return text[:79]

