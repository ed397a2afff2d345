"""A block of criteria as one Boolean expression."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import polars as pl

from segkit.criteria.conditions import Context, holds
from segkit.criteria.kinds import Schema
from segkit.criteria.places import is_inside, on_the_map
from segkit.criteria.sql import parse_sql
from segkit.rules.model.blocks import Block, EventCondition, Inside, Near

EARTH_RADIUS_KM = 6371.0088


class Names(NamedTuple):
    """How a block finds what is not a plain column: results of event conditions, segments, coordinates."""

    event_condition: Callable[[EventCondition], pl.Expr]
    segment: Callable[[str], pl.Expr]
    latitude: str | None
    longitude: str | None


def block_holds(block: Block, schema: Schema, names: Names, context: Context) -> pl.Expr:
    """Boolean, never null: whether all criteria of the block hold in each row."""
    return pl.all_horizontal(list(_parts(block, schema, names, context)) or [pl.lit(True)])


def _parts(block: Block, schema: Schema, names: Names, context: Context) -> Iterator[pl.Expr]:
    for _, column, condition in block.criteria():
        yield holds(column, schema[column], condition, context)
    if block.geographic.near:
        yield pl.any_horizontal([_is_near(near, names) for near in block.geographic.near])
    if block.geographic.inside:
        yield pl.any_horizontal([_is_inside(inside, names, context) for inside in block.geographic.inside])
    yield from (names.event_condition(condition) for condition in block.behavioural.did)
    yield from (~names.event_condition(condition) for condition in block.behavioural.did_not)
    yield from (names.segment(name) for name in block.in_segment)
    yield from (~names.segment(name) for name in block.not_in_segment)
    if block.sql is not None:
        yield parse_sql(block.sql, context.as_of).fill_null(False)
    inner = {
        kind: [block_holds(b, schema, names, context) for b in getattr(block, kind)] for kind in ("any", "all", "none")
    }
    if inner["any"]:
        yield pl.any_horizontal(inner["any"])
    yield from inner["all"]
    if inner["none"]:
        yield ~pl.any_horizontal(inner["none"])


def _is_near(near: Near, names: Names) -> pl.Expr:
    """Great-circle distance by the haversine formula, in km, against the circle's radius."""
    assert names.latitude is not None and names.longitude is not None, "checked before the run"
    degrees = [pl.col(c).cast(pl.Float64) for c in (names.latitude, names.longitude)]
    latitude, longitude = (value.radians() for value in degrees)
    here_latitude, here_longitude = math.radians(near.latitude), math.radians(near.longitude)
    half = ((latitude - here_latitude) / 2).sin() ** 2 + latitude.cos() * math.cos(here_latitude) * (
        (longitude - here_longitude) / 2
    ).sin() ** 2
    # Of opposite ends of the earth, rounding may make it a bit more than 1, which has no arcsine.
    distance = 2 * EARTH_RADIUS_KM * half.clip(0, 1).sqrt().arcsin()
    return ((distance <= float(near.km)) & on_the_map(*degrees)).fill_null(False)


def _is_inside(inside: Inside, names: Names, context: Context) -> pl.Expr:
    assert names.latitude is not None and names.longitude is not None, "checked before the run"
    return is_inside(context.zones[inside], names.latitude, names.longitude)
