"""Errors of the data as `check` tells them: of keys and personal columns, how a value looks instead of the value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from segkit.diagnostics import Diagnostic, Quotes
from segkit.errors import DataError
from segkit.io.read import Table, Workspace
from segkit.operations.column_facts.personal_columns import keys_of_customers
from segkit.operations.evaluation.open_sources import open_tables
from segkit.operations.lists.protection import protection
from segkit.operations.personal.contents import looks_of
from segkit.operations.personal.kinds import kind_of, kind_seen
from segkit.operations.personal.shapes import shape_of
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded


def without_values(loaded: Loaded, errors: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """The errors, of which none quotes a value of a column that is personal by name, use or content."""
    columns = {one.quotes.column for one in errors if one.quotes}
    personal = {column for column in columns if _is_so_by_rules(loaded.rules, column)}
    personal |= _by_content(loaded, columns - personal) if columns - personal else set()
    for error in errors:
        quotes = error.quotes
        if quotes and (quotes.column in personal or _look_personal(quotes.values)):
            yield replace(
                error,
                message=_masked(error.message, quotes),
                hint=error.hint and _masked(error.hint, quotes),
            )
        else:
            yield error


def _is_so_by_rules(rules: RuleFile, column: str) -> bool:
    keys = {name for _, name in keys_of_customers(rules)} | {rules.customers.key}
    names = [column, *column.split(", ")]  # a lookup may have several
    return any(name in keys or kind_of(name) or protection(rules.output, name) for name in names)


def _by_content(loaded: Loaded, columns: Iterable[str]) -> set[str]:
    """Which of these columns of the files are personal by all of their values, as they came."""
    with Workspace() as ws:
        try:
            tables = open_tables(loaded, ws)
        except DataError:
            return set(columns)  # nobody can tell
        return {column for column in columns if any(_looks_so(table, column) for table in tables.values())}


def _looks_so(table: Table, column: str) -> bool:
    if column not in table.columns or table.columns[column].dtype != pl.String:
        return False
    value = pl.col(column)
    try:
        known, looks = table.frame.select(value.count(), looks_of(value).alias("looks")).collect().row(0)
    except pl.exceptions.PolarsError:
        return True
    return kind_seen(known, looks) is not None


def _look_personal(values: Sequence[str]) -> bool:
    shown = pl.DataFrame({"value": values}, schema={"value": pl.String})
    looks: Mapping[str, int] = shown.select(looks_of(pl.col("value"), alone=True)).item()
    return any(looks.values())


def _masked(text: str, quotes: Quotes) -> str:
    for value in sorted({*quotes.values}, key=len, reverse=True):
        text = text.replace(f"`{value}`", f"a value ({shape_of(value)})").replace(f'"{value}"', '"..."')
    for value in quotes.read_as:
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "...", text)
    return text
