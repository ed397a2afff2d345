"""A finding about the rule file, before its place in the text is looked up."""

from __future__ import annotations

from typing import NamedTuple

Path = tuple[str | int, ...]


class Finding(NamedTuple):
    """What is wrong at `path`, the keys that lead to it from the top of the rule file."""

    path: Path
    message: str
    hint: str | None = None
    warning: bool = False
