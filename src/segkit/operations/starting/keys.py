"""The key: the column that tells customers apart, and the one of the events that says whose they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from segkit.errors import DataError
from segkit.io.read import ColumnType, Table
from segkit.operations.orders_file.guess import ID_TYPES, ROLES, guess, simple
from segkit.operations.personal.kinds import words_of
from segkit.words import count, listed, plural

LOOKED_AT = 5_000
"""How many different keys of the events are looked for among the customers."""
NAMES = (*(name for name in ROLES["key"].names if name != "email"), "email")
"""Names of keys in a customer file: an e-mail is one where there is nothing else."""
BY_VALUE = 0.9
"""The share of these that are keys of customers where no name says that a column holds them."""
BY_NAME, OF_CUSTOMERS = 0.1, 0.5
"""Where a name does: this share of them is enough, or that of the customers."""
OF_THINGS = frozenset(
    {
        "product", "item", "sku", "article", "artikel", "produit", "store", "shop", "branch", "employee", "staff",
        "order", "invoice", "line", "quantity", "qty", "menge", "amount", "total", "sum", "price", "cost", "discount",
        "tax", "year", "month", "day", "week", "page", "rating", "score",
    }
)  # fmt: skip
"""Words in names of numbers that are no customers': small whole numbers are among those of keys by chance."""


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

    Columns that have most values in common come first, then those of one name; `DataError` where there are none.
    """
    unique = _unique(customers)
    if not unique:
        raise _no_key(customers)
    known = customers.frame.select(customers.key(name).alias(name) for name in unique).collect()
    partners = [_partners(known, table) for table in events]
    able = [name for name in unique if all(name in of_table for of_table in partners)]
    if not able:
        without = [table for table, of_table in zip(events, partners, strict=True) if not of_table]
        if len(without) < len(events) and without:
            files = listed(table.labels[0].path for table in without)
            message = f"{files}: no column holds keys of `{customers.labels[0].path}`, as the other events have them"
            raise DataError.of(message, hint="leave it out, or join the customer's key to it first")
        files = listed(table.labels[0].path for table in (customers, *events))
        hint = f"columns of the customers that could be the key: {listed(unique, ',')}"
        named = dict.fromkeys(filter(None, (guess(table, "key") for table in events)))
        hint += f"; `{next(iter(named))}` of the events is named like one, and has other values" if named else ""
        raise DataError.of(f"no column of {files} has the same keys", hint=hint)
    able.sort(key=lambda name: NAMES.index(simple(name)) if simple(name) in NAMES else len(NAMES))
    best = max(able, key=lambda name: min(of_table[name].rank for of_table in partners))
    pairs = [of_table[best] for of_table in partners]
    return Key(best, tuple(pair.events for pair in pairs), "; ".join(_why(best, pair) for pair in pairs))


class _Pair(NamedTuple):
    """A column of the events, and how many of its keys that were looked at are those of a customer."""

    events: str
    found: int
    looked_at: int
    customers: int
    named: int
    """1 where it is named like the column of the customers, and 2 more where it has the best name for a key."""
    tells: bool
    """Its values alone tell that they are keys: texts, or numbers that come again, of most customers."""

    @property
    def share(self) -> float:
        return self.found / self.looked_at if self.looked_at else 0.0

    @property
    def fits(self) -> bool:
        """Whether it may hold the keys."""
        some = self.share >= BY_NAME or self.found >= OF_CUSTOMERS * self.customers
        if self.named:
            return bool(self.found) and (self.share >= BY_VALUE or some)
        return self.tells and bool(self.found) and self.share >= BY_VALUE

    @property
    def rank(self) -> tuple[bool, int, float, int]:
        """Of two columns, the one with the higher rank is taken: `customer_id`, not the `id` of an order."""
        return self.share >= BY_VALUE, self.named, self.share, self.looked_at


def _partners(known: pl.DataFrame, events: Table) -> Mapping[str, _Pair]:
    """Column of the customers -> the column of the events that fits it best."""
    of_ids = (*ID_TYPES, ColumnType.NUMBER)
    best_name = guess(events, "key")
    partners: dict[str, _Pair] = {}
    for candidate in (name for name, column in events.columns.items() if column.type in of_ids):
        keys = events.frame.select(events.key(candidate).alias("key")).drop_nulls().unique(maintain_order=True)
        some = keys.head(LOOKED_AT).collect()["key"]
        of_people = not OF_THINGS.intersection(words_of(candidate)) and _repeats(events, candidate)
        for name in known.columns:
            named = 2 * (candidate == best_name) + (simple(candidate) == simple(name))
            found = int(some.is_in(known[name].implode()).sum())
            tells = _is_text(events, candidate) or (of_people and found >= OF_CUSTOMERS * len(known))
            pair = _Pair(candidate, found, len(some), len(known), named, tells)
            if pair.fits and (name not in partners or pair.rank > partners[name].rank):
                partners[name] = pair
    return partners


def _repeats(events: Table, name: str) -> bool:
    """Whether some value comes twice, as it does of customers, and not of the events themselves."""
    key = events.key(name)
    return bool(events.frame.select(key.count() > key.drop_nulls().n_unique()).collect(engine="streaming").item())


def _is_text(table: Table, name: str) -> bool:
    """Whether a column has texts that are no numbers."""
    return table.columns[name].type is ColumnType.TEXT


def _why(column: str, pair: _Pair) -> str:
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
