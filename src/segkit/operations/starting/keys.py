"""The key: the column that tells customers apart, and the one of the events that says whose they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from segkit.errors import DataError
from segkit.io.read import ColumnType, Table
from segkit.operations.orders_file.guess import ID_TYPES, ROLES, guess, simple
from segkit.words import count, listed, plural

LOOKED_AT = 5_000
"""How many different keys of the events are looked for among the customers."""
NAMES = (*(name for name in ROLES["key"].names if name != "email"), "email")
"""Names of keys in a customer file: an e-mail is one where there is nothing else."""
BY_NAME, BY_VALUE = 0.1, 0.9
"""The share of these that customers have, at least, for columns of one name, and for columns of two."""


class Key(NamedTuple):
    """The columns with the key, and why these were taken."""

    customers: str
    events: tuple[str, ...]
    why: str


def key_of_customers(table: Table) -> Key:
    """The column of a customer file that has a value of its own in each row; `DataError` where there is none."""
    unique = _unique(table)
    by_name = {simple(name): name for name in reversed(unique)}
    if named := next((by_name[name] for name in NAMES if name in by_name), None):
        return Key(named, (), f"named like a key, and {_all_differ(unique[named])}")
    ending = [name for name in unique if simple(name).endswith(("id", "key", "number", "no", "nr", "code"))]
    if found := next(iter((*ending, *unique)), None):
        return Key(found, (), _all_differ(unique[found]))
    raise _no_key(table)


def key_of_both(customers: Table, events: Sequence[Table]) -> Key:
    """The column of the customers whose values are those of a column of each events table.

    Columns of one name come first, if customers have some of their values; then columns that have most values in
    common. `DataError` where there are none.
    """
    unique = _unique(customers)
    if not unique:
        raise _no_key(customers)
    best: tuple[tuple[float, ...], Key] | None = None
    shared = [_shared(customers, list(unique), table) for table in events]
    for position, column in enumerate(unique):
        pairs = [_best_partner(column, of_table[column]) for of_table in shared]
        if any(pair is None for pair in pairs):
            continue
        partners = [pair for pair in pairs if pair is not None]
        named = sum(simple(pair.events) == simple(column) for pair in partners)
        rank = (named, min(pair.share for pair in partners), partners[0].looked_at, -position)
        if best is None or rank > best[0]:
            best = rank, Key(column, tuple(pair.events for pair in partners), _why(column, partners))
    if best is None:
        files = listed(table.labels[0].path for table in (customers, *events))
        hint = f"columns of the customers that could be the key: {listed(unique, ',')}"
        raise DataError.of(f"no column of {files} has the same keys", hint=hint)
    return best[1]


class _Pair(NamedTuple):
    """A column of the events, and how many of the keys looked at are those of a customer."""

    events: str
    found: int
    looked_at: int

    @property
    def share(self) -> float:
        return self.found / self.looked_at if self.looked_at else 0.0


def _shared(customers: Table, unique: Sequence[str], events: Table) -> Mapping[str, list[_Pair]]:
    """Column of the customers -> what each column of the events that may be a key has in common with it."""
    of_ids = (*ID_TYPES, ColumnType.NUMBER)
    candidates = [name for name, column in events.columns.items() if column.type in of_ids]
    known = customers.frame.select(customers.key(name).alias(name) for name in unique).collect()
    pairs: dict[str, list[_Pair]] = {name: [] for name in unique}
    for candidate in candidates:
        keys = events.frame.select(events.key(candidate).alias("key")).drop_nulls().unique(maintain_order=True)
        some = keys.head(LOOKED_AT).collect()["key"]
        for name in unique:
            found = int(some.is_in(known[name].implode()).sum())
            pairs[name].append(_Pair(candidate, found, len(some)))
    return pairs


def _best_partner(column: str, pairs: Sequence[_Pair]) -> _Pair | None:
    named = [pair for pair in pairs if simple(pair.events) == simple(column) and pair.share >= BY_NAME]
    alike = [pair for pair in pairs if pair.share >= BY_VALUE]
    return max(named or alike, key=lambda pair: (pair.share, pair.looked_at), default=None)


def _why(column: str, pairs: Sequence[_Pair]) -> str:
    return "; ".join(_of_table(column, pair) for pair in pairs)


def _of_table(column: str, pair: _Pair) -> str:
    where = "also in the events" if pair.events == column else f"`{pair.events}` in the events"
    return f"{where}: {count(pair.found)} of {plural(pair.looked_at, 'key')} looked at are those of customers"


def _unique(table: Table) -> dict[str, int]:
    """The columns of which no value comes twice, with the number of their values."""
    names = [name for name, column in table.columns.items() if _may_be_key(table, name)]
    if not names:
        return {}
    counts = [pl.struct(table.key(n).count(), table.key(n).drop_nulls().n_unique().alias("d")).alias(n) for n in names]
    row = table.frame.select(*counts, pl.len().alias("\x1frows")).collect().row(0, named=True)
    rows = row.pop("\x1frows")
    pairs = {name: tuple(values.values()) for name, values in row.items()}
    return {name: filled for name, (filled, distinct) in pairs.items() if filled == distinct == rows}


def _may_be_key(table: Table, name: str) -> bool:
    column = table.columns[name]
    return column.type in ID_TYPES or (column.type is ColumnType.NUMBER and guess(table, "key") == name)


def _all_differ(values: int) -> str:
    return f"no two of {plural(values, 'value')} are the same"


def _no_key(table: Table) -> DataError:
    named = guess(table, "key")
    hint = table.one_column_hint() or table.no_header_hint()
    if named and not hint:
        hint = f"`{named}` repeats some: if a row is something that customers did, name the file with `--events`"
    message = f"no column of `{table.labels[0].path}` has a value of its own in each row, so none can be the key"
    return DataError.of(message, hint=hint or "a customer file has one row a customer")
