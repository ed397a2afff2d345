"""Cohorts: customers by the period of their first event, and in which later periods they have one.

A customer's first day and the periods in which he is active are features of his own, so the counts of some customers
and of the others add up to those of all.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from segkit.columns.features.cohorts.periods import By, numbers_of
from segkit.columns.features.measures import event_amounts
from segkit.columns.helpers import AMOUNT, COHORT, COUNT, KEY, PERIOD, TIME
from segkit.columns.tables.view import View
from segkit.io.read.values.numbers import MONEY
from segkit.rules.model.computed.traits import Trait
from segkit.rules.model.file import Output, RuleFile
from segkit.rules.model.sources import Events

FIRST_AGE, EVENT_COUNT = "cohorts: days since the first event", "cohorts: events"
"""The columns of `with_first_events`: names that no key of a rule file can have."""


def with_first_events(rules: RuleFile, table: str) -> RuleFile:
    """The rules with how many days ago the first event of each customer was, and the number of his events.

    These two are all that goes out.
    """
    traits = {FIRST_AGE: Trait(events=table, measure="days_since_first"), EVENT_COUNT: Trait(events=table)}
    return rules.model_copy(update={"trait": {**rules.trait, **traits}, "output": Output(columns=tuple(traits))})


def cohort_of(by: By, as_of: dt.date) -> pl.Expr:
    """The number of the period of a customer's first event, as `COHORT`; missing without one."""
    first_day = pl.lit(as_of) - pl.duration(days=pl.col(FIRST_AGE))
    return numbers_of(first_day.cast(pl.Date), by).alias(COHORT)


def cohort_counts(view: View, customers: pl.DataFrame, by: By) -> pl.DataFrame:
    """By `COHORT` and `PERIOD`, how many customers have an event (`COUNT`), and the money of their events (`AMOUNT`).

    `customers` has their `KEY` and `COHORT`; without an amount in the table, there is no money.
    """
    of_customers = _activity(view, by).join(customers.lazy(), on=KEY)
    money = [pl.col(AMOUNT).sum()] if _has_amount(view) else []
    return of_customers.group_by(COHORT, PERIOD).agg(pl.len().alias(COUNT), *money).collect(engine="streaming")


def _activity(view: View, by: By) -> pl.LazyFrame:
    """A row for each key and each `PERIOD` in which it has an event, with the exact money of these."""
    rows, period = view.kept(), numbers_of(pl.col(TIME), by).alias(PERIOD)
    if not _has_amount(view):
        return rows.select(KEY, period).unique()
    amounts = rows.select(KEY, TIME, pl.col(AMOUNT).cast(MONEY))
    if isinstance(view.spec, Events) and view.spec.repeats_amount:
        # Each row says what the whole event costs: it counts once, on the first day of the event.
        once = event_amounts(rows, view).select(KEY, TIME, pl.col(AMOUNT).cast(MONEY))
        amounts = pl.concat([amounts.with_columns(pl.lit(None, MONEY).alias(AMOUNT)), once])
    return amounts.group_by(KEY, period).agg(pl.col(AMOUNT).sum())


def _has_amount(view: View) -> bool:
    return isinstance(view.spec, Events) and view.spec.amount is not None
