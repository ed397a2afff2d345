"""Whether every line of a delimited text has as many fields as its header.

Polars pads short lines and, where it reads only some columns, cuts long ones, both without a word. So
the text is checked beside the scan: all bytes but delimiters and line ends are dropped (1.2 GB/s), and
what is left must be one pattern, again and again. Only where it is not are lines counted one by one.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from functools import cache
from itertools import islice

from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError
from segkit.io.files import shown
from segkit.io.text import CHUNK, TextFile

SHOWN = 5
_LONGEST_QUOTED = 1 << 26


def ragged(file: TextFile, stopped: Callable[[], bool] = lambda: False) -> DataError | None:
    """The error for lines with too many or too few fields: the first five, and how many there are."""
    if _is_regular(file, stopped) or stopped():
        return None
    expected = len(file.names)
    try:
        wrong = [(line, len(fields)) for line, fields in file.records() if len(fields) != expected]
    except csv.Error as error:
        return _error(file, f"`{file.path.name}` cannot be split into fields: {error}", None)
    if not wrong:
        return None
    found = [
        _diagnostic(file, f"{count} fields where the header has {expected}", line)
        for line, count in islice(wrong, SHOWN)
    ]
    lines = "1 line has" if len(wrong) == 1 else f"{len(wrong)} lines have"
    hint = "quote the fields that hold the delimiter or a line break"
    return DataError(*found, _diagnostic(file, f"{lines} too many or too few fields", None, hint))


def lone_quote(file: TextFile) -> DataError | None:
    """The error for the first line with a quotation mark inside a field, which Polars cannot split."""
    if file.quote is None:
        return None
    mark, delimiter = re.escape(file.quote), re.escape(file.delimiter)
    inside = re.compile(rf"[^{delimiter}{mark}\r\n]{mark}+(?![{delimiter}{mark}\r\n]|$)|{mark}$")
    opened = None
    with file.source.open(encoding="utf-8-sig", newline="\n") as text:
        for number, line in enumerate(text, 1):
            if line.count(file.quote) % 2 == 0:
                continue
            if inside.search(line.rstrip()):
                return _error(file, "a quotation mark stands inside a field", number)
            opened = opened or number
    return _error(file, "a quotation mark is not closed on its line", opened) if opened else None


def _error(file: TextFile, message: str, line: int | None) -> DataError:
    return DataError(_diagnostic(file, message, line, 'if quotes mean nothing in this file, give `quote = ""`'))


def _diagnostic(file: TextFile, message: str, line: int | None, hint: str | None = None) -> Diagnostic:
    return Diagnostic(message, SourceLocation(shown(file.path), line), hint)


def _is_regular(file: TextFile, stopped: Callable[[], bool]) -> bool:
    """True only if each line has the header's number of fields; blank lines at the end do not count."""
    delimiter = file.delimiter.encode()
    line = delimiter * (len(file.names) - 1) + b"\n"
    dropped = bytes(set(range(256)) - set(delimiter + b"\n"))
    marks = quoted = b""
    with file.source.open("rb", buffering=0) as text:
        while chunk := text.read(CHUNK):
            if stopped():
                return True
            chunk, quoted = _without_quoted(quoted + chunk, file.quote)
            if len(quoted) > _LONGEST_QUOTED:
                return False
            marks += chunk.translate(None, dropped)
            lines = len(marks) // len(line)
            if marks[: lines * len(line)] != line * lines:
                break
            marks = marks[lines * len(line) :]
        ended = not text.read(1)
    if not ended or quoted:
        return False
    while marks.startswith(line):
        marks = marks[len(line) :]
    return marks in (b"", line[:-1]) or (set(marks) == {10} and len(marks) < _blank_lines_at_end(file))


def _blank_lines_at_end(file: TextFile) -> int:
    with file.source.open("rb") as text:
        text.seek(max(0, file.source.stat().st_size - CHUNK))
        end = text.read()
    return end[len(end.rstrip()) :].count(b"\n")


@cache
def _quoted(quote: str) -> re.Pattern[bytes]:
    mark = re.escape(quote.encode())
    return re.compile(mark + b"[^" + mark + b"]*" + mark)


def _without_quoted(text: bytes, quote: str | None) -> tuple[bytes, bytes]:
    """The text without its quoted fields, and the rest of it that starts an unfinished one."""
    if quote is None or quote.encode() not in text:
        return text, b""
    bare = _quoted(quote).sub(b"", text)
    start = bare.find(quote.encode())
    return (bare, b"") if start < 0 else (bare[:start], bare[start:])
