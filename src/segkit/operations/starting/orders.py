"""Which rows are one event, and whether each has the money of the whole event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from segkit.io.read import Table
from segkit.operations.orders_file.guess import ID_TYPES, NUMBER_OF_ORDER, guess, guess_id
from segkit.operations.personal.kinds import words_of
from segkit.words import count, plural

FEWEST = 5
"""Events with several lines, and amounts of them, of which none is like another by chance."""
NEARLY = 0.8
"""The share of events with several lines and one amount from which on people are asked."""
OF_PARTS = frozenset(
    {
        "product",
        "item",
        "sku",
        "article",
        "artikel",
        "produit",
        "line",
        "shipment",
        "parcel",
        "tracking",
        "coupon",
        "voucher",
    }
)
"""Words in names of columns that number parts of an order, or what goes with it."""


class Id(NamedTuple):
    """The column that groups rows, or those that may, and why."""

    name: str | None
    maybe: tuple[str, ...]
    why: str


class Whole(NamedTuple):
    """Whether each line has the amount of the whole event, and why; `sure` or else left to people.

    `several`: enough events have several lines to tell.
    """

    sure: bool
    several: bool
    why: str


def id_of(table: Table, key: str, time: str) -> Id:
    """The column with the number of the order, by its name or by its values."""
    named = guess_id(table, key, [key, time])
    if named and (why := _groups(table, named)):
        return Id(named, (), why)
    groups = _by_value(table, key, time, [key, time, *filter(None, [guess(table, "amount", [key, time])])])
    if len(groups) == 1:
        return Id(groups[0], (), f"{_groups(table, groups[0])}, each of one customer and day")
    if groups:
        return Id(None, tuple(groups), "if rows with one of these are one event")
    rows, days = _counts(table, table.key(key), pl.col(time))
    told = f"each row is an event: {plural(rows - days, 'row')} beyond the first of a customer on a day"
    return Id(None, (), told if days < rows else "")


def whole_of(table: Table, event: Sequence[str], amount: str) -> Whole | None:
    """Whether all lines of an event have one amount; None where amounts of lines differ.

    `event` are the columns that tell events apart: the number of the order, or customer and day.
    """
    names = [f"{n}" for n in range(len(event))]
    columns = [table.key(column).alias(name) for name, column in zip(names, event, strict=True)]
    rows = table.frame.select(*columns, pl.col(amount).alias("amount")).drop_nulls()
    events = rows.group_by(names).agg(
        pl.len().alias("lines"), pl.col("amount").n_unique().alias("amounts"), pl.col("amount").first()
    )
    several = events.filter(pl.col("lines") > 1)
    found = several.select(pl.len(), (pl.col("amounts") == 1).sum().alias("same"), pl.col("amount").n_unique())
    several_lines, same, different = found.collect(engine="streaming").row(0)
    if not several_lines or same < NEARLY * several_lines:
        return None
    if same == several_lines and min(several_lines, different) >= FEWEST:
        return Whole(True, True, f"all lines of each of {count(several_lines)} events with several have one amount")
    told = f"{count(same)} of {plural(several_lines, 'event')} with several lines have one amount"
    return Whole(
        False,
        several_lines >= FEWEST,
        f"{told}: is it that of the whole event, to be counted once, and not once a line?",
    )


def _groups(table: Table, id_: str) -> str | None:
    """Why rows with one id are one event; None where each row has its own."""
    rows, ids = _counts(table, table.key(id_))
    return f"{plural(rows, 'row')} have {count(ids)} different ones" if 0 < ids < rows else None


def _counts(table: Table, *columns: pl.Expr) -> tuple[int, int]:
    """The rows that have a value in all of these, and how many differ."""
    names = [f"{n}" for n in range(len(columns))]
    rows = table.frame.select(c.alias(n) for c, n in zip(columns, names, strict=True)).drop_nulls()
    found = rows.select(pl.len(), pl.struct(names).n_unique().alias("distinct")).collect(engine="streaming")
    rows_found, distinct = found.row(0)
    return rows_found, distinct


def _by_value(table: Table, key: str, time: str, taken: Sequence[str]) -> Sequence[str]:
    """Columns that each row has, of words with a digit: all rows with one are of one customer and day.

    Customers have several, and some several rows, so that no customer's own number is taken.
    """
    names = [
        c.name
        for c in table.columns.values()
        if c.type in ID_TYPES and c.name not in taken and OF_PARTS.isdisjoint(words_of(c.name))
    ]
    if not names:
        return []
    who, when = table.key(key).alias("\x1fkey"), pl.col(time).alias("\x1ftime")
    rows = table.frame.select(who, when, *(table.key(name).alias(name) for name in names))
    rows = rows.filter(pl.col("\x1fkey").is_not_null())
    together = [pl.struct(name, "\x1fkey", "\x1ftime").n_unique().alias(name) for name in names]
    shaped = [(pl.col(name).str.contains(NUMBER_OF_ORDER).all() & pl.col(name).is_not_null().all()) for name in names]
    days = pl.struct("\x1fkey", "\x1ftime").n_unique().alias("\x1fdays")
    distinct, of_one, like_ids, counts = pl.collect_all(
        [
            rows.select(pl.col(*names).n_unique()),
            rows.select(together),
            rows.select(shaped),
            rows.select(pl.len().alias("rows"), pl.col("\x1fkey").n_unique().alias("keys"), days),
        ],
        engine="streaming",
    )
    number, keys, of_days = counts.row(0)
    return [
        name
        for name in names
        if like_ids.item(0, name)
        and distinct.item(0, name) == of_one.item(0, name)
        and max(keys + 1, of_days) <= distinct.item(0, name) <= number - FEWEST
    ]
