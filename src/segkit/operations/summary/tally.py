"""What a run counts of its customers: the counts of some and those of the others add up to those of all."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import NamedTuple, TypeAlias

import polars as pl

from segkit.columns.helpers import is_hidden, is_visible

Entry: TypeAlias = tuple[str, ...]
"""What is counted, such as `("written", segment)` or `("table", name, reason)`."""

DIGITS = 60
"""Enough for any sum of money, which has 38 digits in each bucket; by default, Python rounds to 28."""


class Tally(NamedTuple):
    """Counts of customers and of rows, all of which add up; a result is made of one tally.

    `numbers` are counts and sums. `frames` count by values: hidden columns are counts, all others values.
    """

    numbers: Mapping[Entry, int | Decimal] = {}
    frames: Mapping[Entry, pl.DataFrame] = {}

    def add(self, other: Tally) -> Tally:
        """The tally of both."""
        numbers, frames = dict(self.numbers), dict(self.frames)
        with localcontext(prec=DIGITS):
            for entry, number in other.numbers.items():
                numbers[entry] = numbers.get(entry, 0) + number
        for entry, frame in other.frames.items():
            frames[entry] = _added(frames[entry], frame) if entry in frames else frame
        return Tally(numbers, frames)

    def count(self, *entry: str) -> int:
        """How many; 0 for what nobody has counted."""
        return int(self.numbers.get(entry, 0))


def _added(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    values = list(filter(is_visible, first.columns))
    counts = [pl.col(name).sum() for name in first.columns if is_hidden(name)]
    return pl.concat([first, second]).group_by(values, maintain_order=True).agg(counts)
