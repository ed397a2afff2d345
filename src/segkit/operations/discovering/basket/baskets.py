"""Rows of events as baskets: each with the different items in it."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import COUNT, ID, KEY
from segkit.columns.tables.view import View
from segkit.discoveries.basket import By

BASKET, ITEM = "basket", "item"
"""The number of a basket, and that of an item: items have theirs in the order of their values."""


class Baskets(NamedTuple):
    """The items of each basket, once each, and those of each customer, sorted by basket.

    `lines` and `of_customers` have `BASKET` and `ITEM` as numbers; with baskets of customers, both are the same.
    `items` has the value of each item. There are `number` baskets, `of_one` of them with one item only, of so many
    `customers`. `rows` were looked at; those `without_item` are in no basket, those `without_id` are one each.
    """

    lines: pl.DataFrame
    of_customers: pl.DataFrame
    items: pl.Series
    number: int
    customers: int
    of_one: int
    rows: int
    without_item: int
    without_id: int


def baskets_of(view: View, item: str, by: By, known: pl.Series | None) -> Baskets:
    """The baskets of the events that count; of the customers `known` alone, where these are not all that have events.

    A row without an id is an event of its own, and so a basket.
    """
    order = [ID] if by == "order" else []
    rows = view.kept().select(KEY, *order, pl.col(item).alias(ITEM))
    if known is not None:
        rows = rows.join(pl.LazyFrame({KEY: known}), on=KEY, how="semi")
    # One pass: the rows without an item are a group, too.
    found = rows.group_by(KEY, *order, ITEM).agg(pl.len().alias(COUNT)).collect(engine="streaming")
    items = found[ITEM].drop_nulls().unique().sort()
    numbers = pl.DataFrame({ITEM: items}).with_row_index("number")
    coded = found.join(numbers, on=ITEM).drop(ITEM).rename({"number": ITEM})
    of_customers = _numbered(coded, [KEY])
    alone = coded.filter(pl.col(ID).is_null()) if order else coded.clear()
    lines = _with_alone(_numbered(coded.drop_nulls(ID), [KEY, ID]), alone) if order else of_customers
    sizes = lines.group_by(BASKET).len()["len"]
    return Baskets(
        lines=lines,
        of_customers=of_customers,
        items=items,
        number=len(sizes),
        customers=of_customers[BASKET].n_unique(),
        of_one=int((sizes == 1).sum()),
        rows=int(found[COUNT].sum()),
        without_item=int(found.filter(pl.col(ITEM).is_null())[COUNT].sum()),
        without_id=int(alone[COUNT].sum()),
    )


def _numbered(coded: pl.DataFrame, basket: list[str]) -> pl.DataFrame:
    """The different items of each basket, which is told by these columns."""
    numbers = coded.select(basket).unique().with_row_index(BASKET)
    return coded.join(numbers, on=basket).select(BASKET, ITEM).unique().sort(BASKET, ITEM)


def _with_alone(lines: pl.DataFrame, alone: pl.DataFrame) -> pl.DataFrame:
    """The baskets, and behind them one for each row of those that are `alone`."""
    first = 0 if lines.is_empty() else int(str(lines[BASKET].max())) + 1
    each = alone.select(pl.col(ITEM).repeat_by(COUNT).explode(empty_as_null=False)).with_row_index(BASKET, first)
    return pl.concat([lines, each.select(BASKET, ITEM)])
