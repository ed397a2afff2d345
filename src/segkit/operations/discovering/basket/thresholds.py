"""From where on something is a rule, and what may be said where nothing is one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from segkit.diagnostics import Diagnostic, Severity
from segkit.discoveries.basket import By, Least
from segkit.errors import RuleError
from segkit.operations.discovering.basket.baskets import Baskets
from segkit.operations.discovering.basket.frequent import Level
from segkit.operations.discovering.basket.rules import Found
from segkit.words import count, plural

LESS = "ask for less: a smaller `--support`, or `--min-count`"
FEW = 5
"""Rules that rest on fewer baskets than these may be chance."""


def min_count(least: Least, baskets: int) -> int:
    """How many baskets must have a set: the support that is asked for, rounded up."""
    return least.baskets or max(1, math.ceil(Fraction(least.support) * baskets / 100))


def refuse_least(least: Least) -> None:
    """`RuleError` for what nothing can reach, and for what says nothing."""
    if not 0 < least.support <= 100:
        raise RuleError.of(
            f"`--support {least.support}` is no share of baskets", hint="it is in percent: above 0, to 100"
        )
    if not 0 <= least.confidence <= 100:
        raise RuleError.of(f"`--confidence {least.confidence}` is no share", hint="it is in percent: 0 to 100")


def resting_on_few(rules: int, least: int, by: By) -> list[Diagnostic]:
    """A warning for rules that may be chance."""
    if least >= FEW or not rules:
        return []
    message = f"a rule may rest on {plural(least, by)}, and be chance"
    hint = f"ask for more, such as `--min-count {2 * FEW}`"
    return [Diagnostic(message, hint=hint, severity=Severity.WARNING)]


def without_rules(
    baskets: Baskets, levels: Sequence[Level], found: Found, least: Least, need: int, by: By
) -> Diagnostic:
    """Why there is no rule, and what to do next."""
    message, hint = _why(baskets, levels, found, least, need, by)
    return Diagnostic(f"no rule: {message}", hint=hint, severity=Severity.WARNING)


def _why(baskets: Baskets, levels: Sequence[Level], found: Found, least: Least, need: int, by: By) -> tuple[str, str]:
    number = baskets.number
    if not number:
        return "no row that counts has an item", "name the column with what was bought: `--item`"
    if baskets.of_one == number:
        return (
            f"no {by} has two different items",
            "look whether `--id` is the column that lines of one order share; or try `--by customer`"
            if by == "order"
            else "look whether `--key` and `--item` are the right columns",
        )
    if not levels[0].sets.height:
        message = f"no item is in {plural(need, by)} or more; the most frequent one is in {count(levels[0].best)}"
        return (
            message,
            f"look whether `--item` is the right column, or ask for less: `--min-count {max(1, levels[0].best // 10)}`",
        )
    if found.best_confidence is None:
        return _never_together(levels, need, by)
    if found.best_lift is None:
        asked = math.floor(found.best_confidence)
        return f"the largest confidence is {found.best_confidence:.1f} %", f"ask for less: `--confidence {asked}`"
    return (
        f"the largest lift of those with enough confidence is {found.best_lift:.2f}",
        f"ask for less, `--lift {math.floor(10 * found.best_lift) / 10:g}`; below 1, the one side keeps from the other",
    )


def _never_together(levels: Sequence[Level], need: int, by: By) -> tuple[str, str]:
    if levels[0].sets.height == 1:
        return f"only one item is in {plural(need, by)} or more", LESS
    often = f"{plural(levels[0].sets.height, 'item')} in {plural(need, by)} or more"
    best = levels[1].best if len(levels) > 1 else 0
    if best:
        message = f"no two items are together in {plural(need, by)}; of the {often}, two are in {count(best)} at most"
        return message, f"ask for less: `--min-count {best}`"
    return f"{often}, and no two of them together", LESS
