"""Formulas over variables that have a few values each; a leaf says which of them it allows, as bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Leaf:
    """The variable has one of the values whose bits are set in `mask`; `full` has those of all values."""

    variable: str
    mask: int
    full: int


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold; without parts, always."""

    parts: tuple[Formula, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds; without parts, never."""

    parts: tuple[Formula, ...] = ()


Formula: TypeAlias = Leaf | And | Or
ALWAYS, NEVER = And(), Or()


def negated(formula: Formula) -> Formula:
    """What holds where the formula does not."""
    match formula:
        case Leaf():
            return Leaf(formula.variable, formula.full & ~formula.mask, formula.full)
        case And():
            return Or(tuple(negated(part) for part in formula.parts))
        case Or():
            return And(tuple(negated(part) for part in formula.parts))


def simplified(formula: Formula) -> Formula:
    """The same formula with one leaf a variable at each level, and without levels that say nothing."""
    if isinstance(formula, Leaf):
        return NEVER if not formula.mask else ALWAYS if formula.mask == formula.full else formula
    kind = type(formula)
    masks: dict[str, Leaf] = {}
    rest: dict[Formula, None] = {}
    todo = [simplified(part) for part in reversed(formula.parts)]
    while todo:
        part = todo.pop()
        if isinstance(part, Leaf):
            known = masks.get(part.variable)
            masks[part.variable] = _joined(known, part, kind) if known else part
        elif isinstance(part, kind):
            todo += reversed(part.parts)
        elif not part.parts:
            return part
        else:
            rest[part] = None
    settled = [simplified(leaf) for leaf in masks.values()]
    neutral, other = (ALWAYS, NEVER) if kind is And else (NEVER, ALWAYS)
    if other in settled:
        return other
    parts = (*(leaf for leaf in settled if leaf != neutral), *rest)
    return parts[0] if len(parts) == 1 else kind(parts)


def _joined(first: Leaf, second: Leaf, kind: type[And | Or]) -> Leaf:
    mask = first.mask & second.mask if kind is And else first.mask | second.mask
    return Leaf(first.variable, mask, first.full)


def variables(formula: Formula) -> Iterator[str]:
    """The variables of a formula; one may come several times."""
    if isinstance(formula, Leaf):
        yield formula.variable
    else:
        for part in formula.parts:
            yield from variables(part)


def holds_for(formula: Formula, customer: dict[str, int]) -> bool:
    """Whether it holds for a customer: one bit a variable."""
    if isinstance(formula, Leaf):
        return bool(customer[formula.variable] & formula.mask)
    held = (holds_for(part, customer) for part in formula.parts)
    return all(held) if isinstance(formula, And) else any(held)
