"""Rows of what was sent back: they name an item, as if it had been bought."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import polars as pl

from segkit.criteria.kinds import kind_of
from segkit.criteria.sql.parse import sql_columns
from segkit.diagnostics import Diagnostic, Severity
from segkit.operations.orders_file.columns import TABLE
from segkit.operations.orders_file.guess import QUANTITIES, simple
from segkit.words import plural

BELOW = r"^\s*[-\u2212(]\s*[0-9.,]|^\s*[0-9.,]+\s*-\s*$"
"""A number below 0 as people and accountants write it: -1, (1), 1-."""


def quantity_among(names: Iterable[str], taken: Collection[str], where: str | None) -> str | None:
    """The column with how many pieces a row is about, unless `where` asks about it: then somebody has decided."""
    named = (name for name in names if simple(name) in QUANTITIES and name not in taken)
    found = next(named, None)
    return None if found is None or (where is not None and found in sql_columns(where)) else found


def below_zero(column: str, dtype: pl.DataType) -> pl.Expr:
    """Whether the quantity, or the money, of a row is below 0."""
    value = pl.col(column)
    below = value < 0 if kind_of(dtype) == "number" else value.cast(pl.String).str.contains(BELOW)
    return below.fill_null(value=False)


def sent_back(rows: int, column: str, table: str) -> Iterator[Diagnostic]:
    """A warning where rows may say what was sent back."""
    if not rows:
        return
    count = "counts" if rows == 1 else "count"
    message = f"{plural(rows, 'row')} with `{column}` below 0 {count} as bought, and may be what was sent back"
    hint = f"`--where '\"{column}\" > 0'` leaves them out"
    if table != TABLE:
        hint = f"`where = {{ {column}.above = 0 }}` in `[events.{table}]` leaves them out"
    yield Diagnostic(message, hint=hint, severity=Severity.WARNING)
