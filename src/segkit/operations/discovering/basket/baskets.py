"""Rows of events as baskets: each with the different items in it."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import ID, KEY
from segkit.columns.tables.view import View
from segkit.discoveries.basket import By
from segkit.operations.discovering.basket.returns import below_zero

BASKET, ITEM, BACK = "basket", "item", "back"
"""The number of a basket, that of an item (items have theirs in the order of their values), whether it came back."""


class Baskets(NamedTuple):
    """The items of each basket, once each, and those of each customer, sorted by basket.

    `lines` and `of_customers` have `BASKET` and `ITEM` as numbers; with baskets of customers, both are the same.
    `items` has the value of each item. There are `number` baskets, `of_one` of them with one item only, of so many
    `customers`. `rows` were looked at; those `without_item` are in no basket, those `without_id` are one each,
    and so many of those with an item may be `sent_back`.
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
    sent_back: int


def baskets_of(view: View, item: str, by: By, known: pl.Series | None, sign: str | None) -> Baskets:
    """The baskets of the events that count; of the customers `known` alone, where these are not all that have events.

    A row without an id is an event of its own, and so a basket.
    """
    order = [ID] if by == "order" else []
    is_back = pl.lit(value=False) if sign is None else below_zero(sign, view.schema[sign])
    rows = view.kept().select(KEY, *order, pl.col(item).alias(ITEM), is_back.alias(BACK))
    if known is not None:
        rows = rows.join(pl.LazyFrame({KEY: known}), on=KEY, how="semi")
    coded = rows.with_columns(_code(name) for name in (KEY, *order)).collect(engine="streaming")
    items = coded[ITEM].drop_nulls().unique().sort()
    numbers = pl.DataFrame({ITEM: items}).with_row_index("number")
    back = int(coded.filter(pl.col(ITEM).is_not_null())[BACK].sum())
    bought = coded.drop(BACK).join(numbers, on=ITEM).drop(ITEM).rename({"number": ITEM})
    of_customers = _in_baskets(bought, pl.col(KEY))
    alone = bought.filter(pl.col(ID).is_null())[ITEM] if order else bought[ITEM].clear()
    lines = of_customers
    if order:
        told_apart = pl.col(KEY).cast(pl.UInt64) * 2**32 + pl.col(ID)
        lines = _with_alone(_in_baskets(bought.drop_nulls(ID), told_apart), alone)
    sizes = lines.group_by(BASKET).len()["len"]
    return Baskets(
        lines=lines,
        of_customers=of_customers,
        items=items,
        number=len(sizes),
        customers=of_customers[BASKET].n_unique(),
        of_one=int((sizes == 1).sum()),
        rows=len(coded),
        without_item=coded[ITEM].null_count(),
        without_id=len(alone),
        sent_back=back,
    )


def _code(name: str) -> pl.Expr:
    """A number for each text: sorting and grouping numbers takes half the time. They mean nothing outside."""
    return pl.col(name).cast(pl.Categorical(pl.Categories.random())).to_physical().alias(name)


def _in_baskets(bought: pl.DataFrame, basket: pl.Expr) -> pl.DataFrame:
    """The different items of each basket."""
    in_order = bought.select(basket.alias(BASKET), ITEM).sort(BASKET, ITEM)
    is_new = pl.any_horizontal(pl.col(name) != pl.col(name).shift() for name in (BASKET, ITEM))
    return in_order.filter(is_new.fill_null(value=True)).select(pl.col(BASKET).rle_id(), ITEM)


def _with_alone(lines: pl.DataFrame, alone: pl.Series) -> pl.DataFrame:
    """The baskets, and behind them one for each of the items that are `alone`."""
    first = 0 if lines.is_empty() else lines[BASKET][-1] + 1
    return pl.concat([lines, alone.to_frame().with_row_index(BASKET, first)])
