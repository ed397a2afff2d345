"""The arms of an experiment, and how two of them differ: in the share of buyers, and in the mean of what they spent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from segkit.inference.exact import fisher
from segkit.inference.quantiles import normal_quantile, normal_tails, t_quantile, t_tails

FEW_EXPECTED = 5
"""Below so many expected in a cell, the test of two shares is exact."""


class Interval(NamedTuple):
    """A difference, between which bounds it lies, and how likely one as large is by chance.

    Bounds and chance are None where nobody of either arm did anything. `statistic` is the z or t that the chance is of;
    None where the test is exact.
    """

    difference: float
    low: float | None
    high: float | None
    p: float | None
    statistic: float | None = None


class Relative(NamedTuple):
    """A difference in percent of what the other arm has, and between which bounds it lies."""

    lift: float
    low: float
    high: float


class Shares(NamedTuple):
    """How many of an arm did something."""

    ones: int
    size: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.ones / self.size

    @property
    def values(self) -> Values:
        """The same as values of 0 and 1."""
        return Values(self.size, Decimal(self.ones), float(self.ones - Fraction(self.ones**2, self.size)))


class Values(NamedTuple):
    """The values of an arm, one for each customer: how many, their sum, that of squared distances from the mean."""

    size: int
    total: Decimal
    squares: float

    @property
    def mean(self) -> float:
        """The sum by the number of customers."""
        return float(Fraction(self.total) / self.size)


def together(parts: Sequence[Values]) -> Values:
    """The values of several arms as those of one."""
    size, total = sum(one.size for one in parts), sum((one.total for one in parts), Decimal())
    mean = Fraction(total) / size
    between = (one.size * float(Fraction(one.total) / one.size - mean) ** 2 for one in parts)
    return Values(size, total, math.fsum([*between, *(one.squares for one in parts)]))


def difference_of_shares(one: Shares, other: Shares, level: float) -> Interval:
    """By how much more of one arm than of the other did something.

    The bounds are Newcombe's (1998, method 10), of two intervals of Wilson's. The chance is that of the test of two
    proportions with pooled variance, of Fisher's exact one where that expects fewer than five somewhere.
    """
    difference = float(Fraction(one.ones, one.size) - Fraction(other.ones, other.size))
    ones, size = one.ones + other.ones, one.size + other.size
    if not ones:
        return Interval(difference, None, None, None)
    z = normal_quantile(level)
    (low_1, high_1), (low_0, high_0) = _wilson(one, z), _wilson(other, z)
    low = difference - math.hypot(one.share - low_1, high_0 - other.share)
    high = difference + math.hypot(high_1 - one.share, other.share - low_0)
    rarest = min(ones, size - ones) * min(one.size, other.size) / size
    if rarest < FEW_EXPECTED:
        return Interval(difference, low, high, fisher(one.ones, one.size, other.ones, other.size))
    pooled = ones / size
    error = math.sqrt(pooled * (1 - pooled) * (1 / one.size + 1 / other.size))
    z = difference / error
    return Interval(difference=difference, low=low, high=high, p=normal_tails(z), statistic=z)


def difference_of_means(one: Values, other: Values, level: float) -> Interval:
    """By how much the mean of one arm is above that of the other, with the interval and the test of Student's t.

    The variance is that of both arms together: a small arm usually lacks the few large values, so that its own is far
    too small.
    """
    difference = float(Fraction(one.total) / one.size - Fraction(other.total) / other.size)
    error, freedom = standard_error(one, other), one.size + other.size - 2
    if not error:
        return Interval(difference, None, None, None)
    reach, t = t_quantile(level, freedom) * error, difference / error
    return Interval(
        difference=difference, low=difference - reach, high=difference + reach, p=t_tails(t, freedom), statistic=t
    )


def relative(one: Values, other: Values, level: float) -> Relative | None:
    """The difference of the means in percent of the other one, with Fieller's bounds.

    None where the other mean is zero by chance as well as not, so that no bounds can be told.
    """
    freedom = one.size + other.size - 2
    if other.mean <= 0 or freedom < 1:
        return None
    t, variance = t_quantile(level, freedom), _pooled(one, other)
    g = t * t * variance / (other.size * other.mean**2)
    if g >= 1:
        return None
    ratio = one.mean / other.mean
    reach = t / other.mean * math.sqrt(variance * ((1 - g) / one.size + ratio**2 / other.size))
    low, high = ((ratio - reach) / (1 - g), (ratio + reach) / (1 - g))
    return Relative(100 * (ratio - 1), 100 * (low - 1), 100 * (high - 1))


def standard_error(one: Values, other: Values) -> float:
    """That of the difference of two means, by the variance of both arms together; 0 where there is none."""
    if one.size + other.size < 3:
        return 0.0
    return math.sqrt(_pooled(one, other) * (1 / one.size + 1 / other.size))


def _pooled(one: Values, other: Values) -> float:
    return (one.squares + other.squares) / (one.size + other.size - 2)


def _wilson(arm: Shares, z: float) -> tuple[float, float]:
    share, square = arm.share, z * z / arm.size
    middle, spread = share + square / 2, z * math.sqrt((share * (1 - share) + square / 4) / arm.size)
    low, high = (middle - spread) / (1 + square), (middle + spread) / (1 + square)
    return (0.0 if not arm.ones else low), (1.0 if arm.ones == arm.size else high)
