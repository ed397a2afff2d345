"""Plain sheets: names in the first row, below it cells of one kind in each column, of which a reader loses none.

A plain sheet is read once. Whether it is one tells the number of its cells of each kind, which all must have come out
as values of that kind: a word among numbers that a reader takes for nothing, a number among texts or a boolean among
numbers is missing on one side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from segkit.io.read.kinds.excel.cells import Glance, Kinds
from segkit.io.read.kinds.excel.sheet import LARGEST, ROW, not_blank, of_one_kind
from segkit.io.read.kinds.excel.workbook import Book, Sheet
from segkit.io.read.problems import check_names


class Draft(NamedTuple):
    """A sheet with the types of its cells, read as if its first row had the names."""

    names: tuple[str, ...]
    """As they are written; the empty text where a column has none."""
    frame: pl.DataFrame
    """The columns are named by their number, from 0."""

    def is_plain(self, seen: Glance) -> bool:
        """Whether no value is lost or of another kind, as far as a search of the bytes tells."""
        named = [name for name in self.names if name.strip()]
        if seen.has_signs or seen.merged or 2 * len(named) < self.frame.width or _may_repeat(named):
            return False
        values = [(column.dtype, column.count()) for column in self.frame]
        texts, booleans = (sum(count for kind, count in values if kind == of) for of in (pl.String, pl.Boolean))
        numbers = sum(count for _, count in values) - texts - booleans
        if self.frame.is_empty() or seen.kinds != Kinds(texts + len(named), booleans, numbers):
            return False
        return not any(_is_large(column) for column in self.frame if column.dtype.is_float())

    def table(self, book: Book) -> tuple[dict[int, str], pl.DataFrame]:
        """The names of the columns, but for those without a name and a value, and the rows with their number."""
        names = {n: name.strip() for n, name in enumerate(self.names)}
        dropped = [n for n, name in names.items() if not name and not_blank(self.frame.select(str(n))).is_empty()]
        names = {n: name or f"column_{n + 1}" for n, name in names.items() if n not in dropped}
        check_names(book.label, names.values())
        rows = self.frame.with_columns(of_one_kind(book, self.frame[str(n)]) for n in names)
        return names, rows.select(pl.int_range(2, pl.len() + 2).alias(ROW), *map(str, names))


def read_draft(book: Book, sheet: Sheet) -> Draft | None:
    """A sheet as it is read first; None where a column has no type: `Book.load_typed` tells of such."""
    from fastexcel import CalamineCellError, UnsupportedColumnTypeCombinationError

    try:
        loaded = book.load(sheet.name, header_row=0, skip_rows=0, schema_sample_rows=None)
    except (UnsupportedColumnTypeCombinationError, CalamineCellError):
        return None
    columns = loaded.selected_columns
    names = tuple(column.name if column.column_name_from == "looked_up" else "" for column in columns)
    frame = loaded.to_polars()
    return Draft(names, frame.rename({name: str(number) for number, name in enumerate(frame.columns)}))


def _may_repeat(names: Sequence[str]) -> bool:
    """Whether columns may have the same name: the reader calls the second of two `x` `x_1`."""
    ends = (name.rpartition("_") for name in names)
    return len({name.strip() for name in names}) < len(names) or any(a in names and z.isdecimal() for a, _, z in ends)


def _is_large(numbers: pl.Series) -> bool:
    """Whether one of the numbers may have lost digits, or is none."""
    return bool((numbers.is_nan() | (numbers.abs() >= LARGEST)).any())
