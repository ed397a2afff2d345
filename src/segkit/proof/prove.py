"""What is true of a rule file whatever the data are: the door of the proof."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from segkit.proof.blocks import of_blocks
from segkit.proof.days import Calendar
from segkit.proof.facts import Fact, Goal, needed
from segkit.proof.nodes import Day
from segkit.proof.pairs import relations, same_customers, shadowed
from segkit.proof.reading import Reading, only
from segkit.proof.unused import unused
from segkit.results.check import Related
from segkit.rules.findings import KeyPath
from segkit.rules.model.file import RuleFile
from segkit.rules.walk import blocks, named_blocks

MOST_BLOCKS = 3_000
"""The most blocks that are looked at on later days, each on each day; of what is beyond, nothing is claimed."""
A_DAY = 3
"""What a day costs beside its blocks, in blocks."""


class Claim(NamedTuple):
    """Something that is true for every data set, and most likely not meant.

    `conflict` has the places of the criteria that make it true, no more than are needed.
    """

    code: str
    at: KeyPath
    segment: str | None
    conflict: tuple[KeyPath, ...] = ()
    other: str | None = None


class Proof(NamedTuple):
    """What is proved of a rule file."""

    claims: tuple[Claim, ...] = ()
    relations: tuple[Related, ...] = ()


def prove(rules: RuleFile, today: dt.date, *, with_relations: bool = False) -> Proof:
    """What is true of these rules on `today`, and where the file has no `as_of` on later days too.

    The rules have no errors. `with_relations` also proves which segments are apart, and keeps what is within what.
    """
    day = Day(rules, today)
    unsaid = _building_blocks(rules)
    facts = [*of_blocks(day, unsaid), *_grades(rules, day)]
    whole = {str(fact.at[1]): fact.code for fact in facts if fact.at[0] == "segment" and len(fact.at) == 2}
    never = _never(day, rules)
    live = [name for name in rules.segment if name not in never and whole.get(name) != "SEG102"]
    related = list(relations(day, live, apart=with_relations))
    claimed = list(shadowed(rules, day, [name for name in rules.segment if name not in never]))
    gone = {fact.at for fact in claimed}
    facts += [*claimed, *(f for f in same_customers(rules, related, unsaid) if f.at not in gone)]
    reasons = {fact: _reason(day, fact) for fact in facts if fact.goals and fact.code not in ("SEG102", "SEG103")}
    if not with_relations:
        related = []
    if rules.as_of is None:
        moving = [fact for fact in (*facts, *related) if fact.moves_with(day)]
        for part, days, group in _kinds_of_day(rules, today, moving):
            left = group
            if days is None:
                _take_out(group, facts, related)
            for later in days or ():
                then = Day(part, later)
                left = _without_those_that_fall(left, then, facts, related)
                if not left:
                    break
                reasons |= {fact: _also_on(then, fact, reasons[fact]) for fact in left if fact in reasons}
    facts += unused(rules)
    claims = sorted(
        (_claim(fact, reasons.get(fact, ())) for fact in facts), key=lambda claim: (_place(rules, claim.at), claim.code)
    )
    kept = tuple(_related(fact) for fact in related) if with_relations else ()
    return Proof(tuple(claims), kept)


Group = tuple[RuleFile, list[dt.date] | None, list[Fact]]
"""Rules, the days on which to look at them, None for too many, and what is to be proved of them on each."""


def _kinds_of_day(rules: RuleFile, today: dt.date, moving: list[Fact]) -> Iterator[Group]:
    """All facts on the days of the whole file; where these are too many, each on those of what it is about."""
    if not moving:
        return
    calendar = Calendar(rules, today)
    days = calendar.later_days(rules)
    size = len(list(named_blocks(rules)))
    if days is not None and len(days) * size <= MOST_BLOCKS:
        yield rules, days, moving
        return
    groups: dict[frozenset[KeyPath], list[Fact]] = {}
    for fact in moving:
        groups.setdefault(fact.about, []).append(fact)
    reading, left = Reading(rules), MOST_BLOCKS
    for about, group in groups.items():
        part = only(reading, about)
        own = calendar.later_days(part) if left > 0 else None
        left -= len(own or ()) * (len(list(named_blocks(part))) + A_DAY)
        yield part, own, group


def _without_those_that_fall(moving: list[Fact], then: Day, facts: list[Fact], related: list[Fact]) -> list[Fact]:
    fallen = [fact for fact in moving if not fact.stands_on(then)]
    _take_out(fallen, facts, related)
    return [fact for fact in moving if fact not in fallen]


def _take_out(fallen: list[Fact], facts: list[Fact], related: list[Fact]) -> None:
    for fact in fallen:
        (related if fact.relation and not fact.code else facts).remove(fact)


def _never(day: Day, rules: RuleFile) -> set[str]:
    """The segments that have no customers, said or not."""
    return {
        name for name in rules.segment if Fact("", (), (((("segment", name), True),),)).stands_on(day)
    }  # fmt: skip


def _building_blocks(rules: RuleFile) -> frozenset[str]:
    """Segments that are not written, and that others are made of."""
    named = {name for _, block in blocks(rules) for name in (*block.in_segment, *block.not_in_segment)}
    return frozenset(name for name, segment in rules.segment.items() if not segment.write and name in named)


def _grades(rules: RuleFile, day: Day) -> Iterable[Fact]:
    for name, score in rules.score.items():
        for grade, least in score.grades.items():
            fact = Fact("SEG109", ("score", name, "grades", grade), unreached=(name, Decimal(least)))
            if fact.stands_on(day):
                yield fact


def _reason(day: Day, fact: Fact) -> Goal:
    """A smallest part of the goal of a claim that no customer satisfies on this day."""
    own = ((fact.at, False),) if fact.code == "SEG105" else ((fact.at, True),)
    return needed(day, fact.goals[0], keep=own)


def _also_on(day: Day, fact: Fact, reason: Goal) -> Goal:
    """The reason, with what it lacks on this day: what no customer satisfies, none does with more criteria."""
    if Fact("", fact.at, (reason,)).stands_on(day):
        return reason
    more = {*reason, *_reason(day, fact)}
    return tuple(one for one in fact.goals[0] if one in more)


def _claim(fact: Fact, reason: Goal) -> Claim:
    segment = str(fact.at[1]) if fact.at[0] == "segment" else None
    conflict = tuple(path for path, _ in reason if path != fact.at)
    if fact.code == "SEG103":
        conflict = (("segment", str(fact.other)),)
    return Claim(code=fact.code, at=fact.at, segment=segment, conflict=conflict, other=fact.other)


def _related(fact: Fact) -> Related:
    assert fact.relation is not None and fact.other is not None
    return Related(fact.relation, str(fact.at[1]), fact.other)


def _place(rules: RuleFile, path: KeyPath) -> tuple[object, ...]:
    """Sections by name, and their parts as they stand in the file."""
    known = list(getattr(rules, str(path[0]), {}) or ()) if path[0] in ("segment", "trait", "lookup", "score") else []
    first = known.index(path[1]) if path[1] in known else 0
    return (str(path[0]), first, [str(part).rjust(8, "0") if isinstance(part, int) else part for part in path])
