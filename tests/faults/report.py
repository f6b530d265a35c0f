"""faults.json, and what is shown on a terminal of 80 columns."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

from cells import FAULTS, ROLES, Cell, missed

GAP_MAX_S = 2.0

Record = dict[str, Any]


def load(file: pathlib.Path) -> list[Record]:
    if not file.exists():
        return []
    records: list[Record] = json.loads(file.read_text())
    return records


def save(file: pathlib.Path, records: list[Record]) -> None:
    write(file, "[\n" + ",\n".join(json.dumps(record) for record in records) + "\n]\n")


def write(file: pathlib.Path, text: str) -> None:
    """The file is whole at any time."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.replace(new, file)


def known(records: list[Record], cell: Cell, setting: Record) -> bool:
    """Whether one of the records is of the cell with this setting; what was made of a changed tree
    is of no commit."""
    return not str(setting["commit"]).endswith("+") and any(
        record["fault"] == cell.fault.name and record["role"] == cell.role
        and all(record.get(key) == value for key, value in setting.items())
        for record in records)


HEADER = (f"{'fault':<15}{'role':<11}{'sent':>6}{'lost':>6}{'doubled':>9}{'wrong':>7}"
          f"{'missing':>9}{'gap':>7}{'back':>7}")


def line(record: Record) -> str:
    """A cell on one line.  The mark: something was lost, doubled or wrong; a gap was long."""
    mark = "!" if missed(record) else "*" if record["longest_gap_s"] > GAP_MAX_S else " "
    return ("{fault:<15}{role:<11}{sent:>6}{lost:>6}{duplicated:>9}{wrong:>7}{missing:>9}"
            "{longest_gap_s:>7.2f}{recovered_s:>7.2f}").format(**record) + mark


def table(records: list[Record]) -> str:
    """Markdown, a row for each fault: what was missing, and the longest gap in seconds."""
    shown = {(record["fault"], record["role"]): "{missing} {longest_gap_s:.1f}".format(**record)
             + ("!" if missed(record) else "") for record in records}
    lines = ["| | " + " | ".join(ROLES) + " |", "|---" * (1 + len(ROLES)) + "|"]
    for fault in FAULTS:
        row = [shown.get((fault.name, role), "") for role in ROLES]
        if any(row):
            lines.append(" | ".join([f"| {fault.name}", *row]) + " |")
    return "\n".join(lines)
