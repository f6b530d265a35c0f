"""The asyncio client against a broker played on the same event loop, over real sockets."""

import asyncio
import contextlib
import errno
import itertools
import os
import socket
import sys
import tempfile
import threading
import unittest
import unittest.mock

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

    async def test_closing_twice_is_harmless_though_somebody_waits(self):
        async with AsyncClient(self.endpoint) as client:
            connected = asyncio.create_task(client.connect(3600))
            await self.hear(HELLO)
            client.close()
        with self.assertRaises(RuntimeError):
            await connected

    async def test_closing_leaves_the_loop_free_while_zeromq_is_busy(self):
        loop, end = asyncio.get_running_loop(), zmq.Context.term
        turned, in_time = threading.Event(), []

        def busy(context):
            loop.call_soon_threadsafe(turned.set)
            in_time.append(turned.wait(WITHIN_S))
            end(context)

        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(AsyncClient(self.endpoint))
            with unittest.mock.patch.object(zmq.Context, "term", busy):
                await stack.aclose()
        self.assertEqual(in_time, [True])

    async def test_a_call_that_cannot_be_served_takes_nothing(self):
        client = AsyncClient(self.endpoint)
        with self.assertRaises(RuntimeError):
            await client.classify(b"outside")
        self.assertEqual(client.open, 0)
        async with client:
            for error, wrong in ((TypeError, {"stream": []}), (TypeError, {"latest": 0.5}),
                                 (ValueError, {"deadline_s": float("nan")})):
                with self.assertRaises(error):
                    await client.classify(b"image", **wrong)
            self.assertEqual(client.open, 0)
            self.assertEqual((await client.classify(b"image", deadline_s=0.02)).status, "missing")

    async def test_after_a_turn_that_failed_there_is_another(self):
        errors = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: errors.append(context["exception"]))
        async with AsyncClient(self.endpoint) as client:
            failure = OSError("once")
            turns = itertools.chain([failure], itertools.repeat(None))
            with unittest.mock.patch.object(client._session, "receive", side_effect=turns):
                result = await asyncio.wait_for(client.classify(b"image", deadline_s=0.02),
                                                WITHIN_S)
        self.assertEqual(result.status, "missing")
        self.assertEqual(errors, [failure])


@unittest.mock.patch("collage_client.session.RECONNECT_S", 0.001)
class AsyncKeysTest(unittest.IsolatedAsyncioTestCase):
    """A client with keys that nobody answers, so that it makes its connection again and again."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.keys = folder.name
        public, secret = (key.decode() for key in zmq.curve_keypair())
        with open(os.path.join(self.keys, "broker.public"), "w") as file:
            file.write(f"{public}\n")
        path = os.path.join(self.keys, "producer.secret")
        with open(path, "w") as file:
            file.write(f"public {public}\nsecret {secret}\n")
        os.chmod(path, 0o400)

    async def test_without_another_socket_a_call_still_ends_at_its_deadline(self):
        sockets, really = [], zmq.Context.socket

        def one_only(*arguments):
            if sockets:
                raise zmq.ZMQError(errno.EMFILE)
            sockets.append(really(*arguments))
            return sockets[0]

        with unittest.mock.patch.object(zmq.Context, "socket", one_only):
            async with AsyncClient("ipc://@nobody-listens", keys=self.keys) as client:
                result = await asyncio.wait_for(client.classify(b"image", deadline_s=0.02),
                                                WITHIN_S)
                self.assertEqual((result.status, result.reason), ("missing", "no_broker"))
                self.assertGreater(client.counters["reconnections_failed"], 0)
                with self.assertRaisesRegex(Unreachable, "Too many open files"):
                    await client.connect(0.02)

    async def test_names_are_looked_up_beside_the_loop_and_not_for_each_connection(self):
        threads = []

        def look_up(*_, **__):
            threads.append(threading.current_thread())
            if len(threads) > 1:
                raise socket.gaierror(socket.EAI_NONAME, "unknown")
            return [(socket.AF_INET,)]

        with unittest.mock.patch("collage_client.endpoint.socket.getaddrinfo", look_up):
            async with AsyncClient("tcp://localhost:1", keys=self.keys) as client:
                await client.classify(b"image", deadline_s=0.02)
                self.assertGreater(client.counters["server_keys_tried"], 0)
                self.assertEqual(len(threads), 1)
                with self.assertRaisesRegex(Unreachable, "does not resolve"):
                    await client.connect(0.02)
        self.assertEqual(len(threads), 2)
        self.assertNotIn(threading.main_thread(), threads)

    async def test_a_name_that_was_not_known_at_first_is_looked_up_again(self):
        asked = []

        def look_up(*_, **__):
            asked.append(threading.current_thread())
            if len(asked) == 1:
                raise socket.gaierror(socket.EAI_AGAIN, "not now")
            return [(socket.AF_INET,), (socket.AF_INET6,)]

        def family():
            return client._session._links[0].socket.ipv6

        with unittest.mock.patch("collage_client.endpoint.socket.getaddrinfo", look_up):
            async with AsyncClient("tcp://localhost:1", keys=self.keys) as client:
                self.assertTrue(family())
                async with asyncio.timeout(WITHIN_S):
                    while family():
                        await client.classify(b"image", deadline_s=0.02)
        self.assertEqual(len(asked), 2)
        self.assertNotIn(threading.main_thread(), asked)


if __name__ == "__main__":
    unittest.main()
