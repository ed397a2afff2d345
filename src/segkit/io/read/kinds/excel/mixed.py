"""Columns where cells with numbers stand beside texts that look like numbers, of which a reader makes texts."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from segkit.diagnostics import Diagnostic, Quotes
from segkit.errors import DataError
from segkit.io.read.kinds.excel.sheet import ROW, place
from segkit.io.read.kinds.excel.workbook import Book, Sheet
from segkit.io.read.values.column import NO_VALUE
from segkit.rules.model.sources import Events, Source

_MARKED = r"^[^\p{L}\d]*\d[\d.,'’ \u00a0\u202f]*[.,]\d*[^\p{L}\d]*$"
"""A number, perhaps with a currency sign, that has a point or a comma."""
_NUMBER = _MARKED + r"|^[^\p{L}\d]*\d+[^\p{L}\d]*$"
_UNDECIDED = r"^[^\d.,]*\d{1,3}[.,]\d{3}[^\d.,]*$"
_LONG = r"^-?\d{16,}$"
_ENOUGH = 0.9
"""The share of values from which a column of texts is taken for numbers."""


def may_be_mixed(values: pl.Series) -> bool:
    """Whether a column of texts may hold numbers of which their text does not tell all."""
    if values.dtype != pl.String:
        return False
    return bool(values.str.strip_chars().str.contains(f"{_MARKED}|{_LONG}").any())


class Mixed(NamedTuple):
    """A column of texts, some of which are the numbers of cells."""

    name: str
    texts: pl.DataFrame
    """The rows of the sheet, and the texts."""
    numbers: pl.Series
    """The rows of the cells with numbers."""

    @property
    def text(self) -> pl.Expr:
        return pl.col(self.texts.columns[1]).str.strip_chars()

    @property
    def is_number(self) -> pl.Expr:
        return pl.col(ROW).is_in(self.numbers.implode())

    def own_name(self, spec: Source) -> str:
        """Its name in the rules."""
        return next((new for new, was in spec.rename.items() if was == self.name), self.name)

    def is_read_as_number(self, spec: Source) -> bool:
        """Whether rules will take it for numbers."""
        own = self.own_name(spec)
        wanted = spec.types.get(own) or ("number" if isinstance(spec, Events) and spec.amount == own else None)
        if wanted is not None or self.numbers.is_empty():
            return wanted == "number" and not self.numbers.is_empty()
        value = self.texts.filter(~self.text.is_in(["", *NO_VALUE]))
        return value.filter(self.text.str.contains(_NUMBER)).height >= _ENOUGH * value.height


def unmixed(book: Book, sheet: Sheet, column: Mixed, spec: Source) -> pl.Series:
    """The texts, with fractions of cells written as the other numbers are read.

    `DataError` where nothing settles how the numbers among the texts are to be read.
    """
    name, texts = column.texts.columns[1], column.texts
    if not column.is_read_as_number(spec):
        return texts[name]
    decimal = spec.decimal or {".": ",", ",": "."}.get(spec.thousands or "")
    marked = texts.filter(~column.is_number, column.text.str.contains(_MARKED))
    fractions = texts.filter(column.is_number, column.text.str.contains(r"\."))
    if marked.height:
        undecided = marked.select(column.text.str.contains(_UNDECIDED).all()).item()
        if decimal is None and (fractions.height or undecided):
            row, value = marked.row(0)
            message = f"column `{column.name}` has numbers and texts, and nothing settles how to read a text such as "
            hint = 'make all of them numbers in Excel, or say how texts are written: `decimal = "."` or `decimal = ","`'
            quotes = Quotes(column.own_name(spec), (value,))
            raise DataError(Diagnostic(f"{message}`{value}`", place(book, sheet, row), hint, quotes=quotes))
    # `1.234` reads both ways, and `1.2340` does not.
    shown = pl.col(name).str.replace(r"^(-?\d+\.\d{3})$", "${1}0")
    shown = shown.str.replace(".", ",", literal=True) if decimal == "," else shown
    return texts.select(pl.when(column.is_number).then(shown).otherwise(pl.col(name)).alias(name)).to_series()
