"""What a source is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import NamedTuple

from segkit.addresses import database_of, without_secrets
from segkit.diagnostics import Diagnostic

STDIN = Path("-")
PACKED = (".gz", ".zst")
"""Endings that say how a file is packed, not what it holds."""


@dataclass(frozen=True, slots=True)
class Label:
    """A source in messages, logs and manifests: its path, or its address without user, password and query."""

    path: str
    """As manifests and JSON have it; `-` for standard input."""
    within: str = ""
    """What of it is read, where that is not all, such as `table orders`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", without_secrets(self.path))

    def __str__(self) -> str:
        if self.is_stdin:
            return "standard input"
        return f"{self.path}, {self.within}" if self.within else self.path

    @property
    def name(self) -> str:
        """The name of the file, without its folder."""
        database = database_of(self.path)
        return PurePath(database.place if database else self.path).name

    @property
    def endings(self) -> list[str]:
        """The endings of the name, such as `.csv` and `.gz`."""
        return PurePath(self.path).suffixes

    @property
    def ending(self) -> str:
        """The ending that says what the file holds, in small letters; nothing where there is none."""
        endings = [ending for ending in map(str.lower, self.endings) if ending not in PACKED]
        return endings[-1] if endings else ""

    @property
    def is_stdin(self) -> bool:
        """Whether it is standard input."""
        return self.path == str(STDIN)


class Origin(NamedTuple):
    """Where a source is: what it is called, and the file to read, which may be a copy.

    `kind` is the name of its kind, where its address tells that; `told` is what there is to say of how it came;
    `charset` is the encoding that a server gives for it.
    """

    label: Label
    path: Path
    kind: str | None = None
    told: tuple[Diagnostic, ...] = ()
    charset: str | None = None
    folders: Mapping[str, str | None] = MappingProxyType({})
    """Column -> its value in the whole file, as the names of folders above it say."""
