"""Draws that give one customer one answer in every run, version and engine: a hash of purpose, salt and key.

u is xxh3_64 (seed 0) of the UTF-8 bytes of purpose, NUL, salt, NUL, key, modulo one million. Purposes keep the draws
of one segment independent of each other, salts those of two segments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from itertools import accumulate

import polars as pl

MILLION = 1_000_000
VARIANT = "variant"


def drawn(keys: pl.Series, purpose: str, salt: str, percent: Decimal | int) -> pl.Series:
    """Whether each key is among the share that is drawn; to a ten-thousandth of a percent."""
    return uniform(keys, purpose, salt) < _bound(percent)


def variants(keys: pl.Series, salt: str, shares: Mapping[str, Decimal | int]) -> pl.Series:
    """The variant of each key, by cumulative bounds in the order of `shares`."""
    bounds = [_bound(total) for total in accumulate(Decimal(str(share)) for share in shares.values())]
    u = pl.col(VARIANT)
    choice = pl.coalesce(*(pl.when(u < bound).then(pl.lit(name)) for name, bound in zip(shares, bounds, strict=True)))
    return uniform(keys, "split", salt).alias(VARIANT).to_frame().select(choice.alias(VARIANT)).to_series()


def uniform(keys: pl.Series, purpose: str, salt: str) -> pl.Series:
    """A number from 0 to 999,999 for each key."""
    import polars_hash  # only runs that draw need it

    text = polars_hash.concat_str(pl.lit(f"{purpose}\0{salt}\0"), polars_hash.col("key"))
    return keys.alias("key").to_frame().select(text.nchash.xxh3_64() % MILLION).to_series()


def _bound(percent: Decimal | int) -> int:
    return math.ceil(Decimal(str(percent)) * 10_000)
