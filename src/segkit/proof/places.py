"""Criteria as they are spoken of: as they stand in the file, with the line and, of another segment, its name."""

from __future__ import annotations

from typing import NamedTuple

from segkit.rules.findings import KeyPath, dotted
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import RuleSource

KINDS = ("any", "all", "none")
LENGTHS = {"segment": 2, "lifecycle": 3, "score": 4}
"""Section -> how long the path of a block in it is."""


class Places(NamedTuple):
    """The criteria of a rule file, by name."""

    rules: RuleFile
    source: RuleSource

    def named(self, path: KeyPath, here: KeyPath) -> str:
        """What stands at the path, spoken of in the block `here`, such as "`demographic.age` (line 12)"."""
        top, rest = _split(path)
        name = self._within(path, rest) if rest else self._block(top)
        if rest and top != _split(here)[0]:
            name += f" of {self._block(top)}"
        place = self.source.at(*path)
        other = f"{place.path}, " if place.path != self.source.path else ""
        return f"{name} ({other}line {place.line})" if place.line else name

    def _block(self, top: KeyPath) -> str:
        match top:
            case ("lifecycle", _, int(number)) if self.rules.lifecycle:
                return f"stage `{self.rules.lifecycle.stage[number].name}`"
            case ("score", name, _, int(number)):
                return f"rule {number + 1} of score `{name}`"
        return f"segment `{top[1]}`"

    def _within(self, path: KeyPath, rest: KeyPath) -> str:
        outer: list[str] = []
        while len(rest) > 1 and rest[0] in KINDS:
            outer.append(f"block {int(rest[1]) + 1} of `{rest[0]}`")
            rest = rest[2:]
        own = [self._criterion(path, rest)] if rest else []
        return " in ".join([*own, *reversed(outer)])

    def _criterion(self, path: KeyPath, rest: KeyPath) -> str:
        """A criterion as it is written: short forms have no position, and the family has the spelling of the file."""
        *keys, last = rest
        written = self.source.written(path)
        if rest[0] in ("in_segment", "not_in_segment"):
            return f'`{rest[0]} = "{self._value(path)}"`'
        if isinstance(last, int):
            number = f" no. {last + 1}" if written[-1:] == (last,) else ""
            return f"`{dotted(tuple(_spelt(key, written) for key in keys))}`{number}"
        if last not in written and len(rest) > 1:
            return f"`{rest[0]}`"
        return f"`{dotted(tuple(_spelt(key, written) for key in rest))}`"

    def _value(self, path: KeyPath) -> object:
        there: object = self.rules
        for part in path:
            there = there[part] if isinstance(there, (dict, tuple)) else getattr(there, str(part))  # type: ignore[index]
        return there


def _split(path: KeyPath) -> tuple[KeyPath, KeyPath]:
    length = LENGTHS.get(str(path[0]), 0)
    return path[:length], path[length:]


def _spelt(key: str | int, written: KeyPath) -> str | int:
    return "behavioral" if key == "behavioural" and "behavioral" in written else key
