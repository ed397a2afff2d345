"""The slow second look at files after a failure: which line, which value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import polars as pl

from segkit.diagnostics import Diagnostic, Quotes
from segkit.errors import DataError
from segkit.io.read.opened import LINE, Opened
from segkit.io.read.table import Table
from segkit.io.read.text.lines import SHOWN
from segkit.io.read.values.column import NUMERIC, Column, ColumnType
from segkit.io.read.values.date_formats import format_hint
from segkit.io.read.values.numbers import SCALE
from segkit.rules.text.toml import toml_key
from segkit.words import listed

LONGEST = 60
"""Characters of a value that are shown."""
Wanted: TypeAlias = Mapping[str, tuple[ColumnType | None, bool]]

_NO_NUMBER = re.compile(r"#DIV/0!|\D*")
"""A value that may stand for nothing: one without a digit, or an error of a spreadsheet."""
_WORDS = {
    ColumnType.INTEGER: "a whole number",
    ColumnType.NUMBER: "a number",
    ColumnType.DATE: "a date",
    ColumnType.BOOLEAN: "true or false",
}


@dataclass
class _Found:
    """The first bad values of a column, and how many there are."""

    count: int = 0
    first: list[Diagnostic] = field(default_factory=list)
    values: list[str] = field(default_factory=list)


def bad_values(table: Table, wanted: Wanted) -> DataError:
    """The error for values that cannot be read: five of each column with file and line, and the count."""
    found = {name: _Found() for name in wanted}
    tests = {}
    for name, (kind, money) in wanted.items():
        test = table.bad(name, type=kind, money=money)
        if test is not None:
            tests[name] = test
    for part in table.parts:
        for rows in part.values(list(tests)):
            for name, test in tests.items():
                _note(found[name], rows.filter(test).select(LINE, name), name, part, _words(table, name, *wanted[name]))
    diagnostics = [note for column in found.values() for note in column.first]
    for name, column in found.items():
        if column.count:
            kind, money = wanted[name]
            kind = ColumnType.NUMBER if money else kind or table.columns[name].type
            words = _words(table, name, *wanted[name])
            diagnostics.append(_total(table, name, column, words, _way_out(table.columns[name], column.values, kind)))
    return DataError(*diagnostics)


def _way_out(column: Column, values: Sequence[str], kind: ColumnType) -> str:
    """The key of the source that would read the values, told from the first of them."""
    name = column.name
    if kind is ColumnType.DATE:
        if all(re.fullmatch(r"\d{5}(\.\d+)?", value) for value in values):
            return f'give `date_format = {{ {toml_key(name)} = "excel" }}` if they are days of a spreadsheet, '
        if all(re.fullmatch(r"\d{10}(\.\d+)?|\d{13}", value) for value in values):
            unit = "epoch_ms" if len(values[0]) == 13 else "epoch"
            return f'give `date_format = {{ {toml_key(name)} = "{unit}" }}` if they count from 1970, '
        if all(_NO_NUMBER.fullmatch(value) for value in values):
            return _as_missing(values)
        read = [value for value in column.examples if value not in values]
        offset = (
            " (`%z` stands for an offset)" if any(re.search(r"[A-Z]{2,}$|[+-]\d\d:?\d\d$", v) for v in values) else ""
        )
        return f"{format_hint(toml_key(name), values, read, column.date.formats)}{offset}, "
    if kind is ColumnType.BOOLEAN:
        return "name their words with `true_values` and `false_values`, "
    if kind in NUMERIC and all(value.rstrip().endswith("%") for value in values):
        return 'give `percent = "keep"` for 12, or `"divide"` for 0.12 where it says 12 %, '
    # In typed columns, such as those of Parquet, `null_values` looks for nothing: `inf` is a number there, no text.
    if kind in NUMERIC and column.is_text and all(_NO_NUMBER.fullmatch(value) for value in values):
        return _as_missing(values)
    return ""


def _as_missing(values: Sequence[str]) -> str:
    shown_values = ", ".join(f'"{value}"' for value in dict.fromkeys(values))
    return f"give `null_values = [{shown_values}]` if that means nothing, "


def _note(found: _Found, bad: pl.DataFrame, name: str, part: Opened, words: str) -> None:
    found.count += bad.height
    for line, value in bad.head(SHOWN - len(found.first)).rows():
        row = "" if part.has_lines else f"row {line} of "
        place = part.place(line if part.has_lines else None)
        found.values.append(str(value).strip())
        message = f"cannot read `{_short(str(value))}` as {words} in {row}column `{name}`"
        found.first.append(Diagnostic(message, place, quotes=Quotes(name, (_short(str(value)),))))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _words(table: Table, name: str, kind: ColumnType | None, money: bool) -> str:
    if money:
        return f"an amount of at most {SCALE} decimals"
    kind = kind or table.columns[name].type
    if kind is ColumnType.DATE and table.columns[name].date.given:
        return f"a date written as {listed(table.columns[name].date.formats, 'or')}"
    return _WORDS.get(kind, str(kind))


def _total(table: Table, name: str, found: _Found, words: str, way_out: str) -> Diagnostic:
    values = "1 value" if found.count == 1 else f"{found.count:,} values"
    message = f"{values} of column `{name}` in `{table.name}` cannot be read as {words}"
    hint = f'mend them, {way_out}or give `bad_values = "missing"` to count them as missing'
    return Diagnostic(message, hint=hint, quotes=Quotes(name, tuple(found.values)))


def explain(parts: Iterable[Opened]) -> DataError | None:
    """The error behind a failed read: ragged lines, encoding, damaged pages; None if none is found."""
    return next((error for part in parts if (error := part.explain())), None)
