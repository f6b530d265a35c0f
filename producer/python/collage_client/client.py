"""The blocking client."""

import collections
import os
import time
from collections.abc import Callable, Hashable, Iterator, Sequence

from collage_client.request import Options
from collage_client.result import Result
from collage_client.session import Session

PROTOCOL_REFUSAL = "wrong_protocol"


class Client:
    """One producer; not for use by several threads at once.

    Everything happens inside connect, poll and results, on the caller's thread: call one of them at
    least twice a second, or the broker may forget this client (which then greets it again).
    """

    def __init__(self, endpoint: str | Sequence[str], deadline_s: float = 10.0,
                 grace_s: float = 0.5, open_max: int = 1024,
                 clock: Callable[[], float] = time.monotonic, corrections: bool = False,
                 keys: str | os.PathLike[str] | None = None,
                 failover_after_s: float = 1.0) -> None:
        """Opens a connection; does not wait for the broker.

        endpoint: a broker, or several in the order of preference, which rank_brokers gives.  What
        one has not answered goes to the next, under the same ids and deadlines, when nothing was
        heard from it for failover_after_s though its answer is due.
        keys: a folder with producer.secret and broker.public, as collage-keys writes them; the
        connection is encrypted then.  Raises ValueError if endpoint or keys cannot be used.
        """
        self._now = clock
        self._session = Session(endpoint, Options(deadline_s, grace_s, open_max, corrections,
                                                  failover_after_s), keys)
        self._session.open(self._session.look_up(), clock())
        self._machine = self._session.machine

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leaves; open images are given up."""
        self._session.close()

    def connect(self, timeout_s: float = 5.0) -> None:
        """Waits until the broker has greeted this client; raises Unreachable.  Not required:
        submitted images wait for the broker until their deadline."""
        until = self._now() + timeout_s
        while not self.joined:
            now = self._now()
            self._session.step(now)  # Goes on to the next broker if this one has refused us.
            if now >= until or self.refusal == PROTOCOL_REFUSAL:
                raise self._session.unreachable(timeout_s)
            self._wait(until)

    @property
    def joined(self) -> bool:
        """Whether the broker has greeted this client and is not known to be gone."""
        return self._machine.joined

    @property
    def refusal(self) -> str:
        """Why the broker ended the conversation, if it did since its last greeting."""
        return self._machine.refusal

    @property
    def counters(self) -> collections.Counter[str]:
        return self._machine.counters

    @property
    def open(self) -> int:
        """How many images were submitted and have no result yet."""
        return self._machine.open

    @property
    def correctable(self) -> int:
        """How many answers may still be corrected."""
        return self._machine.delivery.correctable

    @property
    def image_bytes_max(self) -> int:
        """The largest image that the broker takes; 0 before its greeting."""
        return self._machine.image_bytes_max

    @property
    def window(self) -> int:
        """How many more images would go out at once."""
        return self._machine.window

    def submit(self, image: bytes, deadline_s: float | None = None,
               stream: Hashable = None, priority: str = "normal", latest: int = 0) -> int | None:
        """Takes an encoded image (the bytes of a JPEG or PNG file); returns its request id, or None
        while open_max are open.  Results of one stream (any value but None) come in the order of
        submission.

        priority: low, normal or high: which images an overloaded pipeline serves first.
        latest: for pictures of which only the newest counts, the number of a stream (of its own
        kind, apart from `stream`; 0: none).  Each image supersedes the older ones of its number
        that still wait; those get the result superseded.

        Raises ValueError for another priority or number."""
        return self._machine.submit(image, self._now(), deadline_s, stream, priority, latest)

    def cancel(self, request_id: int) -> bool:
        """Asks for no answer to an image any more; False if it is not open.  It gets its result all
        the same, once: cancelled, or as it was answered meanwhile."""
        return self._machine.cancel(request_id)

    def results(self) -> Iterator[Result]:
        """Yields results until nothing is open."""
        while self.open or self._machine.delivery.done:
            yield from self.poll(1.0)

    def corrections(self) -> list[Result]:
        """Takes the corrections since the last call: each contradicts the result of its request,
        which was returned before.  They come, if asked for, while somebody polls."""
        delivery = self._machine.delivery
        corrected, delivery.corrected = delivery.corrected, []
        return corrected

    def poll(self, timeout_s: float) -> list[Result]:
        """Sends and receives until there are results or corrections, timeout_s at most; returns the
        results."""
        until = self._now() + timeout_s
        delivery = self._machine.delivery
        while True:
            now = self._now()
            self._session.step(now)
            if delivery.done or delivery.corrected or now >= until:
                done, delivery.done = delivery.done, []
                return done
            self._wait(until)

    def _wait(self, until: float) -> None:
        """For a message or the next timeout, and takes what has come."""
        now = self._now()
        self._session.step(now)
        wait = max(0.0, min(until, self._session.next_timeout(now)) - now)
        if self._session.wait(wait):
            self._session.receive(self._now)
