"""Columns where numbers with a type stand beside texts that look like numbers, of which a reader makes texts.

A typed number is what it is: its point is decimal, whatever the texts say, and it says nothing of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from segkit.diagnostics import Diagnostic, Quotes
from segkit.errors import DataError
from segkit.io.read.opened import LINE, Opened
from segkit.io.read.values.column import NO_VALUE, Column, ColumnType
from segkit.io.read.values.of_typed import as_text
from segkit.io.read.values.texts import trimmed
from segkit.rules.model.sources import Events, Source

NUMBER = "\x1fnumber "
"""Before the name of a column: the one that says which of its texts were numbers."""
_TEXT = "\x1ftext"
_MARKED = r"^[^\p{L}\d]*\d[\d.,'’ \u00a0\u202f]*[.,]\d*[^\p{L}\d]*$"
"""A number, perhaps with a currency sign, that has a point or a comma."""
_LIKE = _MARKED + r"|^[^\p{L}\d]*\d+[^\p{L}\d]*$"
_UNDECIDED = r"^[^\d.,]*\d{1,3}[.,]\d{3}[^\d.,]*$"
_LONG = r"^-?\d{16,}$"
_ENOUGH = 0.9
"""The share of values from which a column of texts is taken for numbers."""


def may_be_mixed(values: pl.Series) -> bool:
    """Whether a column of texts may hold numbers of which their text does not tell all."""
    if values.dtype != pl.String:
        return False
    return bool(values.str.strip_chars().str.contains(f"{_MARKED}|{_LONG}").any())


class Unmixed(NamedTuple):
    """The files of a table, and the decimal mark of columns that typed numbers settle."""

    parts: tuple[Opened, ...]
    decimals: Mapping[str, str]


class _Cells(NamedTuple):
    """A column in one file: its values as texts, and which of them are typed numbers."""

    part: Opened
    text: pl.Expr
    is_number: pl.Expr
    has_texts: bool
    has_numbers: bool

    def facts(self) -> dict[str, Any]:
        """How many values there are and look like numbers, and the first text with a mark, in one pass."""
        rows = self.part.frame.select(trimmed(self.text).alias(_TEXT), self.is_number.fill_null(False).alias(NUMBER))
        values = rows.with_row_index(LINE).filter(~pl.col(_TEXT).is_in(["", *NO_VALUE]))
        text, number = pl.col(_TEXT), pl.col(NUMBER)
        marked = ~number & text.str.contains(_MARKED)
        looks = values.select(
            pl.len().alias("values"),
            (number | text.str.contains(_LIKE)).sum().alias("like"),
            number.any().alias("numbers"),
            (number & text.str.contains(".", literal=True)).any().alias("fractions"),
            (marked & ~text.str.contains(_UNDECIDED)).any().alias("settled"),
            text.filter(marked).first().alias("text"),
            pl.col(LINE).filter(marked).first().alias("line"),
        )
        return looks.collect(engine="streaming").row(0, named=True)

    def written(self, name: str, decimal: str) -> Opened:
        """The file with all values as texts, those of numbers with this decimal mark."""
        text = self.text
        if decimal != ".":
            text = pl.when(self.is_number).then(text.str.replace(".", decimal, literal=True)).otherwise(text)
        return self.part._replace(frame=self.part.frame.with_columns(text.alias(name)), lines=None)


def unmixed(parts: tuple[Opened, ...], spec: Source) -> Unmixed:
    """The files with typed numbers written as the texts beside them are read.

    `DataError` where nothing settles how the numbers among the texts are to be read.
    """
    decimals: dict[str, str] = {}
    schemas = [part.frame.collect_schema() for part in parts]
    for name in parts[0].names:
        cells = [_cells(part, name, schema[name]) for part, schema in zip(parts, schemas, strict=True)]
        if any(one.has_texts for one in cells) and any(one.has_numbers for one in cells):
            mark = _decimal(cells, name, spec)
            parts = tuple(
                one._replace(part=part).written(name, mark or ".") for one, part in zip(cells, parts, strict=True)
            )
            decimals |= {name: mark} if mark else {}
    return Unmixed(parts, decimals)


def _cells(part: Opened, name: str, dtype: pl.DataType) -> _Cells:
    flag, is_text = part.mixed.get(name), dtype == pl.String
    return _Cells(
        part=part,
        text=as_text(Column(name, ColumnType.NUMBER, dtype=dtype)) if dtype.is_numeric() else pl.col(name),
        is_number=pl.col(flag) if flag else pl.lit(value=dtype.is_numeric()),
        has_texts=is_text,
        has_numbers=flag is not None or dtype.is_numeric(),
    )


def _decimal(cells: Sequence[_Cells], name: str, spec: Source) -> str | None:
    """The decimal mark of the column, where its numbers have one; `DataError` where texts may have another."""
    wanted = spec.types.get(name) or ("number" if isinstance(spec, Events) and spec.amount == name else None)
    if wanted not in (None, "number"):
        return None
    found = [one.facts() for one in cells]
    fractions = any(facts["fractions"] for facts in found)
    values, like = (sum(facts[what] for facts in found) for what in ("values", "like"))
    if not any(facts["numbers"] for facts in found) or (wanted is None and like < _ENOUGH * values):
        return "." if fractions else None
    given = spec.decimal or {".": ",", ",": "."}.get(spec.thousands or "")
    if given is None and (fractions or not any(facts["settled"] for facts in found)):
        for one, facts in zip(cells, found, strict=True):
            if facts["text"] is not None:
                raise _unsettled(one.part, name, facts, spec)
    return given or ("." if fractions else None)


def _unsettled(part: Opened, name: str, facts: Mapping[str, Any], spec: Source) -> DataError:
    value, line = facts["text"], facts["line"]
    message = f"column `{spec.rename.get(name, name)}` has numbers and texts, and nothing settles how to read a text"
    hint = 'make all of them numbers, or say how texts are written: `decimal = "."` or `decimal = ","`'
    place = part.place(int(part.numbers[line]) if part.numbers is not None else line + 1 if part.has_lines else None)
    return DataError(Diagnostic(f"{message} such as `{value}`", place, hint, quotes=Quotes(name, (value,))))
