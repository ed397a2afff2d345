"""Blocks of criteria as steps: each is one Boolean expression on a row, after the helper columns that it looks at.

Helper columns are the results of event conditions, who is among a share of all customers, and who satisfies a segment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from segkit.columns.features.composed import measure_steps
from segkit.columns.features.groups import shares, shares_again
from segkit.columns.features.measures import Measure, Period
from segkit.columns.features.steps import CutStep, RowStep, Step, hidden_measure, measured
from segkit.columns.helpers import among, member
from segkit.criteria.blocks import block_tree
from segkit.criteria.conditions import COMPARISONS
from segkit.criteria.context import Context, Names, ShareOfAll, shares_of_all
from segkit.criteria.kinds import Dtypes, literal
from segkit.criteria.sql.parse import sql_columns
from segkit.criteria.tree import All, fold
from segkit.rules.findings import KeyPath
from segkit.rules.model.base import Duration
from segkit.rules.model.blocks import ZERO_WHEN_NONE, Block, EventCondition
from segkit.rules.model.file import RuleFile
from segkit.rules.model.sources import Customers
from segkit.rules.walk import below, event_conditions_of

Build = Callable[[Dtypes], pl.Expr]


def segment_steps(rules: RuleFile, context: Context) -> list[Step]:
    """The steps for who satisfies the criteria of each segment."""
    return [
        RowStep(
            name=member(name),
            needs=block_needs(segment, rules.customers),
            build=block_expression(("segment", name), segment, rules.customers, context),
            path=("segment", name),
            dtype=lambda _: pl.Boolean(),
        )
        for name, segment in rules.segment.items()
    ]


def helper_steps(path: KeyPath, block: Block) -> Iterator[Step]:
    """The helper columns of a block and of the blocks within it; those that ask the same share one."""
    for where, inner in below(path, block):
        for at, event_condition in event_conditions_of(where, inner):
            for measure in _measures(event_condition):
                yield from measure_steps(measure, at)
        for family, column, condition in inner.criteria():
            yield from (_share_step(share, (*where, family, column)) for share in shares_of_all(column, condition))


def telling_steps(path: KeyPath, block: Block) -> Iterator[Step]:
    """The columns that tell of each event condition how many events there are, and the last of them."""
    for where, inner in below(path, block):
        for at, event_condition in event_conditions_of(where, inner):
            for measure in told_of(event_condition):
                yield from measure_steps(measure, at)


def told_of(condition: EventCondition) -> tuple[Measure, Measure]:
    """How many events a condition looks at, and how many days ago the last of them was."""
    count, last = (hidden_measure(measured(condition, kind), told=True) for kind in ("count", "days_since_last"))
    return count, last


def block_needs(block: Block, customers: Customers) -> frozenset[str]:
    """The columns that a block looks at, hidden ones too."""
    return frozenset(name for _, inner in below((), block) for name in _needs(inner, customers))


def _needs(block: Block, customers: Customers) -> Iterator[str]:
    for _, column, condition in block.criteria():
        yield column
        yield from map(_share_column, shares_of_all(column, condition))
    for _, event_condition in event_conditions_of((), block):
        yield from (measure.name for measure in _measures(event_condition))
    yield from map(member, (*block.in_segment, *block.not_in_segment))
    if block.sql is not None:
        yield from sql_columns(block.sql)
    if block.geographic.places:
        yield from filter(None, (customers.latitude, customers.longitude))


def block_expression(path: KeyPath, block: Block, customers: Customers, context: Context) -> Build:
    """The block as a Boolean expression, never null, over columns of a schema."""
    tree = tree_of(path, block, customers, context)
    return lambda schema: fold(tree(schema))


def tree_of(path: KeyPath, block: Block, customers: Customers, context: Context) -> Callable[[Dtypes], All]:
    """The criteria of the block, which stands at `path` in the rule file, as a tree over columns of a schema."""

    def build(schema: Dtypes) -> All:
        names = Names(
            event_condition=lambda condition: _event_condition_holds(condition, schema),
            segment=lambda name: pl.col(member(name)),
            latitude=customers.latitude,
            longitude=customers.longitude,
        )
        shares = context._replace(share=lambda share: pl.col(_share_column(share)))
        return block_tree(block, path, schema, names, shares)

    return build


def result_of(condition: EventCondition) -> Measure | None:
    """The measure whose result is compared; None where that is the number of events, and with `in_each`."""
    return None if condition.in_each or condition.measure == "count" else _measures(condition)[0]


def _measures(condition: EventCondition) -> list[Measure]:
    """The measure that a condition compares, and whether there are any events.

    The latter is only there where the condition asks nothing else, or its comparison may hold without any.
    """
    return [measure for period in _periods(condition) for measure in _measures_in(condition, period)]


def _periods(condition: EventCondition) -> Sequence[Period | None]:
    """The periods in each of which the condition must hold; None for the whole window."""
    if condition.in_each is None:
        return [None]
    unit = condition.in_each
    return [Period(Duration(number + 1, unit), Duration(number, unit)) for number in condition.periods]


def _measures_in(condition: EventCondition, period: Period | None) -> list[Measure]:
    measures = []
    if condition.result or condition.measure != "count":
        measures.append(hidden_measure(measured(condition, condition.measure, condition.of), period=period))
    if not measures or _holds_without(condition):
        measures.append(hidden_measure(measured(condition, "count"), exists=True, period=period))
    return measures


def _holds_without(condition: EventCondition) -> bool:
    """Whether the measure of no events, which is 0 or missing, compares as asked."""
    passes = all(COMPARISONS[operator](0, operand) for operator, operand in _asked(condition).items())
    return condition.measure in ZERO_WHEN_NONE and passes


def _asked(condition: EventCondition) -> Mapping[str, Any]:
    """Comparison -> operand; at least one event where nothing else is asked."""
    return condition.result or {"min": 1}


def _event_condition_holds(condition: EventCondition, schema: Dtypes) -> pl.Expr:
    """Boolean, never null: at least one event, and the measure compares as asked."""
    parts = []
    for measure in _measures(condition):
        value, dtype = pl.col(measure.name), schema[measure.name]
        asked = {} if measure.exists else _asked(condition)
        parts += [COMPARISONS[operator](value, literal(operand, dtype)) for operator, operand in asked.items()]
        parts += [value] if measure.exists else []
    return pl.all_horizontal(parts).fill_null(False)


def _share_column(share: ShareOfAll) -> str:
    return among(share.operator, share.percent, share.column, share.per)


def _share_step(share: ShareOfAll, path: KeyPath) -> CutStep:
    """The step for who is among the highest or lowest of all customers with a value; ties at the edge are in."""
    name = _share_column(share)
    return CutStep(
        names=(name,),
        needs=frozenset({share.column, *share.per}),
        types={name: pl.Boolean()},
        fit=lambda customers: shares(share, name, customers),
        again=lambda told, schema: shares_again(share, name, told, schema),
        path=path,
    )
