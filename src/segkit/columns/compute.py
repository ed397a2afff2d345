"""Runs a plan: features in as few collects as there are barriers, cuts between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from segkit.columns.features import CutStep, LookupStep, MeasureStep, RowStep, Step
from segkit.columns.hidden import COUNT, KEY, hidden
from segkit.columns.measures import Measure, measured_columns, none_measured
from segkit.columns.mentions import CUSTOMERS
from segkit.columns.plan import Plan
from segkit.columns.views import as_key
from segkit.results import Threshold
from segkit.rules.sources import Customers


@dataclass(frozen=True)
class Computed:
    """One row a customer, in the order of the file: every column asked for, and the key under `KEY`.

    `counts` has one row for each table that was read; `matched` the events of known customers by table.
    """

    frame: pl.DataFrame
    counts: Mapping[str, pl.DataFrame]
    matched: Mapping[str, int]
    thresholds: tuple[Threshold, ...] = ()


@dataclass
class _Run:
    """A plan under way: a lazy frame until a barrier, then one over collected rows."""

    plan: Plan
    frame: pl.LazyFrame
    counts: dict[str, pl.DataFrame] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    collected: bool = False

    def add(self, steps: Sequence[Step]) -> None:
        """Row-local columns: those measured over events first, table by table."""
        measures: dict[str, list[Measure]] = {}
        for step in steps:
            if isinstance(step, MeasureStep):
                measures.setdefault(step.measure.spec.events, []).append(step.measure)
        for table, of_table in measures.items():
            self._join(table, of_table)
        for lookup in (step.lookup for step in steps if isinstance(step, LookupStep)):
            keys = [as_key(pl.col(name), self.plan.schema[name]).alias(hidden("key", name)) for name in lookup.on]
            self.frame = lookup.join(self.frame.with_columns(keys), in_order=True)
        rows = [step for step in steps if isinstance(step, RowStep)]
        self.frame = self.frame.with_columns(step.build(self.plan.schema).alias(step.name) for step in rows)

    def _join(self, table: str, measures: Sequence[Measure]) -> None:
        view = self.plan.views[table]
        since = {m.since for m in measures if m.since}
        dates = self.frame.select(KEY, *(pl.col(c).alias(hidden("since", c)) for c in sorted(since))) if since else None
        rows = hidden("rows", table)
        measured = measured_columns(view, measures, dates)
        # Counted once a table: a second pass over it finds the same rows.
        measured = measured.drop(COUNT) if table in self.tables else measured.rename({COUNT: rows})
        self.tables += [] if table in self.tables else [table]
        # 1.73 with a row index and a sort instead.
        joined = self.frame.join(measured, on=KEY, how="left", maintain_order="left")
        self.frame = joined.with_columns(none_measured(m, self.plan.schema[m.name]) for m in measures)

    def collect(self) -> pl.DataFrame:
        """The customers so far; the counts of the tables come from the same scan."""
        views = {name: self.plan.views[name] for name in (CUSTOMERS, *self.tables) if name not in self.counts}
        frame, *counts = pl.collect_all([self.frame, *(view.counts() for view in views.values())])
        self.counts |= dict(zip(views, counts, strict=True))
        self.frame = frame.lazy()
        return frame


def compute(plan: Plan) -> Computed:
    """Every column that the plan asks for; the frame is collected at each barrier, and at the end."""
    run = _Run(plan, _customers(plan))
    thresholds: list[Threshold] = []
    todo = list(plan.steps)
    done: set[str] = set()
    computed = {name for step in todo for name in step.names}
    while todo:
        ready = [s for s in todo if not (s.needs & computed) - done]
        local = [s for s in ready if not isinstance(s, CutStep)]
        if local:
            run.add(local)
        else:
            frame = run.collect()
            for step in ready:
                assert isinstance(step, CutStep)
                layers, found = step.fit(frame)
                thresholds += found
                for exprs in layers:
                    run.frame = run.frame.with_columns(exprs)
        finished = local or ready
        todo = [s for s in todo if s not in finished]
        done |= {name for step in finished for name in step.names}
    run.frame = run.frame.select(KEY, *plan.final_columns, *(hidden("rows", table) for table in run.tables))
    frame = run.collect()
    matched = {table: int(frame[hidden("rows", table)].sum()) for table in run.tables}
    return Computed(frame, {**plan.lookup_counts, **run.counts}, matched, tuple(thresholds))


def _customers(plan: Plan) -> pl.LazyFrame:
    view = plan.views[CUSTOMERS]
    assert isinstance(view.spec, Customers)
    rows = view.kept()
    if view.spec.duplicates != "error":
        rows = rows.unique(KEY, keep=view.spec.duplicates, maintain_order=True)
    return rows.select(KEY, *plan.base_columns)
