"""Test images of Fashion-MNIST as PNG files."""

from __future__ import annotations

import gzip
import pathlib
import struct
import zlib

TEST_IMAGES = pathlib.Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")


def png(pixels: bytes, width: int, height: int) -> bytes:
    """Grey levels, row by row."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + pixels[at:at + width] for at in range(0, width * height, width))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def write(folder: pathlib.Path, count: int) -> list[bytes]:
    """The first `count` images, also as files whose names are in this order."""
    folder.mkdir(parents=True, exist_ok=True)
    images = []
    with gzip.open(TEST_IMAGES) as data:
        _, _, height, width = struct.unpack(">IIII", data.read(16))
        for number in range(count):
            images.append(png(data.read(width * height), width, height))
            (folder / f"{number:05}.png").write_bytes(images[-1])
    return images
