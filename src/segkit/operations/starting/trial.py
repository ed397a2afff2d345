"""Tries the rules out before they are written: what the data speak against is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError
from segkit.io.write import FORMATS
from segkit.operations.check import check_loaded
from segkit.operations.orders_file.told import RULES
from segkit.operations.starting.lines.draft import everybody, with_output
from segkit.operations.starting.lines.toml_lines import Part, part_at, text_of
from segkit.rules.text.loader import load_rules_text


class Tried(NamedTuple):
    """The parts that are left, what was said against the others, and the warnings that no part is to blame for."""

    parts: list[Part]
    left_out: dict[str, str]
    warnings: tuple[Diagnostic, ...]


def tried(parts: Sequence[Part]) -> Tried:
    """The parts of which `check --data` does not warn.

    An optional part that it warns of is left out with what needs it, until there is none. Errors, such as values that
    cannot be read, are raised.
    """
    kept, left_out = list(parts), dict[str, str]()
    while True:
        whole = with_output(kept)
        loaded = load_rules_text(text_of(whole), RULES, formats=FORMATS)
        found = check_loaded(loaded, data=True).diagnostics
        if errors := [one for one in found if one.severity is Severity.ERROR]:
            raise DataError(*errors)
        warned = [one for one in found if one.severity is Severity.WARNING]
        against = {part.name: one.message for one in warned if (part := _part(whole, one)) and part.optional}
        if not against:
            return Tried(
                kept, left_out, tuple(replace(one, location=None) if _of_rules(one) else one for one in warned)
            )
        left_out |= against
        kept = [part for part in kept if part.name not in against and part.needs not in against]
        if not any(line.startswith("[segment.") for part in kept for line in part.lines):
            kept.append(everybody())


def _part(parts: Sequence[Part], warned: Diagnostic) -> Part | None:
    place = warned.location
    return part_at(parts, place.line) if place and place.line and _of_rules(warned) else None


def _of_rules(diagnostic: Diagnostic) -> bool:
    """Whether it is about the rules, which nobody has seen so far."""
    return diagnostic.location is not None and diagnostic.location.path == RULES
