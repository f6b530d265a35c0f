"""A submitted image, and how a client treats all of them."""

import dataclasses
from collections.abc import Hashable


@dataclasses.dataclass
class Options:
    """What both clients take."""

    deadline_s: float = 10.0   # of an image that names none
    grace_s: float = 0.5       # lets the broker give the result first
    open_max: int = 1024       # open requests and results that were not taken
    corrections: bool = False


@dataclasses.dataclass
class Request:
    image: bytes
    submitted: float
    deadline: float
    state: str = "queued"      # queued, asleep or sent
    wake: float = 0.0          # when asleep: until then
    ever_sent: bool = False
    refusal: str = ""
    cancelled: bool = False
    cancel_sent: bool = False
    stream: Hashable = None
    priority: str = "normal"   # low, normal or high
    latest: int = 0            # the stream in which a newer image supersedes it; 0: none
