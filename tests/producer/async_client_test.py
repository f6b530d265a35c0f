"""The asyncio client against a broker played on the same event loop, over real sockets."""

import asyncio
import os
import sys
import unittest

import msgpack
import zmq
import zmq.asyncio

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "producer", "python"))
from collage_client import AsyncClient, Unreachable  # noqa: E402

HELLO, WELCOME, REFUSE, SUBMIT, RESULT, CANCEL, CORRECTION = 1, 3, 4, 5, 6, 21, 22
ANSWERED, CANCELLED = 0, 4
WITHIN_S = 20  # Only a test that fails takes so long.


class AsyncClientTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.context = zmq.asyncio.Context()
        self.broker = self.context.socket(zmq.ROUTER)
        self.broker.linger = 0
        port = self.broker.bind_to_random_port("tcp://127.0.0.1")
        self.endpoint = f"tcp://127.0.0.1:{port}"

    async def asyncTearDown(self):
        self.broker.close()
        self.context.term()

    async def hear(self, kind):
        """The next message of that kind: its fields and the payload, if any."""
        while True:
            self.peer, header, *payload = await asyncio.wait_for(
                self.broker.recv_multipart(), WITHIN_S)
            _, heard, *fields = msgpack.unpackb(header)
            if heard == kind:
                return fields + payload

    async def say(self, kind, *fields):
        await self.broker.send_multipart([self.peer, msgpack.packb([3, kind, *fields])])

    async def welcome(self, credit=8):
        await self.hear(HELLO)
        await self.say(WELCOME, 7, 10 ** 10, credit, 100, 5 * 10 ** 9, 10 ** 9)

    async def answer(self, request, name="coat", status=ANSWERED):
        await self.say(RESULT, request, status, 2, 0, 10 ** 6, 0, [[name, [4, 0.75]]], "v",
                       False)

    async def test_an_answer_comes_back_to_the_call_that_asked(self):
        async with AsyncClient(self.endpoint) as client:
            call = asyncio.create_task(client.classify(b"image"))
            await self.welcome()
            self.assertEqual((await self.hear(SUBMIT))[2:], [1, 0, b"image"])
            await self.answer(1)
            result = await asyncio.wait_for(call, WITHIN_S)
            self.assertEqual((result.request, result.status, result.name), (1, "answered", "coat"))
            self.assertEqual(client.open, 0)

    async def test_a_newer_image_supersedes_the_call_that_waits(self):
        async with AsyncClient(self.endpoint) as client:
            older = asyncio.create_task(client.classify(b"a", priority="high", latest=9))
            newer = asyncio.create_task(client.classify(b"b", latest=9))
            await self.welcome(credit=1)
            result = await asyncio.wait_for(older, WITHIN_S)
            self.assertEqual((result.status, result.local), ("superseded", True))
            self.assertEqual((await self.hear(SUBMIT))[2:], [1, 9, b"b"])
            await self.answer(2)
            self.assertEqual((await asyncio.wait_for(newer, WITHIN_S)).status, "answered")

    async def test_many_calls_wait_at_a_time_and_each_gets_its_own(self):
        async with AsyncClient(self.endpoint) as client:
            calls = asyncio.gather(*(client.classify(bytes([i])) for i in range(5)))
            await self.welcome()
            images = {}
            for _ in range(5):
                request, *_, image = await self.hear(SUBMIT)
                images[request] = image
            for request in sorted(images, reverse=True):
                await self.answer(request, name=f"class {images[request][0]}")
            results = await asyncio.wait_for(calls, WITHIN_S)
            self.assertEqual([r.name for r in results], [f"class {i}" for i in range(5)])

    async def test_a_call_waits_for_room_while_open_max_are_open(self):
        async with AsyncClient(self.endpoint, open_max=1) as client:
            calls = asyncio.gather(client.classify(b"a"), client.classify(b"b"))
            await self.welcome()
            self.assertEqual((await self.hear(SUBMIT))[4], b"a")
            self.assertEqual(client.open, 1)
            await self.answer(1)
            self.assertEqual((await self.hear(SUBMIT))[4], b"b")
            await self.answer(2)
            self.assertEqual([r.request for r in await asyncio.wait_for(calls, WITHIN_S)], [1, 2])

    async def test_the_deadline_ends_a_call_without_a_broker(self):
        async with AsyncClient(self.endpoint) as client:
            result = await client.classify(b"image", deadline_s=0.02)
            self.assertEqual((result.status, result.reason, result.local),
                             ("missing", "no_broker", True))
            self.assertGreaterEqual(result.latency_s, 0.02)

    async def test_cancelling_a_call_cancels_its_request(self):
        async with AsyncClient(self.endpoint) as client:
            call = asyncio.create_task(client.classify(b"image"))
            await self.welcome()
            await self.hear(SUBMIT)
            call.cancel()
            self.assertEqual(await self.hear(CANCEL), [1])
            with self.assertRaises(asyncio.CancelledError):
                await call
            await self.answer(1, status=CANCELLED)
            # Another call still works, so the result of the cancelled one was taken.
            other = asyncio.create_task(client.classify(b"other"))
            await self.hear(SUBMIT)
            await self.answer(2)
            self.assertEqual((await asyncio.wait_for(other, WITHIN_S)).request, 2)
            self.assertEqual(client.counters["cancelled"], 1)

    async def test_corrections_come_as_they_are_sent(self):
        async with AsyncClient(self.endpoint, corrections=True) as client:
            call = asyncio.create_task(client.classify(b"image"))
            await self.welcome()
            await self.hear(SUBMIT)
            await self.answer(1)
            await asyncio.wait_for(call, WITHIN_S)
            await self.say(CORRECTION, 1, 1, 10 ** 9, [["shirt", [6, 0.5]]], "s")
            correction = await asyncio.wait_for(anext(client.corrections()), WITHIN_S)
            self.assertEqual((correction.request, correction.name), (1, "shirt"))

    async def test_connect_waits_for_the_greeting(self):
        async with AsyncClient(self.endpoint) as client:
            connected = asyncio.create_task(client.connect(WITHIN_S))
            self.assertFalse(client.joined)
            await self.welcome()
            await connected
            self.assertTrue(client.joined)

    async def test_connect_names_what_kept_it(self):
        async with AsyncClient(self.endpoint) as client:
            with self.assertRaisesRegex(Unreachable, "no broker .* within 0.02 s"):
                await client.connect(0.02)
            connected = asyncio.create_task(client.connect(3600))
            await self.hear(HELLO)
            await self.say(REFUSE, 32, 3)
            with self.assertRaisesRegex(Unreachable, "wrong_protocol"):
                await asyncio.wait_for(connected, WITHIN_S)

    async def test_closing_ends_the_calls_that_wait(self):
        client = AsyncClient(self.endpoint)
        async with client:
            call = asyncio.create_task(client.classify(b"image"))
            await self.hear(HELLO)
        with self.assertRaises(ConnectionAbortedError):
            await call
        with self.assertRaises(RuntimeError):
            await client.connect()


if __name__ == "__main__":
    unittest.main()
