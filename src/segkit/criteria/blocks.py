"""A block of criteria as one Boolean expression."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from segkit.criteria.conditions import Context, holds
from segkit.criteria.kinds import Schema
from segkit.criteria.sql import parse_sql
from segkit.rules.blocks import Block, EventCondition, Near

EARTH_RADIUS_KM = 6371.0088


@dataclass(frozen=True)
class Names:
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
    latitude, longitude = (pl.col(c).cast(pl.Float64).radians() for c in (names.latitude, names.longitude))
    here_latitude, here_longitude = math.radians(near.latitude), math.radians(near.longitude)
    half = ((latitude - here_latitude) / 2).sin() ** 2 + latitude.cos() * math.cos(here_latitude) * (
        (longitude - here_longitude) / 2
    ).sin() ** 2
    distance = 2 * EARTH_RADIUS_KM * half.sqrt().arcsin()
    return (distance <= float(near.km)).fill_null(False)
