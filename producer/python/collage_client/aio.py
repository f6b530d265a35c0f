"""The client for asyncio."""

import asyncio
import collections
import os
import time
from collections.abc import AsyncIterator, Hashable, Sequence

from collage_client.client import PROTOCOL_REFUSAL
from collage_client.request import Options
from collage_client.result import Result
from collage_client.session import Session

AFTER_ERROR_S = 0.1  # The wait after a turn that failed.


class AsyncClient:
    """One producer on an asyncio event loop; for use on the thread of that loop.

        async with AsyncClient("tcp://127.0.0.1:5570") as client:
            await client.connect()
            result = await client.classify(image)

    Inside the context the client serves its connection by itself, between the loop's other
    callbacks.  Many classify calls may wait at a time.
    """

    def __init__(self, endpoint: str | Sequence[str], deadline_s: float = 10.0,
                 grace_s: float = 0.5, open_max: int = 1024, corrections: bool = False,
                 keys: str | os.PathLike[str] | None = None,
                 failover_after_s: float = 1.0) -> None:
        """The same as Client's, but opens nothing before 'async with'."""
        self._session = Session(endpoint, Options(deadline_s, grace_s, open_max, corrections,
                                                  failover_after_s), keys)
        self._machine = self._session.machine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.Handle | None = None
        self._descriptors: list[int] = []
        self._connections = 0  # of the session, when the descriptors were registered
        self._waiting: dict[int, asyncio.Future[Result]] = {}
        self._changed: asyncio.Future[None] | None = None  # Done at the next change of anything.

    async def __aenter__(self) -> "AsyncClient":
        loop = asyncio.get_running_loop()
        ipv6 = await loop.run_in_executor(None, self._session.look_up)
        self._session.open(ipv6, time.monotonic())
        self._loop = loop
        self._serve_soon()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()
        await asyncio.get_running_loop().run_in_executor(None, self._session.end)

    def close(self) -> None:
        """Leaves; calls that wait raise ConnectionAbortedError.  Blocks while ZeroMQ looks a name
        up, which the end of 'async with' does not."""
        self._leave()
        self._session.end()

    def _leave(self) -> None:
        if self._loop is not None:
            for descriptor in self._descriptors:
                self._loop.remove_reader(descriptor)
            self._loop = None
        if self._timer:
            self._timer.cancel()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionAbortedError("the client was closed"))
        self._tell_changed()
        self._session.disconnect()

    @property
    def joined(self) -> bool:
        """Whether the broker has greeted this client and is not known to be gone."""
        return self._machine.joined

    @property
    def open(self) -> int:
        """How many images have no result yet."""
        return self._machine.open

    @property
    def counters(self) -> collections.Counter[str]:
        return self._machine.counters

    async def connect(self, timeout_s: float = 5.0) -> None:
        """Waits until the broker has greeted this client; raises Unreachable.  Not required:
        images wait for the broker until their deadline."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self.joined:
                    if self._machine.refusal == PROTOCOL_REFUSAL:
                        raise self._session.unreachable(timeout_s)
                    await self._change()
        except TimeoutError as error:
            # It may look a name up.
            raise await self._running().run_in_executor(None, self._session.unreachable,
                                                        timeout_s) from error

    async def classify(self, image: bytes, deadline_s: float | None = None,
                       stream: Hashable = None, priority: str = "normal",
                       latest: int = 0) -> Result:
        """Submits an encoded image and waits for its result; while open_max are open, for room
        first.  Results of one stream come in the order of submission.  priority and latest are
        those of Client.submit.  Cancelling the call cancels the request."""
        loop = self._running()
        while (request := self._machine.submit(image, time.monotonic(), deadline_s, stream,
                                               priority, latest)) is None:
            await self._change()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting[request] = future
        self._serve_soon()
        try:
            return await future
        except asyncio.CancelledError:
            if self._loop is not None and self._machine.cancel(request):
                self._serve_soon()
            raise

    async def corrections(self) -> AsyncIterator[Result]:
        """Yields corrections as they come, if asked for, until the client is closed: each
        contradicts the result of its request, which was returned before."""
        delivery = self._machine.delivery
        while self._loop is not None:
            while delivery.corrected:
                yield delivery.corrected.pop(0)
            await self._change()

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("not inside 'async with'")
        return self._loop

    def _change(self) -> "asyncio.Future[None]":
        """One future for all that wait, shielded: a waiter that is cancelled leaves the others."""
        if self._changed is None:
            self._changed = self._running().create_future()
        return asyncio.shield(self._changed)

    def _serve_soon(self) -> None:
        """What several calls of one turn of the loop submit goes out together."""
        if self._timer:
            self._timer.cancel()
        self._timer = self._running().call_soon(self._serve)

    def _serve(self) -> None:
        """Sends, receives, hands out, and asks to be called when there is more to do."""
        loop = self._running()
        wait = AFTER_ERROR_S
        try:
            now = time.monotonic()
            self._session.step(now)
            self._session.receive(time.monotonic)
            now = time.monotonic()
            self._session.step(now)  # Credit that came is used at once.
            self._hand_out()
            self._register(loop)
            wait = max(0.0, self._session.next_timeout(now) - now)
            # The descriptors of ZeroMQ sockets tell of changes only: what is left is asked for.
            if self._session.readable():
                wait = 0.0
        finally:
            # After an error, too, which the loop reports: without another turn all calls would
            # wait for ever.
            if self._timer:
                self._timer.cancel()
            self._timer = loop.call_later(wait, self._serve)

    def _hand_out(self) -> None:
        delivery = self._machine.delivery
        done, delivery.done = delivery.done, []
        for result in done:
            future = self._waiting.pop(result.request)
            if not future.done():  # Its call may have been cancelled.
                future.set_result(result)
        self._tell_changed()

    def _tell_changed(self) -> None:
        changed, self._changed = self._changed, None
        if changed:
            changed.set_result(None)

    def _register(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._connections == self._session.connections:
            return
        for descriptor in self._descriptors:
            loop.remove_reader(descriptor)
        self._descriptors = self._session.descriptors()
        for descriptor in self._descriptors:
            loop.add_reader(descriptor, self._serve)
        self._connections = self._session.connections
