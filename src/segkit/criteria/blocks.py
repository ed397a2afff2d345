"""A block of criteria becomes a tree."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.criteria.conditions import holds
from segkit.criteria.context import Context, Names
from segkit.criteria.kinds import Dtypes
from segkit.criteria.places import is_inside, is_near
from segkit.criteria.sql.expressions import sql_expression
from segkit.criteria.tree import All, Any, Leaf, Member, Not, On, Sql, Tree
from segkit.rules.findings import KeyPath
from segkit.rules.model.blocks import Block
from segkit.rules.walk import event_conditions_of


def block_tree(block: Block, path: KeyPath, schema: Dtypes, names: Names, context: Context) -> All:
    """All criteria of the block, which stands at `path`, over columns of `schema`."""
    parts = [
        *_columns(block, path, schema, context),
        *_places(block, path, names, context),
        *_events(block, path, names),
        *_segments(block, path, names),
    ]
    if block.sql is not None:
        sql = sql_expression(block.sql, schema, context.as_of).fill_null(False)
        parts.append(Leaf((*path, "sql"), Sql(block.sql), sql))
    inner: dict[str, list[Tree]] = {"any": [], "all": [], "none": []}
    for kind, position, below in block.blocks():
        inner[kind].append(block_tree(below, (*path, kind, position), schema, names, context))
    if inner["any"]:
        parts.append(Any((*path, "any"), tuple(inner["any"])))
    parts += inner["all"]
    if inner["none"]:
        parts.append(Not(Any((*path, "none"), tuple(inner["none"]))))
    return All(path, tuple(parts))


def _columns(block: Block, path: KeyPath, schema: Dtypes, context: Context) -> Iterator[Tree]:
    for family, column, condition in block.criteria():
        there = holds(column, schema[column], condition, context)
        yield Leaf((*path, family, column), On(column, condition), there)


def _places(block: Block, path: KeyPath, names: Names, context: Context) -> Iterator[Tree]:
    """Near one of the places, and inside one of the zones."""
    near, inside = (*path, "geographic", "near"), (*path, "geographic", "inside")
    circles = [
        Leaf((*near, number), circle, is_near(circle, *_coordinates(names)))
        for number, circle in enumerate(block.geographic.near)
    ]
    zones = [
        Leaf((*inside, number), zone, is_inside(context.zones[zone], *_coordinates(names)))
        for number, zone in enumerate(block.geographic.inside)
    ]
    if circles:
        yield Any(near, tuple(circles))
    if zones:
        yield Any(inside, tuple(zones))


def _events(block: Block, path: KeyPath, names: Names) -> Iterator[Tree]:
    for at, condition in event_conditions_of(path, block):
        leaf = Leaf(at, condition, names.event_condition(condition))
        yield Not(leaf) if at[-2] == "did_not" else leaf


def _segments(block: Block, path: KeyPath, names: Names) -> Iterator[Tree]:
    for name in block.in_segment:
        yield Leaf((*path, "in_segment"), Member(name), names.segment(name))
    for name in block.not_in_segment:
        yield Not(Leaf((*path, "not_in_segment"), Member(name), names.segment(name)))


def _coordinates(names: Names) -> tuple[str, str]:
    assert names.latitude is not None and names.longitude is not None, "checked before the run"
    return names.latitude, names.longitude
