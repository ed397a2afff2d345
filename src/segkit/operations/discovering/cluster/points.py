"""Customers as points whose distances can be compared, whatever the units of their columns."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segkit.errors import DataError
from segkit.words import plural

Floats: TypeAlias = NDArray[np.float64]
SKEWED = 1
"""From this skewness on, as of money, a few large values would be all that counts: logarithms are compared."""

FEW = 0.05
"""So many may be below 0, as after refunds, for which logarithms mirror; around 0, they would tear values apart."""


class Points(NamedTuple):
    """One row a customer, one column each of mean 0 and standard deviation 1; `logarithm` says which were skewed."""

    scaled: Floats
    logarithm: tuple[bool, ...]


def points_of(columns: pl.DataFrame) -> Points:
    """The points of customers who have all columns; `DataError` for a column of one value."""
    made = [_scaled(columns[name], name) for name in columns.columns]
    return Points(np.column_stack([scaled for scaled, _ in made]), tuple(logarithm for _, logarithm in made))


def _scaled(values: pl.Series, name: str) -> tuple[Floats, bool]:
    numbers = values.cast(pl.Float64).to_numpy()
    farthest = np.abs(numbers).max()
    standard = _standard(numbers / farthest) if farthest else None  # squares of 1e200 are too large for a float
    if standard is None:
        message = f"`{name}` has one value, the same for all {plural(len(values), 'customer')} who have all columns"
        raise DataError.of(message, hint=f"it parts nobody: take `{name}` out of `--columns`")
    if (standard**3).mean() <= SKEWED or (numbers < 0).mean() > FEW:
        return standard, False
    larger = _standard(np.sign(numbers) * np.log1p(np.abs(numbers)))
    return (standard, False) if larger is None else (larger, True)


def _standard(numbers: Floats) -> Floats | None:
    """The numbers with mean 0 and standard deviation 1; None where they do not differ."""
    deviation = numbers.std()
    if numbers.min() == numbers.max() or not deviation:
        return None
    standard: Floats = (numbers - numbers.mean()) / deviation
    return standard
