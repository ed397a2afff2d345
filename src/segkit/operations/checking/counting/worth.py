"""Profitable: what customers are worth on average, in the column that tells it best."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import NamedTuple

import polars as pl

from segkit.columns.money import as_money
from segkit.operations.summary.aggregates import in_halves
from segkit.operations.summary.aggregates import total as of_halves
from segkit.operations.summary.tally import DIGITS
from segkit.rules.model.computed.value import PROFIT
from segkit.rules.model.file import RuleFile


class Worth(NamedTuple):
    """What these customers are worth together, and how many they are; no value counts as 0."""

    total: Decimal
    customers: int

    @property
    def a_head(self) -> Decimal | None:
        """The mean; None of nobody."""
        with localcontext(prec=DIGITS):
            return self.total / self.customers if self.customers else None


def column_of_worth(rules: RuleFile) -> str | None:
    """The column that tells what a customer is worth: profit, else revenue, else the monetary value of `[rfm]`."""
    if rules.value:
        return "revenue" if rules.value.margin_percent is None else PROFIT
    return "monetary" if "" in rules.rfm else None


def worth_of(rules: RuleFile, customers: pl.DataFrame) -> pl.Series | None:
    """What each customer is worth, exact; None where nothing tells."""
    column = column_of_worth(rules)
    if column is None:
        return None
    return customers.select(as_money(pl.col(column), customers.schema[column])).to_series()


def total(worth: pl.Series) -> Decimal:
    """What they are worth together, be it more than a column of money holds."""
    return of_halves(*worth.to_frame().select(in_halves(pl.col(worth.name))).row(0))
