"""What a rule file that is made of another one has from it: everything but the segments, seen from a new folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import tomli

from segkit.addresses import database_of, is_address
from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.io.write import STDOUT
from segkit.rules.text.expand import Overrides, override, substitute
from segkit.rules.text.loader import Loaded

_OF_SEGMENTS = ("segment", "test")
_OF_OUTPUT = (
    *("format", "columns", "label_column", "delimiter", "decimal", "bom", "escape_formulas", "min_cell"),
    *("hash", "pseudonymise", "mode", "headers", "audience", "fields"),
)
"""How lists are written, and what is protected in them: not where they go, what is kept, or compared with."""

Place = Callable[[str], str]
"""How a path of the source is written in the new file."""


def carried(loaded: Loaded, folder: Path, given: Overrides) -> dict[str, Any]:
    """The keys of the rules but segments, tests and where lists go; paths are seen from `folder`.

    `${NAME}` stays as it is written. Consent, caps and the control group stay, so that they hold for what is found,
    too. What is `given` takes the place of what the rules say.
    """
    problems: list[Diagnostic] = []
    data = override(tomli.loads(loaded.source.text, parse_float=Decimal), given, loaded.source.value_at, problems)
    assert not problems, "they are loaded with what is given"
    data = {key: value for key, value in data.items() if key not in _OF_SEGMENTS}
    if "output" in data:
        data["output"] = {key: value for key, value in data["output"].items() if key in _OF_OUTPUT}
    if "assignment" in data:
        data["assignment"] = {key: value for key, value in data["assignment"].items() if key == "control"}

    def place(path: str) -> str:
        return seen_from(folder, path, loaded.source.directory)

    for table in _with_paths(data):
        for key in ("path", "suppress", "cutoffs", "directory"):
            if key in table:
                table[key] = _placed(table[key], place)
    if given.customers is not None:  # from the working directory, and so a whole path now
        data["customers"]["path"] = _placed(data["customers"]["path"], lambda path: _near(folder, path))
    return dict(with_zones(data, place))


def seen_from(folder: Path, path: str, directory: Path) -> str:
    """The path, which counts from `directory`, as it counts from `folder`; addresses and whole paths stay."""
    settled = str(substitute(path, os.environ, lambda *_: SourceLocation(""), []))
    if path == STDOUT or is_address(settled):
        return path
    if database := database_of(settled):
        kind, _, place = path.partition(":")
        return f"{kind}:{seen_from(folder, place, directory)}" if database.place == place else path
    if Path(settled).is_absolute():
        return path
    way = os.path.relpath(os.path.realpath(directory), os.path.realpath(folder))
    return path if way == os.curdir else os.path.normpath(Path(_literal(way)) / path)


def _near(folder: Path, path: str) -> str:
    """A whole path as it counts from `folder`."""
    if not Path(path).is_absolute():
        return path
    return _literal(os.path.relpath(os.path.realpath(path), os.path.realpath(folder)))


def _literal(path: str) -> str:
    """The path of folders that are there, as a rule file has it: a `${` in it refers to no variable."""
    return path.replace("${", "$${")


def _with_paths(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The tables of the file that name files, and can be written to: copies that tomli has made."""
    yield data["customers"]
    for section in ("events", "lookup"):
        yield from data.get(section, {}).values()
    consent = data.get("consent", {})
    yield from (consent, *consent.get("channel", {}).values())
    rfm = data.get("rfm", {})
    tables = (rfm, *(value for value in rfm.values() if isinstance(value, dict)))
    yield from (table for table in tables if isinstance(table.get("cutoffs"), str))
    if "cache" in data:
        yield data["cache"]


def _placed(paths: Any, place: Place) -> Any:
    return place(paths) if isinstance(paths, str) else [place(path) for path in paths]


def with_zones(value: Mapping[str, Any], place: Place) -> Iterator[tuple[str, Any]]:
    """The keys and values, with the files of zones in their places, however deep they stand."""
    for key, item in value.items():
        if key == "geographic" and isinstance(item, Mapping) and "inside" in item:
            yield key, {**item, "inside": _zones(item["inside"], place)}
        else:
            yield key, _deeper(item, place)


def _deeper(value: Any, place: Place) -> Any:
    if isinstance(value, Mapping):
        return dict(with_zones(value, place))
    return [_deeper(item, place) for item in value] if isinstance(value, list) else value


def _zones(value: Any, place: Place) -> Any:
    if isinstance(value, list):
        return [_zones(item, place) for item in value]
    return place(value) if isinstance(value, str) else {**value, "path": place(value["path"])}
