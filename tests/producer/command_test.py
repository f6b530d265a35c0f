"""The command line of the Python client: what it reads, what it says, against a played broker."""

import contextlib
import csv
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock

import msgpack
import zmq

CLIENT = pathlib.Path(__file__).resolve().parents[2] / "producer" / "python"
sys.path.insert(0, str(CLIENT))
from collage_client import Result, command, endpoint, listing  # noqa: E402
from collage_client.delivery import CORRECTION_MAX  # noqa: E402
from collage_client.formats import format_of  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n and more"


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="collage-command-")
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, data=b"x"):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(os.fsencode(path), "wb") as file:
            file.write(data)
        return path


class Listing(Folder):
    def names(self, *inputs, bytes_max=1000):
        """Names below the root, with their error if there is one."""
        found = []
        for item in listing.items(list(inputs), bytes_max):
            name = item.file.removeprefix(self.root + "/")
            error = "too large" if item.too_large else item.error
            found.append(f"{name}: {error}" if error else name)
        return found

    def given(self, *names, **options):
        return self.names(*(listing.Input(self.path(name)) for name in names), **options)

    def listed(self, data):
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        os.write(write, data)
        os.close(write)
        return self.names(listing.Input("-", read))

    def test_a_folder_stands_for_the_files_below_it(self):
        for name in ("d/b", "d/a/2", "d/a/10", "d/.hidden"):
            self.write(name)
        self.assertEqual(self.given("d"), ["d/a/10", "d/a/2", "d/b"])

    def test_what_is_no_file_is_said_and_not_opened(self):
        self.write("d/a")
        os.mkfifo(self.path("d/fifo"))
        os.symlink("/nowhere", self.path("d/link"))
        os.symlink(".", self.path("d/loop"))
        self.assertEqual(self.given("d"),
                         ["d/a", "d/fifo: not a regular file",
                          "d/link: a link to a file that does not exist",
                          "d/loop: a link to a folder is not followed"])
        self.assertEqual(self.given("none"), ["none: No such file or directory"])

    def test_a_file_above_the_limit_is_not_read(self):
        self.write("small", b"12345")
        with open(self.path("huge"), "wb") as file:
            file.truncate(1 << 40)
        self.assertEqual(self.given("huge", "small", bytes_max=5), ["huge: too large", "small"])

    def test_folders_and_lists_without_files_are_said(self):
        os.makedirs(self.path("empty/inner"))
        self.assertEqual(self.given("empty"), ["empty: there are no files in this folder"])
        self.assertEqual(self.listed(b"\n"), ["-: there are no paths in this list"])

    def test_lists_as_shells_and_editors_write_them(self):
        a, b = (self.write(name).encode() for name in ("a", "new\nline"))
        self.assertEqual(self.listed(a + b"\n" + a), ["a", "a"])
        self.assertEqual(self.listed(b"\xef\xbb\xbf" + a + b"\r\n"), ["a"])
        self.assertEqual(self.listed(a + b"\0" + b + b"\0"), ["a", "new\nline"])
        late = a + b"\n/" + b"x" * 5000 + b"\n" + a + b"\0" + a
        self.assertEqual([n for n in self.listed(late) if len(n) == 1], ["a", "a", "a"])

    def test_a_list_of_find_brings_each_file_once(self):
        names = [self.path("d"), self.write("d/1"), self.path("d/sub"), self.write("d/sub/2"),
                 self.write("d/.hidden")]
        for end in ("\n", "\0"):
            data = "".join(name + end for name in names).encode()
            self.assertEqual(self.listed(data), ["d/1", "d/sub/2", "d/.hidden"])

    def test_a_file_made_after_its_folder_was_read_is_kept(self):
        self.write("d/1")
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        files = listing.items([listing.Input("-", read)], 10)
        os.write(write, self.path("d").encode() + b"\n")
        self.assertEqual(next(files).file, self.path("d/1"))
        self.assertIsNone(next(files))
        made, below = self.write("d/2"), self.write("d/sub/3")
        os.write(write, "\n".join((self.path("d/1"), made, self.path("d/sub"), below)).encode())
        os.close(write)
        self.assertEqual([item.file for item in files], [made, below])

    def test_a_file_of_a_folder_that_could_not_be_read_is_kept(self):
        below = self.write("d/sub/2")
        really = os.listdir
        for closed in ("d", "d/sub"):
            def fail(path, closed=self.path(closed)):
                if path == closed:
                    raise PermissionError(13, "Permission denied")
                return really(path)

            with unittest.mock.patch("os.listdir", fail):
                self.assertEqual(self.listed(f"{self.path('d')}\n{below}\n".encode()),
                                 [f"{closed}: Permission denied", "d/sub/2"])

    def test_what_a_folder_has_brought_is_left_out_once_in_any_spelling(self):
        path = self.write("d/1")
        self.assertEqual(self.listed(f"{self.path('d')}//\n{self.path('d')}/.//1\n".encode()),
                         ["d//1"])
        self.assertEqual(self.listed(f"{self.path('d')}\n{path}\n{path}\n".encode()),
                         ["d/1", "d/1"])

    def test_what_is_no_list_is_said(self):
        self.assertEqual(self.listed(PNG), ["-: the list cannot be read: it is a PNG image"])
        self.assertEqual(self.listed(b"\xff\xfea\0\n\0"),
                         ["-: the list cannot be read: it is text in UTF-16, expected UTF-8"])
        self.assertEqual(self.names(listing.Input("-", 987)),
                         ["-: the list cannot be read: it is closed"])
        with contextlib.ExitStack() as stack:
            folder = os.open("/", os.O_RDONLY)
            stack.callback(os.close, folder)
            self.assertEqual(self.names(listing.Input("-", folder)),
                             ["-: the list cannot be read: Is a directory"])

    def test_a_list_that_pauses_does_not_block(self):
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        files = listing.items([listing.Input("-", read)], 10)
        self.assertIsNone(next(files))
        os.write(write, self.write("a").encode() + b"\n")
        self.assertEqual(next(files).file, self.path("a"))
        self.assertIsNone(next(files))
        os.close(write)
        self.assertEqual(list(files), [])


class Endpoint(unittest.TestCase):
    def test_what_is_wrong_is_said_with_what_to_write(self):
        for good in ("tcp://broker:5570", "tcp://localhost:1", "tcp://127.0.0.1:65535",
                     "tcp://[::1]:5570", "ipc:///run/collage", "ipc://@collage"):
            self.assertEqual(endpoint.fault(good), "", good)
        for bad in ("", "broker:5570", "tcp://broker", "tcp://broker:0", "tcp://broker:65536",
                    "http://broker:80", "tcp://a b:1", "tcp://broker:5570/"):
            self.assertIn("tcp://HOST:PORT", endpoint.fault(bad), bad)
        self.assertIn("the broker's host, such as tcp://127.0.0.1:5570",
                      endpoint.fault("tcp://*:5570"))
        self.assertIn("brackets: tcp://[::1]:5570", endpoint.fault("tcp://::1:5570"))
        self.assertIn("absolute path", endpoint.fault("ipc://x"))

    def test_ipv6_is_for_those_that_have_nothing_else(self):
        self.assertTrue(endpoint.needs_ipv6("tcp://[::1]:1"))
        self.assertFalse(endpoint.needs_ipv6("tcp://127.0.0.1:1"))
        self.assertFalse(endpoint.needs_ipv6("tcp://localhost:1"))
        self.assertFalse(endpoint.needs_ipv6("ipc:///x"))


class Formats(unittest.TestCase):
    """tests/imaging/format_test.cc has the same files."""

    def test_the_first_bytes_tell(self):
        for first, name in (
                (b"\xff\xd8\xff\xe0", "JPEG"), (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
                (b"RIFF\x24\0\0\0WEBPVP8 ", "WebP"), (b"GIF87a", "GIF"),
                (b"II*\0\x08\0\0\0", "TIFF"), (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "HEIC"),
                (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
                (b"\x89PNG\r\n\x1a\n\0\0\0\x04CgBI", "Apple CgBI"),
                (b"BM\x36\x0c\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "BMP"),
                (b"II*\0\x10\0\0\0CR\x02\0", "camera raw"),
                (b"\0\0\0\x18ftypcrx \0\0\0\x01", "camera raw"),
                (b"\0\0\1\0\1\0\x20\x20\0\0\1\0", "ICO"),
                (b"\0\0\0\x18ftypmp42\0\0\0\0", "MP4 or another file of boxes"),
                (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"), (b"\xff\x0a\x7f", "JPEG XL"),
                (b"P6\n2 2\n255\n", "Netpbm"), (b"\x0a\x05\x01\x08\0\0", "PCX"),
                (b"\x01\xda\x01\x01\0\x03", "SGI")):
            self.assertEqual(format_of(first), name, first)

    def test_an_svg_is_one_whatever_stands_before_its_root(self):
        for before in (b"", b"\xef\xbb\xbf", b" \r\n\t", b"<!-- made by -- a tool -->\n",
                       b"\xef\xbb\xbf<?xml version='1.0'?><!-- a --> <!-- b -->"):
            self.assertEqual(format_of(before + b"<svg width='9'/>"), "SVG", before)
            self.assertEqual(format_of(before + b"<s:svg xmlns:s='x'/>"), "SVG", before)
            self.assertEqual(format_of(before + b"<html></html>"), "unknown", before)
        self.assertEqual(format_of(b"<!DOCTYPE svg PUBLIC '-//W3C'>"), "SVG")
        self.assertEqual(format_of(b"<!DOCTYPE html><svg/>"), "unknown")
        self.assertEqual(format_of(b"<!-- never closed <svg>"), "unknown")
        self.assertEqual(format_of(b"\xff\xfe<\0s\0v\0g\0"), "SVG")

    def test_text_and_beginnings_that_are_only_alike_are_unknown(self):
        for text in (b"", b"B", b"BM", b"P", b"BMW is a maker of cars, and not a picture",
                     b"\0\0\1\0", b"RIFF\x24\0\0\0WAVEfmt ", b"GET / HTTP/1.1\r\n",
                     b"\n\xff\xd8\xff", b"\x0a\x01\x01\x08"):
            self.assertEqual(format_of(text), "unknown", text)


class Corrections(unittest.TestCase):
    def test_one_finds_its_file_however_many_answers_come_with_it(self):
        arguments = unittest.mock.Mock(quiet=True, format="json", in_order=True, latest=False)
        client = unittest.mock.Mock()
        client.corrections.return_value = [Result(1, "corrected", source="single")]
        client.submit.side_effect = requests = range(1, CORRECTION_MAX + 2)
        push = command.Push(client, arguments)
        for request in requests:
            push._take(listing.Item(str(request), b"x"))
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            push._report([Result(request, "answered", source="collage") for request in requests])
        last = json.loads(printed.getvalue().splitlines()[-1])
        self.assertEqual((last["file"], last["status"]), ("1", "corrected"))
        self.assertIn("corrected 1", push.tally.summary()[0])


class Broker(threading.Thread):
    """Answers every image but SILENT; counts nothing and forgets nobody."""

    SILENT = b"no answer"
    BROWNOUT = b"a collage answers"
    JPEG_XL = b"\xff\x0a\x7f"  # Rejects it.

    def __init__(self):
        super().__init__(daemon=True)
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.linger = 0
        self.endpoint = "tcp://127.0.0.1:%d" % self._socket.bind_to_random_port("tcp://127.0.0.1")
        self._over = threading.Event()

    def run(self):
        while not self._over.is_set():
            if self._socket.poll(50):
                peer, header, *images = self._socket.recv_multipart()
                if self.SILENT in images:
                    continue
                protocol, kind, *fields = msgpack.unpackb(header)
                answer = [3, 7, 10 ** 9, 4, 100, 5 * 10 ** 9, 0] if kind == 1 else \
                    self._answer(fields[0], images[0])
                self._socket.send_multipart([peer, msgpack.packb([protocol, *answer])])
        self._context.destroy()

    def _answer(self, request, image):
        if image == self.JPEG_XL:
            return [6, request, 2, 0, 5, 10 ** 6, 0, [], "", False]
        brownout = image == self.BROWNOUT
        top = [["coat", [4, 0.75]], ["日", [6, 1.25e-7]]]
        return [6, request, 0, 2 if brownout else 1, 0, 1234567, 0, top, "v", brownout]

    def stop(self):
        self._over.set()
        self.join()


class Command(Folder):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.broker.start()
        cls.addClassCleanup(cls.broker.stop)

    def run_client(self, *arguments, data=b"", environment=None, **options):
        """What the program prints, line by line, its errors and its exit code."""
        options = {"input": data, "stdout": subprocess.PIPE} | options
        if options.get("stdin"):
            del options["input"]
        ran = subprocess.run(
            [sys.executable, "-B", "-m", "collage_client", *arguments], stderr=subprocess.PIPE,
            timeout=50, env=os.environ | {"PYTHONPATH": str(CLIENT)} | (environment or {}),
            **options)
        return (ran.stdout or b"").decode().splitlines(), ran.stderr.decode(), ran.returncode

    def test_lists_answers_and_the_summary(self):
        a, b = self.write("a\udcff.png"), self.write("a\udcfe.png")
        names = os.fsencode(a) + b"\0" + os.fsencode(b) + b"\0"
        lines, errors, code = self.run_client(
            "-", data=names, environment={"COLLAGE_ENDPOINT": self.broker.endpoint})
        answers = [json.loads(line) for line in lines]
        self.assertEqual(code, 0, errors)
        self.assertEqual([answer["status"] for answer in answers], ["answered"] * 2)
        self.assertEqual(answers[0]["file"], self.path("a\\xff.png"))
        self.assertNotEqual(answers[0]["file_base64"], answers[1]["file_base64"])
        for answer in answers:
            self.assertGreaterEqual(answer["latency_s"], 0)
        self.assertIn("2 of 2 answered", errors)
        self.assertRegex(errors, r"p50 .* p99 .* max ")

    def test_csv_and_causes(self):
        self.write("d/big", b"x" * 101)
        self.write('d/quo"te,\nline', b"x")
        self.write("d/xl", Broker.JPEG_XL)
        os.mkfifo(self.path("d/pipe"))
        lines, errors, code = self.run_client(self.path("d"), "-e", self.broker.endpoint,
                                              "--format", "csv")
        self.assertEqual(code, 1)
        rows = {row["file"].removeprefix(self.root + "/d/"): row
                for row in csv.DictReader(io.StringIO("\n".join(lines)))}
        answer = rows['quo"te,\nline']
        self.assertEqual((answer["class"], answer["label"]), ("coat", "4"))
        self.assertEqual(rows["big"]["reason"], "image_too_large")
        self.assertEqual(rows["xl"]["format"], "JPEG XL")
        self.assertEqual(rows["pipe"]["error"], "not a regular file")
        self.assertIn("1 refused (image_too_large)", errors)
        self.assertIn("1 rejected (unsupported_image: JPEG XL)", errors)
        self.assertIn("1 unreadable (not a regular file)", errors)

    def test_names_of_any_language_are_written_in_any_locale(self):
        lines, errors, code = self.run_client(
            self.write("日"), "-e", self.broker.endpoint, "--format", "csv",
            environment={"PYTHONIOENCODING": "ascii"})
        self.assertEqual(code, 0, errors)
        self.assertIn(self.path("日"), lines[1])

    def test_what_is_open_when_it_is_interrupted_is_said(self):
        silent, answered = self.write("1", Broker.SILENT), self.write("2")
        # A list without an end, that names both before the client looks for answers.
        ran = subprocess.Popen(
            [sys.executable, "-B", "-m", "collage_client", "-", "-e", self.broker.endpoint],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(CLIENT)})
        self.addCleanup(ran.kill)
        with ran:
            os.write(ran.stdin.fileno(), f"{silent}\n{answered}\n".encode())
            self.assertEqual(json.loads(ran.stdout.readline())["file"], answered)
            ran.send_signal(signal.SIGINT)
            line, errors = json.loads(ran.stdout.readline()), ran.stderr.read().decode()
        self.assertEqual(line, {"request": 1, "file": silent, "status": "interrupted"})
        self.assertIn("1 of 2 answered", errors)
        self.assertIn("1 interrupted", errors)
        self.assertEqual(ran.returncode, 1)

    def test_mistyped_options_and_endpoints_are_named(self):
        _, errors, code = self.run_client("a", "--dedline", "3")
        self.assertEqual(code, 2)
        self.assertIn("did you mean --deadline?", errors)
        _, errors, code = self.run_client("a", "-e", "tcp://*:5570")
        self.assertEqual(code, 2)
        self.assertIn("for listening", errors)
        _, errors, code = self.run_client("a", "-e", "tcp://no-such-host.invalid:1",
                                          "--timeout", "0.01")
        self.assertEqual(code, 2)
        self.assertIn("does not resolve", errors)

    def test_output_that_cannot_be_written_is_said(self):
        with open("/dev/full", "w") as full:
            _, errors, code = self.run_client(self.write("a"), "-e", self.broker.endpoint,
                                              stdout=full)
        self.assertEqual(code, 1)
        self.assertIn("could not be written", errors)


if __name__ == "__main__":
    unittest.main()
