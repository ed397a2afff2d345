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
    units = total.to_physical()
    size, by = units.abs(), count.cast(pl.Int128) * 10**SCALE
    whole, rest = size // by, (size % by) * 2**64
    # 64 bits after the point; the last one is set where more follow, so that the one rounding sees them.
    more = (rest % by != 0) & ((rest // by) % 2 == 0)
    bits = whole * 2**64 + rest // by + more.cast(pl.Int128)
    signed = bits.cast(pl.Float64) * 2.0**-64 * units.sign().cast(pl.Float64)
    direct = units.cast(pl.Float64) / by.cast(pl.Float64)
    return pl.when((size <= EXACT) | (whole >= 2**62)).then(direct).otherwise(signed)
