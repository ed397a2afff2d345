"""The number between two values of a column, against what it is for."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit.operations.discovering.cluster.thresholds import between

CASES: list[tuple[Any, Any, str]] = [
    # up to, from, between
    (9, 10, "10"),
    (0, 1, "1"),
    (-1, 0, "0"),
    (-5, 17, "0"),
    (1, 300, "200"),
    (49, 61, "60"),
    (101, 109, "105"),
    (1999, 2001, "2000"),
    (-300, -1, "-200"),
    (Decimal("19.98"), Decimal("19.99"), "19.99"),
    (Decimal("19.90"), Decimal("20.10"), "20"),
    (Decimal("674.48"), Decimal("674.49"), "674.49"),
    (Decimal("950.1"), Decimal("950.9"), "950.5"),
    (0.1, 0.5, "0.3"),
    (0.5, 1.5, "1"),
    (1e-7, 2e-7, "0.0000002"),
    (1.0, math.nextafter(1.0, 2), "1.0000000000000002"),
    (0.0, 5e-324, "5E-324"),
    (1.7e308, 1.75e308, "1.72E+308"),
]


@pytest.mark.parametrize(("low", "high", "wanted"), CASES)
def test_the_roundest_number_between(low: Any, high: Any, wanted: str) -> None:
    assert between(low, high) == Decimal(wanted)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DECIMALS = st.decimals(-(10**20), 10**20, places=10)
PAIRS = st.one_of(
    st.tuples(st.integers(-(10**18), 10**18), st.integers(-(10**18), 10**18)),
    st.tuples(FLOATS, FLOATS),
    st.tuples(DECIMALS, DECIMALS),
    FLOATS.map(lambda one: (one, math.nextafter(one, math.inf))).filter(lambda pair: math.isfinite(pair[1])),
)


@given(PAIRS.filter(lambda pair: pair[0] != pair[1]).map(lambda pair: tuple(sorted(pair))))
def test_it_parts_the_values_as_a_rule_reads_it(pair: Any) -> None:
    low, high = pair
    found = between(low, high)
    if isinstance(low, float):
        assert low < float(found) <= high
    else:
        assert Fraction(low) < Fraction(found) <= Fraction(high)
    if isinstance(low, int):
        assert found == int(found)
    exponent = found.as_tuple().exponent
    assert isinstance(exponent, int)
    if not isinstance(low, float) and found:
        coarser = Fraction(10) ** (exponent + 1)
        assert Fraction(low) // coarser == Fraction(high) // coarser, "no rounder number lies between"
