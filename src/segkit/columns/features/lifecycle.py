"""Lifecycle: the stage of each customer, the first that holds."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from segkit.columns.features.blocks import block_expression, block_needs
from segkit.columns.features.first_that_holds import first_that_holds
from segkit.columns.features.steps import MeasureStep, RowStep, Step, hidden_measure
from segkit.criteria.context import Context
from segkit.criteria.kinds import Dtypes
from segkit.rules.model.computed.lifecycle import PRESET, Lifecycle
from segkit.rules.model.file import RuleFile
from segkit.rules.model.measures import Measured
from segkit.rules.model.sources import Customers

COLUMN = "lifecycle"


def lifecycle_steps(rules: RuleFile, context: Context) -> Iterator[Step]:
    """The column `lifecycle`, where there is such a section."""
    if rules.lifecycle and rules.lifecycle.stage:
        yield _own(rules.lifecycle, rules.customers, context)
    elif rules.lifecycle:
        yield from _preset(rules.lifecycle, context)


def _own(lifecycle: Lifecycle, customers: Customers, context: Context) -> RowStep:
    stages = {
        stage.name: block_expression(("lifecycle", "stage", number), stage, customers, context)
        for number, stage in enumerate(lifecycle.stage)
    }

    def build(schema: Dtypes) -> pl.Expr:
        return first_that_holds({name: holds(schema) for name, holds in stages.items()})

    needs = frozenset().union(*(block_needs(stage, customers) for stage in lifecycle.stage))
    return RowStep(name=COLUMN, needs=needs, build=build, path=("lifecycle",), dtype=lambda _: pl.String())


def _preset(lifecycle: Lifecycle, context: Context) -> Iterator[Step]:
    """The ready-made stages; customers without an event are prospects."""
    count, first, last = (
        hidden_measure(Measured.model_construct(events=lifecycle.events, measure=measure))
        for measure in ("count", "days_since_first", "days_since_last")
    )
    yield from (MeasureStep(measure, ("lifecycle",)) for measure in (count, first, last))
    events, since_first, since_last = (pl.col(measure.name) for measure in (count, first, last))
    ago = {
        key: (context.as_of - getattr(lifecycle, key).before(context.as_of)).days
        for key in ("new_for", "at_risk_after", "inactive_after", "lost_after")
    }
    holds = {
        "prospect": events == 0,
        "new": since_first <= ago["new_for"],
        "loyal": (since_last <= ago["at_risk_after"]) & (events >= lifecycle.loyal_from),
        "active": since_last <= ago["at_risk_after"],
        "at_risk": since_last <= ago["inactive_after"],
        "inactive": since_last <= ago["lost_after"],
        "lost": pl.lit(True),
    }
    needs = frozenset({count.name, first.name, last.name})
    stage = first_that_holds({name: holds[name] for name in PRESET})
    yield RowStep(name=COLUMN, needs=needs, build=lambda _: stage, path=("lifecycle",), dtype=lambda _: pl.String())
