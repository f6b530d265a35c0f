"""The machine on a ZeroMQ socket: what both clients share below their waiting."""

import os
import threading
from collections.abc import Callable, Sequence

import zmq

from collage_client import wire
from collage_client.endpoint import fault, needs_ipv6, unresolved
from collage_client.keys import Keys
from collage_client.machine import RECONNECT_S, Machine
from collage_client.request import Options

MESSAGES_MAX = 256  # taken at a time, so that timers get their turns
FRAME_BYTES_MAX = 1 << 20
# In ms.  A half-open connection is noticed within 1.5 s, and made again.
SOCKET_OPTIONS = {zmq.HEARTBEAT_IVL: 500, zmq.HEARTBEAT_TIMEOUT: 1000, zmq.HEARTBEAT_TTL: 1500,
                  zmq.RECONNECT_IVL: 100, zmq.RECONNECT_IVL_MAX: 1000}


class Unreachable(ConnectionError):
    """No broker answered in time, or it speaks another protocol."""


class _Connection:
    """A socket to one broker."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str,
                 keys: Keys | None, ipv6: bool | None) -> None:
        self.endpoint = endpoint
        self.trouble = ""  # why the last reconnection failed, if it did
        self._context = context
        self._keys = keys
        self._ipv6 = ipv6
        self._looking: threading.Thread | None = None
        self._broker_key = 0  # which of the broker's
        self.socket = self._open(self._broker_key)

    def _open(self, broker_key: int) -> "zmq.Socket[bytes]":
        opened = None
        try:
            opened = self._context.socket(zmq.DEALER)
            opened.setsockopt(zmq.LINGER, 0)
            opened.setsockopt(zmq.MAXMSGSIZE, FRAME_BYTES_MAX)
            for option, value in SOCKET_OPTIONS.items():
                opened.setsockopt(option, value)
            if self._keys:
                opened.curve_publickey = self._keys.public
                opened.curve_secretkey = self._keys.secret
                opened.curve_serverkey = self._keys.broker[broker_key]
            # Of a name that is not known yet libzmq so finds whatever address it gets.
            opened.ipv6 = self._ipv6 is not False
            opened.connect(self.endpoint)
            return opened
        except zmq.ZMQError as error:
            if opened:
                opened.close()
            raise ValueError(f"{self.endpoint}: {error}") from error

    def try_other_key(self, keys: Keys) -> bool:
        """libzmq retries with the key it began with, and stops for good when ours is refused.
        Returns False if another socket cannot be had, for want of descriptors for instance; then
        the present one stays."""
        other = (self._broker_key + 1) % len(keys.broker)
        self._look_up_again()
        try:
            opened = self._open(other)
        except ValueError as error:
            self.trouble = str(error)
            return False
        self.socket.close()
        self.socket, self._broker_key, self.trouble = opened, other, ""
        return True

    def _look_up_again(self) -> None:
        """If the name was not known: for the reconnection after this one.  Beside the caller,
        which may be an event loop."""
        if self._ipv6 is None and not (self._looking and self._looking.is_alive()):
            self._looking = threading.Thread(target=self._look_up, daemon=True)
            self._looking.start()

    def _look_up(self) -> None:
        self._ipv6 = needs_ipv6(self.endpoint)

    def readable(self) -> bool:
        return int(self.socket.get(zmq.EVENTS)) & zmq.POLLIN != 0


class Session:
    """A connection to each broker, in the order of preference; for use once it is open.  Raises
    ValueError if an endpoint or the keys cannot be used."""

    def __init__(self, endpoints: str | Sequence[str], options: Options,
                 keys: str | os.PathLike[str] | None) -> None:
        self.endpoints = [endpoints] if isinstance(endpoints, str) else list(endpoints)
        if not self.endpoints:
            raise ValueError("no endpoint")
        for endpoint in self.endpoints:
            if wrong := fault(endpoint):
                raise ValueError(f"endpoint {wrong}")
        self.machine = Machine(options, self._send, len(self.endpoints))
        self.connections = 0  # how many were opened: each has a descriptor of its own
        try:
            self._keys = Keys(keys) if keys else None
        except OSError as error:
            raise ValueError(f"{error.filename}: {error.strerror}") from error
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._links: list[_Connection] = []

    def look_up(self) -> list[bool | None]:
        """Which brokers need IPv6, None if that is not known yet.  Blocks while names are looked
        up, so it is asked once, and not whenever a connection is made again."""
        return [needs_ipv6(endpoint) for endpoint in self.endpoints]

    def open(self, ipv6: list[bool | None], now: float) -> None:
        """Connects, with what look_up has returned; does not wait."""
        try:
            for broker, endpoint in enumerate(self.endpoints):
                self._links.append(_Connection(self._context, endpoint, self._keys, ipv6[broker]))
                self.connections += 1
                self.machine.brokers.links[broker].reconnect_at = now + RECONNECT_S
        except ValueError:
            self.close()
            raise

    def close(self) -> None:
        self.disconnect()
        self.end()

    def disconnect(self) -> None:
        for link in self._links:
            link.socket.close()

    def end(self) -> None:
        """Waits for ZeroMQ's own thread, which may be looking a name up.  For any thread."""
        self._context.term()

    def step(self, now: float) -> None:
        """Sends what is due."""
        for broker, link in enumerate(self._links):
            state = self.machine.brokers.links[broker]
            if not state.greeting:
                link.trouble = ""
            elif self._keys and now >= state.reconnect_at:
                state.reconnect_at = now + RECONNECT_S
                if link.try_other_key(self._keys):
                    self.connections += 1
                    self.machine.counters["server_keys_tried"] += 1
                    self.machine.greet_again(broker, now)
                else:
                    self.machine.counters["reconnections_failed"] += 1
        self.machine.turn(now)

    def wait(self, timeout_s: float) -> bool:
        """For a message; returns whether there is one."""
        poller = zmq.Poller()
        for link in self._links:
            poller.register(link.socket, zmq.POLLIN)
        return bool(poller.poll(int(timeout_s * 1000) + 1))

    def receive(self, clock: Callable[[], float]) -> None:
        """Takes what has come.  The clock is read after that, or a message might seem to have come
        before it was sent."""
        arrived: list[tuple[int, wire.Frames]] = []
        for broker, link in enumerate(self._links):
            try:
                for _ in range(MESSAGES_MAX):
                    arrived.append((broker, link.socket.recv_multipart(zmq.DONTWAIT)))
            except zmq.Again:
                pass
        now = clock()
        for broker, frames in arrived:
            self.machine.on_frames(frames, now, broker)

    def readable(self) -> bool:
        return any(link.readable() for link in self._links)

    def descriptors(self) -> list[int]:
        return [link.socket.fileno() for link in self._links]

    def next_timeout(self, now: float) -> float:
        due = self.machine.next_timeout(now)
        if self._keys:
            due = min([due, *(state.reconnect_at for state in self.machine.brokers.links
                              if state.greeting)])
        return due

    @property
    def endpoint(self) -> str:
        """Of the broker that images go to now."""
        return self.endpoints[self.machine.brokers.current]

    def unreachable(self, within_s: float) -> Unreachable:
        """The error of a connect that failed.  Blocks while a name is looked up, unless something
        else is known to be wrong."""
        trouble = self._links[self.machine.brokers.current].trouble
        why = self.machine.refusal or trouble or unresolved(self.endpoint)
        return Unreachable(f"no broker answered at {' or '.join(self.endpoints)} within "
                           f"{within_s:g} s" + (f": {why}" if why else ""))

    def _send(self, broker: int, frames: wire.Frames) -> bool:
        try:
            self._links[broker].socket.send_multipart(frames, zmq.DONTWAIT)
            return True
        except zmq.Again:
            return False
