"""The command line: sends images and prints one line per result.

Exit code 0 if every image was answered, 1 if some were not, 2 if it could not start
or reach no broker.
"""

import argparse
import difflib
import io
import os
import signal
import sys
import time
import types
from collections.abc import Iterator
from typing import NoReturn

from collage_client.choice import rank_brokers
from collage_client.client import Client
from collage_client.delivery import CORRECTION_MAX
from collage_client.endpoint import fault
from collage_client.formats import format_of
from collage_client.listing import Input, Item, items
from collage_client.report import COLUMNS, Tally, csv_line, error_line, interrupted_line
from collage_client.result import Result, json_line
from collage_client.session import Unreachable
from collage_client.wire import PRIORITY

ASK_AGAIN_S = 0.01  # The wait for a list that has no path yet.
PROGRESS_EVERY_S = 0.2
PAUSE_S = 0.2  # The wait for results; an interruption is noticed after it.
DRAIN_S = 2.0  # The wait for open images after an interruption.
STOPS = (signal.SIGINT, signal.SIGTERM)


class Push:
    """Sends files as credit allows and prints their results."""

    def __init__(self, client: Client, arguments: argparse.Namespace) -> None:
        self._client = client
        self._arguments = arguments
        self._names: dict[int, str] = {}
        self._formats: dict[int, str] = {}
        self._late: dict[int, str] = {}  # Answers that may be corrected.
        self._progress = not arguments.quiet and sys.stderr.isatty()
        self._shown = 0.0
        self._drain_until: float | None = None  # Set by an interruption.
        self.tally = Tally()
        if arguments.format == "csv":
            print(",".join(COLUMNS), flush=True)

    def run(self, files: Iterator[Item | None]) -> int:
        """Returns the exit code.  The first Ctrl-C or SIGTERM ends the reading of files: open
        images get DRAIN_S more and are reported as interrupted then.  The second acts as ever."""
        handlers = {number: signal.getsignal(number) for number in STOPS}
        # A shell lets its background jobs ignore Ctrl-C.
        before = {n: one for n, one in handlers.items() if one not in (signal.SIG_IGN, None)}

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        def interrupt(_number: int, _frame: types.FrameType | None) -> None:
            # Raises nothing: that could lose an image that is just submitted or reported.
            self._drain_until = time.monotonic() + DRAIN_S
            restore()

        for number in before:
            signal.signal(number, interrupt)
        try:
            self._push(files)
        finally:
            restore()
        return self._finish()

    def _push(self, files: Iterator[Item | None]) -> None:
        client, pause = self._client, PAUSE_S
        more = True
        while more or client.open or client.correctable:
            if self._drain_until is None:
                more, pause = self._submit(files)
            elif time.monotonic() < self._drain_until:
                more, pause = False, PAUSE_S
            else:
                break
            idle = not (client.open or more or client.correctable)
            self._report(client.poll(0.0 if idle else pause))

    def _submit(self, files: Iterator[Item | None]) -> tuple[bool, float]:
        """Takes files while there is credit; whether there may be more, and how long to wait."""
        while self._client.window > 0 and self._drain_until is None:
            try:
                item = next(files)
            except StopIteration:
                return False, PAUSE_S
            if item is None:
                return True, ASK_AGAIN_S
            self._take(item)
        return True, PAUSE_S

    def _finish(self) -> int:
        for request, file in self._names.items():
            self.tally.add_interrupted()
            self._print(interrupted_line(file, request))
        if self._progress:
            print("\r\x1b[K", end="", file=sys.stderr)
        if not self._arguments.quiet:
            for line in self.tally.summary():
                print(f"collage-client: {line}", file=sys.stderr)
        whole = self._drain_until is None and self.tally.answered == self.tally.reported
        return 0 if whole else 1

    def _take(self, item: Item) -> None:
        if item.error:
            self.tally.add_unreadable(item.error)
            self._print(error_line(item.file, item.error))
        elif item.too_large:
            result = Result(0, "refused", "image_too_large", local=True)
            self.tally.add(result)
            self._print(json_line(item.file, result))
        else:
            chosen = self._arguments
            request = self._client.submit(item.image, stream=1 if chosen.in_order else None,
                                          priority=chosen.priority, latest=int(chosen.latest))
            assert request is not None  # There was a window.
            self._names[request] = item.file
            self._formats[request] = format_of(item.image)

    def _report(self, results: list[Result]) -> None:
        for result in results:
            file = self._names.pop(result.request)
            image_format = self._formats.pop(result.request)
            if result.reason != "unsupported_image":
                image_format = ""
            self.tally.add(result, image_format)
            self._print(json_line(file, result, image_format))
            if result.source == "collage":
                self._late[result.request] = file
        for result in self._client.corrections():
            self.tally.corrected += 1
            self._print(json_line(self._late.pop(result.request), result))
        # After the corrections: one may be of an answer that is older than those above.
        while len(self._late) > CORRECTION_MAX:
            self._late.pop(next(iter(self._late)))
        now = time.monotonic()
        if self._progress and now - self._shown >= PROGRESS_EVERY_S:
            self._shown = now
            print("\r\x1b[K" + self.tally.progress(), end="", file=sys.stderr, flush=True)

    def _print(self, line: str) -> None:
        if self._progress and sys.stdout.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        print(csv_line(line) if self._arguments.format == "csv" else line, flush=True)


class _Parser(argparse.ArgumentParser):
    """Says which option a mistyped one may stand for."""

    def parse_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            options = [name for name in self._option_string_actions if name.startswith("--")]
            meant = difflib.get_close_matches(unknown[0].split("=")[0], options, 1)
            self.error(f"unrecognized arguments: {' '.join(unknown)}"
                       + (f" (did you mean {meant[0]}?)" if meant else ""))
        return parsed


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.001 <= value <= 86400:
        raise ValueError
    return value


_seconds.__name__ = "time in seconds from 0.001 to 86400"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="collage-client", description="Sends images to a Collage pipeline.")
    parser.add_argument("file", nargs="*",
                        help="image files, directories, or - for a list of paths on standard input")
    parser.add_argument("--list", action="append", default=[], metavar="FILE",
                        help="a file with a list of paths (one a line, or ending with NUL)")
    parser.add_argument("--endpoint", "-e", action="append",
                        help="the broker as tcp://HOST:PORT or ipc://PATH; several (again, or with "
                             "commas) let --stream choose one, and the next while that one is "
                             "silent; default: $COLLAGE_ENDPOINT")
    parser.add_argument("--stream",
                        help='what these images are a stream of, "camera-7": of several brokers it '
                             "always goes to the same one")
    parser.add_argument("--keys", help="folder of producer.secret and broker.public: encrypt")
    parser.add_argument("--deadline", type=_seconds, default=10.0,
                        help="seconds from when an image is submitted until it counts as missing; "
                             "the pipeline's own deadline, if it is shorter, holds (10)")
    parser.add_argument("--timeout", type=_seconds, default=5.0,
                        help="seconds to reach the broker (5)")
    parser.add_argument("--failover-after", type=_seconds, default=1.0,
                        help="of several brokers: seconds without a word from one, though its "
                             "answer is due, after which its images go to the next (1)")
    parser.add_argument("--format", choices=("json", "csv"), default="json",
                        help="json: one object per line; csv: one row per line, after a header")
    parser.add_argument("--in-order", action="store_true",
                        help="print results in the order of the files, but for unreadable ones")
    parser.add_argument("--priority", choices=PRIORITY, default="normal",
                        help="which images an overloaded pipeline serves first (normal)")
    parser.add_argument("--latest", action="store_true",
                        help="each image supersedes the earlier ones that still wait")
    parser.add_argument("--corrections", action="store_true",
                        help="print a line more, status corrected, where a late single answer "
                             "contradicts a collage's")
    parser.add_argument("--quiet", "-q", action="store_true",
                        help="print no progress and no summary")
    return parser


def _endpoints(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> list[str]:
    given = arguments.endpoint or [os.environ.get("COLLAGE_ENDPOINT", "")]
    endpoints = [one for text in given for one in text.split(",") if one]
    if not endpoints:
        parser.error("--endpoint (or the environment variable COLLAGE_ENDPOINT) is required")
    for one in endpoints:
        if wrong := fault(one):
            parser.error(f"--endpoint {wrong}")
    if len(endpoints) > 1 and arguments.stream is None:
        parser.error("of several endpoints --stream chooses one")
    return rank_brokers(arguments.stream or "", endpoints)


def _inputs(arguments: argparse.Namespace) -> list[Input]:
    """Lists stay open until the program ends."""
    inputs = [Input(path, 0 if path == "-" else -1) for path in arguments.file]
    return inputs + [Input(name, 0 if name == "-" else os.open(name, os.O_RDONLY))
                     for name in arguments.list]


def _keep_standard_descriptors() -> None:
    """A closed one would become the number of the next socket.  Now reads of a closed input and
    writes to a closed output fail."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if descriptor else os.O_WRONLY)


def _cannot_start(why: object) -> int:
    print(f"collage-client: {why}", file=sys.stderr)  # Prints nothing if that is closed.
    return 2


def _give_up_output() -> NoReturn:
    # At its end Python would flush standard output once more and complain.
    print("collage-client: the results could not be written", file=sys.stderr)
    os._exit(1)


def main() -> int:
    _keep_standard_descriptors()
    if sys.stdout is None:
        return _cannot_start("standard output is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # Names of any language, in whatever locale.
    parser = _parser()
    arguments = parser.parse_args()
    if not arguments.file and not arguments.list:
        parser.error("file is required")
    endpoints = _endpoints(parser, arguments)
    try:
        inputs = _inputs(arguments)
    except OSError as error:
        return _cannot_start(f"--list {error.filename}: {error.strerror}")
    try:
        with Client(endpoints, deadline_s=arguments.deadline, corrections=arguments.corrections,
                    keys=arguments.keys, failover_after_s=arguments.failover_after) as client:
            client.connect(arguments.timeout)
            push = Push(client, arguments)
            return push.run(items(inputs, client.image_bytes_max))
    except (ValueError, Unreachable) as error:
        return _cannot_start(error)
    except KeyboardInterrupt:
        return 1
    except OSError:
        _give_up_output()
