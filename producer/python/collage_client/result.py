"""What becomes of an image."""

import base64
import dataclasses
import json
import os
from typing import Any


@dataclasses.dataclass
class Result:
    """What became of one image; times in seconds, probabilities 0..1."""

    request: int
    # answered, missing, rejected, refused, cancelled or superseded; or corrected
    status: str
    reason: str = ""           # why there is no answer; may be empty
    source: str = "none"       # single, collage or hedge
    top: list[tuple[str, float]] = dataclasses.field(
        default_factory=list)  # (class name, probability), most probable first
    model: str = ""            # version of the model that answered
    broker_latency_s: float = 0.0  # by the broker's clock; 0 if local
    latency_s: float = 0.0     # from submit until the client had the result
    local: bool = False        # the client decided this by itself: the broker did not
    brownout: bool = False     # the collage answered because the pipeline was overloaded
    labels: list[int] = dataclasses.field(
        default_factory=list)  # the numbers of the classes of top, in the same order

    @property
    def name(self) -> str | None:
        """The most probable class; None without an answer."""
        return self.top[0][0] if self.top else None

    @property
    def label(self) -> int | None:
        """The number of the most probable class; None without an answer."""
        return self.labels[0] if self.labels else None


def name_fields(file: str) -> dict[str, Any]:
    """The name of a file for JSON: bytes that are not UTF-8 as \\xHH, then the exact ones too."""
    raw = os.fsencode(file)
    text = raw.decode("utf-8", "backslashreplace")
    exact = text.encode("utf-8") == raw
    return {"file": text} | ({} if exact else {"file_base64": base64.b64encode(raw).decode()})


def json_line(file: str, result: Result, image_format: str = "") -> str:
    """One result as a line of JSON, with the names that collage-push uses.  image_format is that of
    an image that is not supported, such as "JPEG XL"."""
    line: dict[str, Any] = {"request": result.request} if result.request else {}
    line |= name_fields(file) | {"status": result.status}
    if result.status in ("answered", "corrected"):
        top = [{"class": name, "probability": _rounded(p)} for name, p in result.top]
        if top:
            line |= {"class": result.name, "label": result.label,
                     "probability": top[0]["probability"]}
        line |= {"top": top, "source": result.source,
                 "broker_latency_s": round(result.broker_latency_s, 6), "model": result.model}
        if result.brownout:
            line["brownout"] = True
    line["latency_s"] = round(result.latency_s, 6)
    if result.reason:
        line["reason"] = result.reason
    if image_format:
        line["format"] = image_format
    return json.dumps(line)


def _rounded(probability: float) -> float:
    """With six significant digits: what is improbable is not impossible."""
    return float(f"{probability:.6g}")
