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

    @property
    def name(self) -> str | None:
        """The most probable class; None without an answer."""
        return self.top[0][0] if self.top else None


def name_fields(file: str) -> dict[str, Any]:
    """The name of a file for JSON: bytes that are not UTF-8 as \\xHH, then the exact ones too."""
    raw = os.fsencode(file)
    text = raw.decode("utf-8", "backslashreplace")
    exact = text.encode("utf-8") == raw
    return {"file": text} | ({} if exact else {"file_base64": base64.b64encode(raw).decode()})


def json_line(file: str, result: Result) -> str:
    """One result as a line of JSON, with the names that collage-push uses."""
    line: dict[str, Any] = {"request": result.request} if result.request else {}
    line |= name_fields(file) | {"status": result.status}
    if result.status in ("answered", "corrected"):
        name, probability = result.top[0] if result.top else (None, 0.0)
        line |= {"class": name, "probability": round(probability, 6),
                 "top": [{"class": n, "probability": round(p, 6)} for n, p in result.top],
                 "source": result.source, "broker_latency_s": result.broker_latency_s,
                 "model": result.model}
        if result.brownout:
            line["brownout"] = True
    line["latency_s"] = round(result.latency_s, 6)
    if result.reason:
        line["reason"] = result.reason
    return json.dumps(line)
