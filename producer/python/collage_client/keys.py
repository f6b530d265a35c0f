"""The CURVE keys of a producer, read from the files that collage-keys writes."""

import os
import stat


class Keys:
    """A producer's own pair and the broker's public keys.

    The folder holds producer.secret and broker.public; the latter holds two keys while the broker's
    is being replaced.  Raises ValueError that names the file, or OSError.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        own = dict(_pairs(os.path.join(folder, "producer.secret"), secret=True))
        self.public, self.secret = own["public"].encode(), own["secret"].encode()
        broker = _pairs(os.path.join(folder, "broker.public"), secret=False)
        self.broker = [key.encode() for key, _ in broker]
        if not self.broker:
            raise ValueError("broker.public: holds no key")


def _pairs(path: str, secret: bool) -> list[tuple[str, str]]:
    with open(path) as file:
        if secret and os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ValueError(f"{path}: may be used by others, must have mode 0400 or 0600")
        lines = [line.strip() for line in file]
    pairs = [(key, value) for key, _, value in (
        line.partition(" ") for line in lines
        if line and line != "#" and not line.startswith("# "))]
    keys = [value if secret else key + value for key, value in pairs]
    named = not secret or sorted(key for key, _ in pairs) == ["public", "secret"]
    if not named or any(len(key) != 40 for key in keys):
        raise ValueError(f"{path}: is no file of keys")
    return pairs
