"""Tails and quantiles of the distributions that tests need, to all digits of a float."""

from __future__ import annotations

import math
from itertools import count
from statistics import NormalDist

_TINY, _EXACT = 1e-300, 1e-16


def normal_quantile(level: float) -> float:
    """How many standard errors an interval of this level, such as 0.95, reaches to either side."""
    return NormalDist().inv_cdf((1 + level) / 2)


def normal_tails(z: float) -> float:
    """The chance of a value as far from zero as `z`, on either side."""
    return math.erfc(abs(z) / math.sqrt(2))


def t_tails(t: float, freedom: int) -> float:
    """The chance of a value of Student's t as far from zero as `t`, on either side."""
    return _beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def t_quantile(level: float, freedom: int) -> float:
    """How far an interval of this level reaches to either side; the chance outside falls as it grows."""
    low, high = 0.0, 1.0
    while t_tails(high, freedom) > 1 - level:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if t_tails(middle, freedom) > 1 - level else (low, middle)
    return high


def chi_square_tail(value: float, freedom: int) -> float:
    """The chance of a value as large; of squares of `freedom` normal ones."""
    if value <= 0:
        return 1.0
    half, odd = value / 2, freedom % 2
    term = math.exp(-half) * (math.sqrt(half) / math.gamma(1.5) if odd else 1)
    tail = math.erfc(math.sqrt(half)) if odd else 0.0
    for step in range(freedom // 2):
        tail += term
        term *= half / (step + 1 + odd / 2)
    return tail


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (Lentz; NIST, DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    c = 1.0
    d = 1 / (1 - (a + b) * x / (a + 1))
    ratio = d
    for m in count(1):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / ((1 + factor * d) or _TINY)
            c = (1 + factor / c) or _TINY
            ratio *= c * d
        if abs(c * d - 1) < _EXACT:
            return front * ratio / a
    raise AssertionError
