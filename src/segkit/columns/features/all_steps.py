"""The columns that a rule file computes, each with the step that computes it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from segkit.columns.features.blocks import helper_steps, segment_steps, telling_steps
from segkit.columns.features.composed import measure_steps
from segkit.columns.features.lifecycle import lifecycle_steps
from segkit.columns.features.measures import Measure
from segkit.columns.features.permission import permission_steps
from segkit.columns.features.rfm.rfm import rfm_steps
from segkit.columns.features.scores import score_steps
from segkit.columns.features.steps import CutStep, RowStep, Step
from segkit.columns.features.traits import cut_of_trait, row_expression, row_needs
from segkit.columns.features.value.value import value_steps
from segkit.criteria.context import Context
from segkit.criteria.kinds import Dtypes
from segkit.criteria.sql.expressions import sql_expression
from segkit.criteria.sql.parse import sql_columns
from segkit.rules.model.computed.traits import Trait
from segkit.rules.model.file import RuleFile
from segkit.rules.walk import named_blocks


def steps_of(rules: RuleFile, context: Context) -> list[Step]:
    """The steps that compute all columns that are not given, helper columns and members of segments too."""
    steps = [*_trait_steps(rules, context), *(step for name, rfm in rules.rfm.items() for step in rfm_steps(name, rfm))]
    for path, block in named_blocks(rules):
        steps += helper_steps(path, block)
        steps += telling_steps(path, block) if context.leaves else ()
    steps += [*lifecycle_steps(rules, context), *score_steps(rules, context)]
    if rules.value and rules.value.events in rules.events:
        steps += value_steps(rules.value, rules.events[rules.value.events].time, context)
    steps += [*segment_steps(rules, context), *permission_steps(rules, context)]
    kept = [step for step in steps if context.given.isdisjoint(step.names)]
    return [one for step in kept for one in ([step] if context.unknown.isdisjoint(step.names) else _missing(step))]


def _missing(step: Step) -> Iterator[Step]:
    """The columns of a cut, without a value."""
    assert isinstance(step, CutStep), "only cuts look at all customers"
    for name, dtype in step.types.items():
        yield RowStep(name, frozenset(), partial(_no_value, dtype), step.path)


def _no_value(dtype: pl.DataType, _: Dtypes) -> pl.Expr:
    return pl.lit(None, dtype)


def _trait_steps(rules: RuleFile, context: Context) -> Iterator[Step]:
    for name, trait in rules.trait.items():
        if trait.events:
            yield from measure_steps(Measure(name, trait), ("trait", name))
        elif cut := cut_of_trait(name, trait):
            yield cut
        else:
            yield _row_step(name, trait, context)


def _row_step(name: str, trait: Trait, context: Context) -> RowStep:
    return RowStep(
        name=name,
        needs=row_needs(trait),
        build=lambda schema: row_expression(trait, schema, context),
        path=("trait", name),
        sql=trait.sql,
    )


def derived_step(name: str, text: str, context: Context) -> RowStep:
    """A derived column of the customers that reads computed ones."""

    def build(schema: Dtypes) -> pl.Expr:
        return sql_expression(text, schema, context.as_of)

    return RowStep(name=name, needs=sql_columns(text), build=build, path=("customers", "derive", name), sql=text)
