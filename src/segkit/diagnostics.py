"""What is wrong, where, and what to do next: the one shape of every problem segkit reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from segkit.addresses import masked, without_secrets


class Severity(StrEnum):
    """How grave a problem is: the word that its message begins with."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    """What one may want to know; it never changes an exit code."""


class SourceLocation(NamedTuple):
    """A place in a text file; lines and columns count from 1, `width` is in characters."""

    path: str
    line: int | None = None
    column: int | None = None
    width: int = 1
    text: str | None = None

    def without_secrets(self) -> SourceLocation:
        """The same place; addresses in the path and in the line are shown without their secrets."""
        return self._replace(path=without_secrets(self.path), text=self.text and masked(self.text))

    def __str__(self) -> str:
        parts = [self.path, self.line, self.column if self.line else None]
        return ":".join(str(part) for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: a sentence without a full stop, its place, and the next step.

    Whatever it is made of, it holds no user, password or query of an address.
    """

    message: str
    location: SourceLocation | None = None
    hint: str | None = None
    severity: Severity = Severity.ERROR

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", without_secrets(self.message))
        object.__setattr__(self, "hint", self.hint and without_secrets(self.hint))
        object.__setattr__(self, "location", self.location and self.location.without_secrets())

    def render(self) -> str:
        """Plain text, with the offending line and a caret where the line is known."""
        lines = [f"{self.severity}: {self.message}"]
        if self.location is not None:
            lines += _frame(self.location)
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of a rule file, before its place in the text is looked up.

    `at` and `conflict` are dotted places, with numbers for items of lists: `segment.a.any.0`.
    """

    code: str
    at: str
    message: str
    segment: str | None = None
    conflict: tuple[str, ...] = ()
    hint: str | None = None


def without_notes(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Those that are more than notes."""
    return tuple(d for d in diagnostics if d.severity is not Severity.NOTE)


def only_notes(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Those that are notes."""
    return tuple(d for d in diagnostics if d.severity is Severity.NOTE)


def _frame(place: SourceLocation) -> list[str]:
    lines = [f"  --> {place}"]
    if place.text is None or place.line is None:
        return lines
    gutter = " " * (len(str(place.line)) + 1)
    lines += [f"{gutter}|", f"{place.line} | {place.text}"]
    if place.column is not None:
        # A tab keeps its width under the caret only if it stays a tab.
        lead = "".join("\t" if c == "\t" else " " for c in place.text[: place.column - 1])
        lines.append(f"{gutter}| {lead}{'^' * max(1, place.width)}")
    return lines
