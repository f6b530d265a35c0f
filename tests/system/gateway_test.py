"""The gateway with a real pipeline behind it, used by HTTP clients of Python's standard library.

    gateway_test.py FOLDER-OF-PROGRAMS

The client of the Open Inference Protocol is written from the protocol's text (REST, and the binary
tensor data extension), and knows nothing of the gateway.
"""

import base64
import concurrent.futures
import http.client
import json
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import zlib

from readme_test import free_ports

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path()  # From the command line.


def grey_png(side=28, level=128):
    """A square picture of one grey."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([level]) * side) * side
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


PICTURE = grey_png()
PNG = {"Content-Type": "image/png"}


class InferenceClient:
    """A client of the Open Inference Protocol over one kept connection."""

    SIZES = {"INT64": 8, "FP32": 4}

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def get(self, path):
        self.connection.request("GET", "/" + path)
        response = self.connection.getresponse()
        body = response.read()
        return response.status, json.loads(body) if body else None

    def infer(self, images, binary_input, binary_output, outputs=None):
        tensor = {"name": "image", "datatype": "BYTES", "shape": [len(images)]}
        data = b""
        if binary_input:
            data = b"".join(struct.pack("<I", len(image)) + image for image in images)
            tensor["parameters"] = {"binary_data_size": len(data)}
        else:
            tensor["data"] = [base64.b64encode(image).decode() for image in images]
        request = {"id": "42", "inputs": [tensor],
                   "parameters": {"binary_data_output": binary_output}}
        if outputs is not None:
            request["outputs"] = [{"name": name} for name in outputs]
        text = json.dumps(request).encode()
        headers = {"Content-Type": "application/octet-stream" if data else "application/json"}
        if data:
            headers["Inference-Header-Content-Length"] = str(len(text))
        self.connection.request("POST", "/v2/models/collage/infer", text + data, headers)
        response = self.connection.getresponse()
        return response.status, self.parse(response)

    def parse(self, response):
        """The response with its outputs as name -> (shape, flat list)."""
        body = response.read()
        size = int(response.headers.get("Inference-Header-Content-Length", len(body)))
        document, rest = json.loads(body[:size]), body[size:]
        if "outputs" not in document:
            return document
        tensors = {}
        for output in document["outputs"]:
            count = 1
            for side in output["shape"]:
                count *= side
            if "data" in output:
                data = output["data"]
            else:
                length = output["parameters"]["binary_data_size"]
                data = self.unpacked(output["datatype"], rest[:length])
                rest = rest[length:]
            if len(data) != count:
                raise ValueError(f"{output['name']}: {len(data)} elements for {output['shape']}")
            tensors[output["name"]] = (output["shape"], data)
        if rest:
            raise ValueError(f"{len(rest)} bytes behind the last tensor")
        document["outputs"] = tensors
        return document

    def unpacked(self, datatype, data):
        if datatype == "INT64":
            return list(struct.unpack(f"<{len(data) // 8}q", data))
        if datatype == "FP32":
            return list(struct.unpack(f"<{len(data) // 4}f", data))
        texts = []
        while data:
            length, = struct.unpack_from("<I", data)
            texts.append(data[4:4 + length].decode())
            data = data[4 + length:]
        return texts


class Running(unittest.TestCase):
    """Processes that run in a folder of their own."""

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="gateway")
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        cls.running = {}
        cls.addClassCleanup(cls.kill)

    @classmethod
    def kill(cls):
        for process in cls.running.values():
            process.kill()
            process.wait()

    @classmethod
    def start(cls, name, argv, file="pipeline.yaml"):
        with open(cls.folder / f"{name}.log", "a") as log:
            cls.running[name] = subprocess.Popen(
                [PROGRAMS / argv[0], *argv[1:], file], cwd=cls.folder, stdout=log,
                stderr=subprocess.STDOUT)

    @classmethod
    def write(cls, name, ports, port, *changes):
        """The project's pipeline.yaml with these ports, that of the gateway's door, and changes."""
        text = (ROOT / "pipeline.yaml").read_text()
        for known, free in zip((5570, 5571, 5572), ports):
            text = text.replace(f"tcp://127.0.0.1:{known}", f"tcp://127.0.0.1:{free}")
        for old, new in (("  port: 8080", f"  port: {port}"),
                         ("address: 127.0.0.1        # `none`", "address: none  #"), *changes):
            if old not in text:
                raise ValueError(f"pipeline.yaml has no longer {old}")
            text = text.replace(old, new)
        text = re.sub(r"(?m)^(  (?:single|collage): )models/", rf"\1{ROOT}/models/", text)
        (cls.folder / name).write_text(text)


class Gateway(Running):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        *ports, cls.port = free_ports(4)
        cls.write("pipeline.yaml", ports, cls.port, ("  broker_wait: 2s", "  broker_wait: 4s"),
                  # A broker that is dead is seen sooner.
                  ("  heartbeat: 500ms", "  heartbeat: 200ms"))
        for name, argv in {"broker": ["collage-broker"], "sink": ["collage-sink"],
                           "classifier": ["collage-stage", "classifier"],
                           # A second one, so that a request of two images needs no collage.
                           "classifier2": ["collage-stage", "classifier"],
                           "collage": ["collage-stage", "collage"],
                           "gateway": ["collage-gateway"]}.items():
            cls.start(name, argv)
        cls.await_answer()

    @classmethod
    def restart(cls, name, stop):
        process = cls.running[name]
        process.send_signal(stop)
        process.wait(timeout=15)
        cls.start(name, [f"collage-{name}"])

    @classmethod
    def await_answer(cls):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if cls.post(PICTURE, PNG)[0] == 200:
                    return
            except OSError:
                pass
        raise AssertionError("no answer within a minute")

    @classmethod
    def post(cls, body, headers, path="/v1/classify"):
        """The status and the parsed body of a response."""
        connection = http.client.HTTPConnection("127.0.0.1", cls.port, timeout=30)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def client(self):
        client = InferenceClient(self.port)
        self.addCleanup(client.connection.close)
        return client

    def test_an_image_is_classified_in_every_form(self):
        form = ("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n"
                "Content-Type: image/png\r\n\r\n").encode() + PICTURE + b"\r\n--b--\r\n"
        text = json.dumps({"image": base64.b64encode(PICTURE).decode()})
        answers = [self.post(PICTURE, PNG),
                   self.post(form, {"Content-Type": "multipart/form-data; boundary=b"}),
                   self.post(text, {"Content-Type": "application/json"})]
        for status, answer in answers:
            self.assertEqual(status, 200, answer)
            self.assertEqual(answer["status"], "answered")
        self.assertEqual(len({answer["class"] for _, answer in answers}), 1)

    def test_images_that_are_none_are_told_apart(self):
        self.assertEqual(self.post(b"no picture", PNG)[0], 415)
        self.assertEqual(self.post(PICTURE[:60], PNG)[0], 422)
        huge = bytearray(PICTURE)
        huge[16:24] = struct.pack(">II", 19_000, 19_000)
        huge[29:33] = struct.pack(">I", zlib.crc32(bytes(huge[12:29])))
        self.assertEqual(self.post(bytes(huge), PNG)[0], 413)

    def test_the_inference_protocol_tells_of_server_and_model(self):
        client = self.client()
        status, server = client.get("v2")
        self.assertEqual((status, server["name"]), (200, "collage"))
        self.assertIn("binary_tensor_data", server["extensions"])
        for path in ("v2/health/live", "v2/health/ready", "v2/models/collage/ready",
                     "v2/models/collage/versions/1/ready"):
            self.assertEqual(client.get(path)[0], 200, path)
        status, model = client.get("v2/models/collage")
        self.assertEqual(status, 200)
        self.assertEqual(model["inputs"],
                         [{"name": "image", "datatype": "BYTES", "shape": [-1]}])
        self.assertLessEqual({"label", "class", "probability"},
                             {output["name"] for output in model["outputs"]})
        status, error = client.get("v2/models/other")
        self.assertEqual(status, 404)
        self.assertIn("error", error)

    def infer_by_classifiers(self, client, *forms):
        """Infers until s-CNNs answer for both images: a collage answers for one that is late, as
        after a burst of other requests, and may rank the classes otherwise."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            status, document = client.infer([PICTURE, grey_png(level=10)], *forms)
            self.assertEqual(status, 200, document)
            if "collage" not in document["outputs"]["source"][1]:
                return document
        self.fail("collages alone answer")

    def test_inference_is_the_same_in_json_and_in_binary(self):
        client = self.client()
        seen = []
        for binary_input in (False, True):
            for binary_output in (False, True):
                document = self.infer_by_classifiers(client, binary_input, binary_output)
                self.assertEqual(document["model_name"], "collage")
                self.assertEqual(document["id"], "42")
                shape, labels = document["outputs"]["label"]
                self.assertEqual(shape, [2, 3])
                self.assertEqual(document["outputs"]["status"], ([2], [200, 200]))
                seen.append((labels, document["outputs"]["class"]))
        self.assertEqual(len(seen), 4)
        for one in seen[1:]:
            self.assertEqual(one, seen[0])

    def test_inference_tells_of_each_image_and_of_errors(self):
        client = self.client()
        status, document = client.infer([PICTURE, b"no picture"], True, True,
                                        ["status", "reason", "label"])
        self.assertEqual(status, 200)
        self.assertEqual(list(document["outputs"]), ["status", "reason", "label"])
        self.assertEqual(document["outputs"]["status"][1], [200, 415])
        self.assertEqual(document["outputs"]["reason"][1], ["", "not_an_image"])
        self.assertEqual(document["outputs"]["label"][1][3:], [-1, -1, -1])
        status, error = client.infer([b"no picture"], True, True)
        self.assertEqual(status, 415)
        self.assertIn("not_an_image", error["error"])
        status, error = client.infer([PICTURE], False, False, ["other"])
        self.assertEqual(status, 400)
        self.assertIn("error", error)

    def test_five_hundred_connections_are_answered(self):
        request = (b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
                   b"X-Collage-Deadline-Ms: 5000\r\nContent-Length: %d\r\n\r\n" % len(PICTURE)
                   + PICTURE)
        clients = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(500)]
        for client in clients:
            self.addCleanup(client.close)
            client.settimeout(30)
            client.sendall(request)
        statuses = {}
        for client in clients:
            status = client.recv(4096).split(b" ", 2)[1].decode()
            statuses[status] = statuses.get(status, 0) + 1
        # A burst of 500 may be more than one s-CNN can do in time, and is refused then, not lost.
        self.assertEqual(sum(statuses.values()), 500)
        self.assertLessEqual(set(statuses), {"200", "429"})
        self.assertGreater(statuses.get("200", 0), 0)

    def test_large_bodies_leave_no_memory_behind(self):
        body = random.Random(1).randbytes(9_000_000)
        before = {name: self.memory(name) for name in ("gateway", "broker")}
        # The allocator keeps what it keeps for each thread, from the second block on.
        for threads in (1, 1, 8):
            with concurrent.futures.ThreadPoolExecutor(threads) as pool:
                for status, _ in pool.map(lambda _: self.post(body, PNG), range(threads)):
                    self.assertEqual(status, 415)
        for name, memory in before.items():
            self.await_memory(name, memory + len(body) // 2)

    def await_memory(self, name, most):
        """A process answers before it has let go of a body: its I/O thread may still hold it."""
        end = time.monotonic() + 20
        while self.memory(name) >= most:
            self.assertLess(time.monotonic(), end, f"{name} still has {self.memory(name)} bytes")
            self.await_answer()

    def memory(self, name):
        """The bytes that a process has for itself."""
        status = pathlib.Path(f"/proc/{self.running[name].pid}/status").read_text()
        return 1024 * int(re.search(r"RssAnon:\s+(\d+)", status)[1])

    def test_a_restart_of_the_broker_loses_nothing(self):
        for stop in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(stop=stop):
                self.while_posting(lambda stop=stop: self.restart("broker", stop), retry=False)

    def test_a_restart_of_the_gateway_loses_nothing_that_is_sent_again(self):
        self.while_posting(lambda: self.restart("gateway", signal.SIGTERM), retry=True)
        self.assertEqual(self.running["gateway"].poll(), None)

    def while_posting(self, action, retry):
        """Does something while clients post images; each image is answered in the end.  `retry`
        sends again what found no gateway, but nothing that a gateway has begun to work on."""
        over = threading.Event()
        ends = []

        last = time.monotonic() + 60

        def client():
            answered = 0
            while not over.is_set() or (answered < 2 and time.monotonic() < last):
                end = time.monotonic() + 20
                while True:
                    try:
                        ends.append(self.post(PICTURE, PNG)[0])
                        answered += ends[-1] == 200
                        break
                    except ConnectionError as error:
                        if not retry or time.monotonic() > end:
                            ends.append(repr(error))
                            break
        clients = [threading.Thread(target=client) for _ in range(4)]
        for one in clients:
            one.start()
        try:
            action()
            self.await_answer()
        finally:
            over.set()
            for one in clients:
                one.join()
        lost = [end for end in ends if end != 200 and not (retry and end == 503)]
        self.assertEqual(lost, [])
        self.assertGreater(ends.count(200), 4)


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
