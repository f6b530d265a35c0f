"""The pipeline under test: its processes, their pipeline files, and the links between them.

Each process has a pipeline file of its own, in which what it binds is real and what it connects to
is a forwarder.  Several brokers are pipelines of their own, each with its sinks and its share of the
stages; producers and gateway know all of them.
"""

from __future__ import annotations

import pathlib
import re
import socket
from dataclasses import dataclass, field
from typing import Optional

from links import Link

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEADLINE_S = 5.0  # pipeline.yaml says so, too.


@dataclass(frozen=True)
class Size:
    brokers: int = 1
    sinks: int = 1        # Of each broker.
    classifiers: int = 4  # In all, and so are the collages.
    collages: int = 2
    table_max: int = 0  # Of what a sink remembers; 0: the default.


@dataclass(frozen=True)
class Program:
    name: str
    role: str
    argv: list[str]
    broker: int  # The number of the one that it belongs to.

    @property
    def kind(self) -> str:
        """Those of one kind run the same program in the same way for the same broker."""
        return f"{self.name.rstrip('0123456789').rstrip('-')} of broker-{self.broker}"


@dataclass
class Topology:
    programs: list[Program] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    gateway_port: int = 0
    brokers: list[str] = field(default_factory=list)  # Names.
    producers_ports: list[int] = field(default_factory=list)  # Of each broker, the real ones.

    def of_role(self, role: str) -> list[str]:
        return [one.name for one in self.programs if one.role == role]

    def links_of(self, process: str) -> list[Link]:
        return [link for link in self.links if process in (link.client, link.server)]


class Ports:
    """Free ports of the loopback; kept open until all are drawn, so that none comes twice."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def draw(self) -> int:
        one = socket.socket()
        one.bind(("127.0.0.1", 0))
        self._sockets.append(one)
        return int(one.getsockname()[1])

    def release(self) -> None:
        for one in self._sockets:
            one.close()


class Builder:
    def __init__(self, size: Size, programs: pathlib.Path, folder: pathlib.Path) -> None:
        self.size, self.bin, self.folder = size, programs, folder
        self.ports = Ports()
        self.made = Topology(gateway_port=self.ports.draw())
        self.text = (ROOT / "pipeline.yaml").read_text()
        if size.table_max > 0:
            self.text = replaced(self.text, r"(?m)^  open_batch_max: \d+",
                                 f"  open_batch_max: {size.table_max}")
        numbers = range(size.brokers)
        self.made.brokers = [f"broker-{b}" for b in numbers]
        self.made.producers_ports = [self.ports.draw() for _ in numbers]
        self.workers = [self.ports.draw() for _ in numbers]
        self.answer_ports = [[self.ports.draw() for _ in range(size.sinks)] for _ in numbers]

    def link(self, client: str, server: str, target: int) -> str:
        link = Link(client, server, self.ports.draw(), target)
        self.made.links.append(link)
        return endpoint(link.port)

    def to_producers(self, client: str, broker: int) -> str:
        return self.link(client, f"broker-{broker}", self.made.producers_ports[broker])

    def to_workers(self, client: str, broker: int) -> str:
        return self.link(client, f"broker-{broker}", self.workers[broker])

    def to_answers(self, client: str, broker: int) -> str:
        return answers([self.link(client, self.sink_name(broker, s), port)
                        for s, port in enumerate(self.answer_ports[broker])])

    def sink_name(self, broker: int, sink: int) -> str:
        return f"sink-{broker + sink * self.size.brokers}"

    def add(self, name: str, role: str, argv: list[str], broker: int,
            brokers: Optional[list[str]] = None, **endpoints: str) -> None:
        known = {"producers": endpoint(self.made.producers_ports[broker]),
                 "workers": endpoint(self.workers[broker]),
                 "answers": answers([endpoint(port) for port in self.answer_ports[broker]]),
                 "collage": "inproc://collage"} | endpoints
        file = self.folder / f"{name}.yaml"
        file.write_text(pipeline_text(self.text, known, self.made.gateway_port, brokers or []))
        self.made.programs.append(
            Program(name, role, [str(self.bin / argv[0]), *argv[1:], str(file)], broker))

    def build(self) -> Topology:
        for b in range(self.size.brokers):
            self.add(f"broker-{b}", "broker", ["collage-broker"], b)
            for s in range(self.size.sinks):
                name = self.sink_name(b, s)
                self.add(name, "sink", ["collage-sink", *sink_arguments(self.size, s)], b,
                         workers=self.to_workers(name, b))
        for i in range(self.size.collages):
            self.add_collage(i, i % self.size.brokers)
        for i in range(self.size.classifiers):
            b, name = i % self.size.brokers, f"classifier-{i}"
            self.add(name, "classifier", ["collage-stage", "classifier", "--index", str(i)], b,
                     workers=self.to_workers(name, b), answers=self.to_answers(name, b))
        self.add("gateway", "gateway", ["collage-gateway"], 0,
                 brokers=[self.to_producers("gateway", b) for b in range(self.size.brokers)])
        return self.made

    def add_collage(self, i: int, b: int) -> None:
        """Even ones are one process, as by default; of odd ones assembler and collage-CNN are two,
        so that each of them can be hit alone."""
        index = ["--index", str(i)]
        if i % 2 == 0:
            name = f"collage-{i}"
            self.add(name, "collage", ["collage-stage", "collage", *index], b,
                     workers=self.to_workers(name, b), answers=self.to_answers(name, b))
            return
        assembler, cnn, port = f"assembler-{i}", f"collage-cnn-{i}", self.ports.draw()
        self.add(assembler, "assembler", ["collage-stage", "assembler", *index], b,
                 workers=self.to_workers(assembler, b), answers=self.to_answers(assembler, b),
                 collage=endpoint(port))
        self.add(cnn, "collage", ["collage-stage", "collage-cnn", *index], b,
                 answers=self.to_answers(cnn, b), collage=self.link(cnn, assembler, port))


def endpoint(port: int) -> str:
    return f"tcp://127.0.0.1:{port}"


def listed(endpoints: list[str]) -> str:
    return "[" + ", ".join(endpoints) + "]"


def answers(endpoints: list[str]) -> str:
    """The value of `endpoints.answers`."""
    return endpoints[0] if len(endpoints) == 1 else listed(endpoints)


def sink_arguments(size: Size, sink: int) -> list[str]:
    return [] if size.sinks == 1 else ["--index", str(sink)]


def pipeline_text(text: str, endpoints: dict[str, str], gateway_port: int,
                  brokers: list[str]) -> str:
    """The project's pipeline.yaml with other endpoints and ports; all else is the default."""
    section = "endpoints:\n" + "".join(f"  {key}: {value}\n" for key, value in endpoints.items())
    for pattern, replacement in (
            (r"(?m)^endpoints:\n(?:  .*\n)+", section),
            (r"(?m)^  port: 8080", f"  port: {gateway_port}"),
            (r"(?m)^  brokers: \[\]", f"  brokers: {listed(brokers)}"),
            (r"(?m)^  address: 127\.0\.0\.1 +# `none`.*", "  address: none"),
            (r"(?m)^(  (?:single|collage): )models/", rf"\g<1>{ROOT}/models/")):
        text = replaced(text, pattern, replacement)
    return text


def replaced(text: str, pattern: str, replacement: str) -> str:
    text, count = re.subn(pattern, replacement, text)
    if count == 0:
        raise ValueError(f"pipeline.yaml has no longer {pattern}")
    return text


def build(size: Size, programs: pathlib.Path, folder: pathlib.Path) -> Builder:
    """Writes the pipeline files.  The caller adds the links of producers, then releases the
    ports."""
    folder.mkdir(parents=True, exist_ok=True)
    builder = Builder(size, programs, folder)
    builder.build()
    return builder
