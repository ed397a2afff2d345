"""`run/history.csv`: a line for each segment on each day with a run."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from segkit.errors import DataError
from segkit.histories import Line
from segkit.operations.delivery.elsewhere import named
from segkit.operations.delivery.runs import RUN_FOLDER, Run

HISTORY_FILE = f"{RUN_FOLDER}/history.csv"
_KINDS = {"customers": int, "entered": int, "left": int, "buyers": int, "revenue": Decimal}
DIGITS = 6


def has_history(run: Run) -> bool:
    """Whether a run carries a history on."""
    return HISTORY_FILE in run.manifest.files


def lines_of(run: Run) -> list[Line]:
    """The lines of a run, in the order of days; none where it has no history. DataError where they are not whole."""
    if not has_history(run):
        return []
    run.require(HISTORY_FILE)
    try:
        return _read((run.folder / HISTORY_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, ArithmeticError) as error:
        raise DataError.of(f"`{named(run.folder / HISTORY_FILE)}` cannot be read as a history of segkit") from error


def _read(text: str) -> list[Line]:
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    if tuple(header) != Line._fields:
        raise ValueError(header)
    return [Line(**{name: _value(name, cell) for name, cell in zip(header, row, strict=True)}) for row in rows]


def _value(name: str, text: str) -> Any:
    if name == "as_of":
        return dt.date.fromisoformat(text).isoformat()
    if name == "segment":
        return text
    return _KINDS.get(name, float)(text) if text else None


def text_of(lines: Iterable[Line]) -> str:
    """The lines as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Line._fields)
    writer.writerows([_shown(value) for value in line] for line in lines)
    return text.getvalue()


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            digits = f"{value:f}"
            return digits.rstrip("0").rstrip(".") if "." in digits else digits
        case float():
            return repr(round(value, DIGITS))
        case _:
            return str(value)
