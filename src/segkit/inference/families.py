"""Several tests at once: what each of them says once the others are counted, and whether a draw went as it should."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from statistics import NormalDist

from segkit.inference.exact import binomial
from segkit.inference.quantiles import chi_square_tail, normal_quantile

FEW_DRAWN = 1_000
"""Where fewer are expected in one of two arms, the test of their sizes is exact."""


def holm(chances: Sequence[float]) -> list[float]:
    """The chances of several tests, raised so that one alone is below a bound by chance as seldom as one test would be.

    Holm (1979): the smallest times their number, the next one times one less, none below the one before.
    """
    ordered = sorted(range(len(chances)), key=lambda place: chances[place])
    adjusted, largest = [0.0] * len(chances), 0.0
    for rank, place in enumerate(ordered):
        largest = max(largest, min(1.0, chances[place] * (len(chances) - rank)))
        adjusted[place] = largest
    return adjusted


def sample_ratio(sizes: Mapping[str, int], shares: Mapping[str, Fraction]) -> float | None:
    """The chance that arms come out as unequal to the shares that were drawn, which add up to one; None for one arm."""
    total = sum(sizes.values())
    expected = {arm: total * share for arm, share in shares.items() if share or sizes.get(arm)}
    if len(expected) < 2 or not total:
        return None
    if not all(expected.values()):
        return 0.0
    if len(expected) == 2 and min(expected.values()) < FEW_DRAWN:
        arm = min(expected, key=lambda name: expected[name])
        return binomial(sizes.get(arm, 0), total, float(shares[arm]))
    squares = sum((sizes.get(arm, 0) - of) ** 2 / of for arm, of in expected.items())
    return chi_square_tail(float(squares), len(expected) - 1)


def detectable(error: float, level: float = 0.95, power: float = 0.80) -> float:
    """The smallest difference that a test of this standard error sees with this power."""
    return (normal_quantile(level) + NormalDist().inv_cdf(power)) * error
