"""What `segkit init` guessed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from segkit.diagnostics import Diagnostic


class Guess(NamedTuple):
    """What `init` took a column for: its table (empty for the whole file), the role, what plays it, and why."""

    table: str
    role: str
    value: str
    why: str


class InitResult(NamedTuple):
    """A rule file that was written, and the `files` beside it.

    Of a `template` nothing was guessed. `tables` is how many rows of each count; `left_out` are segments and sections
    that the data speak against, with what speaks against them. `audits` is how many warnings and notes
    `segkit audit` has of each file.
    """

    path: str
    template: str | None
    files: tuple[str, ...]
    tables: Mapping[str, int] = MappingProxyType({})
    guesses: tuple[Guess, ...] = ()
    segments: tuple[str, ...] = ()
    left_out: Mapping[str, str] = MappingProxyType({})
    warnings: tuple[Diagnostic, ...] = ()
    notes: tuple[Diagnostic, ...] = ()
    audits: Mapping[str, int] = MappingProxyType({})
