"""Messages of a producer as bytes, and back; docs/WIRE.md is their grammar."""

import dataclasses
from typing import Any

import msgpack

from collage_client.result import Result

PROTOCOL = 3
HEADER_BYTES_MAX = 73728
PRODUCER_HELLO, WELCOME, REFUSE, SUBMIT, RESULT, CANCEL, CORRECTION = 1, 3, 4, 5, 6, 21, 22
STATUS = ("answered", "missing", "rejected", "refused", "cancelled", "superseded")
PRIORITY = ("low", "normal", "high")
SOURCE = ("none", "single", "collage", "hedge")
REASON = {
    0: "", 1: "empty_image", 2: "not_an_image", 3: "truncated_image", 4: "too_many_pixels",
    5: "unsupported_image", 6: "bad_scores", 16: "image_too_large", 17: "full", 18: "no_credit",
    19: "duplicate_request", 20: "unknown_producer", 21: "draining", 23: "overloaded",
    32: "wrong_protocol", 33: "bad_message", 34: "wrong_model", 35: "wrong_grid",
    36: "too_many_peers", 37: "wrong_role", 38: "unknown_worker",
    48: "no_broker", 49: "no_sink", 50: "no_stage", 51: "no_answer",
}

Frames = list[bytes]


@dataclasses.dataclass
class Welcome:
    epoch: int
    heartbeat_s: float
    credit: int
    image_bytes_max: int
    deadline_max_s: float
    correction_window_s: float


@dataclasses.dataclass
class Refuse:
    reason: str


@dataclasses.dataclass
class Reply:
    result: Result
    retry_after_s: float


@dataclasses.dataclass
class Correction:
    result: Result


class Undecodable(ValueError):
    """Not a message of this protocol."""


class Unexpected(ValueError):
    """A message that is not for a producer."""


def hello(producer: tuple[int, int], corrections: bool) -> Frames:
    return _packed(PRODUCER_HELLO, list(producer), corrections)


def submit(request: int, remaining_ns: int, image: bytes, priority: str, latest: int) -> Frames:
    return [*_packed(SUBMIT, request, remaining_ns, PRIORITY.index(priority), latest), image]


def cancel(request: int) -> Frames:
    return _packed(CANCEL, request)


def _packed(kind: int, *fields: object) -> Frames:
    return [msgpack.packb([PROTOCOL, kind, *fields])]


def decode(frames: Frames) -> Welcome | Refuse | Reply | Correction:
    """Raises Undecodable or Unexpected."""
    try:
        if len(frames) != 1 or len(frames[0]) > HEADER_BYTES_MAX:
            raise Undecodable("frames")
        protocol, kind, *fields = msgpack.unpackb(frames[0])
        if protocol != PROTOCOL:
            return _foreign(kind, fields)
        return _message(kind, fields)
    except Unexpected:
        raise
    except (ValueError, TypeError, KeyError, IndexError, msgpack.UnpackException) as error:
        raise Undecodable(str(error)) from error


def _foreign(kind: int, fields: list[Any]) -> Refuse:
    """A refusal has the same form in every version."""
    if kind != REFUSE:
        raise Undecodable("protocol")
    reason, _ = map(_number, fields)
    return Refuse(REASON.get(reason, "wrong_protocol"))


def _message(kind: int, fields: list[Any]) -> Welcome | Refuse | Reply | Correction:
    if kind == WELCOME:
        epoch, heartbeat, credit, image_bytes_max, deadline_max, window = map(_number, fields)
        return Welcome(epoch, heartbeat / 1e9, credit, image_bytes_max, deadline_max / 1e9,
                       window / 1e9)
    if kind == REFUSE:
        reason, _ = map(_number, fields)
        return Refuse(REASON[reason])
    if kind == RESULT:
        *numbers, top, model, brownout = fields
        request, status, source, reason, latency, retry_after = map(_number, numbers)
        return Reply(Result(request, STATUS[status], REASON[reason], SOURCE[source], _named(top),
                            str(model), latency / 1e9, brownout=_flag(brownout),
                            labels=_labels(top)),
                     retry_after / 1e9)
    if kind == CORRECTION:
        *numbers, top, model = fields
        request, source, latency = map(_number, numbers)
        return Correction(Result(request, "corrected", "", SOURCE[source], _named(top), str(model),
                                 latency / 1e9, labels=_labels(top)))
    raise Unexpected(f"kind {kind}")


def _number(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise Undecodable("not a number")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Undecodable("not a flag")
    return value


def _named(top: list[Any]) -> list[tuple[str, float]]:
    return [(str(name), float(probability)) for name, (_, probability) in top]


def _labels(top: list[Any]) -> list[int]:
    return [_number(label) for _, (label, _) in top]
