"""`segkit evaluate --assignment FILE`: tests that segkit has not drawn."""

from __future__ import annotations

import csv
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.desk import SHARED, Desk

HILLSTROM = SHARED / "ab_test/hillstrom.csv"
TEST = ("--group", "arm", "--control", "none", "--as-of", "2024-06-30")
WITH_ORDERS = (*TEST, "--key", "customer_id")


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """900 customers in three groups, what a page has counted of them, and their orders."""
    dice = random.Random(8)
    groups, orders = ["customer_id,arm,seen,clicks,spent,one"], ["order_date,customer_id,total"]
    for n in range(900):
        arm = ("none", "blue", "red")[n % 3]
        clicks = dice.choice([0, 0, 1, 4])
        groups.append(f"k{n},{arm},{dice.choice(['yes', 'no'])},{clicks},{clicks * dice.randrange(3)}.25,1")
        days = [dice.randrange(1, 31) for _ in range(dice.choice([0, 0, 1, 2]))]
        orders += [f"2024-07-{day:02},k{n},{dice.randrange(-5, 60)}.{dice.randrange(100):02}" for day in days]
    desk.put("groups.csv", "\n".join(groups) + "\n")
    desk.put("orders.csv", "\n".join(orders) + "\n")
    return desk


def evaluated(desk: Desk, *options: object, file: str = "groups.csv", code: int = 0) -> Any:
    done = desk.segkit("evaluate", "--assignment", desk / file, "--json", *options, code=code)
    return json.loads(done.stdout) if code == 0 else done.stderr


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.mark.skipif(not HILLSTROM.exists(), reason="the data of Hillstrom is not here")
def test_hillstrom() -> None:
    """What his test has shown, as t tests, Newcombe's intervals and Fieller's bounds of other programs have it."""
    expected = "Mens E-Mail=1,Womens E-Mail=1,No E-Mail=1"
    options = ("--assignment", HILLSTROM, "--group", "segment", "--control", "No E-Mail", "--as-of", "2008-03-01")
    metrics = [word for name in ("visit", "conversion", "spend") for word in ("--metric", name)]
    done = Desk(Path()).segkit("evaluate", *options, *metrics, "--expected", expected, "--json")
    [segment] = json.loads(done.stdout)["segments"]
    assert segment["ratio_p"] == pytest.approx(0.904, abs=5e-4)
    assert [(arm["name"], arm["customers"], arm["buyers"]) for arm in segment["arms"]] == [
        ("No E-Mail", 21_306, 122), ("Mens E-Mail", 21_307, 267), ("Womens E-Mail", 21_387, 189),
    ]  # fmt: skip
    found = {(one["arm"][:1], one["metric"]): one for one in segment["comparisons"]}
    shares = {
        ("M", "visit"): (7.6590, 6.9953, 8.3227), ("W", "visit"): (4.5233, 3.8894, 5.1574),
        ("M", "conversion"): (0.6805, 0.5014, 0.8641), ("W", "conversion"): (0.3111, 0.1502, 0.4745),
    }  # fmt: skip
    for of, figures in shares.items():
        one = found[of]
        assert [100 * one[name] for name in ("difference", "low", "high")] == pytest.approx(figures, abs=1e-4)
    money = {
        "M": ((0.769827, 0.485138, 1.054516), 5.300090, (117.9, 59.8, 221.9), (16402.7, 10336.8, 22468.6)),
        "W": ((0.424412, 0.168831, 0.679993), 3.254768, (65.0, 21.5, 136.0), (9076.9, 3610.8, 14543.0)),
    }
    for arm, (figures, t, lifts, totals) in money.items():
        one = found[arm, "spend"]
        assert [one[name] for name in ("difference", "low", "high")] == pytest.approx(figures, abs=1e-6)
        assert one["statistic"] == t
        relative = [one[name] for name in ("relative", "relative_low", "relative_high")]
        assert relative == pytest.approx(lifts, abs=0.05)
        assert [one[name] for name in ("total", "total_low", "total_high")] == pytest.approx(totals, abs=0.05)
        assert one["significant"]


def test_metrics_are_columns_of_the_file(shop: Desk) -> None:
    found = evaluated(shop, *TEST, "--metric", "seen", "--metric", "clicks", "--metric", "spent")
    assert found["metrics"] == [
        {"name": "seen", "kind": "share"}, {"name": "clicks", "kind": "mean"}, {"name": "spent", "kind": "mean"},
    ]  # fmt: skip
    assert (found["as_of"], found["from"], found["until"], found["customers"]) == ("2024-06-30", None, None, 900)
    [segment] = found["segments"]
    assert segment["name"] == "groups" and [arm["name"] for arm in segment["arms"]] == ["none", "blue", "red"]
    for arm in segment["arms"]:
        mine = [row for row in rows(shop / "groups.csv") if row["arm"] == arm["name"]]
        seen, clicks, spent = arm["metrics"]
        assert (seen["customers"], seen["total"]) == (sum(row["seen"] == "yes" for row in mine), None)
        assert (clicks["customers"], clicks["total"]) == (
            sum(row["clicks"] != "0" for row in mine),
            sum(int(row["clicks"]) for row in mine),
        )
        assert Decimal(str(spent["total"])) == sum(Decimal(row["spent"]) for row in mine)
        assert arm["expected_share"] is None
    assert segment["ratio_p"] is None
    assert {(one["arm"], one["against"]) for one in segment["comparisons"]} == {("blue", "none"), ("red", "none")}


def test_ones_and_zeros_are_a_share(shop: Desk) -> None:
    shop.put("ones.csv", "arm,did\n" + "none,0\nnone,1\nred,1\nred,1\n" * 50)
    found = evaluated(shop, *TEST, "--metric", "did", file="ones.csv")
    assert found["metrics"] == [{"name": "did", "kind": "share"}]
    [segment] = found["segments"]
    assert [arm["metrics"][0]["share"] for arm in segment["arms"]] == [0.5, 1]
    assert segment["comparisons"][0]["difference"] == 0.5


def test_orders(shop: Desk) -> None:
    """Their columns are guessed; days count as those of a run do."""
    found = evaluated(shop, *WITH_ORDERS, "--events", shop / "orders.csv", "--within", "3 weeks")
    assert found["guesses"] == {"time": "order_date", "amount": "total"}
    assert (found["from"], found["until"]) == ("2024-07-01", "2024-07-21")
    arms = {row["customer_id"]: row["arm"] for row in rows(shop / "groups.csv")}
    days = [row for row in rows(shop / "orders.csv") if row["order_date"] <= "2024-07-21"]
    for arm in found["segments"][0]["arms"]:
        mine = [row for row in days if arms[row["customer_id"]] == arm["name"]]
        assert arm["buyers"] == len({row["customer_id"] for row in mine})
        assert Decimal(str(arm["revenue"])) == sum(Decimal(row["total"]) for row in mine)


def test_orders_beside_columns(shop: Desk) -> None:
    """What is called as orders are is of the orders."""
    given = ("--metric", "conversion", "--metric", "seen", "--events", shop / "orders.csv")
    found = evaluated(shop, *WITH_ORDERS, *given)
    assert [one["name"] for one in found["metrics"]] == ["conversion", "seen"]
    alone = evaluated(shop, *WITH_ORDERS, "--metric", "seen")["segments"][0]["comparisons"]
    assert [one for one in found["segments"][0]["comparisons"] if one["metric"] == "seen"] == alone


def test_columns_that_cannot_be_guessed(shop: Desk) -> None:
    renamed = (shop / "orders.csv").read_text().replace("order_date,customer_id,total", "a,who,b")
    other = shop.put("=o.csv", renamed.replace(",k", ",k"))
    said = evaluated(shop, *WITH_ORDERS, "--events", other, code=3)
    assert "holds the customer's key" in said
    shop.put("groups.csv", (shop / "groups.csv").read_text().replace("customer_id", "who"))
    told = (*TEST, "--key", "who", "--events", other, "--time", "a", "--amount", "b")
    found = evaluated(shop, *told)
    assert found["guesses"] == {} and found["segments"][0]["arms"][0]["revenue"] > 0


def test_as_text(shop: Desk) -> None:
    """As for a run; with the guesses, as `rfm` shows them."""
    given = ("evaluate", "--assignment", shop / "groups.csv", *WITH_ORDERS, "--events", shop / "orders.csv")
    shown = shop.segkit(*given).stdout
    assert shown.startswith("900 customers on 2024-06-30, orders from 2024-07-01 until 2024-07-30")
    assert "time:   order_date (guessed)" in shown and "  none" in shown and "beyond none" in shown
    columns = shop.segkit(*given[:3], *TEST, "--metric", "clicks").stdout
    assert columns.startswith("900 customers on 2024-06-30\n") and "groups, clicks: blue " in columns


def test_names_of_groups_are_shown_as_they_are(shop: Desk) -> None:
    """No markup, and in two lines where they are long."""
    text = (shop / "groups.csv").read_text()
    shop.put("groups.csv", text.replace(",blue,", ",[red] spring letter with a voucher,"))
    given = ("--metric", "clicks", "--metric", "spent", "--metric", "seen")
    shown = shop.segkit("evaluate", "--assignment", shop / "groups.csv", *TEST, *given).stdout
    assert "\n  [red] spring" in shown and "\n  voucher" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(("expected", "is_odd"), [("none=1,blue=1,red=1", False), ("none=50,blue=25,red=25", True)])
def test_expected(shop: Desk, expected: str, is_odd: bool) -> None:
    done = shop.segkit(
        "evaluate", "--assignment", shop / "groups.csv", *TEST, "--metric", "seen", "--expected", expected, "--json"
    )
    [segment] = json.loads(done.stdout)["segments"]
    assert (segment["ratio_p"] < 0.001) is is_odd
    assert ("are not of the sizes that were drawn" in done.stderr) is is_odd
    assert sum(arm["expected_share"] for arm in segment["arms"]) == pytest.approx(1, abs=1e-5)


def test_a_group_is_expected_once(shop: Desk) -> None:
    given = ("--metric", "seen", "--expected", "none=1,blue=1,none=2")
    done = shop.segkit("evaluate", "--assignment", shop / "groups.csv", *TEST, *given, code=2)
    assert "`none` is there twice" in done.stderr


def test_rows_that_are_left_out(shop: Desk) -> None:
    """Counted with their reasons; without a key, nobody can be in two groups."""
    more = "k0,red,no,0,0,1\nk1,blue,yes,0,0,1\n,red,no,0,0,1\nk9999,,no,0,0,1\n"
    shop.put("groups.csv", (shop / "groups.csv").read_text() + more)
    done = shop.segkit(
        "evaluate", "--assignment", shop / "groups.csv", *WITH_ORDERS, "--events", shop / "orders.csv", "--json"
    )
    found = json.loads(done.stdout)
    assert found["left_out"] == {"no_group": 1, "no_key": 1, "several_groups": 2, "repeated": 1}
    assert found["customers"] == 899
    for reason in ("1 row with no group", "1 row with no key", "2 rows with a customer who is in another group, too"):
        assert f"left out: {reason}" in done.stderr
    assert "left out: 1 row of a customer who has one before" in done.stderr
    assert evaluated(shop, *TEST, "--metric", "seen")["left_out"] == {"no_group": 1}
    said = evaluated(shop, *WITH_ORDERS, "--metric", "seen", code=3)
    assert "1 row with a `customer_id` that another row has, too" in said


def test_lines_of_a_large_file(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are checked beside the run."""
    monkeypatch.setattr("segkit.io.read.text.delimited.CHECKED_AT_ONCE", 1000)
    evaluated(shop, *TEST, "--metric", "seen")
    shop.put("groups.csv", (shop / "groups.csv").read_text() + "k900,red,yes,0,0,1,2\n")
    assert "groups.csv:902" in evaluated(shop, *TEST, "--metric", "seen", code=3)


def test_keys_of_both_files(shop: Desk) -> None:
    """Where the orders have the column, it is the key, whatever else looks like one."""
    expected = evaluated(shop, *WITH_ORDERS, "--events", shop / "orders.csv")
    shop.put("groups.csv", (shop / "groups.csv").read_text().replace("customer_id", "member"))
    lines = (shop / "orders.csv").read_text().replace("customer_id", "member").splitlines()
    shop.put(
        "orders.csv", "\n".join([f"{lines[0]},customer_id", *(f"{line},x{n}" for n, line in enumerate(lines[1:]))])
    )
    assert evaluated(shop, *TEST, "--key", "member", "--events", shop / "orders.csv") == expected


def test_keys_that_the_orders_write_in_another_way(shop: Desk) -> None:
    text = (shop / "orders.csv").read_text()
    shop.put("orders.csv", text.replace(",k1", ",K1"))
    found = evaluated(shop, *WITH_ORDERS, "--events", shop / "orders.csv")
    keys = {row["customer_id"] for row in rows(shop / "orders.csv") if row["customer_id"].startswith("K")}
    told = [one["message"] for one in found["warnings"]]
    assert f"{len(keys)} keys of `orders.csv` would be of these customers but for case" in told


def test_values_that_are_missing_or_unreadable(shop: Desk) -> None:
    text = (shop / "groups.csv").read_text()
    shop.put("groups.csv", text.replace(",yes,", ",,", 3))
    done = shop.segkit("evaluate", "--assignment", shop / "groups.csv", *TEST, "--metric", "seen")
    assert "`seen` is empty for 3 of them" in done.stderr
    shop.put("empty.csv", "arm,did,spent\n" + "none,1,2.50\nnone,,\nred,0,0.25\nred,1,\n" * 50)
    [segment] = evaluated(shop, *TEST, "--metric", "did", "--metric", "spent", file="empty.csv")["segments"]
    of = [[(one["customers"], one["share"], one["mean"]) for one in arm["metrics"]] for arm in segment["arms"]]
    assert of == [[(50, 0.5, None), (50, 0.5, 1.25)], [(50, 0.5, None), (50, 0.5, 0.125)]]
    assert "asks for numbers, or for true and false: 900 values are not" in evaluated(
        shop, *TEST, "--metric", "customer_id", code=3
    )


def test_a_file_that_cannot_be_read(shop: Desk) -> None:
    """Lines of other lengths, and numbers that read both ways, are told with their place."""
    text = (shop / "groups.csv").read_text()
    shop.put("groups.csv", text + "k900,red,yes\n")
    assert "groups.csv:902" in evaluated(shop, *TEST, "--metric", "seen", code=3)
    shop.put("groups.csv", "arm,row\n" + "none,1.234\nred,2.345\n" * 20)
    said = evaluated(shop, *TEST, "--metric", "row", code=3)
    assert "`1.234` in column `row` is 1.234 or 1234: no value settles which" in said
    shop.put("groups.csv", "arm,row\n" + "none,1.23\nred,2.34\n" * 20)
    found = evaluated(shop, *TEST, "--metric", "row", "--metric", "row")
    assert [one["name"] for one in found["metrics"]] == ["row"]


def test_a_row_for_each_comparison(shop: Desk) -> None:
    [segment] = evaluated(shop, *TEST, "--metric", "clicks", "-o", shop / "rows.csv")["segments"]
    assert [(row["arm"], row["against"], row["metric"]) for row in rows(shop / "rows.csv")] == [
        ("blue", "none", "clicks"), ("red", "none", "clicks"),
    ]  # fmt: skip
    for row, one in zip(rows(shop / "rows.csv"), segment["comparisons"], strict=True):
        for name in ("difference", "low", "high", "statistic", "p", "p_adjusted", "detectable", "total"):
            assert float(row[name]) == pytest.approx(one[name], abs=1e-6)
        assert (row["significant"], row["too_few"], row["after_cost"]) == ("false", "false", "")


def test_orders_that_end_before(shop: Desk) -> None:
    orders = (*WITH_ORDERS, "--events", shop / "orders.csv")
    said = evaluated(shop, *orders, "--from", "2024-09-01", code=3)
    assert "`orders.csv` has nothing from 2024-09-01 on: the last event is of 2024-07-30" in said
    assert "`--events FILE`" in said
    shop.put("groups.csv", (shop / "groups.csv").read_text().replace("\nk", "\nz"))
    assert "is `orders.csv` of other customers?" in evaluated(shop, *orders, code=3)


SEEN = ("--metric", "seen")
ERRORS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no group": (("--control", "none", "--as-of", "2024-06-30", *SEEN), 2, "`--assignment` needs `--group`"),
    "no control": (("--group", "arm", "--as-of", "2024-06-30", *SEEN), 2, "`--assignment` needs `--control`"),
    "no day": (("--group", "arm", "--control", "none", *SEEN), 2, "`--assignment` needs `--as-of`"),
    "no metric": (TEST, 2, "`--metric COLUMN` names a column of the file"),
    "no such column": ((*TEST, "--metric", "sen"), 3, "did you mean `seen`?"),
    "no such group": (("--group", "arm", "--control", "no", "--as-of", "2024-06-30", *SEEN), 2, "did you mean `none`?"),
    "no groups": (
        ("--group", "customer_id", "--control", "k1", "--as-of", "2024-06-30", *SEEN),
        2,
        "900 different values",
    ),
    "expected of nobody": ((*TEST, *SEEN, "--expected", "none=1,blue=1,red=1,pink=1"), 2, "without customers: `pink`"),
    "not expected": ((*TEST, *SEEN, "--expected", "none=1,blue=1"), 2, "does not say how many were drawn for `red`"),
    "no weights": ((*TEST, *SEEN, "--expected", "none,blue"), 2, "`none` is not NAME=NUMBER"),
    "no weight": ((*TEST, *SEEN, "--expected", "none=0,blue=1,red=1"), 2, "`none=0` is not NAME=NUMBER"),
    "orders without a key": ((*TEST, "--events", "orders.csv"), 2, "`--events` needs `--key`"),
    "two files of orders": ((*WITH_ORDERS, "--events", "a.csv", "--events", "b.csv"), 2, "given twice"),
    "days without orders": ((*TEST, *SEEN, "--within", "3 days"), 2, "no orders of which these days"),
    "columns of no orders": ((*TEST, *SEEN, "--time", "day"), 2, "`--time` is of orders"),
    "one group": (("--group", "one", "--control", "1", "--as-of", "2024-06-30", *SEEN), 2, "1 different value"),
    "a plan": ((*TEST, *SEEN, "--plan"), 2, "`--plan` goes with a RUN"),
    "a segment": ((*TEST, *SEEN, "--segment", "a"), 2, "`--segment` goes with a RUN"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(shop: Desk, name: str) -> None:
    options, code, message = ERRORS[name]
    said = evaluated(shop, *options, code=code)
    assert message in said, said


def test_a_run_or_a_file(shop: Desk) -> None:
    assert "missing argument `RUN`" in shop.segkit("evaluate", code=2).stderr
    assert "a RUN has its own assignment" in evaluated(shop, *TEST, shop.folder, code=2)
    said = shop.segkit("evaluate", shop.folder, "--group", "arm", code=2).stderr
    assert "`--group` goes with `--assignment FILE`" in said
    said = shop.segkit("evaluate", shop.folder, "--events", "orders.csv", code=2).stderr
    assert "does not say which table that is" in said
