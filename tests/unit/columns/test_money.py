"""The mean of money is the floating-point number nearest to the exact quotient."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit.columns.money import nearest_mean, nearest_ratio

MONEY = pl.Decimal(38, 10)


def mean(total: Decimal, count: int) -> float:
    frame = pl.DataFrame({"total": pl.Series([total], dtype=MONEY), "count": pl.Series([count], dtype=pl.UInt32)})
    found: float = frame.select(nearest_mean(pl.col("total"), pl.col("count"))).item()
    return found


def nearest(total: Decimal, count: int) -> float:
    exact = Fraction(total) / count
    return exact.numerator / exact.denominator  # Python divides whole numbers of any size with one rounding


amounts = st.one_of(
    st.decimals(-(10**15), 10**15, places=2),
    st.decimals(-(10**15), 10**15, places=4),
    st.decimals(-1000, 1000, places=10),
    st.decimals(-(10**17), 10**17, places=10),
)


@given(st.lists(amounts, min_size=1, max_size=5), st.integers(0, 10**6))
def test_it_is_the_nearest_double(values: list[Decimal], further: int) -> None:
    total, count = sum(values, Decimal(0)), len(values) + further
    assert mean(total, count) == nearest(total, count)


@given(st.lists(amounts, min_size=1, max_size=8), st.sampled_from([1, 2, 3, 7, 10]))
def test_a_number_that_all_rows_are_divided_by(totals: list[Decimal], count: int) -> None:
    """Polars divides a column by one number with its reciprocal, which rounds twice."""
    frame = pl.DataFrame({"total": pl.Series(totals, dtype=MONEY)})
    total = pl.col("total")
    for by in (pl.lit(count), pl.when(total.is_not_null()).then(count), pl.lit(count).cast(pl.UInt32)):
        found = frame.select(nearest_mean(total, by)).to_series().to_list()
        assert found == [nearest(one, count) for one in totals]


@given(st.lists(st.tuples(st.integers(-(10**25), 10**25), st.integers(1, 2**95 - 1)), min_size=1, max_size=5))
def test_ratios_of_large_numbers(pairs: list[tuple[int, int]]) -> None:
    """A share of totals of billions, whose units of ten decimals are beyond 64 bits."""
    pairs = [(units, by) for units, by in pairs if not units or by < abs(units) * 2**64 < by * 2**126]
    frame = pl.DataFrame(pairs, schema={"units": pl.Int128, "by": pl.Int128}, orient="row")
    found = frame.select(nearest_ratio(pl.col("units"), pl.col("by"))).to_series().to_list()
    assert found == [units / by for units, by in pairs]


@pytest.mark.parametrize(
    ("total", "count", "expected"),
    [
        ("0.3", 3, 0.1),
        ("0.7", 7, 0.1),
        ("-0.3", 3, -0.1),
        ("0", 5, 0.0),
        ("16.45", 3, 5.483333333333333),
        ("999999999999999.9999", 1, 999999999999999.9999),
        ("9007199254740993", 1, 9007199254740992.0),  # half way between two doubles: the even one
        ("9007199254740993.0001", 1, 9007199254740994.0),  # a little more than half way
        ("0.0000000001", 4_000_000_000, 2.5e-20),
        ("0.01", 900_720, 1.1102229327648991e-08),  # 25 zeros after the point
    ],
)
def test_at_the_edges(total: str, count: int, expected: float) -> None:
    assert mean(Decimal(total), count) == expected


def test_beyond_what_money_needs_it_is_off_by_a_rounding_at_most() -> None:
    total = Decimal(10**27 + 1) + Decimal("0.0000000001")
    assert mean(total, 3) == pytest.approx(nearest(total, 3), rel=2**-52)
