"""Sequences, rhythm and the measures of time, case by case: same days, leap days, month ends, orders of several lines."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from tests.desk import Desk, event_table, head

HEAD = """
version = 1
as_of = {as_of}
[customers]
path = "customers.csv"
key = "id"
[events.orders]
path = "orders.csv"
time = "day"
id = "no"
amount = "amount"
[events.visits]
path = "visits.csv"
time = "day"
"""


def answer(desk: Desk, orders: str, rules: str, *, as_of: str = "2024-03-31", visits: str = "") -> list[str]:
    """Column `x` of customer a, then that of b, who has no events; `orders` has lines of no, day, product, amount."""
    rows = [line.split() for line in orders.split("; ") if line]
    lines = [",".join([no.strip("-"), "a", *rest]) for no, *rest in rows]
    desk.put("orders.csv", "\n".join(["no,id,day,p,amount", *lines]) + "\n")
    desk.put("visits.csv", "\n".join(["id,day", *(f"a,{day}" for day in visits.split())]) + "\n")
    desk.put("customers.csv", "id\na\nb\n")
    out = desk.apply(HEAD.format(as_of=as_of) + rules, "-o", "-", "-q").stdout
    return [line.split(",")[-1] for line in out.splitlines()[1:]]


def trait(measure: str) -> str:
    return f'[output]\ncolumns = ["x"]\n[segment.all]\neveryone = true\n[trait.x]\nevents = "orders"\n{measure}\n'


SEQUENCES = {
    "later": ("1 2024-01-05 brick 1; 2 2024-01-06 sand 1", 'then = { where.p = "sand" }', "1"),
    "itself never": ("1 2024-01-05 brick 1; 1 2024-01-06 sand 1", 'then = { where.p = "sand" }', "0"),
    "itself never, but the next": (
        "1 2024-01-05 brick 1; 1 2024-01-06 sand 1; 2 2024-01-07 sand 1",
        'then = { where.p = "sand", within = "2 days" }',
        "1",
    ),
    "itself on a day with another": (
        "1 2024-01-05 brick 1; 1 2024-01-06 sand 1; 2 2024-01-06 sand 1",
        'then = { where.p = "sand" }',
        "1",
    ),
    "same day is not later": ("1 2024-01-05 brick 1; 2 2024-01-05 sand 1", 'then = { where.p = "sand" }', "0"),
    "same day asked for": (
        "1 2024-01-05 brick 1; 2 2024-01-05 sand 1",
        'then = { where.p = "sand", same_day = true }',
        "1",
    ),
    "A A B: both": (
        "1 2024-01-05 brick 1; 2 2024-01-06 brick 1; 3 2024-01-07 sand 1",
        'where.p = "brick"\nthen = { where.p = "sand" }',
        "2",
    ),
    "last day of the window": ("1 2024-01-05 brick 1; 2 2024-02-04 sand 1", 'then = { within = "30 days" }', "1"),
    "the day after it": ("1 2024-01-05 brick 1; 2 2024-02-05 sand 1", 'then = { within = "30 days" }', "0"),
    "months clip": ("1 2024-01-31 brick 1; 2 2024-02-29 sand 1", 'then = { within = "1 month" }', "1"),
    "months clip, a day late": ("1 2024-01-31 brick 1; 2 2024-03-01 sand 1", 'then = { within = "1 month" }', "0"),
    "from a leap day": ("1 2023-02-28 brick 1; 2 2024-02-28 sand 1", 'then = { within = "1 year" }', "1"),
    "between, too early": (
        "1 2024-01-01 brick 1; 2 2024-01-30 sand 1",
        'then = { between = ["30 days", "60 days"] }',
        "0",
    ),
    "between, first day": (
        "1 2024-01-01 brick 1; 2 2024-01-31 sand 1",
        'then = { between = ["30 days", "60 days"] }',
        "1",
    ),
    "between, last day": (
        "1 2024-01-01 brick 1; 2 2024-03-01 sand 1",
        'then = { between = ["30 days", "60 days"] }',
        "1",
    ),
    "the outer window is not for what follows": (
        "1 2024-01-01 brick 1; 2 2024-02-01 sand 1",
        'between = [2024-01-01, 2024-01-02]\nthen = { where.p = "sand" }',
        "1",
    ),
    "longer than any calendar": (
        "1 2024-01-01 brick 1; 2 2024-02-01 sand 1",
        'then = { within = "999999999999 days" }',
        "1",
    ),
    "what follows lies after as_of": ("1 2024-03-31 brick 1; 2 2024-04-01 sand 1", "then = {}", "0"),
    "an order has the day of its first line": (
        "1 2024-01-05 brick 1; 1 2024-01-09 brick 1; 2 2024-01-07 sand 1",
        'where.p = "brick"\nthen = { where.p = "sand", within = "2 days" }',
        "1",
    ),
    "rows without an id are events": ("- 2024-01-05 brick 1; - 2024-01-06 sand 1", "then = {}", "1"),
    "not: none came": ("1 2024-01-05 brick 1", 'then_not = { within = "30 days" }', "1"),
    "not: one came": ("1 2024-01-05 brick 1; 2 2024-01-06 sand 1", 'where.p = "brick"\nthen_not = {}', "0"),
    "not: on the same day": ("1 2024-01-05 brick 1; 2 2024-01-05 sand 1", 'where.p = "brick"\nthen_not = {}', "0"),
    "not: the same day does not count": (
        "1 2024-01-05 brick 1; 2 2024-01-05 sand 1",
        'where.p = "brick"\nthen_not = { same_day = false }',
        "1",
    ),
    "not: the window is over today": ("1 2024-03-01 brick 1", 'then_not = { within = "30 days" }', "1"),
    "not: the window is open": ("1 2024-03-02 brick 1", 'then_not = { within = "30 days" }', "0"),
    "both": (
        "1 2024-01-01 brick 1; 2 2024-01-02 sand 1; 3 2024-02-01 brick 1; 4 2024-02-02 sand 1; 5 2024-02-03 lime 1",
        'where.p = "brick"\nthen = { where.p = "sand", within = "2 days" }\n'
        'then_not = { where.p = "lime", within = "2 days" }',
        "1",
    ),
    "the sum of what is left": (
        "1 2024-01-01 brick 1.10; 1 2024-01-01 lime 2; 2 2024-01-02 sand 5",
        'measure = "sum"\nthen = { where.p = "sand" }',
        "3.1",
    ),
}


@pytest.mark.parametrize("case", SEQUENCES)
def test_sequences(desk: Desk, case: str) -> None:
    orders, rules, expected = SEQUENCES[case]
    nothing = "0"
    assert answer(desk, orders, trait(rules)) == [expected, nothing]


@pytest.mark.parametrize(
    ("visits", "then", "expected"),
    [
        ("2024-01-05", 'then = { events = "orders", within = "2 days" }', "1"),
        ("2024-01-06", 'then = { events = "orders" }', "0"),
        ("2024-01-06 2024-01-03 2024-01-04", 'then_not = { events = "orders", within = "2 days" }', "1"),
        ("2024-01-06", 'then_not = { events = "orders", same_day = false }', "1"),
    ],
)
def test_what_follows_is_of_another_table(desk: Desk, visits: str, then: str, expected: str) -> None:
    rules = trait(then).replace('events = "orders"\n', 'events = "visits"\n', 1)
    assert answer(desk, "1 2024-01-06 brick 1", rules, visits=visits) == [expected, "0"]
    told = json.loads(desk.segkit("apply", desk / "rules.toml", "-o", desk / "out", "--json").stdout)
    assert {table["name"]: table["rows"] for table in told["tables"]} == {
        "customers": 2, "visits": len(visits.split()), "orders": 1,
    }  # fmt: skip


MEASURES = {
    "the second order": ("1 2024-01-05 b 1; 2 2024-02-05 b 1; 2 2024-02-06 b 1", 'measure = "nth"\nn = 2', "2024-02-05"),
    "the last but one": ("1 2024-01-05 b 1; 2 2024-02-05 b 1", 'measure = "nth"\nn = -2', "2024-01-05"),
    "the last row of the last": ("1 2024-01-05 x 1; 1 2024-01-07 y 1", 'measure = "nth"\nn = -1\nof = "p"', "y"),
    "the first row of the first": ("1 2024-01-05 x 1; 1 2024-01-07 y 1", 'measure = "nth"\nn = 1\nof = "p"', "x"),
    "by first rows": ("1 2024-01-05 x 1; 2 2024-01-06 y 1; 1 2024-01-09 z 1", 'measure = "nth"\nn = 2\nof = "p"', "y"),
    "fewer events": ("1 2024-01-05 b 1", 'measure = "nth"\nn = 2', ""),
    "mean gap": ("1 2024-01-01 b 1; 2 2024-01-02 b 1; 3 2024-01-11 b 1; 4 2024-01-11 b 1", 'measure = "gap_mean"', "5"),
    "median gap": ("1 2024-01-01 b 1; 2 2024-01-02 b 1; 3 2024-01-11 b 1", 'measure = "gap_median"', "5"),
    "one day has no gap": ("1 2024-01-01 b 1; 2 2024-01-01 b 1", 'measure = "gap_mean"', ""),
    "no median gap": ("1 2024-01-01 b 1", 'measure = "gap_median"', ""),
    "median of orders": ("1 2024-01-01 b 1; 1 2024-01-01 b 2; 2 2024-01-02 b 4", 'measure = "median"', "3.5"),
    "median is exact": ("1 2024-01-01 b 0.1; 2 2024-01-02 b 0.2; 3 2024-01-02 b 9", 'measure = "median"', "0.2"),
    "median of one": ("1 2024-01-01 b 19.99", 'measure = "median"', "19.99"),
    "median of two": ("1 2024-01-01 b 0.1; 2 2024-01-02 b 0.2", 'measure = "median"', "0.15"),
    "ISO weeks": ("1 2024-12-29 b 1; 2 2024-12-30 b 1; 3 2025-01-05 b 1", 'measure = "active_weeks"', "2"),
    "months": ("1 2023-01-31 b 1; 2 2024-01-01 b 1; 2 2024-02-01 b 1", 'measure = "active_months"', "3"),
    "quarters": ("1 2024-01-31 b 1; 2 2024-03-31 b 1; 3 2024-04-01 b 1", 'measure = "active_quarters"', "2"),
    "share of orders": ("1 2024-01-01 b 1; 2 2024-01-01 c 1; 2 2024-01-01 b 1; 3 2024-01-01 c 1",
                        'measure = "share"\nwhere.p = "b"', "66.66666666666667"),
    "share of money": ("1 2024-01-01 b 1; 2 2024-01-01 c 3", 'measure = "share"\nwhere.p = "b"\nof = "amount"', "25"),
    "share of nothing": ("1 2024-01-01 b 1; 2 2024-01-01 c -1",
                         'measure = "share"\nwhere.p = "b"\nof = "amount"', ""),
    "share of less than nothing": (
        "1 2024-01-01 b 1; 2 2024-01-01 c -3", 'measure = "share"\nwhere.p = "b"\nof = "amount"', "",
    ),
    "no share at all": ("1 2024-01-01 c 1", 'measure = "share"\nwhere.p = "b"', "0"),
}  # fmt: skip
ZERO = {"ISO weeks", "months", "quarters"}


@pytest.mark.parametrize("case", MEASURES)
def test_measures(desk: Desk, case: str) -> None:
    orders, rules, expected = MEASURES[case]
    assert answer(desk, orders, trait(rules), as_of="2025-06-30") == [expected, "0" if case in ZERO else ""]


@pytest.mark.parametrize(
    ("orders", "condition", "did", "did_not"),
    [
        ("1 2024-01-01 b 1; 2 2024-01-01 b 1", 'measure = "gap_mean", min = 0', "", "ab"),
        ("1 2024-01-01 b 1", 'measure = "gap_median", max = 10', "", "ab"),
        ("1 2024-01-01 c 1", 'measure = "share", where.p = "b", max = 10', "a", "b"),
        ("1 2024-01-01 c 1", 'measure = "share", where.p = "b", above = 0', "", "ab"),
        ("1 2024-01-01 c 1", 'measure = "active_weeks"', "a", "b"),
        ("1 2024-01-01 c 1", 'measure = "active_months", max = 3', "a", "b"),
    ],
)
def test_conditions_on_them(desk: Desk, orders: str, condition: str, did: str, did_not: str) -> None:
    for key, who in (("did", did), ("did_not", did_not)):
        rules = f'[output]\ncolumns = ["id"]\n[segment.s]\nbehavioural.{key} = {{ events = "orders", {condition} }}\n'
        answer(desk, orders, rules)
        out = desk.segkit("apply", desk / "rules.toml", "-o", "-", "-q").stdout
        assert "".join(line[0] for line in out.splitlines()[1:]) == who


PERIODS = {
    "every month": ("2024-03-31 2024-02-29 2024-01-31", 'within = "3 months", in_each = "month"', True),
    "the edges": ("2024-03-01 2024-02-01 2024-01-01", 'within = "3 months", in_each = "month"', True),
    "the first day of the window is in no period": (
        "2024-03-01 2024-02-01 2023-12-31",
        'within = "3 months", in_each = "month"',
        False,
    ),
    "one month without": ("2024-03-31 2024-01-31", 'within = "3 months", in_each = "month"', False),
    "two each": ("2024-03-31 2024-03-30 2024-02-29", 'within = "2 months", in_each = "month", min = 2', False),
    "between": ("2024-02-29 2024-01-31", 'between = ["3 months", "1 month"], in_each = "month"', True),
    "weeks": ("2024-03-25 2024-03-24", 'within = "2 weeks", in_each = "week"', True),
    "weeks, one day off": ("2024-03-25 2024-03-31", 'within = "2 weeks", in_each = "week"', False),
    "a quarter is three months": ("2024-01-01 2023-12-31", 'within = "6 months", in_each = "quarter"', True),
}


@pytest.mark.parametrize("case", PERIODS)
def test_in_each(desk: Desk, case: str) -> None:
    days, what, holds = PERIODS[case]
    orders = "; ".join(f"{number} {day} b 1" for number, day in enumerate(days.split(), 1))
    for key, who in (("did", "a" * holds), ("did_not", "b" if holds else "ab")):
        rules = f'[output]\ncolumns = ["id"]\n[segment.s]\nbehavioural.{key} = {{ events = "orders", {what} }}\n'
        answer(desk, orders, rules)
        out = desk.segkit("apply", desk / "rules.toml", "-o", "-", "-q").stdout
        assert "".join(line[0] for line in out.splitlines()[1:]) == who


def test_the_median_is_the_same_whoever_else_is_there(desk: Desk) -> None:
    desk.put("o.csv", "id,day,no,amount\na,2024-01-01,1,1.6\na,2024-01-02,2,2.5\nb,2024-01-01,9,3\n")
    rules = head() + event_table("o", "o.csv", 'id = "no"', 'amount = "amount"')
    condition = 'behavioural.did = { events = "o", measure = "median", max = 2.05 }'
    for customers in ("id\na\nb\n", "id\na\nb\nc\n", "id\na\n"):
        desk.put("c.csv", customers)
        assert desk.members(rules, {"s": condition})["s"] == ["a"]


@pytest.mark.parametrize("amount", ["521167294.1", "987201277.96", "1000000000000000", "0.01"])
def test_a_share_of_large_amounts_is_exact(desk: Desk, amount: str) -> None:
    desk.put("c.csv", "id\na\nb\n")
    desk.put("o.csv", f"id,day,p,amount\na,2024-01-01,x,{amount}\na,2024-01-02,y,{amount}\n")
    rules = head() + event_table("o", "o.csv", 'amount = "amount"')
    rules += '[trait.x]\nevents = "o"\nmeasure = "share"\nof = "amount"\nwhere.p = "x"\n'
    assert desk.columns(rules, "x") == {"a": "50", "b": ""}


@pytest.mark.parametrize("amount", [2e26, 6e26])
def test_a_share_of_enormous_amounts_does_not_wrap(desk: Desk, amount: float) -> None:
    desk.put("c.csv", "id\na\n")
    days = [dt.date(2024, 1, 1), dt.date(2024, 1, 2)]
    desk.put("o.parquet", pl.DataFrame({"id": ["a", "a"], "day": days, "p": ["x", "y"], "q": [amount, amount]}))
    rules = head() + event_table("o", "o.parquet")
    rules += '[trait.x]\nevents = "o"\nmeasure = "share"\nof = "q"\nwhere.p = "x"\n'
    assert desk.columns(rules, "x") == {"a": "50"}
