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
OWN = 0.95
"""The share of rows with a value of their own from which on numbers are those of the rows, and no customers'."""
WEAK = frozenset({"id"})
"""Names of keys that events have for themselves, too."""
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
    best = max(able, key=lambda name: min(of_table[name][0].rank for of_table in partners))
    told = []
    for table, of_table in zip(events, partners, strict=True):
        _refuse_rivals(customers, best, table, of_table[best])
        told.append(_why(best, of_table))
    return Key(best, tuple(of_table[best][0].events for of_table in partners), "; ".join(told))


class _Pair(NamedTuple):
    """A column of the events, and how many of its keys that were looked at are those of a customer."""

    events: str
    found: int
    looked_at: int
    customers: int
    named: int
    """1 where it is named like the column of the customers, and 2 more where it has the best name for a key."""
    sure: bool
    """Such a name is not one that the events have for themselves, as `id` is."""
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
    def rivals(self) -> bool:
        """Whether its values look so much like keys that it may be the one, whatever fits better."""
        return self.tells and self.share >= OF_CUSTOMERS

    @property
    def rank(self) -> tuple[bool, int, float, int]:
        """Of two columns, the one with the higher rank is taken: `customer_id`, not the `id` of an order."""
        enough = self.share >= (OF_CUSTOMERS if self.sure else BY_VALUE)
        return enough, self.named, self.share, self.looked_at


def _partners(known: pl.DataFrame, events: Table) -> Mapping[str, list[_Pair]]:
    """Column of the customers -> the columns of the events, that which fits it best first, and its rivals."""
    of_ids = (*ID_TYPES, ColumnType.NUMBER)
    best_name = guess(events, "key")
    pairs: dict[str, list[_Pair]] = {name: [] for name in known.columns}
    for candidate in (name for name, column in events.columns.items() if column.type in of_ids):
        text, specific = _is_text(events, candidate), candidate == best_name and simple(candidate) not in WEAK
        again = text or repeats(events, candidate)
        of_rows = simple(candidate) in WEAK and best_name != candidate
        if of_rows or not (again or specific):
            continue
        keys = events.frame.select(events.key(candidate).alias("key")).drop_nulls().unique(maintain_order=True)
        some = keys.head(LOOKED_AT).collect()["key"]
        of_people = again and not OF_THINGS.intersection(words_of(candidate))
        for name in known.columns:
            alike = simple(candidate) == simple(name)
            found = int(some.is_in(known[name].implode()).sum())
            pair = _Pair(
                events=candidate,
                found=found,
                looked_at=len(some),
                customers=len(known),
                named=2 * (candidate == best_name) + alike,
                sure=specific or (alike and simple(name) not in WEAK),
                tells=text or (of_people and found >= OF_CUSTOMERS * len(known)),
            )
            pairs[name] += [pair] if pair.fits or pair.rivals else []
    ranked = {
        name: sorted(found, key=lambda pair: (pair.fits, pair.rank), reverse=True) for name, found in pairs.items()
    }
    return {name: found for name, found in ranked.items() if found and found[0].fits}


def _refuse_rivals(customers: Table, key: str, events: Table, pairs: Sequence[_Pair]) -> None:
    """`DataError` where several columns have the keys, and no name tells which says whose the events are."""
    best, *others = pairs
    rivals = [pair.events for pair in others if pair.rivals]
    if best.sure or not rivals:
        return
    names = listed(dict.fromkeys([best.events, *rivals]))
    raise DataError.of(
        f"{names} of `{events.labels[0].path}` have keys of `{customers.labels[0].path}`: which says whose a row is?",
        hint=f"name that one `{key if simple(key) not in WEAK else 'customer_id'}` in the file",
    )


def repeats(events: Table, name: str) -> bool:
    """Whether values come again, as they do of customers, and not of the events themselves."""
    rows, values = (
        events.frame.select(
            events.key(name).count().alias("rows"), events.key(name).drop_nulls().n_unique().alias("values")
        )
        .collect()
        .row(0)
    )
    return bool(values < OWN * rows)


def _is_text(table: Table, name: str) -> bool:
    """Whether a column has texts that are no numbers."""
    return table.columns[name].type is ColumnType.TEXT


def _why(column: str, partners: Mapping[str, Sequence[_Pair]]) -> str:
    pair = partners[column][0]
    others = dict.fromkeys(one.events for found in partners.values() for one in found if one.events != pair.events)
    where = "also in the events" if pair.events == column else f"`{pair.events}` in the events"
    also = f"; {listed(others)} {'has' if len(others) == 1 else 'have'} keys, too" if others else ""
    return f"{where}: {count(pair.found)} of {plural(pair.looked_at, 'key')} looked at are those of customers{also}"


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
