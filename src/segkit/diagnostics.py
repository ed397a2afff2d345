"""What is wrong, where, and what to do next: the one shape of every problem segkit reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
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
    """A place in a text file; lines and columns count from 1, `width` is in characters.

    In a workbook, `sheet` is the name of the sheet, and `line` a row of it.
    """

    path: str
    line: int | None = None
    column: int | None = None
    width: int = 1
    text: str | None = None
    sheet: str | None = None

    def without_secrets(self) -> SourceLocation:
        """The same place; addresses in the path and in the line are shown without their secrets."""
        return self._replace(path=without_secrets(self.path), text=self.text and masked(self.text))

    def __str__(self) -> str:
        if self.sheet is not None:
            return f"{self.path}, sheet {self.sheet}" + (f", row {self.line}" if self.line else "")
        parts = [self.path, self.line, self.column if self.line else None]
        return ":".join(str(part) for part in parts if part is not None)


class Quotes(NamedTuple):
    """The values of a column of the data that a diagnostic quotes, between backticks or quotation marks.

    `read_as` is what a value was read as, which stands in the text without marks.
    """

    column: str
    values: tuple[str, ...]
    read_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: a sentence without a full stop, its place, and the next step.

    `code` says what kind of problem it is, `at` where it is in the rules ("segment.a.any.0"), `conflict` which criteria
    it comes of; `quotes` has the values of the data in it. Whatever it is made of, it holds no user, password or query
    of an address.
    """

    message: str
    location: SourceLocation | None = None
    hint: str | None = None
    severity: Severity = Severity.ERROR
    code: str = ""
    at: str = field(default="", compare=False)
    segment: str | None = field(default=None, compare=False)
    conflict: tuple[str, ...] = field(default=(), compare=False)
    quotes: Quotes | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", without_secrets(self.message))
        object.__setattr__(self, "hint", self.hint and without_secrets(self.hint))
        object.__setattr__(self, "at", without_secrets(self.at))
        object.__setattr__(self, "segment", self.segment and without_secrets(self.segment))
        object.__setattr__(self, "conflict", tuple(map(without_secrets, self.conflict)))
        object.__setattr__(self, "location", self.location and self.location.without_secrets())

    def render(self, name: str = "") -> str:
        """Plain text, with the offending line and a caret where the line is known, and the `name` of what it is."""
        lines = [f"{self.severity}: {self.message}"]
        if self.location is not None:
            lines += _frame(self.location)
        if self.hint:
            lines.append(f"hint: {self.hint}")
        if name:
            lines.append(f"code: {name}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about rules, before its place in the text is looked up.

    `at` and `conflict` are dotted places, items of lists by number: "segment.a.any.0". `segment` is the segment that it
    is about, None where it is about something else.
    """

    code: str
    at: str
    message: str
    segment: str | None
    conflict: tuple[str, ...]
    hint: str | None


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
