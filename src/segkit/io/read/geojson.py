"""Zones on the map: the polygons of a GeoJSON file, and the names of its features."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from segkit.io.read.files import plain
from segkit.io.read.label import Label
from segkit.io.read.problems import problem
from segkit.io.read.workspace import Workspace

_GEOMETRIES = (
    "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection",
)  # fmt: skip
_AS_GEOJSON = "export the zones as GeoJSON, in WGS 84 (longitude, latitude)"
_WGS84 = re.compile(r"(?:CRS84h?|EPSG\D+4326|WGS ?84)$", re.IGNORECASE)
POLYGON = 3
"""What shapely calls the type of a polygon."""


class Feature(NamedTuple):
    """A feature with an area: its properties, and its polygons in WGS 84."""

    properties: Mapping[str, Any]
    polygons: Any

    def name(self, key: str) -> str | None:
        """The name under this property; none where it is no text or number."""
        value = self.properties.get(key)
        return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None


@dataclass(frozen=True, eq=False)
class Area:
    """Polygons as one area, with an index to find those near a point."""

    polygons: Any
    tree: Any
    lock: Lock = field(default_factory=Lock)
    """Indexes of polygons are made at their first use, which two threads must not do at once."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Another machine makes indexes of its own."""
        return _indexed, (self.polygons,)


def area_of(features: Iterable[Feature]) -> Area:
    """The area of all of these features."""
    import numpy as np

    return _indexed(np.concatenate([feature.polygons for feature in features]))


def _indexed(polygons: Any) -> Area:
    import shapely

    shapely.prepare(polygons)
    return Area(polygons, shapely.STRtree(polygons))


def read_features(ws: Workspace, path: Path) -> tuple[Path, list[Feature]]:
    """The file with the content, and its features that have an area.

    DataError for a file that is no GeoJSON, is not in WGS 84, or has no polygon.
    """
    label = Label(str(path))
    content = plain(ws, label, path)
    features = list(_features(label, _parsed(label, content)))
    found = [Feature(_properties(f), p) for f, p in zip(features, _polygons(label, features), strict=True) if len(p)]
    if not found:
        raise problem(label, f"`{label.name}` has no polygon", hint="`inside` needs zones with an area")
    return content, found


def _parsed(label: Label, content: Path) -> Any:
    try:
        return json.loads(content.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise problem(
            label, f"`{label.name}` is not valid JSON: {error.msg}", line=error.lineno, hint=_AS_GEOJSON
        ) from error
    except RecursionError as error:
        raise problem(label, f"`{label.name}` has brackets within brackets without end", hint=_AS_GEOJSON) from error
    except ValueError as error:
        raise problem(label, f"`{label.name}` is not UTF-8 text", hint=_AS_GEOJSON) from error
    except OSError as error:
        raise problem(label, f"cannot read `{label.name}`: {error.strerror}") from error


def _features(label: Label, data: Any) -> Iterator[dict[str, Any]]:
    """The features of the file; a bare geometry is a feature without properties."""
    kind = data.get("type") if isinstance(data, dict) else None
    if kind not in ("FeatureCollection", "Feature", *_GEOMETRIES):
        what = "TopoJSON, not GeoJSON" if kind == "Topology" else "JSON, but not GeoJSON"
        raise problem(label, f"`{label.name}` is {what}", hint=_AS_GEOJSON)
    _check_crs(label, data.get("crs"))
    if kind in _GEOMETRIES:
        yield {"geometry": data}
    elif kind == "Feature":
        yield data
    else:
        features = data.get("features")
        if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
            raise problem(label, f"`{label.name}` has no list of `features`", hint=_AS_GEOJSON)
        yield from features


def _check_crs(label: Label, crs: Any) -> None:
    """GeoJSON is in WGS 84; older files may name another system in `crs`."""
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = str(properties.get("name") if isinstance(properties, dict) else crs)
    if not _WGS84.search(name):
        raise problem(label, f"`{label.name}` is in `{name}`, not in WGS 84", hint=_AS_GEOJSON)


def _properties(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    found = feature.get("properties")
    return found if isinstance(found, dict) else {}


def _polygons(label: Label, features: list[dict[str, Any]]) -> Iterator[Any]:
    """The polygons of each feature, made valid; none of points, lines and empty geometries.

    Each polygon by itself: made valid together, where two of them overlap would be a hole.
    """
    import shapely

    for number, feature in enumerate(features, 1):
        shape = _shape(label, number, feature.get("geometry"))
        polygons = _parts([shape])
        wrong = ~shapely.is_valid(polygons)
        polygons[wrong] = shapely.make_valid(polygons[wrong])
        polygons = _parts(polygons)
        _check_bounds(label, number, shapely.total_bounds(polygons) if len(polygons) else (0, 0, 0, 0))
        yield polygons


def _parts(shapes: Any) -> Any:
    """The polygons that these consist of."""
    import shapely

    parts = shapely.get_parts(shapes)
    while (shapely.get_type_id(parts) > POLYGON).any():
        parts = shapely.get_parts(parts)
    return parts[(shapely.get_type_id(parts) == POLYGON) & ~shapely.is_empty(parts)]


def _shape(label: Label, number: int, geometry: Any) -> Any:
    import shapely
    from shapely.geometry import shape

    if geometry is None:
        return shapely.GeometryCollection()
    try:
        return shape(geometry)
    except (shapely.errors.ShapelyError, ValueError, TypeError, LookupError, AttributeError) as error:
        message = f"the coordinates of feature {number} of `{label.name}` cannot be read: {error}"
        raise problem(label, message, hint=_AS_GEOJSON) from error


def _check_bounds(label: Label, number: int, bounds: Iterable[float]) -> None:
    """Degrees, longitude first: other coordinates are those of another system, or the wrong way round."""
    west, south, east, north = bounds
    if -180 <= west <= east <= 180 and -90 <= south <= north <= 90:
        return
    shown = f"{west:g} to {east:g}, latitudes from {south:g} to {north:g}"
    message = f"feature {number} of `{label.name}` is not on the map: it has longitudes from {shown}"
    hint = "GeoJSON is in degrees (WGS 84), longitude before latitude; export the file again"
    raise problem(label, message, hint=hint)
