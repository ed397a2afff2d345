"""Which customers satisfy the criteria of each segment, before anything decides who is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl

from segkit.columns.features import event_condition_holds
from segkit.columns.hidden import hidden
from segkit.columns.order import in_order
from segkit.columns.plan import Plan
from segkit.criteria.blocks import Names, all_blocks, block_holds, percent_cuts, percent_threshold
from segkit.criteria.conditions import PercentCut
from segkit.results import Threshold
from segkit.rules.blocks import Segment


def memberships(plan: Plan, customers: pl.DataFrame) -> tuple[pl.DataFrame, list[Threshold]]:
    """One Boolean column a segment, one row a customer: whether the criteria hold; and the thresholds of shares."""
    rules = plan.rules
    context = replace(plan.context, cuts=_cuts(rules.segment.values(), customers))
    spec = rules.customers
    names = Names(
        event_condition=lambda condition: event_condition_holds(condition, plan.schema),
        segment=lambda name: pl.col(hidden("in", name)),
        latitude=spec.latitude,
        longitude=spec.longitude,
    )
    frame = customers.lazy()
    for name in in_order({name: references(segment) for name, segment in rules.segment.items()}):
        holds = block_holds(rules.segment[name], plan.schema, names, context)
        frame = frame.with_columns(holds.alias(hidden("in", name)))
    members = frame.select(pl.col(hidden("in", name)).alias(name) for name in rules.segment).collect()
    return members, [_threshold(cut, value) for cut, value in sorted(context.cuts.items()) if value is not None]


def _threshold(cut: PercentCut, value: Any) -> Threshold:
    column, name, share = cut
    label = f"{column} ({name.removesuffix('_percent')} {share} %)"
    return Threshold(label, (Decimal(str(value)),), inclusive=True, falls=name == "bottom_percent")


def references(segment: Segment) -> set[str]:
    """The segments whose criteria this one refers to."""
    return {name for _, block in all_blocks(segment, ()) for name in (*block.in_segment, *block.not_in_segment)}


def _cuts(segments: Iterable[Segment], customers: pl.DataFrame) -> dict[PercentCut, Any]:
    return {
        (column, name, share): percent_threshold(customers[column], name, share)
        for column, name, share in percent_cuts(segments)
    }
