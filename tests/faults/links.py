"""TCP links that can be spoilt: a forwarder stands in each, between a process that connects and one
that binds.

    client --> Link.port [ forwarder ] --> Link.target of the server

Bytes are passed on as they come.  `inbound` is what flows towards the server.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from typing import Optional

# Small, so that whoever sends to a forwarder that does not read is soon held up.
RECEIVE_BUFFER = 16 * 1024
NO_LINGER = struct.pack("ii", 1, 0)


@dataclass
class State:
    """What a link does now."""
    drop_inbound: bool = False
    drop_outbound: bool = False
    reading: bool = True
    halve: bool = False  # Of the next piece only the first half passes, and nothing after it.


class End(asyncio.Protocol):
    """One of the two connections of a pair."""

    def __init__(self, link: "Link", inbound: bool) -> None:
        self.link = link
        self.inbound = inbound  # What we receive flows towards the server.
        self.other: Optional[End] = None
        self.transport: Optional[asyncio.Transport] = None
        self.waiting: list[bytes] = []  # Received before the other end was connected.
        self.holed = False  # Bytes were lost: what follows makes no sense to the receiver.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.link.ends.add(self)
        if not self.link.state.reading:
            transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        state = self.link.state
        if self.holed or (state.drop_inbound if self.inbound else state.drop_outbound):
            self.holed = True
            return
        if state.halve:
            data, self.holed = data[:len(data) // 2], True
        self.pass_on(data)

    def pass_on(self, data: bytes) -> None:
        if self.other is None or self.other.transport is None:
            self.waiting.append(data)
        else:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        """Our peer does not take what the other end sends: hold that one up, as TCP would."""
        self._let_other_read(False)

    def resume_writing(self) -> None:
        self._let_other_read(self.link.state.reading)

    def _let_other_read(self, reading: bool) -> None:
        if self.other is not None:
            self.other.read(reading)

    def read(self, reading: bool) -> None:
        if self.transport is not None and not self.transport.is_closing():
            (self.transport.resume_reading if reading else self.transport.pause_reading)()

    def connection_lost(self, error: Optional[Exception]) -> None:
        self.link.ends.discard(self)
        if self.other is None or self.other.transport is None:
            return
        if error is None:
            self.other.transport.close()
        else:
            self.other.reset()

    def reset(self) -> None:
        """Our peer gets a reset, as from a host that has forgotten the connection."""
        if self.transport is not None and not self.transport.is_closing():
            one = self.transport.get_extra_info("socket")
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self.transport.abort()


@dataclass
class Link:
    client: str  # Names of the two processes.
    server: str
    port: int    # The forwarder binds it for the client.
    target: int  # The server binds it.
    state: State = field(default_factory=State)
    ends: set[End] = field(default_factory=set)

    async def open(self) -> asyncio.Server:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        listener.bind(("127.0.0.1", self.port))
        loop = asyncio.get_running_loop()
        return await loop.create_server(self._accepted, sock=listener)

    def _accepted(self) -> End:
        near = End(self, inbound=True)
        asyncio.ensure_future(self._connect(near))
        return near

    async def _connect(self, near: End) -> None:
        far = End(self, inbound=False)
        far.other = near
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: far, "127.0.0.1", self.target)
        except OSError:
            near.reset()
            return
        near.other = far
        assert far.transport is not None
        if near.transport is None or near.transport.is_closing():
            far.reset()
        for data in near.waiting:
            far.transport.write(data)
        near.waiting.clear()

    def reset(self) -> None:
        """All its connections are gone; new ones may be made at once."""
        for end in list(self.ends):
            end.reset()

    def drop(self, inbound: bool, outbound: bool) -> None:
        self.state.drop_inbound, self.state.drop_outbound = inbound, outbound

    def read(self, reading: bool) -> None:
        self.state.reading = reading
        for end in self.ends:
            end.read(reading)

    def halve(self) -> None:
        """Only half of the next piece of each direction arrives."""
        self.state.halve = True

    def heal(self) -> None:
        """Nothing is spoilt any more; connections that lost bytes are reset."""
        was = self.state
        self.state = State()
        if not was.reading:
            self.read(True)
        for end in list(self.ends):
            if end.holed:
                end.reset()
                if end.other is not None:
                    end.other.reset()
