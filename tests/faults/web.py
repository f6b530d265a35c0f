"""HTTP clients of the gateway.  One sends its image again, with the same Idempotency-Key, until it
has a final response."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Optional

import pictures

PATIENCE_S = 15.0  # Then an image counts as lost.
TRY_S = 8.0
AGAIN_S = 0.2
BIG_SIDE = 3000  # Noise: it cannot be compressed.
AGAIN = {409, 429, 503}  # The gateway asks to come back.


@dataclass
class WebFigures:
    sent: int = 0
    lost: int = 0
    wrong: int = 0
    missing: int = 0


class WebClients:
    def __init__(self, port: int, images: list[bytes], reference: dict[int, int],
                 rate: float, unanswered: Counter[str]) -> None:
        self.port, self.images, self.reference, self.rate = port, images, reference, rate
        self.big = pictures.png(random.Random(1).randbytes(BIG_SIDE**2), BIG_SIDE, BIG_SIDE)
        self.unanswered = unanswered
        self.figures = WebFigures()
        self.tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        self.figures = WebFigures()

    async def run(self) -> None:
        number = 0
        while True:
            self._begin(number % len(self.images))
            number += 1
            await asyncio.sleep(1 / self.rate)

    def send_big(self) -> None:
        self._begin(len(self.images))

    def _begin(self, image: int) -> None:
        task = asyncio.ensure_future(self._classify(image, self.figures))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def settle(self) -> None:
        """Until the images that have been sent have their responses."""
        if self.tasks:
            await asyncio.wait(set(self.tasks), timeout=PATIENCE_S + TRY_S)

    async def _classify(self, image: int, figures: WebFigures) -> None:
        figures.sent += 1
        key, end = uuid.uuid4().hex, time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                status, body = await asyncio.wait_for(self._post(self._bytes(image), key), TRY_S)
            except (OSError, EOFError, ValueError, asyncio.TimeoutError):
                status, body = 503, b""
            if status in AGAIN:
                await asyncio.sleep(AGAIN_S)
                continue
            if status == 200:
                figures.wrong += not self._right(image, json.loads(body))
                return
            self.unanswered[f"http {status}: {json.loads(body)['reason']}"] += 1
            if status == 504:
                figures.missing += 1
            else:
                figures.wrong += 1
            return
        figures.lost += 1

    def _bytes(self, image: int) -> bytes:
        return self.images[image] if image < len(self.images) else self.big

    def _right(self, image: int, answer: dict[str, object]) -> bool:
        return answer["source"] == "collage" or answer["label"] == self.reference.get(
            image, answer["label"])

    async def _post(self, image: bytes, key: str) -> tuple[int, bytes]:
        writer: Optional[asyncio.StreamWriter] = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write((f"POST /v1/classify HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                          f"Content-Type: image/png\r\nIdempotency-Key: {key}\r\n"
                          f"Content-Length: {len(image)}\r\n\r\n").encode() + image)
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            fields = head.decode().split("\r\n")
            lengths = [field for field in fields if field.lower().startswith("content-length:")]
            if not lengths or int(lengths[0].split(":")[1]) != len(body):
                raise EOFError("the response is not whole")
            return int(fields[0].split()[1]), body
        finally:
            if writer is not None:
                writer.close()
