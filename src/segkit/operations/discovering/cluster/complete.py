"""The customers who have all columns that personas are made of, in a random order that their keys decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.errors import DataError
from segkit.gates.draws import uniform
from segkit.operations.evaluation.evaluate import Evaluated
from segkit.words import count, plural

FEWEST_EACH = 10
"""So many customers a persona are needed, in the mean."""
_U, _PLACE = "\x1fu", "\x1fplace"


class Complete(NamedTuple):
    """Customers who have all columns: exact values, and for each row its place among all customers.

    `missing` is how many lack each column, `left_out` how many lack one.
    """

    values: pl.DataFrame
    places: pl.Series
    missing: Mapping[str, int]
    left_out: int


def complete(evaluated: Evaluated, columns: Sequence[str], seed: int) -> Complete:
    """The customers with a value in each of the columns: the same order, whatever that of the file."""
    frame = evaluated.computed.customers.select(KEY, *columns).collect()
    floats = [name for name in columns if frame.schema[name].is_float()]
    # Beyond all numbers is no number: nothing has a distance from it.
    frame = frame.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)) for name in floats)
    missing = frame.select(pl.col(columns).null_count()).row(0, named=True)
    whole = frame.with_row_index(_PLACE).drop_nulls(columns)
    drawn = whole.with_columns(uniform(whole[KEY], "cluster", str(seed)).alias(_U)).sort(_U, KEY)
    return Complete(
        values=drawn.select(columns),
        places=drawn[_PLACE],
        missing=missing,
        left_out=len(frame) - len(whole),
    )


def require_enough(customers: Complete, k: int) -> None:
    """`DataError` where there are fewer customers than `k` personas need; it names the column that most lack."""
    there, needed = len(customers.values), FEWEST_EACH * k
    if there >= needed:
        return
    message = f"{plural(there, 'customer')} have all columns, and {k} personas need {needed}"
    scarcest, lacking = max(customers.missing.items(), key=lambda one: one[1])
    hint = f"take `{scarcest}` out of `--columns`: {count(lacking)} lack it" if lacking else "bring more customers"
    raise DataError.of(message, hint=hint)
