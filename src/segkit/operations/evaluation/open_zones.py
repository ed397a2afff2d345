"""Opens the files of zones that a rule file names, and finds the zones by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from segkit import codes
from segkit.errors import DataError, RuleError
from segkit.io.read.files import expand
from segkit.io.read.geojson import Area, Feature, area_of, read_features
from segkit.io.read.workspace import Workspace
from segkit.rules import walk
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.model.blocks import Inside
from segkit.rules.text.loader import Loaded
from segkit.words import listed, nearest

TABLE = "zones"
"""What the files of zones are called among the inputs."""


class Zones(NamedTuple):
    """The area of each `inside` of the rules, and the files that were read.

    `files` is path -> file with the content: the path itself, or a copy of what came through a pipe.
    """

    areas: Mapping[Inside, Area] = MappingProxyType({})
    files: Mapping[Path, Path] = MappingProxyType({})


def open_zones(loaded: Loaded, ws: Workspace) -> tuple[Zones, list[Finding]]:
    """The zones of the rules, and findings about names that no feature has.

    Raises `DataError` for files that cannot be read, `RuleError` where shapely is not installed.
    """
    asked = list(_asked(loaded))
    if not asked:
        return Zones(), []
    if find_spec("shapely") is None:
        hint = 'install it: `pip install "segkit-cli[geo]"`'
        message = "`inside` needs the package shapely"
        raise RuleError(loaded.source.placed(Finding(asked[0][0], message, hint, code=codes.NOT_THERE)))
    read: dict[Path, tuple[Path, list[Feature]]] = {}
    areas: dict[Inside, Area] = {}
    findings: list[Finding] = []
    wrong: list[DataError] = []
    for path, inside in asked:
        try:
            features = _features_of(loaded, ws, inside, read)
        except DataError as error:
            wrong.append(error)
            continue
        unknown = list(_unknown_names(path, inside, features))
        findings += unknown
        if not unknown and inside not in areas:
            areas[inside] = area_of(_named(features, inside))
    if wrong:
        raise DataError(*dict.fromkeys(d for error in wrong for d in error.diagnostics))
    return Zones(areas, {path: path if path.is_file() else content for path, (content, _) in read.items()}), findings


def _asked(loaded: Loaded) -> Iterator[tuple[KeyPath, Inside]]:
    for path, block in walk.blocks(loaded.rules):
        for position, inside in enumerate(block.geographic.inside):
            yield (*path, "geographic", "inside", position), inside


def _features_of(
    loaded: Loaded, ws: Workspace, inside: Inside, read: dict[Path, tuple[Path, list[Feature]]]
) -> list[Feature]:
    """The features of the files that `inside` names, each file read once."""
    paths = expand(inside.path, loaded.source.directory)
    for path in paths:
        if path not in read:
            read[path] = read_features(ws, path)
    return [feature for path in paths for feature in read[path][1]]


def _named(features: list[Feature], inside: Inside) -> list[Feature]:
    return [f for f in features if inside.name is None or f.name(inside.property) in inside.name]


def _unknown_names(path: KeyPath, inside: Inside, features: list[Feature]) -> Iterator[Finding]:
    """A finding for each name that no feature has, or for a property that holds no names."""
    names = sorted({name for f in features if (name := f.name(inside.property)) is not None})
    if inside.name is None:
        return
    if not names:
        others = sorted({key for f in features for key in f.properties if f.name(key) is not None})
        hint = f"its features have {listed(others)}: name one with `property`" if others else "take out `name`"
        yield Finding(
            path, f"no zone of `{inside.path}` has a property `{inside.property}`", hint, code=codes.UNKNOWN_NAME
        )
        return
    for position, name in enumerate(inside.name):
        if name not in names:
            message = f"no zone of `{inside.path}` has the name `{name}`"
            yield Finding((*path, "name", position), message, nearest(name, names, "names"), code=codes.UNKNOWN_NAME)
