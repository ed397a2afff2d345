"""Text as a variable: the texts that are asked for, and any other text, with what it contains or begins with.

Of other texts it is only known which of the patterns they satisfy, each combination that is not impossible.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product
from typing import NamedTuple

import polars as pl

from segkit.criteria.conditions import TEXTS, holds
from segkit.criteria.context import Context
from segkit.io.read.values.texts import WHITE
from segkit.proof.logic.space import bits
from segkit.proof.variables.values import operands
from segkit.rules.model.conditions import Condition

MOST_PATTERNS = 6


class Pattern(NamedTuple):
    """What a text may contain, begin with, end with or match."""

    operator: str
    text: str
    folded: bool


class Text(NamedTuple):
    """One text (`spelt` exactly so), or all others that fold to `fold` and satisfy these patterns."""

    spelt: str | None = None
    fold: str | None = None
    satisfies: frozenset[Pattern] = frozenset()
    missing: bool = False


def texts_for(conditions: Sequence[Condition]) -> list[Text] | None:
    """Texts that stand for all, and a missing one last of those spelt; None where there are too many patterns."""
    exact: dict[str, None] = {}
    folds: dict[str, None] = {}
    patterns: dict[Pattern, None] = {}
    for condition in conditions:
        for operator, value in operands(condition):
            base = operator.removeprefix("not_")
            if base in TEXTS:
                patterns[Pattern(base, value, condition.ignore_case)] = None
            elif isinstance(value, str):
                exact[value.strip(WHITE)] = None
                if condition.ignore_case:
                    folds[value.strip(WHITE).lower()] = None
    if len(patterns) > MOST_PATTERNS:
        return None
    spelt = [*(Text(spelt=text) for text in exact), Text(missing=True)]
    ways = [
        frozenset(p for p, is_so in zip(patterns, way, strict=True) if is_so)
        for way in product((False, True), repeat=len(patterns))
    ]
    ways = [way for way in ways if _is_possible(list(patterns), way)]
    others = [Text(satisfies=way) for way in ways]
    otherwise = [Text(fold=fold, satisfies=way) for fold in folds for way in ways if _folds(fold, patterns, way)]
    return [*spelt, *others, *otherwise]


def mask_of(column: str, condition: Condition, texts: Sequence[Text], context: Context) -> int:
    """The texts for which the condition holds, as bits."""
    known = [text.spelt for text in texts if text.spelt is not None or text.missing]
    frame = pl.DataFrame({column: known}, schema={column: pl.String()})
    held = frame.select(holds(column, pl.String(), condition, context)).to_series().to_list()
    return bits([*held, *(_holds(condition, text) for text in texts[len(known) :])])


def _holds(condition: Condition, text: Text) -> bool:
    """Whether a condition holds for a text of which only this is known."""
    return all(_satisfies(name, operand, condition.ignore_case, text) for name, operand in condition.operators())


def _satisfies(name: str, operand: object, folded: bool, text: Text) -> bool:
    if name == "missing":
        return not operand
    values = operand if isinstance(operand, tuple) else (operand,)
    base = name.removeprefix("not_")
    if base in TEXTS:
        found = any(Pattern(base, value, folded) in text.satisfies for value in values)
    else:
        folds = [value.strip(WHITE).lower() for value in values if isinstance(value, str)]
        found = folded and text.fold in folds
    return found != (name.startswith("not"))


def _is_possible(patterns: Sequence[Pattern], way: frozenset[Pattern]) -> bool:
    """Whether a text may satisfy these patterns and no other."""
    return not any(
        (p in way and _implies(p, q) and q not in way) or (p in way and q in way and _excludes(p, q))
        for p, q in permutations(patterns, 2)
        if p.folded == q.folded and "matches" not in (p.operator, q.operator)
    )


def _implies(p: Pattern, q: Pattern) -> bool:
    a, b = _compared(p), _compared(q)
    if q.operator == "contains":
        return b in a
    if p.operator != q.operator:
        return False
    return a.startswith(b) if q.operator == "starts_with" else a.endswith(b)


def _excludes(p: Pattern, q: Pattern) -> bool:
    a, b = _compared(p), _compared(q)
    if p.operator != q.operator or p.operator == "contains":
        return False
    if p.operator == "starts_with":
        return not a.startswith(b) and not b.startswith(a)
    return not a.endswith(b) and not b.endswith(a)


def _compared(pattern: Pattern) -> str:
    return pattern.text.lower() if pattern.folded else pattern.text


def _folds(fold: str, patterns: dict[Pattern, None], way: frozenset[Pattern]) -> bool:
    """Whether a text that is `fold` without regard to case may satisfy these patterns and no other."""
    folded = [p for p in patterns if p.folded and p.operator != "matches"]
    frame = pl.DataFrame({"text": [fold]})
    return all(
        bool(frame.select(TEXTS[p.operator](pl.col("text"), p.text.lower())).item()) == (p in way) for p in folded
    )
