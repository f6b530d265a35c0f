#!/usr/bin/python3
"""Classifies one image and prints its class.

    push_image.py tcp://127.0.0.1:5570 photo.jpg

Exit code 0: answered.  1: not answered, with the reason.  2: it could not start.
"""

import pathlib
import sys

import collage_client


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    endpoint, file = sys.argv[1:]
    with collage_client.Client(endpoint) as client:
        client.connect()  # Not required, but it tells a wrong address from a slow answer.
        client.submit(pathlib.Path(file).read_bytes())
        (result,) = client.results()  # One, since one was submitted.
    if result.status != "answered":
        print(result.status, result.reason)
        return 1
    name, probability = result.top[0]
    print(f"{name}, probability {probability:.3f}, from {result.source}, "
          f"after {result.latency_s * 1000:.0f} ms")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:  # No broker, no such file, or no such endpoint.
        print(f"push_image.py: {error}", file=sys.stderr)
        sys.exit(2)
