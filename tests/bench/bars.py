"""What the benchmarks are to show, and the judgement of a run.  Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any, Optional


class CannotRun(Exception):
    """There is nothing to judge."""


@dataclass(frozen=True)
class Bar:
    """`at_most`: the value may be so many times the reference.  `faster`: the reference takes so
    many times the value.  `of_rate`: so many times the reference's operations a second.
    `above`: the value may be so many seconds above the reference.  `rate`: so many a second, of
    which one operation of the benchmark does `items`.  `count`: the value, which is no time, may be
    so much; it has no reference."""
    kind: str
    bar: float
    what: str
    items: int = 1
    unit: str = "s"  # Of value and reference; or bytes.


FASTER_AS_SERVED = Bar("faster", 1.3, "one inference as served; the module as it was exported")
BROKER = "an image through the broker; zmq_proxy with two frames and an answer of 100 bytes"
BARS: dict[str, Bar] = {
    "broker-1k": Bar("of_rate", 0.4, BROKER),
    "broker-8k": Bar("of_rate", 0.7, BROKER),
    "broker-30k": Bar("of_rate", 0.7, BROKER),
    "broker-110k": Bar("of_rate", 0.7, BROKER),
    "broker-p50": Bar("above", 60e-6, "median latency of an image of 8 kB at a fifth of what the "
                                      "broker carries; the proxy's at a fifth of its"),
    "broker-p99": Bar("at_most", 2.5, "the same, of the 99th percentile"),
    "broker-copies": Bar("count", 0, "copies of an image that the broker makes"),
    "decode-small-png": Bar("at_most", 2.0, "28x28 PNG to pixels; libpng alone"),
    "decode-small-jpeg": Bar("at_most", 2.0, "32x32 JPEG to pixels; libjpeg-turbo alone"),
    "decode-photo-224": Bar("at_most", 1.3, "photograph to 224x224; libjpeg-turbo's scaled decode "
                                            "and a linear resize"),
    "decode-photo-138": Bar("at_most", 1.3, "the same to 138x138"),
    "collage-cpu": Bar("faster", 3.0, "nine photographs to a collage of 416x416; the published "
                                      "recipe in Pillow"),
    "collage-path": Bar("faster", 15.0, "last photograph in to the collage's tensor; the recipe"),
    "classifier": Bar("of_rate", 0.88, "an image of 32x32 through an s-CNN stage; the forward of "
                                       "its network alone"),
    "simulator": Bar("at_most", 6.0, "the published experiment of 3,600 images; a bare queue with "
                                     "as many events"),
    "simulator-requests": Bar("rate", 1e5, "images of it a second", items=3600),
    "host-ready": Bar("faster", 2.0, "until ten s-CNN stages of --processes have joined; ten that "
                                     "were started one by one"),
    "host-memory": Bar("faster", 3.0, "the memory of those stages (PSS)", unit="bytes"),
    "brownout": Bar("faster", 2.5, "an image of CIFAR-10 through a saturated pipeline; the same "
                                   "under policy none"),
    "joiner": Bar("rate", 1e6, "answers a second, 10,000 batches open", items=90_000),
}


PIPELINE = Bar("of_rate", 0.8, "an image through a saturated pipeline; the sum of its inferences, "
                               "its decoding and its producer, by all cores, all of them busy")


def bar_of(name: str) -> Optional[Bar]:
    for begin, bar in (("inference-", FASTER_AS_SERVED), ("pipeline-", PIPELINE)):
        if name.startswith(begin):
            return bar
    return BARS.get(name)


def spread(values: list[float]) -> float:
    """The range of the middle half, as a part of the median."""
    if len(values) < 4:
        return (max(values) - min(values)) / statistics.median(values)
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / statistics.median(values)


def judged(name: str, ours: list[float], reference: list[float]) -> dict[str, Any]:
    """The record of a benchmark: times in seconds of each round, ours and the reference's, paired
    by their order; no reference if there is none.  The ratio is the median of the rounds'."""
    bar = bar_of(name)
    assert bar is not None and ours
    if bar.kind == "rate":
        rates = [bar.items / time for time in ours]
        rate = statistics.median(rates)
        return {"name": name, "value": rate, "reference": None, "ratio": rate,
                "spread": spread(rates), "bar": bar.bar, "met": rate >= bar.bar}
    if bar.kind == "count":
        value = statistics.median(ours)
        return {"name": name, "value": value, "reference": None, "ratio": value,
                "spread": max(ours) - min(ours), "bar": bar.bar, "met": value <= bar.bar}
    pairs = list(zip(ours, reference, strict=True))
    ratios = [a / b if bar.kind in ("at_most", "above") else b / a for a, b in pairs]
    ratio = statistics.median(ratios)
    if bar.kind == "above":
        met = statistics.median([a - b for a, b in pairs]) <= bar.bar
    else:
        met = ratio <= bar.bar if bar.kind == "at_most" else ratio >= bar.bar
    return {"name": name, "value": statistics.median(ours),
            "reference": statistics.median(reference), "ratio": ratio, "spread": spread(ratios),
            "bar": bar.bar, "met": met}


def duration(seconds: Optional[float]) -> str:
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def mebibytes(count: float) -> str:
    return f"{count / 2**20:.0f} MiB"


def line(record: dict[str, Any]) -> str:
    """A row of Markdown."""
    bar = bar_of(record["name"])
    assert bar is not None
    met = "yes" if record["met"] else "**no**"
    if bar.kind == "rate":
        value, asked = f"{record['value']:,.0f}/s", f"{bar.bar:,.0f}/s"
        return f"| {record['name']} | {value} | - | - | {record['spread']:.0%} | {asked} | {met} |"
    if bar.kind == "count":
        return f"| {record['name']} | {record['value']:g} | - | - | - | {bar.bar:g} | {met} |"
    less = "less" if bar.unit == "bytes" else "faster"
    asked = {"at_most": f"{bar.bar:g}x at most", "faster": f"{bar.bar:g}x {less}",
             "of_rate": f"{bar.bar:g} of its rate",
             "above": f"{duration(bar.bar)} above"}[bar.kind]
    shown = mebibytes if bar.unit == "bytes" else duration
    return (f"| {record['name']} | {shown(record['value'])} | {shown(record['reference'])} "
            f"| {record['ratio']:.2f} | {record['spread']:.0%} | {asked} | {met} |")


HEADER = ("| benchmark | ours | reference | ratio | spread | bar | met |\n"
          "|---|---|---|---|---|---|---|")
