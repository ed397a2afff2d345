"""Whether every line of a delimited text has as many fields as its header.

Polars pads short lines and, where it reads only some columns, cuts long ones, both without a word. So
the text is checked beside the scan: all bytes but delimiters and line ends are dropped (1.2 GB/s), and
what is left must be one pattern, again and again. Only where it is not are lines counted one by one.

Where every column is read anyway, Polars refuses long lines itself, and a last column without a missing value
shows that there are no short ones: then only a text with quotation marks is checked.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import polars as pl

from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError
from segkit.io.read.problems import shown
from segkit.io.read.text.delimited import UNPAIRED, UNPAIRED_HINT, TextFile, scan
from segkit.io.read.text.encoding import CHUNK

SHOWN = 5


def ragged(file: TextFile, stopped: Callable[[], bool] = lambda: False) -> DataError | None:
    """The error for lines with too many or too few fields: the first five, and how many there are."""
    if _is_regular(file, stopped) or stopped():
        return None
    expected = len(file.names)
    try:
        wrong = [(line, len(fields)) for line, fields in file.records(strict=True) if len(fields) != expected]
    except DataError as error:
        return error
    if not wrong:
        return None
    found = [
        _diagnostic(file, f"{_fields(count)} where the header has {expected}", line) for line, count in wrong[:SHOWN]
    ]
    lines = "1 line has" if len(wrong) == 1 else f"{len(wrong)} lines have"
    hint = "quote the fields that hold the delimiter or a line break"
    return DataError(*found, _diagnostic(file, f"{lines} too many or too few fields", None, hint))


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


def unpaired_quotes(file: TextFile) -> DataError | None:
    """The error for quotation marks by which Polars cannot split a file; None where it can."""
    if file.quote is None or _splits(file):
        return None
    try:
        deque(file.records(strict=True), maxlen=0)
    except DataError as error:
        return error
    mark, delimiter = re.escape(file.quote), re.escape(file.delimiter)
    inside = re.compile(rf"[^{delimiter}{mark}]{mark}+(?:[^{mark}]|$)")
    with file.source.open(encoding="utf-8-sig", newline="\n") as text:
        odd = (number for number, line in enumerate(text, 1) if line.count(file.quote) % 2 and inside.search(line))
        line = next(odd, None)
    message = UNPAIRED if line else f"the quotation marks of `{file.path.name}` do not pair up"
    return DataError(_diagnostic(file, message, line, UNPAIRED_HINT))


def _splits(file: TextFile) -> bool:
    try:
        scan([file]).select(pl.all().count()).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        return False
    return True


def _diagnostic(file: TextFile, message: str, line: int | None, hint: str | None = None) -> Diagnostic:
    return Diagnostic(message, SourceLocation(shown(file.path), line), hint)


def _is_regular(file: TextFile, stopped: Callable[[], bool]) -> bool:
    """True only if each line has the header's number of fields; blank lines at the end do not count."""
    line = file.delimiter.encode() * (len(file.names) - 1) + b"\n"
    rest = b""
    with file.source.open("rb", buffering=0) as text:
        for marks in _marks(iter(partial(text.read, CHUNK), b""), file):
            if marks is None or stopped():
                return marks is not None
            rest += marks
            lines = len(rest) // len(line)
            if rest[: lines * len(line)] != line * lines:
                break
            rest = rest[lines * len(line) :]
        if text.read(1):
            return False
    while rest.startswith(line):
        rest = rest[len(line) :]
    # What is left are the blank lines at the end, after the line that may lack its own line end.
    last_line, blank_lines = _end(file)
    return rest == line[:-1] * (not last_line) + b"\n" * blank_lines


def _marks(chunks: Iterable[bytes], file: TextFile) -> Iterator[bytes | None]:
    """The delimiters and line ends of each chunk that are not quoted; None where quotation marks touch other text."""
    delimiter, quote = file.delimiter.encode(), (file.quote or "").encode()
    kept = delimiter + b"\n"
    others = bytes(set(range(256)) - set(kept))
    to_x = bytes(byte if byte in kept + quote else ord("x") for byte in range(256))
    inside, last = False, b""
    for chunk in chunks:
        if not quote or (not inside and quote not in chunk):
            yield chunk.translate(None, others)
            last = chunk[-1:].translate(to_x)
            continue
        outside, ends_inside = _outside(chunk, quote, inside)
        outside = last + outside.translate(to_x, b"\r")
        if quote + b"x" in outside or b"x" + quote in outside:
            yield None
        yield outside[len(last) :].translate(None, others)
        inside, last = ends_inside, outside[-1:]
    if inside:
        yield None


def _outside(chunk: bytes, quote: bytes, inside: bool) -> tuple[bytes, bool]:
    """The text with one quotation mark in place of each quoted part, and whether it ends within one."""
    parts = chunk.split(quote)
    ends_inside = inside == (len(parts) % 2 == 1)
    return quote * inside + quote.join(parts[inside::2]) + quote * ends_inside, ends_inside


def _end(file: TextFile) -> tuple[bool, int]:
    """Whether the last line that is not blank has a line end, and how many blank lines have one after it."""
    with file.source.open("rb") as text:
        text.seek(max(0, file.source.stat().st_size - CHUNK))
        end = text.read()
    line_ends = end[len(end.rstrip()) :].count(b"\n")
    return line_ends > 0, max(0, line_ends - 1)
