"""The key of a file, and whether its rows are customers or events."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from segkit.errors import DataError
from segkit.io.read import Table
from segkit.operations.auditing.columns import Read
from segkit.operations.auditing.figures import Figures, Sheet
from segkit.operations.orders_file.guess import ID_TYPES, ROLES, guess, simple
from segkit.words import nearest

COMES_AGAIN = 0.9
"""Of events, fewer different keys than this share of the rows have one."""
CUSTOMERS, EVENTS, OTHER = "customers", "events", "lookup"


def maybe_key(table: Table, reads: Sequence[Read], looked_at: pl.DataFrame) -> str | None:
    """The column named like a key, else the first that is named like a number of rows and differs in those seen."""
    if named := named_key(table):
        return named
    able = [read.name for read in reads if read.column.type in ID_TYPES and _numbers_rows(read.name)]
    return next(
        (name for name in able if len(looked_at) and looked_at[name].drop_nulls().n_unique() == len(looked_at)), None
    )


def is_key(table: Table, name: str, figures: Figures) -> bool:
    """Whether a column that is not named like the key of a customer is one: each row has a value of its own."""
    return named_key(table) == name or figures.number("keys") == figures.number("rows")


def kind_of_rows(sheet: Sheet, key: str | None, figures: Figures, *, consents: bool) -> str:
    """Whether the rows are customers or events: of these, keys come again, and there is a time, which is no birth.

    Customers have a birth or consent; where they do, those that come again are doubles.
    """
    births = [read.name for read in sheet.reads if read.of_birth]
    if births or consents or guess(sheet.table, "time") is None:
        return CUSTOMERS
    few = figures.number("keys") < COMES_AGAIN * figures.number("with key")
    return EVENTS if key is None or few else CUSTOMERS


def named_key(table: Table) -> str | None:
    """The column named like the key of a customer; an e-mail address is one where nothing else is."""
    by_name = {simple(name): name for name in reversed([*table.columns])}
    names = (*(name for name in ROLES["key"].names if name != "email"), "email")
    return next((by_name[name] for name in names if name in by_name), None)


def require_column(table: Table, name: str) -> str:
    """The name; `DataError` where `--key` names a column that is not there."""
    if name in table.columns:
        return name
    hint = table.header_below(name) or table.one_column_hint() or nearest(name, table.columns, "columns")
    raise DataError.of(f"`{table.labels[0].path}` has no column `{name}`, which `--key` names", hint=hint)


def _numbers_rows(name: str) -> bool:
    return simple(name).endswith(("id", "key", "number", "no", "nr", "code"))
