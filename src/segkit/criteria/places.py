"""Whether customers live near a point or inside zones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from segkit.io.read.geojson import Area
from segkit.rules.model.blocks import Near

EARTH_RADIUS_KM = 6371.0088
AT_ONCE = 100_000
"""The number of points that are looked at together, which bounds the memory."""


def is_near(near: Near, latitude: str, longitude: str) -> pl.Expr:
    """Boolean, never null: great-circle distance by the haversine formula, in km, against the circle's radius."""
    degrees = [pl.col(c).cast(pl.Float64) for c in (latitude, longitude)]
    return ((distance(near, *degrees) <= float(near.km)) & on_the_map(*degrees)).fill_null(False)


def distance(near: Near, latitude: pl.Expr, longitude: pl.Expr) -> pl.Expr:
    """The great-circle distance in km from the middle of a circle; latitude and longitude in degrees."""
    there_latitude, there_longitude = latitude.radians(), longitude.radians()
    here_latitude, here_longitude = math.radians(near.latitude), math.radians(near.longitude)
    half = ((there_latitude - here_latitude) / 2).sin() ** 2 + there_latitude.cos() * math.cos(here_latitude) * (
        (there_longitude - here_longitude) / 2
    ).sin() ** 2
    # For opposite ends of the earth, rounding may make `half` a bit more than 1, which has no arcsine.
    return 2 * EARTH_RADIUS_KM * half.clip(0, 1).sqrt().arcsin()


def is_inside(area: Area, latitude: str, longitude: str) -> pl.Expr:
    """Boolean, never null: whether the point is in the area or on its border."""
    point = [pl.col(longitude).cast(pl.Float64), pl.col(latitude).cast(pl.Float64)]
    return pl.map_batches(point, lambda xy: _covered(area, xy), return_dtype=pl.Boolean, is_elementwise=True)


def on_the_map(latitude: pl.Expr, longitude: pl.Expr) -> pl.Expr:
    """Boolean, null where missing: whether there can be a place with these coordinates, in degrees."""
    return latitude.is_between(-90, 90) & longitude.is_between(-180, 180)


def _covered(area: Area, xy: Sequence[pl.Series]) -> pl.Series:
    import numpy as np
    import shapely

    points = pl.DataFrame({"x": xy[0], "y": xy[1]}).with_row_index()
    possible = points.filter(on_the_map(pl.col("y"), pl.col("x")))
    covered = np.zeros(len(points), dtype=bool)
    with area.lock:
        for some in possible.iter_slices(AT_ONCE):
            row, x, y = (column.to_numpy() for column in some)
            # Boxes first, by the index; then the polygons of the boxes that have the point.
            point, zone = area.tree.query(shapely.points(x, y))
            inside = shapely.intersects_xy(area.polygons[zone], x[point], y[point])
            covered[row[point[inside]]] = True
    return pl.Series(covered)
