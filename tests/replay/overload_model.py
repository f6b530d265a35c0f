"""What a pipeline with collages can answer under load: a plain model to measure ours against.

Images arrive at random times.  Each goes to a free s-CNN stage at once.  What waits goes, up to N
at a time and the oldest first, to an idle collage stage.  The line holds 2 N images for each collage
stage (without any, 2 N); an image beyond it is refused.  Nothing else is lost, and no time is spent
on anything but inference.

    overload_model.py --rate 120 --collages 1
    overload_model.py --rate 116 --law pareto:1.5:0.1 --collages 1 --grid 4

Prints one line of JSON: the share of the images answered, mean and p99 of their latency in seconds,
and the share that collages answered.
"""

import argparse
import bisect
import collections
import csv
import heapq
import json
import math
import pathlib
import random
from collections.abc import Callable

Law = Callable[[random.Random], float]
QUANTILES = pathlib.Path(__file__).parents[2] / "replay/quantiles/cloud-latency-2019.csv"


def quantile_law(file: pathlib.Path) -> Law:
    """Independent draws from a table of quantiles, between which a time is interpolated."""
    with file.open(encoding="utf-8") as text:
        rows = [[float(x) for x in row.values()]
                for row in csv.DictReader(line for line in text if not line.startswith("#"))]
    shares = [row[0] for row in rows]
    times = [row[1] for row in rows]

    def draw(rng: random.Random) -> float:
        at = rng.random()
        i = min(max(bisect.bisect_right(shares, at), 1), len(shares) - 1)
        part = (at - shares[i - 1]) / (shares[i] - shares[i - 1])
        return times[i - 1] + min(max(part, 0.0), 1.0) * (times[i] - times[i - 1])

    return draw


def law_of(text: str) -> Law:
    """The law of "pareto:SHAPE:SCALE_S", "log-normal:MEDIAN_S:SIGMA" or a file of quantiles."""
    name, _, rest = text.partition(":")
    if name == "pareto":
        shape, scale = (float(x) for x in rest.split(":"))
        return lambda rng: scale * rng.paretovariate(shape)
    if name == "log-normal":
        median, sigma = (float(x) for x in rest.split(":"))
        return lambda rng: rng.lognormvariate(math.log(median), sigma)
    return quantile_law(pathlib.Path(text))


def simulate(law: Law, rate: float, images: int, singles: int, collages: int, slots: int,
             seed: int) -> dict[str, float]:
    """The outcome of `images` images at `rate` a second."""
    rng = random.Random(seed)
    line_max = 2 * slots * max(collages, 1)
    waiting: collections.deque[float] = collections.deque()  # Times of arrival.
    free = {"single": singles, "collage": collages}
    busy: list[tuple[float, str]] = []  # When a stage is free again, and of which kind it is.
    latencies: list[float] = []
    by_collage = 0
    now = 0.0

    def start(now: float) -> None:
        nonlocal by_collage
        while waiting and free["single"] > 0:
            free["single"] -= 1
            takes = law(rng)
            latencies.append(now + takes - waiting.popleft())
            heapq.heappush(busy, (now + takes, "single"))
        while waiting and free["collage"] > 0:
            free["collage"] -= 1
            takes = law(rng)
            for _ in range(min(slots, len(waiting))):
                latencies.append(now + takes - waiting.popleft())
                by_collage += 1
            heapq.heappush(busy, (now + takes, "collage"))

    for _ in range(images):
        now += rng.expovariate(rate)
        while busy and busy[0][0] <= now:
            end, kind = heapq.heappop(busy)
            free[kind] += 1
            start(end)
        if len(waiting) < line_max:
            waiting.append(now)
            start(now)
    while busy:
        end, kind = heapq.heappop(busy)
        free[kind] += 1
        start(end)
    latencies.sort()
    answered = len(latencies)
    return {"answered": answered / images,
            "mean_s": sum(latencies) / max(answered, 1),
            "p99_s": latencies[min(math.ceil(0.99 * answered), answered) - 1] if answered else 0,
            "collage_share": by_collage / images}


def main() -> None:
    """Prints the outcome for each rate of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, nargs="+", required=True, help="images a second")
    parser.add_argument("--law", default=str(QUANTILES))
    parser.add_argument("--singles", type=int, default=9)
    parser.add_argument("--collages", type=int, default=1)
    parser.add_argument("--grid", type=int, default=3)
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    law = law_of(arguments.law)
    for rate in arguments.rate:
        outcome = simulate(law, rate, arguments.images, arguments.singles, arguments.collages,
                           arguments.grid ** 2, arguments.seed)
        print(json.dumps({"per_second": rate, "collages": arguments.collages,
                          **{key: round(value, 4) for key, value in outcome.items()}}))


if __name__ == "__main__":
    main()
