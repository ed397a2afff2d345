"""Whether every line of a delimited text has as many fields as its header.

Polars pads short lines and, where it reads only some columns, cuts long ones, both without a word. So
the text is checked beside the scan: all bytes but delimiters and line ends are dropped (1.2 GB/s), and
what is left must be one pattern, again and again. Only where it is not are lines counted one by one.

Where every column is read anyway, Polars refuses long lines itself, and a last column without a missing value
shows that there are no short ones: then only a text with quotation marks is checked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError
from segkit.io.read.text.delimited import UNPAIRED_HINT, TextFile
from segkit.io.read.text.encoding import CHUNK
from segkit.io.read.text.quotes import marks

SHOWN = 5
MANY = 1_000
"""Lines of another length that are kept to find out what they have in common."""
_COMMENTS = ("#", "//", "%", "--", "!")
_APOSTROPHES = re.compile(r"^'|[^\w]'[^']*[^\w']'|'$")


class _Odd(NamedTuple):
    """A line that has not as many fields as the header."""

    line: int
    fields: list[str]


def ragged(file: TextFile, stopped: Callable[[], bool] = lambda: False) -> DataError | None:
    """The error for lines with too many or too few fields: the first five, how many there are, and the way out."""
    if _is_regular(file, stopped) or stopped():
        return None
    expected = len(file.names)
    odd: list[_Odd] = []
    count, last, widths = 0, 0, Counter[int]()
    try:
        for line, fields in file.records(strict=True):
            last = line
            widths[len(fields)] += 1
            if len(fields) != expected:
                count += 1
                if len(odd) < MANY:
                    odd.append(_Odd(line, fields))
    except DataError as error:
        return error
    if not odd:
        return None
    found = [
        _diagnostic(file, f"{_fields(len(one.fields))} where the header has {expected}", one.line)
        for one in odd[:SHOWN]
    ]
    lines = "1 line has" if count == 1 else f"{count:,} lines have"
    hint = _way_out(file, odd, count, widths, last)
    return DataError(*found, _diagnostic(file, f"{lines} too many or too few fields", None, hint))


def _way_out(file: TextFile, odd: Sequence[_Odd], count: int, widths: Counter[int], last: int) -> str:
    """The key of the source that mends the lines, told from what they have in common."""
    expected, all_kept = len(file.names), len(odd) == count
    usual, how_often = widths.most_common(1)[0]
    if comment := _comment(file, odd):
        return f'if lines that begin with `{comment}` are comments, give `comment = "{comment}"`'
    if all(len(one.fields) > expected and not any(f.strip() for f in one.fields[expected:]) for one in odd):
        return 'the fields beyond are empty: `ragged = "cut"` leaves them out'
    if file.has_header is False and usual != expected and 2 * how_often >= widths.total():
        return f"`header` names {expected} columns, and most lines have {_fields(usual)}: name all of them"
    if any("\n" in field for one in odd for field in one.fields) and file.quote:
        return UNPAIRED_HINT
    if usual > expected and 2 * how_often >= widths.total():
        first = next(one.line for one in odd if len(one.fields) == usual)
        return f"if the names of the columns stand in line {first}, give `skip_lines = {first - 1}`"
    if all_kept and _is_footer(odd, expected, last):
        lines = last - odd[0].line + 1  # with the blank ones between
        return f"if these lines are no rows, give `skip_footer = {lines}`, which counts for each file of the source"
    if any(_APOSTROPHES.search(file.delimiter.join(one.fields)) for one in odd) and file.quote != "'":
        return "if ' stands around fields, give `quote = \"'\"`; else quote the fields that hold the delimiter"
    if any("\\" in field for one in odd for field in one.fields):
        return 'quote the fields that hold the delimiter, or give `escape = "\\\\"` if a backslash stands before it'
    if all(len(one.fields) < expected for one in odd):
        return 'quote the fields that hold a line break, or give `ragged = "pad"` if the last fields are left out'
    return "quote the fields that hold the delimiter or a line break"


def _comment(file: TextFile, odd: Sequence[_Odd]) -> str | None:
    """The mark with which the odd lines begin, or the line that is taken for the header."""
    begins = [file.names[0]] if len(file.names) == 1 else [one.fields[0].lstrip() for one in odd]
    return next((mark for mark in _COMMENTS if all(text.startswith(mark) for text in begins)), None)


def _is_footer(odd: Sequence[_Odd], expected: int, last: int) -> bool:
    """Few lines at the very end, most fields of which are left out or empty."""
    short = all(2 * sum(bool(field.strip()) for field in one.fields) <= expected for one in odd)
    return short and odd[-1].line == last and last - odd[0].line < 20 and len(odd) <= SHOWN and odd[0].line > 2


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


def _diagnostic(file: TextFile, message: str, line: int | None, hint: str | None = None) -> Diagnostic:
    return Diagnostic(message, SourceLocation(str(file.label), line), hint)


def _is_regular(file: TextFile, stopped: Callable[[], bool]) -> bool:
    """True only if each line has the header's number of fields; blank lines at the end do not count."""
    line = file.delimiter.encode() * (len(file.names) - 1) + b"\n"
    rest, broken = b"", False
    quote = file.quote if file.quoted else None
    for outside in marks(file.source, file.delimiter, quote):
        if outside is None or stopped():
            return outside is not None
        if broken:
            return False
        rest += outside
        lines = len(rest) // len(line)
        if rest[: lines * len(line)] == line * lines:
            rest = rest[lines * len(line) :]
        else:
            broken = True  # of what is left: only blank lines at the end are no fault
    while rest.startswith(line):
        rest = rest[len(line) :]
    # What is left are the blank lines at the end, after the line that may lack its own line end.
    last_line, blank_lines = _end(file)
    return rest == line[:-1] * (not last_line) + b"\n" * blank_lines


def _end(file: TextFile) -> tuple[bool, int]:
    """Whether the last line that is not blank has a line end, and how many blank lines have one after it."""
    with file.source.open("rb") as text:
        text.seek(max(0, file.source.stat().st_size - CHUNK))
        end = text.read()
    line_ends = end[len(end.rstrip()) :].count(b"\n")
    return line_ends > 0, max(0, line_ends - 1)
