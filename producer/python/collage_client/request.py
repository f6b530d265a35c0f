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
    failover_after_s: float = 1.0  # of silence, until the next of several brokers is used
    resubmit_after_s: float = 1.0  # without a word of the broker


@dataclasses.dataclass
class Request:
    image: bytes
    submitted: float
    deadline: float
    state: str = "queued"      # queued, asleep or sent
    wake: float = 0.0          # when asleep: until then; when sent: until it is sent again
    ever_sent: bool = False
    broker: int = 0            # to which it was sent last
    sent: float = 0.0          # when
    words: int = 0             # how often a broker said that it has it already
    refusal: str = ""
    cancelled: bool = False
    cancel_sent: bool = False
    stream: Hashable = None
    priority: str = "normal"   # low, normal or high
    latest: int = 0            # the stream in which a newer image supersedes it; 0: none

    @property
    def wakes(self) -> bool:
        """Whether it is queued again at `wake`.  What is cancelled is not sent again."""
        return self.state == "asleep" or (self.state == "sent" and not self.cancelled)
