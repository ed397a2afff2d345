"""What may be claimed of a rule file, each with what must be impossible for it: a fact can be proved on any day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from segkit.proof.logic.search import is_impossible
from segkit.proof.nodes import Day, Node
from segkit.rules.findings import KeyPath

Goal: TypeAlias = tuple[tuple[KeyPath, bool], ...]
"""Criteria, and whether each holds; a fact stands where no customer has them all."""
Relation = Literal["within", "apart", "equal"]


class Fact(NamedTuple):
    """A claim and its proof: no customer satisfies any of the goals, or a score does not reach `least`."""

    code: str
    at: KeyPath
    goals: tuple[Goal, ...] = ()
    other: str | None = None
    relation: Relation | None = None
    unreached: tuple[str, Decimal] | None = None

    def stands_on(self, day: Day) -> bool:
        """Whether it is proved on this day."""
        if self.unreached:
            name, least = self.unreached
            best = day.best[name]
            return best is not None and best < least
        return all(is_impossible(day.space, (day.formula(*one) for one in goal)) for goal in self.goals)

    @property
    def about(self) -> frozenset[KeyPath]:
        """The segments, stages and scores that it is about."""
        places = {path for goal in self.goals for path, _ in goal} | {self.at}
        return frozenset(path[:1] if path[0] == "lifecycle" else path[:2] for path in places)

    def moves_with(self, day: Day) -> bool:
        """Whether another day may tell another thing."""
        if self.unreached:
            return bool(day.moving)
        scope = {name for goal in self.goals for one in goal for name in day.variables(one[0])}
        for _ in range(2):
            scope |= {other for name in scope for other in day.space.links.get(name, ())}
        return bool(scope & day.moving)


def conjuncts(node: Node) -> Iterator[Node]:
    """The criteria that must all hold, those of blocks of `all` one by one."""
    for part in node.parts:
        if part.kind == "block":
            yield from conjuncts(part)
        else:
            yield part


def needed(day: Day, goal: Goal, keep: Iterable[tuple[KeyPath, bool]] = ()) -> Goal:
    """A smallest part of the goal that no customer satisfies; what is in `keep` stays."""
    left = list(goal)
    kept = set(keep)
    for one in goal[::-1]:
        fewer = [other for other in left if other != one]
        if one not in kept and fewer and is_impossible(day.space, (day.formula(*other) for other in fewer)):
            left = fewer
    return tuple(left)
