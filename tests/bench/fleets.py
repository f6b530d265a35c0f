"""Benchmarks of whole processes: stages of one host, and a pipeline that gets all it can carry.

Each is a pair, ours and its reference, measured once a round.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from typing import NamedTuple, Optional

from bars import CannotRun

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/faults"))

import pictures  # noqa: E402
import topology  # noqa: E402

STAGES = 10
WAIT_MAX_S = 120.0
# What a pipeline is made of: as many s-CNN stages as cores, and a collage stage.
SINGLES, COLLAGES = os.cpu_count() or 1, 1
PICTURES = 10_000


class Fleet:
    """A pipeline in a folder of its own; its processes end with it."""

    def __init__(self, programs: pathlib.Path, dataset: str = "fashion",
                 policy: str = "collage-hedge") -> None:
        self.programs = programs
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.scratch.name)
        self.running: list[subprocess.Popen[bytes]] = []
        ports = topology.Ports()
        self.endpoint = topology.endpoint(ports.draw())
        text = topology.pipeline_text(
            (ROOT / "pipeline.yaml").read_text(),
            {"producers": self.endpoint, "workers": topology.endpoint(ports.draw()),
             "answers": topology.endpoint(ports.draw()), "collage": "inproc://collage"},
            gateway_port=ports.draw(), brokers=[])
        text = topology.replaced(text, "(?m)^policy: [-a-z]+", f"policy: {policy}")
        text = text.replace("models/fashion_", f"models/{dataset}_")
        ports.release()
        self.file = self.folder / "pipeline.yaml"
        self.file.write_text(text)

    def __enter__(self) -> Fleet:
        self.start("collage-broker", str(self.file))
        self.start("collage-sink", str(self.file))
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.scratch.cleanup()

    def start(self, program: str, *arguments: str) -> int:
        log = (self.folder / f"{len(self.running)}.log").open("wb")
        with log:
            self.running.append(subprocess.Popen([str(self.programs / program), *arguments],
                                                 stdout=log, stderr=subprocess.STDOUT))
        return self.running[-1].pid

    def count(self, name: str) -> int:
        """A counter of the broker; 0 while it does not answer."""
        told = subprocess.run([str(self.programs / "collage-push"), "--status",
                               "--endpoint", self.endpoint], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        return int(json.loads(told.stdout)[name]) if told.returncode == 0 else 0

    def await_count(self, name: str, count: int) -> None:
        end = time.monotonic() + WAIT_MAX_S
        while self.count(name) < count:
            if time.monotonic() > end:
                logs = "\n".join(file.read_text()[-500:] for file in self.folder.glob("*.log"))
                raise CannotRun(f"{count} {name} are not ready after {WAIT_MAX_S:.0f} s:\n{logs}")


def descendants(process: int) -> list[int]:
    children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(one for child in children for one in descendants(int(child)))]


def memory_of(processes: list[int]) -> float:
    """Bytes: each page counts for a process by the share of those that have it (PSS)."""
    total = 0
    for process in processes:
        text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
        found = re.search(r"(?m)^Pss:\s+(\d+) kB", text)
        assert found
        total += 1024 * int(found[1])
    return total


def stages_of_a_host(programs: pathlib.Path, together: bool) -> dict[str, float]:
    """Seconds until ten s-CNN stages have joined a broker, and their bytes."""
    with Fleet(programs) as fleet:
        fleet.await_count("sinks", 1)
        begin = time.monotonic()
        if together:
            started = [fleet.start("collage-stage", "classifier", str(fleet.file),
                                   "--processes", str(STAGES))]
        else:
            started = [fleet.start("collage-stage", "classifier", str(fleet.file),
                                   "--index", str(index)) for index in range(STAGES)]
        fleet.await_count("classifiers", STAGES)
        seconds = time.monotonic() - begin
        memory = memory_of([one for process in started for one in descendants(process)])
        return {"host-ready": seconds, "host-memory": memory}


def images_of(dataset: str, folder: pathlib.Path) -> Optional[pathlib.Path]:
    """A folder with test images of a data set; None if it is not here."""
    if dataset == "fashion":
        pictures.write(folder, PICTURES)
        return folder
    archive = pathlib.Path(os.environ.get("COLLAGE_DATA", "")) / "cifar10-test.tar.gz"
    if not archive.is_file():
        return None
    with tarfile.open(archive) as files:
        files.extractall(folder)
    return folder


class Saturated(NamedTuple):
    image_s: float     # Between two answers.
    producer_s: float  # CPU of the producer for each image.


def saturated(programs: pathlib.Path, dataset: str, policy: str) -> Optional[Saturated]:
    """A pipeline that gets images as fast as it answers them; None if the data set is not here."""
    with Fleet(programs, dataset, policy) as fleet:
        images = images_of(dataset, fleet.folder / "images")
        if images is None:
            return None
        for index in range(SINGLES):
            fleet.start("collage-stage", "classifier", str(fleet.file), "--index", str(index))
        for index in range(COLLAGES):
            fleet.start("collage-stage", "collage", str(fleet.file), "--index", str(index))
        fleet.await_count("classifiers", SINGLES)
        fleet.await_count("assemblers", COLLAGES)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.monotonic()
        push = subprocess.run([str(programs / "collage-push"), str(images), "-q",
                               "--endpoint", fleet.endpoint],
                              stdout=subprocess.PIPE, check=False)
        seconds = time.monotonic() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        results = [json.loads(line) for line in push.stdout.splitlines()]
        answered = sum(one["status"] == "answered" for one in results)
        if answered < 0.99 * len(results) or not results:
            raise CannotRun(f"{len(results) - answered} of {len(results)} images have no answer")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Saturated(seconds / answered, cpu / answered)


class Pair(NamedTuple):
    ours: float
    reference: float


# The benchmarks of collage_bench that tell what an image of a data set must cost.
DATASETS = {"fashion": "decode-small-png", "cifar10": "decode-small-jpeg"}
PIPELINES = {f"pipeline-{dataset}-{kind}": (dataset, policy) for dataset in DATASETS
             for kind, policy in (("none", "none"), ("default", "collage-hedge"))}
NAMES = ["host-ready", "host-memory", *PIPELINES, "brownout"]


def parts_of(names: list[str]) -> list[str]:
    """What collage_bench must measure for them."""
    parts: list[str] = []
    for name in names:
        if name in PIPELINES:
            dataset, _ = PIPELINES[name]
            parts += [f"inference-{dataset}_single/ours", f"inference-{dataset}_collage_3x3/ours",
                      f"{DATASETS[dataset]}/ours"]
    return list(dict.fromkeys(parts))


def least_time(dataset: str, policy: str, parts: dict[str, float], producer_s: float) -> float:
    """Seconds an image, if the cores did nothing but what must be done for it."""
    single = parts[f"inference-{dataset}_single/ours"]
    share = parts[f"inference-{dataset}_collage_3x3/ours"] / 9
    decode = parts[f"{DATASETS[dataset]}/ours"]
    image = single + decode + producer_s
    if policy != "none":
        image += share + decode
    return image / (os.cpu_count() or 1)


def measure(programs: pathlib.Path, names: list[str], parts: dict[str, float]) -> dict[str, Pair]:
    """Each of the benchmarks once; without those whose data set is not here."""
    found: dict[str, Pair] = {}
    if {"host-ready", "host-memory"} & set(names):
        ours, apart = (stages_of_a_host(programs, together) for together in (True, False))
        found |= {name: Pair(ours[name], apart[name]) for name in ours if name in names}
    image_s: dict[str, float] = {}
    for name, (dataset, policy) in PIPELINES.items():
        if name not in names and not ("brownout" in names and dataset == "cifar10"):
            continue
        ran = saturated(programs, dataset, policy)
        if ran is None:
            continue
        image_s[name] = ran.image_s
        if name in names:
            found[name] = Pair(ran.image_s, least_time(dataset, policy, parts, ran.producer_s))
    if "brownout" in names and "pipeline-cifar10-none" in image_s:
        found["brownout"] = Pair(image_s["pipeline-cifar10-default"],
                                 image_s["pipeline-cifar10-none"])
    return found
