"""A value that comes late in a large file means what it means in a small one, of which every row is looked at."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from tests.desk import Desk, head

FEW, MANY = 100, 130_000
"""Rows of a file that is small enough to look at every value first, and of one that is not."""
RULES = """version = 1
as_of = 2024-12-31
[customers]
from = "o"
key = "id"
[events.o]
path = "{path}"
key = "id"
time = "day"
id = "ord"
amount = "v"
{source}
[trait.t]
events = "o"
{trait}
[output]
columns = ["t"]
[segment.all]
everyone = true
"""


def orders(rows: int, late: str, *, value: str = "{}", column: str = "v") -> str:
    lines = ["id,ord,day,v"]
    for row in range(rows):
        of = {"id": f"c{row % 50}", "ord": str(row), "day": "2024-01-01", "v": str(row % 9 + 1)}
        of[column] = value.format(row % 9 + 1)
        if row == rows * 3 // 4:
            of |= {"id": "late", column: late}
        lines.append(f'{of["id"]},{of["ord"]},"{of["day"]}","{of["v"]}"')
    return "\n".join(lines) + "\n"


def as_text(desk: Desk, rows: str) -> str:
    return str(desk.put("o.csv", rows))


def as_parquet(desk: Desk, rows: str) -> str:
    return str(desk.put("o.parquet", pl.read_csv(rows.encode(), infer_schema=False)))


def as_files(desk: Desk, rows: str) -> str:
    head, *lines = rows.splitlines()
    size = max(1, len(lines) // 20)
    for start in range(0, len(lines), size):
        desk.put(f"o/{start:06}.csv", "\n".join([head, *lines[start : start + size]]) + "\n")
    return str(desk / "o/*.csv")


def of_late(desk: Desk, path: str, trait: str, source: str = "") -> str:
    """What the trait of the customer `late` is; `refused` where the run ends with an error about data."""
    rules = RULES.format(path=path, trait=trait, source=source)
    done = desk.apply(rules, "-o", "-", "--summary", "none", code=None)
    if done.exit_code:
        assert done.exit_code == 3, done.stderr
        return "refused"
    return next((row["t"] for row in desk.read(done.stdout_bytes) if row["id"] == "late"), "nobody")


NUMBERS = [
    ("abc", "refused"), ("€5", "5"), ("5 EUR", "5"), ("(5)", "-5"), ("5-", "-5"), ("1'250", "1250"), (" 5 ", "5"),
    ("5%", "refused"), ("5 pcs", "refused"), ("+5", "5"), ("1.5", "1.5"), ("2,5", "2.5"), ("12,-", "12"),
]  # fmt: skip


@pytest.mark.parametrize(("late", "meant"), NUMBERS)
@pytest.mark.parametrize("rows", [FEW, MANY])
def test_numbers(desk: Desk, rows: int, late: str, meant: str) -> None:
    assert of_late(desk, as_text(desk, orders(rows, late)), 'measure = "sum"') == meant


@pytest.mark.parametrize("put", [as_parquet, as_files])
@pytest.mark.parametrize(("late", "meant"), [("abc", "refused"), ("€5", "5"), ("(5)", "-5")])
def test_numbers_of_other_sources(desk: Desk, put: Callable[[Desk, str], str], late: str, meant: str) -> None:
    assert of_late(desk, put(desk, orders(MANY, late)), 'measure = "sum"') == meant


@pytest.mark.parametrize(("late", "meant"), [("abc", "refused"), ("7,25", "7.25"), ("(5,00)", "-5"), ("€ 5,00", "5")])
@pytest.mark.parametrize("rows", [FEW, MANY])
def test_numbers_with_a_decimal_comma(desk: Desk, rows: int, late: str, meant: str) -> None:
    assert of_late(desk, as_text(desk, orders(rows, late, value="{},50")), 'measure = "sum"') == meant


MOMENTS = [
    ("2024-01-02", "0"), ("2024-01-02T07:30", "7"), ("2024-01-02 07:30:15.5", "7"), ("2024-01-02T07:30:00Z", "7"),
    ("garbage", "refused"),
]  # fmt: skip


@pytest.mark.parametrize(("late", "meant"), MOMENTS)
@pytest.mark.parametrize("base", ["2024-01-01 10:00:00", "2024-01-01 10:00"])
@pytest.mark.parametrize("rows", [FEW, MANY])
def test_times_of_day(desk: Desk, rows: int, base: str, late: str, meant: str) -> None:
    path = as_text(desk, orders(rows, late, value=base, column="day"))
    assert of_late(desk, path, 'measure = "max"\nof = "h"', 'derive.h = "EXTRACT(HOUR FROM day)"') == meant


LINES = '{"id":"c","v":3}\n' * 120_000


@pytest.mark.parametrize("value", [2.5, 7])
def test_lines_of_json(desk: Desk, value: float) -> None:
    desk.put("c.ndjson", LINES.replace('"c"', "null") + f'{{"id":"late","v":{value},"more":"x"}}\n')
    rules = head(path="c.ndjson") + f'[segment.s]\ndemographic.v = {value}\ndemographic.more = "x"\n'
    assert desk.rows(rules) == [{"id": "late", "segment": "s", "v": str(value), "more": "x"}]
