"""Texts in ranges of lines, each of which is read apart, as if it were the whole."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import polars as pl


class Lines(NamedTuple):
    """A text of which any run of records can be read alone."""

    source: Path
    rows: int
    """About how many records there are: blank lines may count as such."""
    read: Callable[[bytes], pl.LazyFrame]
    """Records, without a header -> their columns."""
    has_header: bool = False
    quote: str | None = None
    """What stands around fields that may have line ends in them."""

    def ranges(self, rows: int) -> list[Range]:
        """All records in their order, in ranges of about so many; of one with quotation marks, all is read once."""
        size = self.source.stat().st_size
        with self.source.open("rb") as text:
            begin = _record_end(text, self.quote, 0) if self.has_header else 0
            cuts = list(_cuts(text, self.quote, begin, max(1, size * rows // max(1, self.rows)), size))
        return [Range(self, *bounds) for bounds in zip([begin, *cuts], [*cuts, size], strict=True)]


class Range(NamedTuple):
    """Bytes of a text, from one on and up to another."""

    lines: Lines
    start: int
    stop: int

    def frame(self) -> pl.LazyFrame:
        """Its records."""
        with self.lines.source.open("rb") as text:
            text.seek(self.start)
            records = text.read(self.stop - self.start)
        return self.lines.read(records if self.start else records.removeprefix(BOM_UTF8))


def _cuts(text: BinaryIO, quote: str | None, begin: int, size: int, end: int) -> Iterator[int]:
    """The ends of records that are about so many bytes apart, but for that of the last one."""
    while (begin := _record_end(text, quote, begin, size)) < end:
        yield begin


def _record_end(text: BinaryIO, quote: str | None, begin: int, size: int = 0) -> int:
    """The first end of a record that is at least so many bytes behind where another one begins.

    Of a text with quotation marks around fields: a line end behind an even number of them.
    """
    mark = quote.encode() if quote else None
    text.seek(begin)
    inside = mark is not None and text.read(size).count(mark) % 2 == 1
    text.seek(begin + size)
    while line := text.readline():
        inside ^= mark is not None and line.count(mark) % 2 == 1
        if not inside:
            break
    return text.tell()
