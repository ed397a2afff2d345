"""Money: numbers as exact decimals, and the nearest floating-point number to a mean."""

from __future__ import annotations

import polars as pl

from segkit.io.read.values.numbers import MONEY, SCALE, from_float

EXACT = 2**53
"""Whole numbers up to here are exact as floats, so that dividing one by another rounds only once."""


def as_money(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A number as an exact decimal; missing where it is not finite or too large."""
    return from_float(value.cast(pl.Float64)) if dtype.is_float() else value.cast(MONEY, strict=False)


def nearest_mean(total: pl.Expr, count: pl.Expr) -> pl.Expr:
    """The double that is nearest to `total` (Decimal of SCALE) divided by `count` (1 or more).

    0.3 / 3 is 0.1; dividing the sum as a float gives 0.09999999999999999. Means from 2 ** 62 on are rounded once more.
    """
    return nearest_ratio(total.to_physical(), count.cast(pl.Int128) * 10**SCALE)


def nearest_ratio(units: pl.Expr, by: pl.Expr) -> pl.Expr:
    """The double that is nearest to one 128-bit integer divided by another, which is above 0 and no literal.

    Ratios from 2 ** 62 on, and those by more than 2 ** 63, are rounded once more.
    """
    size = units.abs()
    whole, rest = size // by, (size % by) * 2**64
    # 64 bits after the point; the last one is set where more follow, so that the one rounding sees them.
    more = (rest % by != 0) & ((rest // by) % 2 == 0)
    bits = whole * 2**64 + rest // by + more.cast(pl.Int128)
    signed = bits.cast(pl.Float64) * 2.0**-64 * units.sign().cast(pl.Float64)
    direct = units.cast(pl.Float64) / by.cast(pl.Float64)
    both_exact = (size <= EXACT) & (by <= EXACT)
    return pl.when(both_exact | (whole >= 2**62) | (by > 2**63)).then(direct).otherwise(signed)
