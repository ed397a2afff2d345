"""Files of zones that two rule files name alike, and that are not the same."""

from __future__ import annotations

from pathlib import Path

from segkit.errors import DataError
from segkit.io.read.files import expand
from segkit.rules.text.loader import Loaded
from segkit.rules.walk import blocks


def other_zones(old: Loaded, new: Loaded) -> frozenset[str]:
    """The paths of `inside` under which the files find other zones, or at least one of them none that can be read."""
    named = {
        inside.path
        for loaded in (old, new)
        for _, block in blocks(loaded.rules)
        for inside in block.geographic.inside
    }  # fmt: skip
    return frozenset(path for path in named if not _are_same(path, old.source.directory, new.source.directory))


def _are_same(path: str, first: Path, second: Path) -> bool:
    try:
        ours, theirs = (tuple(file.resolve() for file in expand(path, folder)) for folder in (first, second))
        return ours == theirs or [file.read_bytes() for file in ours] == [file.read_bytes() for file in theirs]
    except (DataError, OSError):
        # Both look in one place, whatever may be there on the day of a run.
        return (first / path).resolve() == (second / path).resolve()
