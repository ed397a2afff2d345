"""Folders such as `region=0042`, which say what a column is of all files below them."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from urllib.parse import unquote

from segkit.io.read.label import Label, Origin
from segkit.io.read.problems import problem
from segkit.words import listed

_MISSING = "__HIVE_DEFAULT_PARTITION__"
_ASIDE = ("_", ".")
"""How names begin of what writers put beside the files, such as `_SUCCESS`."""


def below(folder: Path) -> list[Path]:
    """The files of a folder that has such folders, sorted; nothing where it has none."""
    if not any("=" in child.name and child.is_dir() for child in folder.iterdir()):
        return []
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted((path for path in files if not is_aside(path.relative_to(folder).parts)), key=str)


def is_aside(parts: Iterable[str]) -> bool:
    """Whether the parts of a path below such a folder name what a writer has put beside the files."""
    return any(part.startswith(_ASIDE) and "=" not in part for part in parts)


def fixed_part(path: Path) -> Path:
    """The folder in which a path or glob begins to say several things."""
    parts = path.parts
    moving = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return Path(*parts[:moving])


def values_of(label: Label, inside: PurePath) -> Mapping[str, str | None]:
    """Column -> its value in a file, from the names of the folders that lead to it; missing ones are None."""
    values: dict[str, str | None] = {}
    for name, mark, value in (part.partition("=") for part in inside.parent.parts):
        if not (name and mark):
            continue
        column = unquote(name)
        if column in values:
            message = f"two folders above `{label.name}` say what `{column}` is"
            raise problem(label, message, hint="rename one of them")
        values[column] = None if value == _MISSING else unquote(value)
    return values


def require_alike(origins: Iterable[Origin]) -> None:
    """`DataError` where files of a source lie below folders for other columns than its first one, or none."""
    first, *others = origins
    for one in others:
        if one.folders.keys() != first.folders.keys():
            message = f"`{one.label}` lies {_lies(one.folders)}, and `{first.label}` {_lies(first.folders)}"
            hint = "all files of a source lie at one depth: name those at each in a source of its own, or move them"
            raise problem(one.label, message, hint=hint)


def _lies(folders: Mapping[str, str | None]) -> str:
    return f"below folders for {listed(folders, 'and')}" if folders else "below no folder such as `name=value`"
