"""A table: lazy columns as they came, and expressions for what their values mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from segkit.diagnostics import Quotes, SourceLocation
from segkit.errors import DataError
from segkit.io.read.label import Label
from segkit.io.read.opened import Opened, rowless
from segkit.io.read.problems import problem
from segkit.io.read.text.lines import ragged
from segkit.io.read.values import dates, moments, reading
from segkit.io.read.values.column import Column, ColumnType
from segkit.io.read.values.infer import Given, infer
from segkit.io.read.values.texts import ODD_MARKS, normal_key
from segkit.io.read.values.texts import trimmed as trim
from segkit.io.read.workspace import Workspace

_VALUE = re.compile(r"-?\d+[.,]\d+|\d{8}|\d{4}-\d\d-\d\d.*|\d{1,2}[./]\d{1,2}[./]\d{4}.*")
"""Decimal numbers and days: hardly the names of columns."""


def names_itself(columns: Mapping[str, str], headers: Mapping[str, str]) -> pl.Expr:
    """Whether each of these columns has its own name; `columns` says where the text of each stands."""
    same = (trim(pl.col(place)).str.to_lowercase() == headers[name].lower() for name, place in columns.items())
    return pl.all_horizontal(*same).fill_null(value=False)


class Table(NamedTuple):
    """A source: its columns as they came (text of text formats), and expressions for their values."""

    name: str
    labels: tuple[Label, ...]
    frame: pl.LazyFrame
    """All columns, in file order, under their new names; text formats as text, null where empty."""
    columns: Mapping[str, Column]
    detected: dict[str, str]
    """What was detected because the rule file does not give it: delimiter, encoding, decimal."""
    parts: tuple[Opened, ...]
    given: Given
    whole: bool
    """The types rest on all rows, not on a sample."""
    has_repeats: bool = False
    """The frame says which rows repeat another one."""
    care: bool = False
    """Keys are cleaned row by row, since some are known to need it."""
    settled: frozenset[str] = frozenset()
    """The columns whose types rest on all rows because `settle` looked at them."""

    @property
    def without_rows(self) -> Table:
        """What is known of the table where its files are not."""
        return self._replace(frame=rowless(self.frame), parts=tuple(part.without_rows for part in self.parts))

    def value(
        self, name: str, *, type: ColumnType | None = None, money: bool = False, trusting: bool = False
    ) -> pl.Expr:
        """The value as String, Int64, Float64, Date, Boolean or list; null where missing or unreadable.

        `money` gives Decimal(38, 10); with `trusting`, only where `suspect` does not hold is it exact. Dates that read
        both ways are read day first, until `reads_both_ways` is asked. DataError where the column has a type that holds
        no such values.
        """
        column, kind = self._as(name, type, money)
        return reading.value(column, kind, money=money, trusting=trusting)

    def bad(self, name: str, *, type: ColumnType | None = None, money: bool = False) -> pl.Expr | None:
        """Where something is there that `value` cannot read, as Boolean; None where that cannot happen."""
        column, kind = self._as(name, type, money)
        return reading.bad(column, kind, money=money)

    def suspect(self, name: str, *, type: ColumnType | None = None, money: bool = False) -> pl.Expr | None:
        """Where `value` reads something that may not be a number all the same, as Boolean; None where it cannot."""
        column, kind = self._as(name, type, money)
        return reading.suspect(column, kind, money=money)

    def key(self, name: str) -> pl.Expr:
        """The column as a key: trimmed text, null where empty; 17850.0 of typed sources is `17850`."""
        return reading.key(self.columns[name], care=self.care)

    def with_key(self, frame: pl.LazyFrame, name: str, alias: str, *, or_empty: bool = False) -> pl.LazyFrame:
        """`frame`, which has this table's columns as they came, with the key `name` as column `alias`.

        With `or_empty`, a missing key may also be empty text, which saves a copy of all keys; and keys come as they
        are, unless some are known to be padded: whoever groups by them looks, and asks again.
        """
        column = self.columns[name]
        if or_empty and self.keys_as_came(name):
            return frame.with_columns(pl.col(name).alias(alias))
        text = frame.with_columns(reading.trimmed(column, care=self.care).alias(alias))
        return text.with_columns(reading.known_key(column, pl.col(alias)).alias(alias))

    def is_plain_text(self, name: str, wanted: ColumnType | None) -> bool:
        """Whether the column is text that is read as it stands there, but for texts that stand for a missing value."""
        column = self.columns[name]
        return self.reads_as_text(name, wanted) and not (column.padded or column.given_nulls)

    def reads_as_text(self, name: str, wanted: ColumnType | None) -> bool:
        """Whether the column is text, or the text of a list, that is read as such."""
        column = self.columns[name]
        return column.is_text and (wanted or column.type) in (ColumnType.TEXT, ColumnType.LIST)

    def unsettled(
        self, name: str, *, type: ColumnType | None = None, money: bool = False, moment: bool = False
    ) -> pl.Expr | None:
        """Where a value may show something that the sample did not; None where all is known.

        `moment` says that the time of day is read, too.
        """
        column = self.columns[name]
        kind = type or (ColumnType.NUMBER if money else column.type)
        if moment and kind is ColumnType.DATE:
            return moments.unsettled(column)
        return reading.unsettled(column, kind, money=money)

    @property
    def headers(self) -> Mapping[str, str]:
        """Column -> its name in the header of a text; nothing for other kinds of files."""
        return self.parts[0].headers

    @property
    def place(self) -> SourceLocation:
        """Its first file, for messages about the whole."""
        return SourceLocation(self.labels[0].path, sheet=self.parts[0].sheet)

    def repeats_header(self) -> pl.Expr | None:
        """Whether a row is the header once more, in any case; None for files that have no such line."""
        return names_itself({name: name for name in self.headers}, self.headers) if self.headers else None

    def of_keys(self, name: str, keys: Collection[str], forms: Collection[str] = ()) -> Table:
        """The table with the rows of these keys, in these forms, in its column `name`; there may be some others.

        It is asked of the rows as they came, so that whoever reads the files can leave out the rest. Keys are cleaned.
        """
        column = self.columns[name]
        if forms:
            asked = normal_key(reading.key(column, care=True), forms).is_in(keys)
        elif column.is_text:
            # Cleaning each key takes seven times as long (1.8 s of processor time on 10 M rows).
            asked = pl.col(name).is_in(keys) | pl.col(name).str.contains_any(list(ODD_MARKS))
        else:
            asked = reading.key(column).is_in(keys)
        return self._replace(frame=self.frame.filter(asked), care=True)

    def keys_as_came(self, name: str) -> bool:
        """Whether the column may be taken as a key as it came, by who looks afterwards where it has to be cleaned."""
        column = self.columns[name]
        return column.is_text and not (column.given_nulls or column.padded or self.care)

    def settle(self, names: Iterable[str]) -> Table:
        """The table with the types that all values of these columns settle; a full pass over the files.

        Returns the table itself where nothing changes.
        """
        text = [name for name in dict.fromkeys(names) if self.columns[name].is_text and name not in self.settled]
        if self.whole or not text:
            return self
        found = infer(self.frame, text, self.given, known=self.columns.values())
        # Gaps only tell how to check lines, which has been done.
        columns = {**self.columns, **{name: c._replace(gaps=self.columns[name].gaps) for name, c in found.items()}}
        if all(column.same_as(self.columns[name]) for name, column in columns.items()):
            return self
        return self._replace(columns=MappingProxyType(columns), settled=self.settled.union(text))

    def check_lines(self, ws: Workspace, *, all_read: bool) -> None:
        """Check the lines of large files in the background: `ws.verify()` raises what that finds.

        With `all_read`, every column is read by the run: without quotation marks, nothing is left to check.
        """
        for text in (part.text for part in self.parts if part.text and part.text.large):
            if text.quoted or not all_read:
                ws.check_later((text.source, text.layout()), partial(ragged, text))

    @property
    def large(self) -> bool:
        """Whether lines of its files are still to be checked."""
        return any(part.text and part.text.large for part in self.parts)

    def header_below(self, column: str) -> str | None:
        """What to try where a column is named in a line below the first one: other lines stand above the table."""
        text = self.parts[0].text
        line = text.line_with(column) if text else None
        return self._skipping(line, "names it") if line else None

    def one_column_hint(self) -> str | None:
        """What to try where a delimited text has one column only, which a wrong delimiter brings about."""
        text = self.parts[0].text
        if text is None or len(text.names) > 1:
            return None
        if line := text.line_that_splits():
            return self._skipping(line, "is the first with several fields")
        return f"`{self.labels[0].name}` has one column with the delimiter `{text.delimiter}`; give its `delimiter`"

    def no_header_hint(self) -> str | None:
        """What to try where the first line of a delimited text has values instead of names."""
        text, name = self.parts[0].text, self.labels[0].name
        if text is None:
            return None
        if value := next(filter(_VALUE.fullmatch, text.names), None):
            header = ", ".join(f'"name{position}"' for position in range(1, min(3, len(text.names)) + 1))
            what = f"the first line of `{name}` has values such as `{value}`"
            return f"{what}: name its columns with `header = [{header}, ...]`"
        unnamed = [column for column in text.names if re.fullmatch(r"column_\d+", column)]
        if 2 * len(unnamed) > len(text.names):
            full = (line for line, fields in islice(text.records(), 30) if all(field.strip() for field in fields))
            line = next(full, text.line(1) + 1)
            what = f"the first line of `{name}` names few columns"
            return f"{what}: if they are named in line {line}, give `skip_lines = {line - 1}`"
        return None

    def _skipping(self, line: int, what: str) -> str:
        begins = f"if the table begins there, give `skip_lines = {line - 1}`"
        return f"line {line} of `{self.labels[0].name}` {what}: {begins}"

    def _as(self, name: str, wanted: ColumnType | None, money: bool) -> tuple[Column, ColumnType]:
        """The column and the type to read it as."""
        column = self.columns[name]
        kind = wanted or (ColumnType.NUMBER if money else column.type)
        if wanted is not None and wanted is not column.type:
            column = column._replace(forced=True)
        return column, kind

    def reads_both_ways(self, name: str, wanted: ColumnType | None) -> bool:
        """Whether the column is read as dates, of which none settles whether the day or the month is first."""
        column, kind = self._as(name, wanted, money=False)
        return kind is ColumnType.DATE and column.is_text and column.date.order == "ambiguous"

    def unclear_dates(self, name: str) -> DataError:
        """The error for dates that read both ways, of all of which none settles how."""
        column = self.columns[name]
        first, second = dates.readings(column.date.example)
        mark = next(c for c in column.date.example if c in "-/.")
        error = problem(
            self.labels[0],
            f"`{column.date.example}` in column `{column.name}` is {first} or {second}: no value settles which",
            hint=f'give `date_format = "%d{mark}%m{mark}%Y"` or `date_format = "%m{mark}%d{mark}%Y"`',
        )
        quotes = Quotes(name, (column.date.example,), (str(first), str(second)))
        return DataError(*(replace(one, quotes=quotes) for one in error.diagnostics))
