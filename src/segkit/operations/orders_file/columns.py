"""The columns of a file of orders: given or guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from segkit.columns.features.rfm.cuts import RAW
from segkit.diagnostics import Diagnostic
from segkit.errors import DataError
from segkit.io.read import Table, Workspace, open_table
from segkit.operations.orders_file.guess import date_like, guess, guess_id
from segkit.operations.orders_file.source import source_of
from segkit.words import nearest

TABLE = "data"
"""The name of the event table."""


@dataclass
class Chosen:
    """Which column plays which role, and which of these were guessed."""

    table: Table
    chosen: dict[str, str] = field(default_factory=dict)
    guesses: dict[str, str] = field(default_factory=dict)

    @property
    def rows_are_orders(self) -> bool:
        """Whether each row counts as an order, since no column says which belong together."""
        return "time" in self.chosen and "id" not in self.chosen

    def take(self, role: str, given: str | None) -> str | None:
        """The column given for a role, or else the one that fits it best; the choice is kept."""
        column = given or self._guessed(role)
        if column:
            self.chosen[role] = column
            if given is None:
                self.guesses[role] = column
        return column

    def _guessed(self, role: str) -> str | None:
        taken = list(self.chosen.values())
        return guess_id(self.table, self.chosen["key"], taken) if role == "id" else guess(self.table, role, taken)


def open_data(ws: Workspace, data: Sequence[str], sheet: str | None = None) -> Table:
    """The table of the file, or of a sheet of it; where a column's name promises a date, 19970101 is read as one."""
    spec = source_of(data, sheet)
    table = open_table(ws, TABLE, spec, base=Path(), timezone="UTC")
    likely = date_like(table.columns)
    return open_table(ws, TABLE, spec, base=Path(), timezone="UTC", time_columns=likely) if likely else table


def choose(
    table: Table,
    *,
    key: str | None,
    time: str | None,
    amount: str | None,
    id: str | None,
    of_customers: bool = False,
    needs_amount: bool = True,
    needs_time: bool = True,
) -> Chosen:
    """The columns given for the roles, and guesses for the other roles.

    With `of_customers`, and without `time` and `id`, a file with recency and frequency is read as one with the three
    values of each customer. Raises `DataError` where a column does not exist, or is needed and neither given nor
    guessed.
    """
    columns = Chosen(table)
    unknown = [(option, name) for option, name in (("--key", key), ("--time", time), ("--id", id)) if name]
    unknown = [(option, name) for option, name in unknown if name not in table.columns]
    if unknown:
        raise DataError(*(_unknown(table, option, name) for option, name in unknown))
    missing: list[tuple[str, str]] = []
    if not columns.take("key", key):
        missing.append(("--key", "the customer's key"))
    summary = {role: guess(table, role, list(columns.chosen.values())) for role in RAW.values()}
    if of_customers and time is None and id is None and summary["recency_days"] and summary["frequency"]:
        columns.take("recency_days", None)
        columns.take("frequency", None)
        if not columns.take("monetary", amount):
            missing.append(("--amount", "the money of each customer"))
    else:
        if not columns.take("time", time) and needs_time:
            missing.append(("--time", "the day of each order"))
        if id or "key" in columns.chosen:
            columns.take("id", id)
        if not columns.take("amount", amount) and needs_amount:
            missing.append(("--amount", "the money of each row, a column or SQL such as `Quantity * UnitPrice`"))
    if missing:
        raise DataError(*(_not_found(table, option, what) for option, what in missing))
    return columns


def _unknown(table: Table, option: str, name: str) -> Diagnostic:
    message = f"`{table.labels[0].path}` has no column `{name}`, which `{option}` names"
    return Diagnostic(message, hint=table.header_below(name) or table.one_column_hint() or nearest(name, table.columns))


def _not_found(table: Table, option: str, what: str) -> Diagnostic:
    names = ", ".join(f"`{c.name}` ({c.type})" for c in table.columns.values())
    hint = table.one_column_hint() or table.no_header_hint() or f"name it with `{option}`; the columns are {names}"
    return Diagnostic(f"cannot tell which column of `{table.labels[0].path}` holds {what}", hint=hint)
