"""The customers of a run in buckets, on an engine: to whoever computes a plan, the same as in one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from segkit.columns.bucket import UnknownKeys
from segkit.columns.features.measures import Measure, measured_columns
from segkit.columns.features.steps import CutStep, Fitted, LookupStep, MeasureStep, Step
from segkit.columns.helpers import KEY, PLACE, ROW, TIME
from segkit.columns.helpers import since as since_of
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import View
from segkit.engines.elsewhere import out_of_reach
from segkit.engines.engine import Engine, Local
from segkit.engines.job import Answer, Job, PaddedPiece
from segkit.engines.pieces import Piece, columns_read, size_of, source_of
from segkit.errors import RuleError
from segkit.io.read import Bounds, Workspace
from segkit.rules.tables import CUSTOMERS
from segkit.words import plural

ROWS, LEAST_ROWS = 2_000_000, 50_000
"""So many rows of a table are read at a time at most, and at least."""
MEMORY = 4_000_000_000
"""Bytes that a run plans with for which buckets are asked alone."""
SHARE, OWN = 0.5, 100_000_000
"""All customers at once take at most about so much of what is read (0.69 GB of 1.3, 5.1 of 13), segkit itself the rest.

Measured on the rule files of the benchmarks.
"""
SAFE = 2
"""What keeps all values of events, such as what was bought most often, takes more."""
PART = 64_000_000
"""Bytes of a bucket on other machines, which are about as many as there is work for."""
AT_ONCE = 2
"""Pieces or buckets that are under way at the same time: of one alone, Polars uses both processors for a part only."""
WIDTHS: Mapping[type[pl.DataType], int] = {
    pl.Boolean: 1, pl.Int8: 1, pl.Int16: 2, pl.Int32: 4, pl.Int64: 8, pl.UInt8: 1, pl.UInt16: 2, pl.UInt32: 4,
    pl.UInt64: 8, pl.Float32: 4, pl.Float64: 8, pl.Date: 4, pl.Datetime: 8, pl.Decimal: 16, pl.Null: 1,
}  # fmt: skip
"""Bytes of a value; texts, which take 16 and their letters, and lists are counted as more."""


class Spread:
    """The customers of a run in buckets; see `UnderWay`."""

    def __init__(self, job: Job, engine: Engine, pieces: Sequence[Piece], steps: Sequence[Step]) -> None:
        self.counts: dict[str, pl.DataFrame] = {}
        self.unknown: dict[str, UnknownKeys] = {}
        self.measured: list[str] = []
        self.padded: frozenset[str] = frozenset()
        self._job, self._engine, self._pieces, self._steps = job, engine, pieces, steps
        self._parts = sum(piece.table == CUSTOMERS for piece in pieces)
        self._counted: dict[str, pl.DataFrame] = {}
        self._round = 0

    def advance(self, fitted: Mapping[CutStep, Fitted]) -> list[CutStep]:
        """Compute what can be computed with what cuts have found; the cuts that the rest waits for."""
        job, steps = self._job, self._steps
        if self._pieces:
            try:
                answers = self._engine.exchange(job.split, self._pieces, job.buckets, job.gather)
            except PaddedPiece as piece:
                self.padded = frozenset({piece.table})
                return []
            self._pieces = ()
            self._counted = {name: _summed(frame for a in answers for frame in a.counted[name]) for name in job.travels}
        else:
            found = {n: fitted[s] for n, s in enumerate(steps) if isinstance(s, CutStep) and s in fitted}
            self._round += 1
            answers = self._engine.map(partial(job.go_on, self._round, found), range(job.buckets))
            job.forget(self._round - 1)
        waiting = answers[0].waiting
        if not waiting:
            self._add_up(answers)
        return [step for place, step in enumerate(steps) if place in waiting and isinstance(step, CutStep)]

    def asked(self, cut: CutStep) -> pl.DataFrame:
        """The columns that a cut asks for, of all customers in their order."""
        return self._customers.select(PLACE, *cut.asks).sort(PLACE).drop(PLACE).collect()

    def parts(self) -> Sequence[pl.LazyFrame]:
        """What gates and outputs look at, in the order of the file, in which the buckets are put together."""
        job, last = self._job, self._round
        by_place, in_order = partial(job.by_place, last), partial(job.in_order, last)
        paths = self._engine.exchange(by_place, range(job.buckets), self._parts, in_order)
        return [pl.scan_ipc(path) for path in paths]

    @property
    def _customers(self) -> pl.LazyFrame:
        """All customers as far as they are, bucket by bucket."""
        buckets = range(self._job.buckets)
        return pl.concat(pl.scan_ipc(self._job.path_of(bucket, self._round)) for bucket in buckets)

    def _add_up(self, answers: Sequence[Answer]) -> None:
        """What the buckets have counted, by table."""
        states = [answer.state for answer in answers]
        self.measured = states[0].measured
        late = [step.lookup.found for step in self._steps if isinstance(step, LookupStep)]
        found = _summed(state.counts[CUSTOMERS].select(late) for state in states) if late else pl.DataFrame()
        customers = self._counted[CUSTOMERS].hstack(found)
        read = dict.fromkeys([*(name for name in self._counted if name not in self.measured), *self.measured])
        self.counts = {CUSTOMERS: customers, **{name: self._counted[name] for name in read if name != CUSTOMERS}}
        for table in dict.fromkeys(name for state in states for name in state.unknown):
            some = [state.unknown[table] for state in states if table in state.unknown]
            self.unknown[table] = UnknownKeys(pl.concat(one.keys for one in some), sum(one.of_all for one in some))


def spread(plan: Plan, ws: Workspace, bounds: Bounds, progress: Callable[[str], None]) -> Spread | None:
    """The customers of a plan in buckets, in so many, or in as many as the memory asks for; None where all fit."""
    travels = _travels(plan)
    read = {name: _read_of(plan.views[name], columns) for name, columns in travels.items()}
    width = {name: _width(plan.views[name], columns) for name, columns in read.items()}
    memory, elsewhere = bounds.memory or MEMORY, bounds.engine is not None
    if bounds.buckets is None and not elsewhere and SAFE * _of_all(plan, width) < memory:
        return None
    sources = {name: source_of(plan.views[name], columns, ws) for name, columns in read.items()}
    work = ws.new_folder()
    engine: Engine = bounds.engine or Local(work, AT_ONCE)
    _require_reach(engine, [part.file for source in sources.values() for part in source.parts], work)
    size = PART if elsewhere and bounds.memory is None else memory // (4 * AT_ONCE)
    pieces: list[Piece] = []
    for name, source in sources.items():
        pieces += source.pieces(name, min(ROWS, max(LEAST_ROWS, size // 4 // width[name])))
    total = sum(source.size * width[name] for name, source in sources.items() if travels[name])
    buckets = bounds.buckets or max(math.ceil(total / size), 2 * engine.workers, 1)
    progress(f"computing customers in {plural(buckets, 'bucket')}")
    job = Job(_placed(plan).without_rows, travels, buckets, work)
    return Spread(job, engine, pieces, plan.steps)


def _require_reach(engine: Engine, files: Sequence[Path], work: Path) -> None:
    """RuleError where another machine does not see what it has to read, or where it has to write."""
    sizes = {path: path.stat().st_size for path in files}
    found = engine.map(partial(out_of_reach, sizes, work), range(2 * engine.workers))
    if path := next(filter(None, found), None):
        what, verb = ("the work folder", "write to") if path == work else ("a file", "read")
        hint = (
            "name a path that all machines see (`--work DIR` for the folder), and let them run as the user of this run"
        )
        raise RuleError.of(f"a machine of the cluster cannot {verb} {what}, `{path}`", hint=hint)


def memory_of(plan: Plan) -> int:
    """About how many bytes of memory it takes to compute all customers at once."""
    read = {name: _read_of(plan.views[name], columns) for name, columns in _travels(plan).items()}
    return _of_all(plan, {name: _width(plan.views[name], columns) for name, columns in read.items()})


def _of_all(plan: Plan, width: Mapping[str, int]) -> int:
    return int(sum(size_of(plan.views[name], of) for name, of in width.items()) * SHARE) + OWN


def _width(view: View, columns: Iterable[str]) -> int:
    """About how many bytes these columns take of a row."""
    schema = view.table.frame.collect_schema()
    return 1 + sum(WIDTHS.get(type(schema[column]), 32) for column in columns)


def _placed(plan: Plan) -> Plan:
    """The plan, in which customers carry their place in the file."""
    view = plan.views[CUSTOMERS]
    frame = view.frame.with_columns(pl.lit(0, pl.Int64).alias(PLACE))
    view = view._replace(frame=frame, schema={**view.schema, PLACE: pl.Int64()})
    return plan._replace(views={**plan.views, CUSTOMERS: view}, schema={**plan.schema, PLACE: pl.Int64()})


def _travels(plan: Plan) -> dict[str, list[str]]:
    """The columns of each table that steps look at; none of tables that are only counted."""
    measures: dict[str, list[Measure]] = {}
    for step in (step for step in plan.steps if isinstance(step, MeasureStep)):
        measures.setdefault(step.measure.spec.events, []).append(step.measure)
    schemas = {name: view.frame.collect_schema() for name, view in plan.views.items() if name != CUSTOMERS}

    def measured(frames: Mapping[str, pl.LazyFrame]) -> list[pl.LazyFrame]:
        views = {name: plan.views[name].of_kept(frame) for name, frame in frames.items()}
        return [measured_columns(views[table], of, _dates(plan, of), views) for table, of in measures.items()]

    read = columns_read(schemas, measured)
    made = {KEY, TIME, ROW}
    counted = {name: list[str]() for name in plan.counted_tables}
    travels = {name: [TIME, *(c for c in columns if c not in made)] for name, columns in read.items() if columns}
    return {**counted, **travels, CUSTOMERS: _placed(plan).base_columns}


def _dates(plan: Plan, measures: Sequence[Measure]) -> pl.LazyFrame | None:
    """The dates of customers from which windows begin, of no customer."""
    since = {since_of(measure.since): pl.Date() for measure in measures if measure.since}
    return pl.LazyFrame(schema={KEY: pl.String(), **since}) if since else None


def _read_of(view: View, columns: Sequence[str]) -> list[str]:
    """The columns of its table that a view reads to give these, and what is counted of it."""
    schema = {view.name: view.table.frame.collect_schema()}
    asked = [column for column in columns if column != PLACE]
    asked += [] if view.name == CUSTOMERS else [TIME]
    return columns_read(schema, lambda frames: [view.over(frames[view.name]).rows(asked)])[view.name]


def _summed(counts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The counts of pieces, or of buckets, added up: numbers, whether there is a doubt, the last day."""
    rows = pl.concat(counts, how="diagonal_relaxed")
    how = {pl.Boolean: pl.Expr.any, pl.Date: pl.Expr.max, pl.Null: pl.Expr.max}
    return rows.select(how.get(type(dtype), pl.Expr.sum)(pl.col(name)) for name, dtype in rows.schema.items())
