"""The command line: sends images and prints one JSON line per result.

Exit code 0 if every image was answered, 1 if some were not, 2 if it could not start
or reach no broker.
"""

import argparse
import collections
import json
import sys

from collage_client.choice import choose_broker
from collage_client.client import Client
from collage_client.delivery import CORRECTION_MAX
from collage_client.result import json_line
from collage_client.session import Unreachable
from collage_client.wire import PRIORITY


def push(client: Client, paths: list[str], stream: int | None = None, priority: str = "normal",
         latest: int = 0) -> int:
    """Sends files as credit allows and prints their results; returns the exit code."""
    names: dict[int, str] = {}
    late: dict[int, str] = {}  # answers that may be corrected
    files, answered_all = collections.deque(paths), True
    while files or client.open or client.correctable:
        while files and client.window > 0:
            read = _submit(client, files.popleft(), stream, priority, latest, names)
            answered_all = read and answered_all
        idle = not (client.open or files or client.correctable)
        for result in client.poll(0.0 if idle else 1.0):
            file = names.pop(result.request)
            print(json_line(file, result), flush=True)
            if result.source == "collage":
                late[result.request] = file
                if len(late) > CORRECTION_MAX:
                    late.pop(next(iter(late)))
            answered_all = answered_all and result.status == "answered"
        for result in client.corrections():
            print(json_line(late.pop(result.request), result), flush=True)
    return 0 if answered_all else 1


def _submit(client: Client, file: str, stream: int | None, priority: str, latest: int,
            names: dict[int, str]) -> bool:
    """Whether the file could be read."""
    try:
        with open(file, "rb") as image:
            request = client.submit(image.read(), stream=stream, priority=priority,
                                    latest=latest)
    except OSError as error:
        print(json.dumps({"file": file, "status": "unreadable", "error": error.strerror}))
        return False
    assert request is not None  # There was a window.
    names[request] = file
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="collage-client",
                                     description="Sends images to a Collage pipeline.")
    parser.add_argument("file", nargs="+")
    parser.add_argument("--endpoint", required=True, action="append",
                        help="tcp://HOST:PORT of the broker; again: of others, for --stream to "
                             "choose from")
    parser.add_argument("--stream",
                        help='what these images are a stream of, "camera-7": of several brokers it '
                             "always goes to the same one")
    parser.add_argument("--keys", help="folder of producer.secret and broker.public: encrypt")
    parser.add_argument("--deadline", type=float, default=10.0, help="seconds (10)")
    parser.add_argument("--timeout", type=float, default=5.0,
                        help="seconds to reach the broker (5)")
    parser.add_argument("--in-order", action="store_true",
                        help="print results in the order of the files, but for unreadable ones")
    parser.add_argument("--priority", choices=PRIORITY, default="normal",
                        help="which images an overloaded pipeline serves first (normal)")
    parser.add_argument("--latest", action="store_true",
                        help="each image supersedes the earlier ones that still wait")
    parser.add_argument("--corrections", action="store_true",
                        help="print a line more, status corrected, where a late single answer "
                             "contradicts a collage's")
    return parser


def main() -> int:
    parser = _parser()
    arguments = parser.parse_args()
    if len(arguments.endpoint) > 1 and arguments.stream is None:
        parser.error("of several endpoints --stream chooses one")
    endpoint = choose_broker(arguments.stream or "", arguments.endpoint)
    try:
        with Client(endpoint, deadline_s=arguments.deadline,
                    corrections=arguments.corrections, keys=arguments.keys) as client:
            client.connect(arguments.timeout)
            return push(client, arguments.file, stream=1 if arguments.in_order else None,
                        priority=arguments.priority, latest=int(arguments.latest))
    except (ValueError, Unreachable) as error:
        print(f"collage-client: {error}", file=sys.stderr)
        return 2
