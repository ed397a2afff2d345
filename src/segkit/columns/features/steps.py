"""The kinds of step: features are measured over events, cuts are found over all customers, labels are of the row.

Labels are expressions on a row, or a lookup that is joined by a computed column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, NoReturn, Protocol

import polars as pl

from segkit.columns import helpers
from segkit.columns.features.measures import Measure, Period, dtype_of
from segkit.columns.tables.joined import Joined
from segkit.columns.tables.view import View
from segkit.criteria.kinds import Dtypes, read_by
from segkit.criteria.readings import field_text
from segkit.results.parts import FittedModel, Threshold
from segkit.rules.findings import KeyPath
from segkit.rules.model.computed.rfm import Rfm
from segkit.rules.model.computed.value import Value
from segkit.rules.model.conditions import Conditions
from segkit.rules.model.measures import Measured, MeasureName, Window
from segkit.rules.model.permissions import Cap


@dataclass(frozen=True, eq=False)
class MeasureStep:
    """A column measured over the events of a customer."""

    measure: Measure
    path: KeyPath

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
    """A column computed from other columns of the same row.

    `dtype` gives its type over columns of a schema. Without it, the expression gives it.
    """

    name: str
    needs: frozenset[str]
    build: Callable[[Dtypes], pl.Expr]
    path: KeyPath
    sql: str | None = None
    dtype: Callable[[Dtypes], pl.DataType] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The column it computes."""
        return (self.name,)


Told = Sequence[Threshold | FittedModel]
"""What cuts have found, as results tell it."""


class Fitted(Protocol):
    """What a cut has found over all customers: small, and of a kind that can be sent to where the customers are."""

    @property
    def told(self) -> Told:
        """The thresholds or models, as the summary shows them."""

    def add(self, customers: pl.LazyFrame) -> pl.LazyFrame:
        """These customers, all or some, in their order, with the columns of the cut."""


class Layers(NamedTuple):
    """Thresholds as expressions; those of one layer may look at the columns of the layers before."""

    exprs: Sequence[Sequence[pl.Expr]]
    told: Sequence[Threshold] = ()

    def add(self, customers: pl.LazyFrame) -> pl.LazyFrame:
        """The customers with the columns of all layers."""
        for layer in self.exprs:
            customers = customers.with_columns(layer)
        return customers


def _sees_all(*_: object) -> NoReturn:
    raise NotImplementedError("a cut is found where all customers are")


@dataclass(frozen=True, eq=False)
class CutStep:
    """Columns computed from thresholds, or a model, that `fit` finds over all customers.

    `fit` sees the columns that are needed and nothing else; with `by_key`, also the key. `again` makes what it found
    of what an earlier run has told of it, for columns of these types; None where that does not say it all.
    """

    names: tuple[str, ...]
    needs: frozenset[str]
    types: Mapping[str, pl.DataType]
    fit: Callable[[pl.DataFrame], Fitted]
    again: Callable[[Told, Dtypes], Fitted | None]
    path: KeyPath
    by_key: bool = False

    @property
    def elsewhere(self) -> CutStep:
        """The cut where nobody sees all customers: others tell what it has found."""
        return replace(self, fit=_sees_all, again=_sees_all)

    @property
    def asks(self) -> list[str]:
        """The columns that `fit` sees, in the order of their names."""
        return [*([helpers.KEY] if self.by_key else []), *sorted(self.needs)]


@dataclass(frozen=True, eq=False)
class LookupStep:
    """Columns of a lookup that is joined by a computed column."""

    lookup: Joined
    path: KeyPath

    @property
    def names(self) -> tuple[str, ...]:
        """The columns it adds."""
        return tuple(self.lookup.adds)

    @property
    def needs(self) -> frozenset[str]:
        """The columns it joins on."""
        return frozenset(self.lookup.on)


Step = MeasureStep | RowStep | LookupStep | CutStep


def step_types(step: Step, schema: Dtypes, views: Mapping[str, View]) -> dict[str, pl.DataType]:
    """The types of the columns that a step computes over columns of `schema`."""
    if isinstance(step, MeasureStep):
        return {step.measure.name: dtype_of(step.measure, views[step.measure.spec.events])}
    if isinstance(step, CutStep):
        return dict(step.types)
    if isinstance(step, LookupStep):
        schema_there = step.lookup.frame.schema
        return {name: schema_there[name] for n in step.names for name in (n, field_text(n)) if name in schema_there}
    return {step.name: step.dtype(schema) if step.dtype else type_of(step.build(schema), schema)}


def type_of(expr: pl.Expr, schema: Dtypes) -> pl.DataType:
    """The type of an expression over columns of `schema`."""
    return pl.LazyFrame(schema=read_by(expr, schema)).select(expr.alias("value")).collect_schema()["value"]


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


def measured(over: Measured | Rfm | Cap | Value, measure: MeasureName, of: str | None = None) -> Measured:
    """`measure` over the events, rows and window of `over`."""
    which = {name: getattr(over, name) for name in Window.model_fields}
    if isinstance(over, Measured):
        which |= {"n": over.n, "then": over.then, "then_not": over.then_not}
    return Measured.model_construct(events=over.events, where=over.where, measure=measure, of=of, **which)


def hidden_measure(
    spec: Measured,
    *,
    exists: bool = False,
    told: bool = False,
    period: Period | None = None,
    only: Conditions | None = None,
) -> Measure:
    """The measure under a name made of what is measured, so that all who ask the same share it."""
    kind = "exists" if exists else "told" if told else "measured"
    what = repr((spec, period, only) if period or only else spec)
    name = helpers.measured(kind, hashlib.sha256(what.encode()).hexdigest()[:16])
    return Measure(name=name, spec=spec, exists=exists, told=told, period=period, only=only)
