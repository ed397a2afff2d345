"""What a value must be for a score, in signs."""

from __future__ import annotations

from segkit.report.numbers import shortened
from segkit.results.parts import Threshold


def cuts(threshold: Threshold) -> list[str]:
    """The condition of each score from 2 on, such as `> 3` or `>= 3`.

    Recency falls as its score rises: `< 30` or `<= 30`.
    """
    values = sorted(threshold.values, reverse=threshold.falls)
    return [f"{sign(threshold)} {shortened(value)}" for value in values]


def sign(threshold: Threshold) -> str:
    """`>`, `>=`, `<` or `<=`: what a value is to its cut."""
    return ("<" if threshold.falls else ">") + ("=" if threshold.inclusive else "")
