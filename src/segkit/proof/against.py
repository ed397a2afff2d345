"""What a change of a rule file does to its segments, whatever the data are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from segkit.columns.features.all_steps import steps_of
from segkit.columns.features.blocks import block_needs
from segkit.columns.features.steps import transitive
from segkit.criteria.context import Context
from segkit.proof.days import later_days
from segkit.proof.facts import Fact
from segkit.proof.nodes import Day
from segkit.proof.pairs import path_of, within
from segkit.results import RuleChange
from segkit.rules.model.blocks import Block, Segment
from segkit.rules.model.file import RuleFile
from segkit.rules.walk import blocks

OLD = "\x1fold "
"""What the names of the segments of the older file begin with."""
COMPUTING = ("as_of", "timezone", "customers", "events", "lookup", "rfm", "lifecycle", "score", "value")
"""What says what all columns are, and on which day; a change of one may change every segment."""


def compared(old: RuleFile, new: RuleFile) -> tuple[RuleChange, ...]:
    """What changed of each segment since the older file, in the order of the newer one, those removed last."""
    today = new.today()
    both = [name for name in new.segment if name in old.segment]
    known = [name for name in both if name not in set(_unknown(old, new, both))]
    changed = dict.fromkeys(both, "unknown") | _proved(old, new, known, today)
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
    later = later_days(together, today) if new.as_of is None else []
    if later is None:
        return {}
    for at in (today, *later):
        day = Day(together, at)
        facts = {key: fact for key, fact in facts.items() if fact.stands_on(day)}
    return {name: _change(name, facts) for name in names}


def _change(name: str, facts: dict[tuple[str, str], Fact]) -> str:
    stands = {kind for kind in ("narrower", "wider", "apart") if (name, kind) in facts}
    if {"narrower", "wider"} <= stands:
        return "same"
    return next((kind for kind in ("narrower", "wider", "apart") if kind in stands), "other")


def _unknown(old: RuleFile, new: RuleFile, names: list[str]) -> Iterator[str]:
    """The segments that read what is computed in another way, or whose stages and scores read other segments."""
    if any(getattr(old, section) != getattr(new, section) for section in COMPUTING) or _reads_segments(new):
        yield from names
        return
    other = {name for name in {*old.trait, *new.trait} if old.trait.get(name) != new.trait.get(name)}
    if other:
        for rules in (old, new):
            steps = {name: step for step in steps_of(rules, Context(rules.today())) for name in step.names}
            for name in names:
                asked = sorted(block_needs(rules.segment[name], rules.customers))
                if other & set(transitive(asked, steps)):
                    yield name


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
