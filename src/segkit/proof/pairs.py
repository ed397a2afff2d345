"""What is claimed of two segments: they have the same customers, one is within the other, none is in both."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations, permutations

from segkit.proof.blocks import is_proved
from segkit.proof.facts import Fact, Goal
from segkit.proof.logic.formulas import holds_for
from segkit.proof.logic.search import TooLongError, customer_of, example
from segkit.proof.nodes import Day
from segkit.rules.findings import KeyPath
from segkit.rules.model.blocks import Segment
from segkit.rules.model.file import RuleFile

EXAMPLES = 6
"""Customers made up for each segment: one who is in a segment and not in another saves the proof that there is none."""
STEPS = 1_000
SAME = ("channel", "sample", "limit", "control", "holdout", "split", "each")


def path_of(name: str) -> KeyPath:
    """Where a segment stands."""
    return ("segment", name)


def within(first: str, second: str) -> Goal:
    """What is impossible where the first segment is within the second."""
    return ((path_of(first), True), (path_of(second), False))


class Examples:
    """Made-up customers, and for each segment those who are in it, as bits."""

    def __init__(self, day: Day, names: list[str]) -> None:
        self.day, self.names, self.count = day, names, 0
        self.members = dict.fromkeys(names, 0)
        # Always the same draws: what is claimed does not depend on them, only how soon.
        self.draws = random.Random(0)
        for name in names:
            self.learn(((path_of(name), True),), EXAMPLES)

    def learn(self, goal: Goal, number: int = 1) -> bool:
        """Makes up customers of whom this is true; false where it is proved that there are none."""
        formulas = [self.day.formula(*one) for one in goal]
        try:
            store = customer_of(self.day.space, formulas, STEPS)
        except TooLongError:
            return True
        if store is None:
            return False
        for _ in range(number):
            customer = example(self.day.space, store, self.draws)
            if customer is not None:
                for name in self.names:
                    held = holds_for(self.day.formula(path_of(name), True), customer)
                    self.members[name] |= held << self.count
                self.count += 1
        return True


def relations(day: Day, names: list[str], *, apart: bool) -> Iterator[Fact]:
    """Which of these segments are equal, within others and, if that is asked for, apart from them."""
    known = Examples(day, names)
    inside = {
        (first, second)
        for first, second in permutations(names, 2)
        if not known.members[first] & ~known.members[second] and not known.learn(within(first, second))
    }
    for first, second in combinations(names, 2):
        there, back = (first, second) in inside, (second, first) in inside
        goals = (within(first, second), within(second, first))
        if there and back:
            yield Fact("", path_of(second), goals, first, "equal")
        elif there:
            yield Fact("", path_of(first), goals[:1], second, "within")
        elif back:
            yield Fact("", path_of(second), goals[1:], first, "within")
        elif apart and not known.members[first] & known.members[second]:
            goal = ((path_of(first), True), (path_of(second), True))
            if not known.learn(goal):
                yield Fact("", path_of(first), (goal,), second, "apart")


def same_customers(rules: RuleFile, found: list[Fact], unsaid: frozenset[str]) -> Iterator[Fact]:
    """Of segments that are equal, those that are written in the same way, so that their lists are equal, too.

    In an exclusive run no two lists are: of the later segment there is nothing left, or what the earlier one leaves.
    """
    if rules.assignment.mode == "exclusive":
        return
    for fact in found:
        name, other = str(fact.at[1]), fact.other
        if fact.relation == "equal" and other and not unsaid & {name, other}:
            one, two = rules.segment[name], rules.segment[other]
            alike = all(getattr(one, key) == getattr(two, key) for key in SAME) and _draw_alike(one, name, two, other)
            if one.write and two.write and alike:
                yield Fact("SEG103", fact.at, fact.goals, other)


def _draw_alike(one: Segment, name: str, two: Segment, other: str) -> bool:
    """Whether two segments with the same shares draw the same customers."""
    draws = one.sample is not None or one.holdout is not None or one.split is not None
    return not draws or (one.salt or name) == (two.salt or other)


def shadowed(rules: RuleFile, day: Day, names: list[str]) -> Iterator[Fact]:
    """Of exclusive segments, those whose customers are all claimed by others before."""
    if rules.assignment.mode != "exclusive":
        return
    priority = [name for name in rules.assignment.priority if name in rules.segment]
    order = [*priority, *(name for name in rules.segment if name not in priority)]
    written = [name for name in order if name in names and rules.segment[name].write]
    for place, name in enumerate(written):
        before = [other for other in written[:place] if _claims_all(rules.segment[other], rules.segment[name])]
        goal = ((path_of(name), True), *((path_of(other), False) for other in before))
        if before and is_proved(day, goal):
            yield Fact("SEG104", path_of(name), (goal,))


def _claims_all(earlier: Segment, later: Segment) -> bool:
    """Whether the earlier segment claims each customer of both whom the later one might write to."""
    return earlier.sample is None and earlier.limit is None and earlier.channel in (None, later.channel)
