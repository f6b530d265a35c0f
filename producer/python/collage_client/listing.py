"""The files to push, one at a time, by the rules of collage-push (producer/push/listing.h)."""

import dataclasses
import errno
import os
import select
import stat
from collections.abc import Iterator

PATH_MAX = 64 * 1024  # Bytes of one path of a list.
# Files that users mistake for a list: the first bytes, where further ones are, and those.
MAGICS = (
    (b"\xff\xd8\xff", 0, b"", "a JPEG image"), (b"\x89PNG\r\n\x1a\n", 0, b"", "a PNG image"),
    (b"GIF87a", 0, b"", "a GIF image"), (b"GIF89a", 0, b"", "a GIF image"),
    (b"RIFF", 8, b"WEBP", "a WebP image"), (b"BM", 6, bytes(4), "a BMP image"),
    (b"II*\0", 0, b"", "a TIFF image"), (b"MM\0*", 0, b"", "a TIFF image"),
    (b"II+\0", 0, b"", "a TIFF image"),
    (bytes(3), 0, b"", "an image (HEIC, AVIF or JPEG 2000)"), (b"\0\0\1\0", 0, b"", "an ICO image"),
    (b"8BPS\0", 0, b"", "a PSD image"), (b"\x1f\x8b", 0, b"", "gzip data"),
    (b"PK\x03\x04", 0, b"", "a ZIP archive"), (b"%PDF-", 0, b"", "a PDF file"),
    (b"<svg", 0, b"", "an SVG image"), (b"<?xml", 0, b"", "an SVG or XML file"),
    (b"\xff\xfe", 3, b"\0", "text in UTF-16, expected UTF-8"),
    (b"\xfe\xff", 2, b"\0", "text in UTF-16, expected UTF-8"),
)


@dataclasses.dataclass
class Input:
    """What the user names: a path, or a list of paths if it has a descriptor."""

    name: str
    descriptor: int = -1


@dataclasses.dataclass
class Item:
    """A file with its contents, or with the error why it is not sent."""

    file: str
    image: bytes = b""
    error: str = ""
    too_large: bool = False


class _Fault(Exception):
    """Why a list cannot be read any further."""


class PathList:
    """Paths read from a descriptor, without blocking.

    They end with a newline or, if the begin of the list has a NUL (find -print0), only with NUL.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = b""
        self._begun = self._null = self._ended = False

    def paths(self) -> Iterator[bytes | None]:
        """Yields paths, and None while there is no whole path yet."""
        while True:
            end = self._end()
            if not self._begun and (end >= 0 or self._ended or len(self._buffer) > PATH_MAX):
                self._begin()
                continue
            if max(end, len(self._buffer) if end < 0 else 0) > PATH_MAX:
                raise _Fault(f"a path is longer than {PATH_MAX} bytes")
            if end >= 0:
                path, self._buffer = self._buffer[:end], self._buffer[end + 1:]
                yield path
            elif self._ended:
                if self._buffer:
                    yield self._buffer
                return
            elif not self._fill():
                yield None

    def _end(self) -> int:
        null, line = self._buffer.find(b"\0"), self._buffer.find(b"\n")
        if self._null or line < 0:
            return null
        return line if null < 0 else min(null, line)

    def _begin(self) -> None:
        self._begun = True
        for first, at, more, what in MAGICS:
            if self._buffer.startswith(first) and self._buffer[at:].startswith(more):
                raise _Fault(f"it is {what}")
        self._buffer = self._buffer.removeprefix(b"\xef\xbb\xbf")
        self._null = b"\0" in self._buffer

    def _fill(self) -> bool:
        """Reads once; whether there was anything to read."""
        try:
            if not select.select([self._descriptor], [], [], 0)[0]:
                return False
            block = os.read(self._descriptor, 4096)
        except BlockingIOError:
            return False
        except OSError as error:
            closed = error.errno == errno.EBADF
            raise _Fault("it is closed" if closed else os.strerror(error.errno or 0)) from error
        self._buffer += block
        self._ended = not block
        return True


def items(inputs: list[Input], bytes_max: int) -> Iterator[Item | None]:
    """Yields the files that the inputs stand for, and None while a list has none yet.  A file above
    bytes_max is not read."""
    for one in inputs:
        if one.descriptor < 0:
            yield from _given(one.name, bytes_max, set())
        else:
            yield from _listed(one, bytes_max)


def _listed(source: Input, bytes_max: int) -> Iterator[Item | None]:
    # What directories of the list have brought, and the list has not named since, as find does.
    # Whether a path is there now would not do: it may be new, or its directory be unreadable.
    brought: set[str] = set()
    empty = True
    try:
        for raw in PathList(source.descriptor).paths():
            if raw is None:
                yield None
                continue
            if raw.endswith(b"\r") and not os.path.lexists(raw):
                raw = raw[:-1]
            path = os.fsdecode(raw)
            empty = empty and not path
            if not path:
                continue
            if _key(path) in brought:
                brought.remove(_key(path))
                continue
            yield from _given(path, bytes_max, brought)
    except _Fault as error:
        yield Item(source.name, error=f"the list cannot be read: {error}")
        return
    if empty:
        yield Item(source.name, error="there are no paths in this list")


def _key(path: str) -> str:
    """The path without what does not change its meaning.  A ".." stays: a link may be before it."""
    parts = (part for part in path.split("/") if part not in ("", "."))
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def _given(path: str, bytes_max: int, brought: set[str]) -> Iterator[Item]:
    """The items of a path that the user named; adds the paths that a directory brings."""
    if not os.path.isdir(path):
        yield read(path, bytes_max)
        return
    found = False
    for item in _walk(path, bytes_max, brought):
        found = True
        yield item
    if not found:
        yield Item(path, error="there are no files in this folder")


def _walk(folder: str, bytes_max: int, brought: set[str]) -> Iterator[Item]:
    """What is in a directory and below it, in order of name, without hidden files."""
    stack = [folder]
    while stack:
        path = stack.pop()
        if path is not folder:
            brought.add(_key(path))
        if not os.path.isdir(path):
            yield read(path, bytes_max)
        elif path is not folder and os.path.islink(path):
            yield Item(path, error="a link to a folder is not followed")
        else:
            try:
                names = [name for name in os.listdir(path) if not name.startswith(".")]
            except OSError as error:
                yield Item(path, error=error.strerror)
                continue
            names.sort(key=os.fsencode, reverse=True)
            stack += [os.path.join(path, name) for name in names]


def read(path: str, bytes_max: int) -> Item:
    """One regular file; nothing else is opened for long: a pipe may have no writer."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return Item(path, error="not a regular file")
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return Item(path, error="not a regular file")
            if found.st_size > bytes_max:
                return Item(path, too_large=True)
            image = file.read(found.st_size)
    except (OSError, ValueError) as error:  # ValueError: the path has a NUL.
        if isinstance(error, FileNotFoundError) and os.path.islink(path):
            return Item(path, error="a link to a file that does not exist")
        return Item(path, error=getattr(error, "strerror", None) or str(error))
    if len(image) < found.st_size:
        return Item(path, error="another process has cut it short meanwhile")
    return Item(path, image)
