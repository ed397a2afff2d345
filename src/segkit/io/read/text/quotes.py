"""Quotation marks: those around fields, and those inside that are text, such as inches.

Polars takes each mark for one around a field, and loses the rows up to the next one. So where a mark stands inside a
field that does not begin with one, the text is read without marks, or, where other fields need them, from a copy in
which such fields are quoted.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

CHUNK = 1 << 18


class Suspect(NamedTuple):
    """A line that begins inside a quoted field, and has as many fields as a record; without the mark that closes it."""

    line: bytes
    within: int
    """How many of its fields stand wholly within the quotation marks: the others are the record's own."""


class Quotes(NamedTuple):
    """What one pass over a text with quotation marks tells."""

    loose: bool
    """A mark touches other text: it stands inside a field, or what follows a quoted field is no delimiter."""
    line_ends: int = 0
    """Line ends outside of quoted fields."""
    suspect: Suspect | None = None
    """The first that is a row."""


def look_at_quotes(source: Path, delimiter: str, quote: str, fields: int, is_row: Callable[[Suspect], bool]) -> Quotes:
    """How the marks of a text stand; the pass ends at the first that is loose. `is_row` judges each suspect."""
    delimiters, line_ends, suspect = delimiter.encode(), 0, None
    inner = _Inner(delimiters, fields, is_row)
    for outside in marks(source, delimiter, quote, inner):
        if outside is None:
            return Quotes(loose=True)
        line_ends += outside.count(b"\n")
        suspect = suspect or inner.suspect
    return Quotes(loose=False, line_ends=line_ends, suspect=suspect)


class _Inner:
    """Finds, in what stands within quotes, the first line that is a record."""

    def __init__(self, delimiter: bytes, fields: int, is_row: Callable[[Suspect], bool]) -> None:
        self.delimiter, self.fields, self.is_row = delimiter, fields, is_row
        self.suspect: Suspect | None = None

    def see(self, part: bytes, after: bytes) -> None:
        """Look at the text of a quoted field, and at the rest of its last line: at each line that begins within."""
        if b"\n" not in part or self.suspect is not None:
            return
        _, *whole, last = part.split(b"\n")
        lines = [Suspect(line.rstrip(b"\r"), self.fields) for line in whole]
        lines.append(Suspect((last + after).rstrip(b"\r"), last.count(self.delimiter)))
        # One that is none, as in an address, must not hide one that is.
        alike = (one for one in lines if one.line.count(self.delimiter) == self.fields - 1)
        self.suspect = next(filter(self.is_row, alike), None)


def marks(source: Path, delimiter: str, quote: str | None, inner: _Inner | None = None) -> Iterator[bytes | None]:
    """The delimiters and line ends of each chunk that are not quoted; None where quotation marks touch other text."""
    separator, mark = delimiter.encode(), (quote or "").encode()
    kept = separator + b"\n"
    others = bytes(set(range(256)) - set(kept))
    to_x = bytes(byte if byte in kept + mark else ord("x") for byte in range(256))
    inside, last, open_part = False, b"", b""
    with source.open("rb", buffering=0) as text:
        for number, raw in enumerate(iter(partial(text.read, CHUNK), b"")):
            chunk = raw.removeprefix(b"\xef\xbb\xbf") if not number else raw
            if not mark or (not inside and mark not in chunk):
                yield chunk.translate(None, others)
                last = chunk[-1:].translate(to_x)
                continue
            parts = chunk.split(mark)
            if inner is not None and (inside or len(parts) > 2):
                open_part = _look_inside(inner, parts, open_part, inside=inside)
            outside, ends_inside = _outside(parts, mark, inside)
            outside = last + outside.translate(to_x, b"\r")
            if mark + b"x" in outside or b"x" + mark in outside:
                yield None
                return
            yield outside[len(last) :].translate(None, others)
            inside, last = ends_inside, outside[-1:]
    if inside:
        yield None


def _look_inside(inner: _Inner, parts: list[bytes], open_part: bytes, *, inside: bool) -> bytes:
    """Show `inner` the quoted parts of a chunk; returns the one that goes on in the next chunk."""
    quoted = parts[not inside :: 2]
    ends_inside = inside == (len(parts) % 2 == 1)
    for position, part in enumerate(quoted):
        whole = open_part + part if inside and not position else part
        if ends_inside and position == len(quoted) - 1:
            return whole
        after = parts[2 * position + (not inside) + 1]
        inner.see(whole, after.partition(b"\n")[0] if b"\n" in after else b"")
    return b""


def _outside(parts: list[bytes], mark: bytes, inside: bool) -> tuple[bytes, bool]:
    """The text with one quotation mark in place of each quoted part, and whether it ends within one."""
    ends_inside = inside == (len(parts) % 2 == 1)
    return mark * inside + mark.join(parts[inside::2]) + mark * ends_inside, ends_inside


def some_field_begins(source: Path, delimiter: str, quote: str) -> tuple[bool, bool]:
    """Whether some field begins with a mark; and whether some does after spaces."""
    separator, mark = re.escape(delimiter.encode()), re.escape(quote.encode())
    first = re.compile(rb"(?:^|[\n" + separator + rb"])" + mark)
    spaced = re.compile(rb"(?:^|[\n" + separator + rb"]) +" + mark)
    begins = after_spaces = False
    with source.open("rb") as text:
        for line in text:
            if quote.encode() in line:
                begins = begins or first.search(line) is not None
                after_spaces = after_spaces or spaced.search(line) is not None
    return begins, after_spaces


class Dialect(NamedTuple):
    """How the standard library's reader splits the fields of a text."""

    delimiter: str
    quote: str | None
    escape: str | None = None
    spaces: bool = False
    """Spaces before a field, and so before its quotation mark, are none of it."""

    def reader(self, lines: Iterable[str], *, strict: bool = False) -> Any:
        """The fields of each record; the reader's `line_num` counts lines, which Polars does not."""
        if self.quote is None:
            return csv.reader(
                lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, escapechar=self.escape,
                skipinitialspace=self.spaces,
            )  # fmt: skip
        return csv.reader(
            lines, delimiter=self.delimiter, quotechar=self.quote, escapechar=self.escape, strict=strict,
            skipinitialspace=self.spaces,
        )  # fmt: skip


def rewritten(records: Iterable[list[str]], copy: Path, delimiter: str) -> None:
    """Write the records so that every mark that Polars sees is one around a field; as many lines as they had."""
    with copy.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(records)
