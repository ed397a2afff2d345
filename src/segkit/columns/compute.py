"""Runs a plan: features of each customer, cuts over all of them, labels of each row, in the order of their needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from segkit.columns.bucket import Bucket, UnderWay, UnknownKeys
from segkit.columns.features.steps import CutStep, Fitted
from segkit.columns.helpers import LATEST, kept_rows_of
from segkit.columns.plan.plan import Plan
from segkit.results import FittedModel, Threshold


class Computed(NamedTuple):
    """One row a customer, in the order of the file: every column asked for, and the key under `KEY`.

    `counts` has a one-row frame for each table that was read. `matched` counts the events of known customers by table.
    """

    frame: pl.DataFrame
    counts: Mapping[str, pl.DataFrame]
    matched: Mapping[str, int]
    thresholds: tuple[Threshold, ...] = ()
    models: tuple[FittedModel, ...] = ()
    unknown: Mapping[str, UnknownKeys] = MappingProxyType({})
    """Event tables that have keys of nobody."""

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
    frame = customers.final()
    if customers.padded:
        return PaddedKeys(customers.padded)
    told = [one for cut in plan.cuts for one in fitted[cut].told]
    return Computed(
        frame=frame,
        counts={**plan.lookup_counts, **customers.counts},
        matched={table: int(frame[kept_rows_of(table)].sum()) for table in customers.measured},
        thresholds=tuple(one for one in told if isinstance(one, Threshold)),
        models=tuple(one for one in told if isinstance(one, FittedModel)),
        unknown={table: found for table, found in customers.unknown.items() if len(found.keys)},
    )
