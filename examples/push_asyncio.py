#!/usr/bin/python3
"""Classifies many images at a time with asyncio and prints a line for each, as they are answered.

    push_asyncio.py tcp://127.0.0.1:5570 photos/*.jpg

Exit code 0: every image was answered.  1: some were not.  2: it could not start.
"""

import asyncio
import pathlib
import sys

import collage_client


async def classify(client: collage_client.AsyncClient, file: str) -> bool:
    """One of many that wait at a time; others go on while this one does."""
    result = await client.classify(pathlib.Path(file).read_bytes(), deadline_s=5.0)
    print(f"{file}: {result.name or result.status}")
    return result.status == "answered"


async def main(endpoint: str, files: list[str]) -> int:
    async with collage_client.AsyncClient(endpoint) as client:
        await client.connect()
        answered = await asyncio.gather(*(classify(client, file) for file in files))
    return 0 if all(answered) else 1


if __name__ == "__main__":
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2:])))
    except (OSError, ValueError) as error:
        print(f"push_asyncio.py: {error}", file=sys.stderr)
        sys.exit(2)
