"""Money: numbers as exact decimals, and the nearest floating-point number to a mean."""

from __future__ import annotations

import polars as pl

from segkit.io.read.values.numbers import MONEY, SCALE, from_float, in_rows

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
    """The double that is nearest to one 128-bit integer divided by another, which is above 0.

    Ratios from 2 ** 62 on, those below 2 ** -64, and those by 2 ** 95 or more, are rounded once more.
    """
    size = units.abs()
    whole, first, rest = size // by, *_bits(size % by, by)
    # 64 bits after the point, or where these begin with zeros, 128.
    small = (whole == 0) & (first < 2**62)
    second, rest_of_second = _bits(pl.when(small).then(rest).otherwise(0), by)
    bits = pl.when(small).then(first * 2**64 + second).otherwise(whole * 2**64 + first)
    # The last bit is set where more follow, so that the one rounding sees them.
    more = (pl.when(small).then(rest_of_second).otherwise(rest) != 0) & (bits % 2 == 0)
    scale = pl.when(small).then(2.0**-128).otherwise(2.0**-64)
    signed = (bits + more.cast(pl.Int128)).cast(pl.Float64) * scale * units.sign().cast(pl.Float64)
    direct = units.cast(pl.Float64) / in_rows(by, units).cast(pl.Float64)
    # Where all rows are so, Polars computes nothing else: that takes a fortieth of the time.
    both_exact = (size <= EXACT) & (by <= EXACT)
    return pl.when(both_exact | (whole >= 2**62) | (by >= 2**95)).then(direct).otherwise(signed)


def _bits(rest: pl.Expr, by: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The next 64 bits of the quotient when `rest`, which is less than `by`, is left, and what is left then.

    They are found in two halves, so that nothing here is beyond 127 bits.
    """
    high, rest = rest * 2**32 // by, rest * 2**32 % by
    return high * 2**32 + rest * 2**32 // by, rest * 2**32 % by
