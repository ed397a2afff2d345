"""Runs a plan: features of each customer, cuts over all of them, labels of each row, in the order of their needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from segkit.columns.bucket import Bucket, UnderWay, UnknownKeys
from segkit.columns.features.steps import CutStep, Fitted
from segkit.columns.helpers import COUNT, LATEST, kept_rows_of
from segkit.columns.plan.plan import Plan
from segkit.results.parts import FittedModel, Threshold


class Computed(NamedTuple):
    """One row a customer, in the order of the file: every column asked for, and the key under `KEY`.

    The customers are in one part, in memory, or in several on disk. `counts` has a one-row frame for each table that
    was read. `matched` counts the events of known customers by table.
    """

    parts: Sequence[pl.LazyFrame]
    size: int
    """How many customers there are."""
    counts: Mapping[str, pl.DataFrame]
    matched: Mapping[str, int]
    thresholds: tuple[Threshold, ...] = ()
    models: tuple[FittedModel, ...] = ()
    unknown: Mapping[str, UnknownKeys] = MappingProxyType({})
    """Event tables that have keys of nobody."""

    @property
    def customers(self) -> pl.LazyFrame:
        """All customers."""
        return self.parts[0] if len(self.parts) == 1 else pl.concat(self.parts)

    @property
    def frame(self) -> pl.DataFrame:
        """All customers with all columns, in memory."""
        return self.customers.collect()

    def column(self, name: str) -> pl.Series:
        """One column of all customers, in memory."""
        return self.customers.select(name).collect().to_series()

    def last_day(self, table: str) -> dt.date | None:
        """The last day of an event that counts, of an event table that was read; None where there is no event."""
        day: dt.date | None = self.counts[table][LATEST].item()
        return day


class PaddedKeys(NamedTuple):
    """Event tables whose keys were taken as they came, and have to be trimmed: nothing was computed."""

    tables: frozenset[str]


def compute(
    plan: Plan,
    *,
    customers: UnderWay | None = None,
    one_by_one: bool = False,
    found_before: Mapping[CutStep, Fitted] | None = None,
) -> Computed | PaddedKeys:
    """Every column that the plan asks for, of these customers, or of all in one bucket.

    `one_by_one` tries each label on its own before, and raises `StepFailed` for one that fails. With `found_before`,
    the customers are only some of those of the run in which the cuts were found: nothing is fitted to them.
    """
    customers = customers or Bucket(plan, one_by_one=one_by_one)
    fitted: dict[CutStep, Fitted] = {}
    found: dict[CutStep, Fitted] = {}
    while waiting := customers.advance(found):
        if found_before is None:
            found = {cut: cut.fit(customers.asked(cut)) for cut in waiting}
        else:
            found = {cut: found_before[cut] for cut in waiting}
        fitted |= found
    if customers.padded:
        return PaddedKeys(customers.padded)
    parts = customers.parts()
    if customers.padded:  # of tables that are only counted
        return PaddedKeys(customers.padded)
    rows = {table: pl.col(kept_rows_of(table)).sum() for table in customers.measured}
    sums = pl.concat([part.select(pl.len().alias(COUNT), **rows) for part in parts]).sum().collect().row(0, named=True)
    told = [one for cut in plan.cuts for one in fitted[cut].told]
    return Computed(
        parts=parts,
        size=sums[COUNT],
        counts={**plan.lookup_counts, **customers.counts},
        matched={table: int(sums[table] or 0) for table in customers.measured},
        thresholds=tuple(one for one in told if isinstance(one, Threshold)),
        models=tuple(one for one in told if isinstance(one, FittedModel)),
        unknown={table: found for table, found in customers.unknown.items() if len(found.keys)},
    )
