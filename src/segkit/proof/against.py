"""What a change of a rule file does to its segments, whatever the data are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from segkit.proof.days import Calendar
from segkit.proof.facts import Fact
from segkit.proof.nodes import Day
from segkit.proof.pairs import path_of, within
from segkit.proof.reading import Reading, changed_columns, only
from segkit.results.check import RuleChange
from segkit.rules.model.blocks import Block, Segment
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import CUSTOMERS
from segkit.rules.walk import blocks

OLD = "\x1fold "
"""What the names of the segments of the older file begin with."""
COMPUTING = ("as_of", "timezone", "customers")
"""What says what all columns are, and on which day; a change of one may change every segment."""


def compared(old: RuleFile, new: RuleFile, zones: Collection[str] = ()) -> tuple[RuleChange, ...]:
    """What changed of each segment since the older file, in the order of the newer one, those removed last.

    `zones` are the paths of `inside` under which the two files find other zones.
    """
    today = new.today()
    both = [name for name in new.segment if name in old.segment]
    unknown = set(_unknown(old, new, zones))
    changed = dict.fromkeys(both, "unknown") | _proved(old, new, [name for name in both if name not in unknown], today)
    found: list[Any] = [(name, changed.get(name, "added")) for name in new.segment]
    found += [(name, "removed") for name in old.segment if name not in new.segment]
    return tuple(RuleChange(*one) for one in found)


def _proved(old: RuleFile, new: RuleFile, names: list[str], today: Any) -> dict[str, str]:
    """What is proved of segments that read the same columns in both files, on this day and on later ones."""
    segments = {**new.segment, **{OLD + name: _renamed(segment) for name, segment in old.segment.items()}}
    together = new.model_copy(update={"segment": segments})
    facts = {
        (name, kind): Fact("", path_of(name), (goal,))
        for name in names
        for kind, goal in (
            ("narrower", within(name, OLD + name)),
            ("wider", within(OLD + name, name)),
            ("apart", ((path_of(name), True), (path_of(OLD + name), True))),
        )
    }
    found: dict[str, str] = {}
    for part, later, group in _kinds_of_day(together, names, today):
        left = {key: fact for key, fact in facts.items() if key[0] in group}
        for at in (today, *later):
            day = Day(part, at)
            left = {key: fact for key, fact in left.items() if fact.stands_on(day)}
        found |= {name: _change(name, left) for name in group}
    return found


def _kinds_of_day(rules: RuleFile, names: list[str], today: Any) -> Iterator[tuple[RuleFile, list[Any], list[str]]]:
    """Rules, the later days on which to look at them, and the segments to compare: all of them, or each on its own."""
    calendar = None if rules.as_of else Calendar(rules, today)
    days = calendar.later_days(rules) if calendar else []
    if days is not None:
        yield rules, days, names
        return
    reading = Reading(rules)
    for name in names:
        part = only(reading, (path_of(name), path_of(OLD + name)))
        own = calendar.later_days(part) if calendar else []
        if own is not None:
            yield part, own, [name]


def _change(name: str, facts: dict[tuple[str, str], Fact]) -> str:
    stands = {kind for kind in ("narrower", "wider", "apart") if (name, kind) in facts}
    if {"narrower", "wider"} <= stands:
        return "same"
    return next((kind for kind in ("narrower", "wider", "apart") if kind in stands), "other")


def _unknown(old: RuleFile, new: RuleFile, zones: Collection[str]) -> Iterator[str]:
    """The segments that read what is computed in another way, or whose stages and scores read other segments."""
    if any(getattr(old, section) != getattr(new, section) for section in COMPUTING) or _reads_other_tables(old, new):
        yield from new.segment
        return
    if _reads_segments(old) or _reads_segments(new):
        yield from new.segment
        return
    readings = Reading(old), Reading(new)
    changed = changed_columns(*readings)
    for reading in readings:
        yield from reading.segments(changed, zones)


def _reads_other_tables(old: RuleFile, new: RuleFile) -> bool:
    """Whether a table of both files, or what is joined to it, is another; one of one file alone changes no other."""
    both = {CUSTOMERS, *(name for name in new.events if name in old.events)}
    joined = ({name: one for name, one in rules.lookup.items() if one.into in both} for rules in (old, new))
    first, second = joined
    return first != second or any(old.events[name] != new.events[name] for name in both - {CUSTOMERS})


def _reads_segments(rules: RuleFile) -> bool:
    """Whether stages or scores are made of segments, which may have changed."""
    return any(path[0] != "segment" and (block.in_segment or block.not_in_segment) for path, block in blocks(rules))


def _renamed(segment: Segment) -> Segment:
    """The segment of the older file, which reads the segments of that file."""
    return segment.model_copy(update=_update(segment))


def _update(block: Block) -> dict[str, Any]:
    names = {key: tuple(OLD + name for name in getattr(block, key)) for key in ("in_segment", "not_in_segment")}
    inner = {
        kind: tuple(one.model_copy(update=_update(one)) for one in getattr(block, kind))
        for kind in ("any", "all", "none")
    }
    return {key: value for key, value in {**names, **inner}.items() if value}
