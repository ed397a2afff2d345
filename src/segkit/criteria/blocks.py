"""A block of criteria as one Boolean expression."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from segkit.criteria.conditions import holds
from segkit.criteria.context import Context, Names
from segkit.criteria.kinds import Dtypes
from segkit.criteria.places import is_inside, is_near
from segkit.criteria.sql.expressions import sql_expression
from segkit.rules.model.blocks import Block, Inside


def block_holds(block: Block, schema: Dtypes, names: Names, context: Context) -> pl.Expr:
    """Boolean, never null: whether all criteria of the block hold in each row."""
    return pl.all_horizontal(list(_parts(block, schema, names, context)) or [pl.lit(True)])


def _parts(block: Block, schema: Dtypes, names: Names, context: Context) -> Iterator[pl.Expr]:
    for _, column, condition in block.criteria():
        yield holds(column, schema[column], condition, context)
    if block.geographic.near:
        yield pl.any_horizontal([is_near(near, *_coordinates(names)) for near in block.geographic.near])
    if block.geographic.inside:
        yield pl.any_horizontal([_is_inside(inside, names, context) for inside in block.geographic.inside])
    yield from (names.event_condition(condition) for condition in block.behavioural.did)
    yield from (~names.event_condition(condition) for condition in block.behavioural.did_not)
    yield from (names.segment(name) for name in block.in_segment)
    yield from (~names.segment(name) for name in block.not_in_segment)
    if block.sql is not None:
        yield sql_expression(block.sql, schema, context.as_of).fill_null(False)
    inner = {
        kind: [block_holds(b, schema, names, context) for b in getattr(block, kind)] for kind in ("any", "all", "none")
    }
    if inner["any"]:
        yield pl.any_horizontal(inner["any"])
    yield from inner["all"]
    if inner["none"]:
        yield ~pl.any_horizontal(inner["none"])


def _is_inside(inside: Inside, names: Names, context: Context) -> pl.Expr:
    return is_inside(context.zones[inside], *_coordinates(names))


def _coordinates(names: Names) -> tuple[str, str]:
    assert names.latitude is not None and names.longitude is not None, "checked before the run"
    return names.latitude, names.longitude
