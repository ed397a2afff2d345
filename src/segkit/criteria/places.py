"""Whether customers live inside zones: points against polygons."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from segkit.io.read.geojson import Area

AT_ONCE = 100_000
"""Points that are looked at together: what bounds the memory."""


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
    found = np.zeros(len(points), dtype=bool)
    with area.lock:
        for some in possible.iter_slices(AT_ONCE):
            row, x, y = (column.to_numpy() for column in some)
            # Boxes first, by the index; then the polygons of the boxes that have the point.
            point, zone = area.tree.query(shapely.points(x, y))
            inside = shapely.intersects_xy(area.polygons[zone], x[point], y[point])
            found[row[point[inside]]] = True
    return pl.Series(found)
