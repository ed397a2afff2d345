"""`[value]`: revenue, orders, mean and profit, exact; `[value.predict]`: published results, and plain errors."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from segkit.columns.features.value.predict import fit_bg_nbd, fit_gamma_gamma
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


# --- Predictions ----------------------------------------------------------------------------------------------------

CDNOW = """version = 1
as_of = 1997-09-30
[customers]
from = "orders"
key = "id"
[events.orders]
path = "orders.csv"
time = "day"
amount = "dollars"
[value]
events = "orders"
{keys}
[value.predict]
horizon = "39 weeks"
{predict}
"""
PREDICTED = ("p_alive", "expected_orders", "clv", "revenue", "order_count")


@pytest.fixture
def cdnow(desk: Desk, shared: Callable[[str], Path]) -> Desk:
    lines = (line.split() for line in shared("clv/CDNOW_sample.txt").read_text().splitlines())
    rows = [(fields[1], fields[2], fields[4]) for fields in lines if fields]
    desk.put("orders.csv", pl.DataFrame(rows, schema=["id", "day", "dollars"], orient="row"))
    return desk


def test_the_published_parameters_of_cdnow(cdnow: Desk) -> None:
    """Fader, Hardie and Lee (2005), Fader and Hardie (2013); a day with two orders is one, as there."""
    bg_nbd, gamma_gamma = cdnow.json(CDNOW.format(keys="", predict="") + "[segment.all]\neveryone = true\n")["models"]
    assert bg_nbd["parameters"] == pytest.approx({"r": 0.2426, "alpha": 4.4135, "a": 0.7929, "b": 2.4258}, rel=2e-4)
    assert bg_nbd["log_likelihood"] == -9582.43
    assert (bg_nbd["customers"], bg_nbd["repeaters"]) == (2_357, 946)
    assert gamma_gamma["parameters"] == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.45}, abs=0.01)
    assert gamma_gamma["customers"] == 946


def test_the_published_expectation_of_one_customer(cdnow: Desk) -> None:
    """x = 2, t_x = 30.43, T = 38.86: 1.226 in the next 39 weeks; and what who never came back is expected to bring."""
    found = cdnow.columns(CDNOW.format(keys="", predict="discount_percent = 0"), *PREDICTED)
    p_alive, orders, clv, *_ = map(float, found["0001"])
    assert orders == pytest.approx(1.226, abs=5e-4)
    mean = 6.25 * (15.44 + (29.73 + 14.96)) / (6.25 * 2 + 3.744 - 1)
    assert clv == pytest.approx(orders * mean, abs=0.02)
    assert 0.72 < p_alive < 0.73
    once = {row[:3] for row in found.values() if row[4] == "1"}
    assert {p for p, *_ in once} == {"1"}


def test_margin_and_discount_make_the_clv_less(cdnow: Desk) -> None:
    plain, discounted, profit = (
        cdnow.columns(CDNOW.format(keys=keys, predict=predict), "clv", "expected_orders")
        for keys, predict in (("", "discount_percent = 0"), ("", ""), ("margin_percent = 30", "discount_percent = 0"))
    )
    for key, (clv, orders) in plain.items():
        assert float(profit[key][0]) == pytest.approx(0.3 * float(clv), abs=0.0066)
        assert discounted[key][1] == orders
        # 39 weeks at 10 % a year: between all at once and all at the end.
        assert float(clv) * 1.1 ** (-39 / 52) - 0.01 <= float(discounted[key][0]) <= float(clv)


def history(customers: int = 400, *, seed: int = 7, once: bool = False, amount: float | None = None) -> pl.DataFrame:
    """Orders of a made-up shop: steady rates, some customers leave, amounts by customer; `None` of them on 1 June."""
    random = np.random.default_rng(seed)
    rows: list[tuple[str, dt.date, str]] = []
    for number in range(customers):
        day, end = float(random.integers(0, 200)), 517
        rate, leaves, mean = random.gamma(0.8, 1 / 40), random.beta(0.8, 2.5), 20 + random.gamma(3, 10)
        while day < end:
            spent = amount or random.gamma(6, mean / 6)
            rows.append((f"k{number:04}", dt.date(2023, 1, 1) + dt.timedelta(int(day)), f"{spent:.2f}"))
            if once or random.random() < leaves:
                break
            day += random.exponential(1 / rate) + 1
    return pl.DataFrame(rows, schema=["cust", "day", "total"], orient="row")


SHOP = head(as_of="2024-05-31", key="cust") + event_table("o", "o.csv", 'amount = "total"')
SHOP += """[value]
events = "o"
[value.predict]
"""
ASKED = "[segment.s]\nvalue.p_alive.min = 0.5\n"


def put(desk: Desk, orders: pl.DataFrame) -> None:
    desk.put("o.csv", orders)
    desk.put("c.csv", pl.concat([orders.select("cust").unique().sort("cust"), pl.DataFrame({"cust": ["nobody"]})]))


def test_a_customer_without_events_has_no_prediction(desk: Desk) -> None:
    put(desk, history())
    found = desk.columns(SHOP, *PREDICTED)
    assert found.pop("nobody") == ("", "", "", "0", "0")
    for p_alive, orders, clv, *_ in found.values():
        assert 0 <= float(p_alive) <= 1
        assert float(orders) >= 0
        assert Decimal(clv) >= 0
        assert all(len(text.partition(".")[2]) <= places for text, places in ((p_alive, 4), (orders, 4), (clv, 2)))


def test_events_after_as_of_and_rows_left_out_do_not_change_a_prediction(desk: Desk) -> None:
    orders = history()
    put(desk, orders)
    expected = desk.columns(SHOP, *PREDICTED)
    later = pl.DataFrame({"cust": ["k0001"], "day": [dt.date(2024, 6, 1)], "total": ["5000"]})
    desk.put("o.csv", pl.concat([later, orders]))
    assert desk.columns(SHOP, *PREDICTED) == expected
    refund = pl.DataFrame({"cust": ["k0001"], "day": [dt.date(2024, 5, 30)], "total": ["-5"]})
    desk.put("o.csv", pl.concat([orders, refund]))
    assert desk.columns(SHOP, *PREDICTED) != expected
    where = SHOP.replace("[value.predict]", "where.total.above = 0\n[value.predict]")
    assert desk.columns(where, *PREDICTED) == expected


def test_two_orders_on_one_day_are_one_to_the_models(desk: Desk) -> None:
    orders = history()
    put(desk, orders)
    halves = orders.with_columns(pl.col("total").cast(pl.Decimal(20, 3)) / 2)
    expected = desk.columns(SHOP, *PREDICTED)
    desk.put("o.csv", pl.concat([halves, halves]).sort("day", maintain_order=True))
    found = desk.columns(SHOP.replace('amount = "total"', 'amount = "total"\ndecimal = "."'), *PREDICTED)
    for key, (*predicted, revenue, count) in expected.items():
        assert found[key] == (*predicted, revenue, str(2 * int(count)))


def test_the_same_predictions_whatever_the_order_of_rows(desk: Desk) -> None:
    orders = history()
    put(desk, orders)
    expected = desk.columns(SHOP, *PREDICTED)
    desk.put("o.csv", orders.sample(fraction=1, shuffle=True, seed=1))
    assert desk.columns(SHOP, *PREDICTED) == expected


def test_a_prediction_is_that_of_the_models_on_histories_written_out(desk: Desk) -> None:
    """With refunds, customers whose later days add up to nothing, and two orders a day; margin and discount."""
    random = np.random.default_rng(11)
    orders = history()
    again = orders.sample(60, seed=3).with_columns(
        pl.Series("total", [f"{v:.2f}" for v in random.uniform(-90, 60, 60)])
    )
    orders = pl.concat(
        [
            orders,
            again.with_columns(pl.col("day") + pl.Series([dt.timedelta(int(d)) for d in random.integers(0, 3, 60)])),
        ]
    )
    put(desk, orders.filter(pl.col("day") <= dt.date(2024, 5, 31)))
    text = (
        SHOP.replace("[value.predict]", "margin_percent = 40\n[value.predict]")
        + 'horizon = "365 days"\ndiscount_percent = 100\n'
    )
    found = desk.columns(text, "p_alive", "expected_orders", "clv")

    days: dict[str, dict[dt.date, float]] = {}
    for key, day, total in orders.filter(pl.col("day") <= dt.date(2024, 5, 31)).rows():
        spent = days.setdefault(key, {})
        spent[day] = spent.get(day, 0.0) + float(total)
    histories = {}
    for key, spent in days.items():
        first, last = min(spent), max(spent)
        later = sum(total for day, total in spent.items() if day != first)
        x = len(spent) - 1
        mean = max(0.0, later / x) if x else 0.0
        histories[key] = [float(x), (last - first).days / 7, (dt.date(2024, 5, 31) - first).days / 7, mean]
    x, last, age, mean = np.array(list(histories.values())).T
    assert ((x > 0) & (mean == 0)).any()
    orders_model = fit_bg_nbd(x, last, age, np.ones(len(x)))
    amounts = fit_gamma_gamma(x[mean > 0], mean[mean > 0])
    p_alive = orders_model.p_alive(x, last, age)
    by_day = np.array([orders_model.orders_if_alive(day / 7, x, age) for day in range(1, 366)])
    steps = np.diff(by_day, axis=0, prepend=0.0)
    discounted = sum(step * 2 ** (-(day + 0.5) / 365) for day, step in enumerate(steps))
    clv = 0.4 * p_alive * discounted * amounts.mean_amount(x, mean)
    for key, *expected in zip(histories, p_alive, p_alive * by_day[-1], clv, strict=True):
        assert [float(text) for text in found[key]] == pytest.approx(expected, abs=0.0101, rel=1e-3)


def test_pyarrow_is_not_needed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    put(desk, history())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert desk.columns(SHOP, *PREDICTED)["nobody"] == ("", "", "", "0", "0")


def test_longer_horizons_expect_more_orders(desk: Desk) -> None:
    put(desk, history())
    year = desk.columns(SHOP, *PREDICTED)
    half = desk.columns(SHOP + 'horizon = "6 months"\n', *PREDICTED)
    assert all(float(half[key][1]) < float(year[key][1]) for key in year if key != "nobody")
    assert {key: row[0] for key, row in half.items()} == {key: row[0] for key, row in year.items()}


def test_the_fit_is_told(desk: Desk) -> None:
    put(desk, history())
    shown = desk.apply(SHOP + ASKED).stdout
    assert "BG/NBD" in shown and "Gamma-Gamma" in shown
    manifest = json.loads((desk / "segments/manifest.json").read_text())
    assert [model["name"] for model in manifest["models"]] == ["BG/NBD", "Gamma-Gamma"]
    assert manifest["models"][0]["customers"] == 400
    assert desk.json(SHOP + ASKED)["models"] == manifest["models"]


def test_check_with_data_fits_too(desk: Desk) -> None:
    put(desk, history(30))
    done = desk.segkit("check", desk.put("rules.toml", SHOP + ASKED), "--data", code=1)
    assert "50 customers" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        (history(49), "needs 50 customers with an event, and `[events.o]` has 49"),
        (history(60, once=True), "needs 20 customers with events on two days or more, and `[events.o]` has 0"),
        (
            history(200).with_columns(pl.when(pl.col("day").rank("ordinal").over("cust") == 1).then("total").otherwise(pl.lit("0"))),
            "needs 20 customers who have spent something after their first day, and `[events.o]` has 0",
        ),
        (history(amount=9.99), "did not converge: the likelihood of Gamma-Gamma rises without end"),
    ],
)  # fmt: skip
def test_a_fit_that_cannot_be_says_why(desk: Desk, orders: pl.DataFrame, message: str) -> None:
    put(desk, orders)
    done = desk.apply(SHOP + ASKED, code=3)
    assert message in done.stderr
    assert "hint: " in done.stderr
    assert not (desk / "segments").exists()


@pytest.mark.parametrize("absent", ["numpy", "scipy"])
def test_without_the_libraries_it_says_what_to_install(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    put(desk, history(60))
    monkeypatch.setitem(sys.modules, absent, None)
    error = desk.apply(SHOP + ASKED, code=2).stderr
    assert f"`[value.predict]` needs {absent}" in error
    assert 'pip install "segkit-cli[predict]"' in error
    assert "rules.toml:12:8" in error
    desk.apply(SHOP.replace("[value.predict]", "") + "[segment.s]\nvalue.revenue.min = 1\n")


def test_nothing_is_fitted_before_all_keys_are_trimmed(desk: Desk) -> None:
    """Of too few rows a model cannot be fitted; keys with spaces, beyond the sample, are seen once all rows are."""
    put(desk, history())
    whole = desk.columns(SHOP, "p_alive")
    orders = history()
    first = orders.filter(pl.col("cust") == orders["cust"][0])
    rest = orders.filter(pl.col("cust") != orders["cust"][0]).with_columns(cust=" " + pl.col("cust"))
    old = pl.concat([first.with_columns(day=dt.date(2025, 1, 1))] * 4_000)  # after `as_of`
    desk.put("o.parquet", pl.concat([old, first, rest]))
    assert desk.columns(SHOP.replace("o.csv", "o.parquet"), "p_alive") == whole
