"""`[value.predict]`: published results, and plain errors."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("scipy", reason='needs the extra "predict"')  # this module, too, imports what it brings
import numpy as np

from segkit.columns.features.value.predict import fit_bg_nbd, fit_gamma_gamma
from tests.desk import Desk, event_table, head

pytestmark = pytest.mark.extra("predict")

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
