"""Where values are cut: ranges of a size, values that many have alone, round numbers and days."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from segkit.operations.discovering.lookalike.asking.cuts import cuts

CASES: list[tuple[str, list[Any], int, list[Any]]] = [
    ("one value", [5] * 100, 2, []),
    ("two values", [0] * 90 + [1] * 10, 2, [0]),
    ("one of them is rare", [0] * 99 + [1], 2, []),
    ("the upper one is frequent", [0] * 10 + [1] * 90, 2, [0]),
    ("a value in the middle that many have", [*range(20), *[50] * 60, *range(80, 100)], 2, [20, 50]),
    ("one that many have, near an edge", [*range(12), *[50] * 24, *range(101, 165)], 2, [20, 100, 104, 124, 144]),
    ("as many in each", list(range(100)), 2, [19, 39, 59, 79]),
    ("round, where that moves few", [n + 0.37 for n in range(1000)], 20, [200, 400, 600, 800]),
    ("below and above zero", [n / 10 - 50 for n in range(1000)], 20, [-30, -10, 10, 30]),
    ("around zero", [-1.5] * 50 + [2.5] * 50, 2, [0]),
    ("exact decimals", [Decimal("0.01")] * 50 + [Decimal("0.02")] * 50, 2, [Decimal("0.01")]),
    ("the end of a year", [date(2023, 6, 1)] * 50 + [date(2024, 6, 1)] * 50, 2, [date(2023, 12, 31)]),
    ("the end of a month", [date(2024, 2, 3)] * 50 + [date(2024, 3, 9)] * 50, 2, [date(2024, 2, 29)]),
    ("days of a month", [date(2024, 2, 3)] * 50 + [date(2024, 2, 9)] * 50, 2, [date(2024, 2, 3)]),
    ("the ends of the calendar", [date(1, 1, 1)] * 50 + [date(9999, 12, 31)] * 50, 2, [date(9998, 12, 31)]),
]


@pytest.mark.parametrize(("what", "values", "least", "wanted"), CASES, ids=[case[0] for case in CASES])
def test_where_values_are_cut(what: str, values: list[Any], least: int, wanted: list[Any]) -> None:
    found = cuts(pl.Series(values), least)
    assert len(found) == len(wanted)
    edges = [None, *found, None]
    rows = [
        sum((low is None or value > low) and (high is None or value <= high) for value in values)
        for low, high in pairwise(edges)
    ]
    assert all(number >= least for number in rows) or not found
    assert found == wanted


def test_the_order_of_the_values_changes_nothing() -> None:
    days = [date(2020, 1, 1) + timedelta(n * n % 977) for n in range(300)]
    assert cuts(pl.Series(days), 6) == cuts(pl.Series(days[::-1]), 6) == sorted(cuts(pl.Series(days), 6))
