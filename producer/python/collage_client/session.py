"""The machine on a ZeroMQ socket: what both clients share below their waiting."""

import os
from collections.abc import Callable

import zmq

from collage_client import wire
from collage_client.endpoint import fault, needs_ipv6, unresolved
from collage_client.keys import Keys
from collage_client.machine import RECONNECT_S, Machine
from collage_client.request import Options

MESSAGES_MAX = 256  # taken at a time, so that timers get their turns
FRAME_BYTES_MAX = 1 << 20


class Unreachable(ConnectionError):
    """No broker answered in time, or it speaks another protocol."""


class Session:
    """One connection to one broker.  Raises ValueError if endpoint or keys cannot be used."""

    def __init__(self, endpoint: str, options: Options, keys: str | os.PathLike[str] | None,
                 now: float) -> None:
        wrong = fault(endpoint)
        if wrong:
            raise ValueError(f"endpoint {wrong}")
        self.endpoint = endpoint
        self.machine = Machine(options, self._send)
        self.connections = 0  # how many were opened: each has a descriptor of its own
        try:
            self._keys = Keys(keys) if keys else None
        except OSError as error:
            raise ValueError(f"{error.filename}: {error.strerror}") from error
        self._broker_key = 0   # which of the broker's
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._open(now)

    def close(self) -> None:
        self.socket.close()
        self._context.term()

    def step(self, now: float) -> None:
        """Sends what is due."""
        if self._keys and not self.machine.joined and now >= self.machine.reconnect_at:
            self._try_other_key(self._keys, now)
        self.machine.turn(now)

    def receive(self, clock: Callable[[], float]) -> None:
        """Takes what has come.  The clock is read after that, or a message might seem to have come
        before it was sent."""
        arrived: list[wire.Frames] = []
        try:
            while len(arrived) < MESSAGES_MAX:
                arrived.append(self.socket.recv_multipart(zmq.DONTWAIT))
        except zmq.Again:
            pass
        now = clock()
        for frames in arrived:
            self.machine.on_frames(frames, now)

    def readable(self) -> bool:
        return int(self.socket.get(zmq.EVENTS)) & zmq.POLLIN != 0

    def next_timeout(self, now: float) -> float:
        due = self.machine.next_timeout(now)
        if self._keys and not self.machine.joined:
            due = min(due, self.machine.reconnect_at)
        return due

    def unreachable(self, within_s: float) -> Unreachable:
        """The error of a connect that failed."""
        why = self.machine.refusal or unresolved(self.endpoint)
        return Unreachable(f"no broker answered at {self.endpoint} within {within_s:g} s"
                           + (f": {why}" if why else ""))

    def _open(self, now: float) -> None:
        self.socket = self._context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.MAXMSGSIZE, FRAME_BYTES_MAX)
        self.connections += 1
        try:
            if self._keys:
                self.socket.curve_publickey = self._keys.public
                self.socket.curve_secretkey = self._keys.secret
                self.socket.curve_serverkey = self._keys.broker[self._broker_key]
            self.socket.ipv6 = needs_ipv6(self.endpoint)
            self.socket.connect(self.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise ValueError(f"{self.endpoint}: {error}") from error
        self.machine.reconnect_at = now + RECONNECT_S

    def _try_other_key(self, keys: Keys, now: float) -> None:
        """libzmq retries with the key it began with, and stops for good when ours is refused."""
        self._broker_key = (self._broker_key + 1) % len(keys.broker)
        self.socket.close()
        self._open(now)
        self.machine.counters["server_keys_tried"] += 1
        self.machine.greet_again(now)

    def _send(self, frames: wire.Frames) -> bool:
        try:
            self.socket.send_multipart(frames, zmq.DONTWAIT)
            return True
        except zmq.Again:
            return False
