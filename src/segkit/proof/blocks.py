"""What is claimed of one block: it never holds, always holds, or has criteria that change nothing."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.proof.facts import Fact, Goal, conjuncts
from segkit.proof.logic.formulas import ALWAYS
from segkit.proof.nodes import Day, Node
from segkit.rules.findings import KeyPath


def is_proved(day: Day, *goals: Goal) -> bool:
    """Whether none of the goals is possible."""
    return Fact("", (), goals).stands_on(day)


def of_blocks(day: Day, unsaid: frozenset[str]) -> Iterator[Fact]:
    """What is claimed of each segment, stage and rule of a score, but not of the segments `unsaid` as a whole."""
    for path, node in day.blocks.items():
        earlier = _earlier_stages(day, path)
        alone = tuple((part.path, True) for part in conjuncts(node))
        if alone and is_proved(day, alone):
            if not (path[0] == "segment" and path[1] in unsaid):
                yield Fact("SEG101", path, (alone,))
            continue
        if earlier and is_proved(day, (*alone, *earlier)):
            yield Fact("SEG104", path, (((path, True), *earlier),))
            continue
        if path[0] == "segment" and node.holds != ALWAYS and is_proved(day, ((path, False),)):
            if path[1] not in unsaid:
                yield Fact("SEG102", path, (((path, False),),))
            continue
        yield from of_parts(day, node, earlier)


def _earlier_stages(day: Day, path: KeyPath) -> Goal:
    if path[:2] != ("lifecycle", "stage"):
        return ()
    return tuple((other, False) for other in day.blocks if other[:2] == path[:2] and int(other[2]) < int(path[2]))


def of_parts(day: Day, node: Node, context: Goal) -> Iterator[Fact]:
    """Criteria that others imply, and branches that cannot hold, or that others cover, beside them."""
    parts = list(conjuncts(node))
    implied: set[KeyPath] = set()
    for part in reversed(parts):
        others = tuple((p.path, True) for p in parts if p is not part and p.path not in implied)
        goal = (*context, *others, (part.path, False))
        if part.kind != "none" and is_proved(day, goal):
            implied.add(part.path)
            yield Fact("SEG105", part.path, (goal,))
    for part in parts:
        beside = (*context, *((p.path, True) for p in parts if p is not part))
        if part.kind != "criterion" and part.path not in implied:
            yield from _of_branches(day, part, beside)


def _of_branches(day: Day, group: Node, beside: Goal) -> Iterator[Fact]:
    gone: set[KeyPath] = set()
    for branch in reversed(group.parts):
        alone = (*beside, (branch.path, True))
        others = tuple((other.path, False) for other in group.parts if other is not branch and other.path not in gone)
        if is_proved(day, alone):
            gone.add(branch.path)
            yield Fact("SEG106" if group.kind == "any" else "SEG108", branch.path, (alone,))
        elif others and is_proved(day, (*alone, *others)):
            gone.add(branch.path)
            yield Fact("SEG107", branch.path, ((*alone, *others),))
        elif group.kind == "any":
            yield from of_parts(day, branch, beside)
