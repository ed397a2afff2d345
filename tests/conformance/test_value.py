"""`[value]`: revenue, orders, mean and profit, exact."""

from __future__ import annotations

import pytest

from tests.desk import Desk, event_table, head

HEAD = head(key="cust") + event_table("o", "o.csv", 'id = "order"', 'amount = "total"')
# a: order 1 has two lines, 2 is a refund, one line has no id; b: one order; c: none; d: only later; e: thirds; f: no amount
ORDERS = """order,cust,day,product,total
1,a,2024-01-01,sand,10.50
1,a,2024-01-01,bricks,4.50
2,a,2024-02-10,sand,-5
,a,2024-02-25,sand,1.99
5,b,2023-06-30,stone,99.99
6,d,2024-03-02,sand,7
7,e,2024-01-01,sand,0.1
8,e,2024-01-02,sand,0.2
9,e,2024-01-03,sand,100
10,f,2024-01-01,sand,
"""
CUSTOMERS = "cust,cost\na,5\nb,\nc,2.50\nd,0\ne,0.01\nf,-1\n"
COLUMNS = ("revenue", "order_count", "average_order_value")

# What stands in [value] beside `events`, and revenue, orders and mean of a to f.
VALUES = {
    "": ("11.99 3 3.9966666667", "99.99 1 99.99", "0 0 ", "0 0 ", "100.3 3 33.4333333333", "0 1 0"),
    "where.total.above = 0": ("16.99 2 8.495", "99.99 1 99.99", "0 0 ", "0 0 ", "100.3 3 33.4333333333", "0 0 "),
    'where.product = "sand"': ("7.49 3 2.4966666667", "0 0 ", "0 0 ", "0 0 ", "100.3 3 33.4333333333", "0 1 0"),
    'within = "30 days"': ("-3.01 2 -1.505", "0 0 ", "0 0 ", "0 0 ", "0 0 ", "0 0 "),
    "before = 2024-01-01": ("0 0 ", "99.99 1 99.99", "0 0 ", "0 0 ", "0 0 ", "0 0 "),
}

# What stands in [value] beside `events`, and the profit of a to f.
PROFITS = {
    "margin_percent = 40": ("4.796", "39.996", "0", "0", "40.12", "0"),
    "margin_percent = 37.5": ("4.49625", "37.49625", "0", "0", "37.6125", "0"),
    "margin_percent = 0": ("0", "0", "0", "0", "0", "0"),
    "margin_percent = 100": ("11.99", "99.99", "0", "0", "100.3", "0"),
    'margin_percent = 40\ncost = "cost"': ("-0.204", "", "-2.5", "0", "40.11", "1"),
    'margin_percent = 0\ncost = "cost"': ("-5", "", "-2.5", "0", "-0.01", "1"),
    'margin_percent = 100\ncost = "cost"\nwhere.total.above = 0': ("11.99", "", "-2.5", "0", "100.29", "1"),
}


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    return desk


@pytest.mark.parametrize("keys", VALUES)
def test_revenue_orders_and_their_mean(shop: Desk, keys: str) -> None:
    found = shop.columns(f'{HEAD}[value]\nevents = "o"\n{keys}\n', *COLUMNS)
    assert [" ".join(found[key]) for key in "abcdef"] == list(VALUES[keys])


@pytest.mark.parametrize("keys", PROFITS)
def test_profit(shop: Desk, keys: str) -> None:
    found = shop.columns(f'{HEAD}[value]\nevents = "o"\n{keys}\n', "profit")
    assert tuple(found[key] for key in "abcdef") == PROFITS[keys]


def test_amount_per_event(desk: Desk) -> None:
    """Each line repeats the total of its order."""
    desk.put("c.csv", "cust\na\nb\n")
    desk.put(
        "o.csv", "order,cust,day,total\n1,a,2024-01-01,10\n1,a,2024-01-01,10\n2,a,2024-01-02,5\n3,b,2024-01-01,10\n"
    )
    head = HEAD + 'amount_per = "event"\n[value]\nevents = "o"\nmargin_percent = 50\n'
    assert desk.columns(head, *COLUMNS, "profit") == {"a": ("15", "2", "7.5", "7.5"), "b": ("10", "1", "10", "5")}


def test_the_cost_may_be_a_computed_column(shop: Desk) -> None:
    head = HEAD + '[trait.one]\nsql = "coalesce(cost, 0)"\n[value]\nevents = "o"\nmargin_percent = 10\ncost = "one"\n'
    assert shop.columns(head, "profit")["b"] == "9.999"


def test_value_counts_as_traits_do(shop: Desk) -> None:
    head = (
        HEAD
        + '[value]\nevents = "o"\n[rfm]\nevents = "o"\n[trait.n]\nevents = "o"\n[trait.s]\nevents = "o"\nmeasure = "sum"\n'
    )
    for revenue, orders, n, s, frequency, monetary in shop.columns(
        head, "revenue", "order_count", "n", "s", "frequency", "monetary"
    ).values():
        assert (revenue, orders) == (s, n)
        assert (revenue, orders) == (monetary, frequency) or not frequency


def test_the_family_and_others_take_the_columns(shop: Desk) -> None:
    segments = {
        "value.revenue.min = 99": "b e",
        "demographic.revenue.min = 99": "b e",
        "value.average_order_value = 99.99": "b",
        "value.average_order_value.missing = true": "c d",
        "value = { profit.below = 0, order_count.min = 1 }": "a",
        "value.profit.top_percent = 20": "e",  # of the five who have one
        'sql = "profit > 0 AND order_count = 3"': "e",
        "value.order_count = 0": "c d",
    }
    head = HEAD + '[value]\nevents = "o"\nmargin_percent = 40\ncost = "cost"\n'
    assert shop.members(head, {s: s for s in segments}) == {s: keys.split() for s, keys in segments.items()}


@pytest.mark.parametrize(
    ("keys", "asked", "hint"),
    [
        ('[value]\nevents = "o"\n', "profit", "add `margin_percent = ...` to `[value]`"),
        ('[value]\nevents = "o"\n', "clv", "add a section: `[value.predict]`"),
        ("", "revenue", 'add a section: `[value]` with `events = "..."`'),
    ],
)
@pytest.mark.parametrize(
    "where", ["[segment.s]\nvalue.{}.min = 1", "[segment.s]\ndemographic.{}.min = 1", '[segment.s]\neveryone = true\n[output]\ncolumns = ["{}"]']
)  # fmt: skip
def test_what_is_not_computed_names_the_key_to_add(shop: Desk, keys: str, asked: str, hint: str, where: str) -> None:
    message = shop.apply(f"{HEAD}{keys}{where.format(asked)}\n", code=2).stderr
    assert f"`{asked}`" in message or "there is no `[value]`" in message
    assert f"hint: {hint}" in message


def test_a_column_of_the_customers_may_be_called_profit_without_a_margin(desk: Desk) -> None:
    desk.put("c.csv", "cust,profit\na,5\n")
    desk.put("o.csv", "order,cust,day,total\n1,a,2024-01-01,10\n")
    head = HEAD + '[value]\nevents = "o"\n'
    assert desk.columns(head, "profit", "revenue") == {"a": ("5", "10")}
    taken = desk.apply(head + "margin_percent = 5\n[segment.s]\nvalue.profit.min = 1\n", code=2).stderr
    assert "`profit`" in taken and "`[customers]`" in taken and "| [value]" in taken and "rename" in taken


def test_the_cost_must_be_a_number_that_is_there(shop: Desk) -> None:
    head = HEAD + '[value]\nevents = "o"\nmargin_percent = 5\ncost = "{}"\n[segment.s]\nvalue.profit.min = 1\n'
    assert "customers have no column `csot`" in shop.apply(head.format("csot"), code=2).stderr
    assert "`cost` asks for a number" in shop.apply(head.format("cust"), code=2).stderr
