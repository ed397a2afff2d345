"""Whether there may be a customer for whom formulas hold: a search that counts its steps, not its seconds."""

from __future__ import annotations

import random
from collections.abc import Iterable

from segkit.proof.logic.formulas import And, Formula, Leaf, Or, variables
from segkit.proof.logic.space import Space, places

STEPS = 3_000
"""The most steps of one search; beyond them nothing is claimed. Steps are alike on every machine."""
Store = dict[str, int]
"""Variable -> the values that are left."""


class TooLongError(Exception):
    """The search has taken all of its steps."""


def is_impossible(space: Space, formulas: Iterable[Formula], steps: int = STEPS) -> bool:
    """Whether it is proved that these hold together for no customer."""
    try:
        return customer_of(space, formulas, steps) is None
    except TooLongError:
        return False


def customer_of(space: Space, formulas: Iterable[Formula], steps: int = STEPS) -> Store | None:
    """What is left for each variable where all formulas hold; None where they never do, `TooLongError` if unknown."""
    goals = list(formulas)
    scope = {name for goal in goals for name in variables(goal)}
    for _ in range(2):
        scope |= {other for name in scope for other in space.links.get(name, ())}
    return _Search(space, scope, steps).look(goals, {name: space.allowed[name] for name in scope})


class _Search:
    def __init__(self, space: Space, scope: set[str], steps: int) -> None:
        self.space, self.scope, self.steps = space, scope, steps

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise TooLongError

    def look(self, goals: list[Formula], store: Store) -> Store | None:
        """The first of the ways that lead to a customer."""
        self.step()
        store, goals = dict(store), list(goals)
        choices: list[Or] = []
        while True:
            touched = _take(goals, store, choices)
            if touched is None or not self.spread(store, touched):
                return None
            left = _narrowed(choices, store)
            if left is None:
                return None
            goals, choices = left
            if not goals:
                break
        if not choices:
            return store if self.settle(store) else None
        first = min(choices, key=lambda choice: len(choice.parts))
        rest = [choice for choice in choices if choice is not first]
        for way in first.parts:
            found = self.look([way, *rest], store)
            if found is not None:
                return found
        return None

    def spread(self, store: Store, touched: Iterable[str]) -> bool:
        """Takes away what goes with nothing that is left elsewhere; false where nothing stays."""
        todo = sorted(touched)
        while todo:
            name = todo.pop()
            for other in self.space.neighbours.get(name, ()):
                if other in self.scope:
                    old = store[other]
                    new = old & self.space.image(name, other, store[name])
                    if not new:
                        return False
                    if new != old:
                        store[other] = new
                        todo.append(other)
        return True

    def settle(self, store: Store) -> bool:
        """Whether values can be chosen one by one: each pair may go together, and all of them may not."""
        tied = next(
            (name for name in sorted(self.scope) if self.space.neighbours.get(name) and _several(store[name])), None
        )
        if tied is None:
            return True
        self.step()
        for place in places(store[tied]):
            chosen = {**store, tied: 1 << place}
            if self.spread(chosen, [tied]) and self.settle(chosen):
                store.update(chosen)
                return True
        return False


def _several(mask: int) -> bool:
    return bool(mask & (mask - 1))


def _take(goals: list[Formula], store: Store, choices: list[Or]) -> set[str] | None:
    """Moves goals into the store, and what leaves a choice to the choices; None where a variable has no value left."""
    touched = set()
    while goals:
        goal = goals.pop()
        match goal:
            case Leaf():
                left = store[goal.variable] & goal.mask
                if not left:
                    return None
                if left != store[goal.variable]:
                    store[goal.variable] = left
                    touched.add(goal.variable)
            case And():
                goals.extend(goal.parts)
            case Or():
                choices.append(goal)
    return touched


def _narrowed(choices: list[Or], store: Store) -> tuple[list[Formula], list[Or]] | None:
    """(goals, choices): a choice with one way left is a goal, one that is made already is none."""
    goals: list[Formula] = []
    left = []
    for choice in choices:
        ways = [way for way in choice.parts if not isinstance(way, Leaf) or store[way.variable] & way.mask]
        if not ways:
            return None
        if any(isinstance(way, Leaf) and not store[way.variable] & ~way.mask for way in ways):
            continue
        if len(ways) == 1:
            goals.append(ways[0])
        else:
            left.append(Or(tuple(ways)))
    return goals, left


def example(space: Space, store: Store, draws: random.Random) -> Store | None:
    """One value for every variable, as the store allows; None where ties leave none at the first try."""
    chosen = {**space.allowed, **store}
    search = _Search(space, set(space.full), 0)
    tied = [name for name in space.full if space.neighbours.get(name)]
    if not search.spread(chosen, tied):
        return None
    for name in tied:
        ways = places(chosen[name])
        draws.shuffle(ways)
        for place in ways[:4]:
            tried = {**chosen, name: 1 << place}
            if search.spread(tried, [name]):
                chosen = tried
                break
        else:
            return None
    for name, left in chosen.items():
        if _several(left):
            chosen[name] = 1 << draws.choice(places(left))
    return chosen
