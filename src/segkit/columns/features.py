"""The columns that a rule file computes, as steps of three kinds: measures over events, expressions on a row, and
cuts over all customers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from segkit.columns import rfm as rfm_
from segkit.columns import value as value_
from segkit.columns.hidden import KEY, hidden
from segkit.columns.measures import Measure, dtype_of
from segkit.columns.traits import row_expression, row_needs
from segkit.columns.views import MONEY, Joined, View
from segkit.criteria.blocks import event_conditions
from segkit.criteria.conditions import COMPARISONS, Context
from segkit.criteria.kinds import Schema, literal
from segkit.criteria.sql import parse_sql, sql_columns
from segkit.results import FittedModel, Threshold
from segkit.rules.blocks import EventCondition, Measured
from segkit.rules.features import RFM_COLUMNS, Rfm, Trait
from segkit.rules.findings import Path
from segkit.rules.measures import Measure as MeasureName
from segkit.rules.model import RuleFile
from segkit.rules.value import PREDICTED, Value


@dataclass(frozen=True, eq=False)
class MeasureStep:
    """A column measured over the events of a customer."""

    measure: Measure
    path: Path

    @property
    def names(self) -> tuple[str, ...]:
        """The column it computes."""
        return (self.measure.name,)

    @property
    def needs(self) -> frozenset[str]:
        """The customer's date that the window starts from, if any."""
        return frozenset({self.measure.since}) if self.measure.since else frozenset()


@dataclass(frozen=True, eq=False)
class RowStep:
    """A column computed from other columns of the same row."""

    name: str
    needs: frozenset[str]
    build: Callable[[Schema], pl.Expr]
    path: Path
    sql: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The column it computes."""
        return (self.name,)


@dataclass(frozen=True, eq=False)
class CutStep:
    """Columns computed from thresholds, or a model, over all customers, which `fit` finds."""

    names: tuple[str, ...]
    needs: frozenset[str]
    types: Mapping[str, pl.DataType]
    fit: Callable[[pl.DataFrame], tuple[list[list[pl.Expr]], Sequence[Threshold | FittedModel]]]
    path: Path


@dataclass(frozen=True, eq=False)
class LookupStep:
    """Columns of a lookup that is joined by a computed column."""

    lookup: Joined
    path: Path

    @property
    def names(self) -> tuple[str, ...]:
        """The columns it adds."""
        return tuple(self.lookup.adds)

    @property
    def needs(self) -> frozenset[str]:
        """The columns it joins on."""
        return frozenset(self.lookup.on)


Step = MeasureStep | RowStep | LookupStep | CutStep


def steps_of(rules: RuleFile, context: Context) -> dict[str, Step]:
    """Every computed column and the step that computes it, hidden results of event conditions too."""
    found: list[Step] = []
    for name, trait in rules.trait.items():
        path: Path = ("trait", name)
        if trait.events:
            found.append(MeasureStep(Measure(name, trait), path))
        else:
            found.append(RowStep(name, row_needs(trait), _row(trait, context), path, trait.sql))
    if rules.rfm:
        found += _rfm_steps(rules.rfm)
    if rules.value and rules.value.events in rules.events:
        found += _value_steps(rules.value, rules.events[rules.value.events].time, context)
    for name, segment in rules.segment.items():
        for where, condition in event_conditions(segment, ("segment", name)):
            found += [MeasureStep(measure, where) for measure in condition_measures(condition)]
    return {name: step for step in found for name in step.names}


def derived_step(name: str, text: str, context: Context) -> RowStep:
    """A derived column of the customers that reads computed ones."""
    return RowStep(
        name, sql_columns(text), lambda _: parse_sql(text, context.as_of), ("customers", "derive", name), text
    )


def _row(trait: Trait, context: Context) -> Callable[[Schema], pl.Expr]:
    return lambda schema: row_expression(trait, schema, context)


def condition_measures(condition: EventCondition) -> list[Measure]:
    """What an event condition compares, and the number of events that it looks at."""
    count = _measured(condition, "count", None)
    if condition.measure == "count":
        return [Measure(_name_of(count), count)]
    measured = _measured(condition, condition.measure, condition.of)
    return [Measure(_name_of(spec), spec) for spec in (count, measured)]


def _measured(spec: Measured | Rfm, measure: MeasureName, of: str | None) -> Measured:
    window = {name: getattr(spec, name) for name in ("within", "between", "since", "before", "for_")}
    return Measured.model_construct(events=spec.events, where=spec.where, measure=measure, of=of, **window)


def _name_of(spec: Measured) -> str:
    """One name for one measure, so that conditions that ask the same share it."""
    return hidden("measured", hashlib.sha256(repr(spec).encode()).hexdigest()[:16])


def event_condition_holds(condition: EventCondition, schema: Schema) -> pl.Expr:
    """Boolean, never null: at least one event, and the measure compares as asked."""
    count, *rest = condition_measures(condition)
    measured = rest[0] if rest else count
    result = condition.result or {"min": 1}
    value, dtype = pl.col(measured.name), schema[measured.name]
    parts = [COMPARISONS[name](value, literal(operand, dtype)) for name, operand in result.items()]
    return pl.all_horizontal([pl.col(count.name) >= 1, *parts]).fill_null(False)


def _rfm_steps(rfm: Rfm) -> list[Step]:
    path = ("rfm",)
    steps: list[Step] = []
    if rfm.columns:
        own = {name: getattr(rfm.columns, name) for name in rfm_.RAW.values()}
        steps += [
            RowStep(name, frozenset({column}), _column(column), (*path, "columns", name))
            for name, column in own.items()
            if name != column
        ]
    else:
        frequency: MeasureName = "count" if rfm.frequency == "events" else "active_days"
        measures = {
            "recency_days": _measured(rfm, "days_since_last", None),
            "frequency": _measured(rfm, frequency, None),
            "monetary": _measured(rfm, rfm.monetary, None),
        }
        names = {name: hidden("rfm", name) for name in measures}
        steps += [MeasureStep(Measure(names[name], spec), path) for name, spec in measures.items()]
        steps += [
            RowStep(name, frozenset({names[name], names["frequency"]}), _if_any(names[name], names["frequency"]), path)
            for name in measures
        ]
    needs = frozenset(rfm_.RAW.values())
    types = {name: pl.Int64() if name.endswith("_score") else pl.String() for name in RFM_COLUMNS[3:]}
    steps.append(CutStep(RFM_COLUMNS[3:], needs, types, lambda customers: _fit_rfm(rfm, customers), path))
    return steps


def _column(column: str) -> Callable[[Schema], pl.Expr]:
    return lambda schema: pl.col(column)


def _if_any(value: str, frequency: str) -> Callable[[Schema], pl.Expr]:
    return lambda schema: pl.when(pl.col(frequency) > 0).then(pl.col(value))


def _fit_rfm(rfm: Rfm, customers: pl.DataFrame) -> tuple[list[list[pl.Expr]], list[Threshold]]:
    """Cuts over the customers that have all three values; the others have no score."""
    scored = pl.all_horizontal(pl.col(name).is_not_null() for name in rfm_.RAW.values())
    needed = [*([KEY] if rfm.ties == "split" else []), *rfm_.RAW.values()]
    cuts = rfm_.fit(rfm, customers.select(needed).filter(scored))
    scores = [pl.when(scored).then(cut.score()).alias(rfm_.SCORES[cut.measure]) for cut in cuts]
    return [scores, [rfm_.code(rfm.bins), rfm_.segment(rfm)]], [cut.threshold() for cut in cuts]


def _value_steps(value: Value, time: str, context: Context) -> list[Step]:
    path = ("value",)
    steps: list[Step] = [MeasureStep(m, path) for m in value_.measures(value, time)]
    steps += [RowStep(name, needs, build, path) for name, needs, build in value_.ratios(value)]
    if value.predict:
        types = {name: MONEY if name == "clv" else pl.Float64() for name in PREDICTED}
        fit = value_.predictions(value, context.as_of)
        steps.append(CutStep(PREDICTED, value_.HISTORY, types, fit, (*path, "predict")))
    return steps


def step_types(step: Step, schema: Schema, views: Mapping[str, View]) -> dict[str, pl.DataType]:
    """The types of the columns that a step computes over columns of `schema`."""
    if isinstance(step, MeasureStep):
        return {step.measure.name: dtype_of(step.measure.spec, views[step.measure.spec.events])}
    if isinstance(step, CutStep):
        return dict(step.types)
    if isinstance(step, LookupStep):
        return {name: step.lookup.frame.schema[name] for name in step.names}
    return {step.name: type_of(step.build(schema), schema)}


def type_of(expr: pl.Expr, schema: Schema) -> pl.DataType:
    """The type of an expression over columns of `schema`."""
    return pl.LazyFrame(schema=schema).select(expr.alias("value")).collect_schema()["value"]


def transitive(asked: Sequence[str], steps: Mapping[str, Step]) -> list[str]:
    """The computed columns among `asked`, and those that they need, in the order of `steps`."""
    wanted: set[str] = set()
    todo = [name for name in asked if name in steps]
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo += [other for other in steps[name].needs if other in steps]
    return [name for name in steps if name in wanted]
