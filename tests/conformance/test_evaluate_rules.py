"""What `[evaluate]` of a run says before: days, level, the table of the orders, further metrics."""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
from decimal import Decimal
from typing import Any

import pytest

from tests.desk import Desk

HEAD = """version = 1
as_of = 2024-06-30
[customers]
path = "c.csv"
key = "id"
[events.orders]
path = "o.csv"
time = "day"
amount = "amount"
[events.visits]
path = "v.csv"
time = "seen"
key = "who"
[output]
directory = "out"
[segment.letters]
everyone = true
holdout = 30
"""
METRICS = """
[evaluate]
events = "orders"
within = "20 days"
[evaluate.metric.visited]
events = "visits"
where.page = "/sand"
[evaluate.metric.visits]
events = "visits"
measure = "count"
[evaluate.metric.pieces]
events = "orders"
measure = "sum"
of = "pieces"
[evaluate.metric.big]
events = "orders"
measure = "sum"
where.amount.min = 40
"""


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """1,000 customers with orders and visits in July, of different customers."""
    dice = random.Random(41)
    desk.put("c.csv", "id\n" + "".join(f"k{n}\n" for n in range(1_000)))
    orders, visits = ["id,day,amount,pieces"], ["who,seen,page"]
    for n in range(1_000):
        for _ in range(dice.choice([0, 0, 1, 2])):
            amount = f"{dice.choice([-5, 20, 40, 90])}.{dice.randrange(100):02}"
            orders += [f"k{n},{_day(dice)},{amount},{dice.randrange(1, 9)}"]
        pages = [dice.choice(["/sand", "/bricks"]) for _ in range(dice.choice([0, 1, 3]))]
        visits += [f"k{n},{_day(dice)},{page}" for page in pages]
    desk.put("o.csv", "\n".join(orders) + "\n")
    desk.put("v.csv", "\n".join(visits) + "\n")
    return desk


def _day(dice: random.Random) -> dt.date:
    return dt.date(2024, 7, 1) + dt.timedelta(days=dice.randrange(40))


def evaluated(desk: Desk, *options: object, code: int = 0) -> Any:
    done = desk.segkit("evaluate", desk / "out", "--json", *options, code=code)
    return json.loads(done.stdout) if code == 0 else done.stderr


def said(desk: Desk, *options: object) -> str:
    return desk.segkit("evaluate", desk / "out", *options).stderr


def arms(desk: Desk) -> dict[str, set[str]]:
    files = {"written": "letters.csv", "holdout": "letters.holdout.csv"}
    found = {arm: csv.DictReader((desk / f"out/{file}").read_text().splitlines()) for arm, file in files.items()}
    return {arm: {row["id"] for row in rows} for arm, rows in found.items()}


def rows_of(desk: Desk, file: str, last: str) -> list[dict[str, str]]:
    rows = csv.DictReader((desk / file).read_text().splitlines())
    return [row for row in rows if "2024-07-01" <= (row.get("day") or row["seen"]) <= last]


def by_hand(desk: Desk, keys: set[str], metric: str, last: str) -> tuple[int, Decimal | None]:
    """How many of these customers did it, and what it adds up to: once more, in plain Python."""
    of_visits = metric in ("visited", "visits")
    rows = rows_of(desk, "v.csv" if of_visits else "o.csv", last)
    if metric == "visited":
        rows = [row for row in rows if row["page"] == "/sand"]
    if metric == "big":
        rows = [row for row in rows if Decimal(row["amount"]) >= 40]
    mine = [row for row in rows if row["who" if of_visits else "id"] in keys]
    did = len({row["who" if of_visits else "id"] for row in mine})
    value = {"visits": None, "pieces": "pieces", "big": "amount", "spend": "amount"}
    if metric not in value:
        return did, None
    column = value[metric]
    return did, sum((Decimal(row[column]) if column else Decimal(1) for row in mine), Decimal())


def test_metrics(shop: Desk) -> None:
    """Each as plain Python counts it, over tables with other customers."""
    shop.apply(HEAD + METRICS)
    names = ("visited", "visits", "pieces", "big", "spend", "conversion")
    found = evaluated(shop, *(word for name in names for word in ("--metric", name)))
    kinds = {"visited": "share", "conversion": "share"}
    assert found["metrics"] == [{"name": name, "kind": kinds.get(name, "mean")} for name in names]
    assert (found["until"], found["compared"]) == ("2024-07-20", 1)
    [segment] = found["segments"]
    sizes = {arm: len(keys) for arm, keys in arms(shop).items()}
    for arm in segment["arms"]:
        for figure in arm["metrics"]:
            did, total = by_hand(shop, arms(shop)[arm["name"]], figure["metric"], "2024-07-20")
            told = figure["total"] if total is None else Decimal(str(figure["total"]))
            assert (figure["customers"], told) == (did, total), figure
            assert figure["share"] == round(did / arm["customers"], 6)
            assert figure["mean"] == (None if total is None else round(float(total) / arm["customers"], 6))
        assert arm["customers"] == sizes[arm["name"]]
    for one in segment["comparisons"]:
        held, written = (
            next(f for f in arm["metrics"] if f["metric"] == one["metric"])[
                "mean" if one["metric"] not in kinds else "share"
            ]
            for arm in segment["arms"]
        )
        assert one["difference"] == pytest.approx(written - held, abs=2e-6)
        assert one["p"] == one["p_adjusted"] and one["low"] < one["difference"] < one["high"]


def test_a_metric_alone_reads_its_table_alone(shop: Desk) -> None:
    shop.apply(HEAD + METRICS)
    shop.put("o.csv", "id,day,amount,pieces\n")
    found = evaluated(shop, "--metric", "visited")
    [segment] = found["segments"]
    assert [one["metric"] for one in segment["comparisons"]] == ["visited"]
    assert [(arm["buyers"], arm["revenue"], arm["conversion"]) for arm in segment["arms"]] == [(None, None, None)] * 2
    assert "`orders` has nothing from 2024-07-01 on: there is no event" in evaluated(shop, code=3)


def test_as_text(shop: Desk) -> None:
    """A table for each metric, and the sums of those that add up."""
    shop.apply(HEAD + METRICS)
    shown = shop.segkit("evaluate", shop / "out", "--metric", "visited", "--metric", "pieces").stdout
    assert "events from 2024-07-01 until 2024-07-20" in shown
    lines = shown.splitlines()
    assert "Share %" in lines[lines.index("visited") + 1] and "Each" in lines[lines.index("pieces") + 1]
    assert "letters, pieces: written " in shown and "letters, visited" not in shown
    assert max(map(len, lines)) <= 80


def test_what_was_said_before(shop: Desk) -> None:
    shop.apply(HEAD + METRICS.replace("[evaluate]\n", "[evaluate]\nlevel = 90\n"))
    found = evaluated(shop, "--fail-on", "warning")
    assert (found["level"], found["until"]) == (90, "2024-07-20")
    for options in (("--within", "30 days"), ("--until", "2024-07-21"), ("--from", "2024-07-03")):
        message = said(shop, *options)
        assert "were chosen afterwards: `[evaluate]` of the run says 2024-07-01 until 2024-07-20" in message
        assert "the level" not in message
    assert "the level of 95 % was chosen afterwards: `[evaluate]` of the run says 90 %" in said(shop, "--level", 95)
    assert "afterwards" not in said(shop, "--within", "20 days", "--level", "90", "--metric", "visited")
    evaluated(shop, "--level", 95, "--fail-on", "warning", code=1)


def test_nothing_was_said_before(shop: Desk) -> None:
    shop.apply(HEAD)
    assert "no `[evaluate.metric.visits]`" in evaluated(shop, "--metric", "visits", code=2)
    assert "afterwards" not in said(shop, "--within", "20 days", "--level", "90")


def test_the_table_of_the_orders(shop: Desk) -> None:
    """That of `[evaluate]` comes before that of `[value]`."""
    shop.apply(HEAD + '[value]\nevents = "orders"\n[evaluate]\nevents = "visits"\n')
    found = evaluated(shop)
    assert [one["name"] for one in found["metrics"]] == ["conversion"]
    held = next(arm for arm in found["segments"][0]["arms"] if arm["name"] == "holdout")
    seen = {row["who"] for row in rows_of(shop, "v.csv", "2024-07-30")}
    assert held["buyers"] == len(seen & arms(shop)["holdout"])
    assert "the orders of `visits` have no amount" in evaluated(shop, "--metric", "spend", code=2)


def test_a_metric_that_is_not_there(shop: Desk) -> None:
    shop.apply(HEAD + METRICS)
    message = evaluated(shop, "--metric", "vists", code=2)
    assert "no `[evaluate.metric.vists]`" in message and "did you mean `visits`?" in message


def test_keys_of_another_table_that_fit_nobody(shop: Desk) -> None:
    shop.apply(HEAD + METRICS)
    shop.put("v.csv", "who,seen,page\nz1,2024-07-03,/sand\n")
    evaluated(shop)
    assert "is `visits` of other customers?" in evaluated(shop, "--metric", "visited", code=3)


def test_events_that_end_within_the_days(shop: Desk) -> None:
    shop.apply(HEAD + METRICS)
    key = sorted(arms(shop)["written"])[0]
    shop.put("v.csv", f"who,seen,page\n{key},2024-07-03,/sand\n")
    message = said(shop, "--metric", "visited", "--metric", "spend")
    assert "the days that count still run: the last event of `visits` is of 2024-07-03" in message


def test_columns_are_checked_before_a_run(shop: Desk) -> None:
    """As those of traits are, by `apply` and by `check --data`."""
    broken = HEAD + METRICS.replace("where.page", "where.pages")
    assert "`visits` has no column `pages`" in shop.apply(broken, code=2).stderr
    assert "did you mean `page`?" in shop.segkit("check", shop / "rules.toml", "--data", code=1).stdout
    shop.put("rules.toml", HEAD + METRICS.replace('"/sand"', '"/snad"'))
    done = shop.segkit("check", shop / "rules.toml", "--data")
    assert "`/snad` does not occur in column `page` of `visits`" in done.stdout
    assert "evaluate.metric.visited" in shop.segkit("columns", shop / "rules.toml").stdout
    broken = HEAD + METRICS.replace('of = "pieces"', 'of = "id"')
    assert "`of` asks for a number, but column `id` is text" in shop.apply(broken, code=2).stderr


VALUE = '[value]\nevents = "orders"\nmargin_percent = 40\n'
COSTS: dict[str, tuple[str, str, float, float]] = {
    "of evaluate": ("[evaluate]\ncost_per_contact = 0.5\nmargin_percent = 30\n", "holdout", 0.5, 30),
    "margin of value": ("[evaluate]\ncost_per_contact = 0.5\n" + VALUE, "holdout", 0.5, 40),
    "cost of mavr": ("[mavr]\ncost_per_contact = 0.25\n" + VALUE, "holdout", 0.25, 40),
    "cost of mavr, margin of evaluate": (
        "[evaluate]\nmargin_percent = 30\n[mavr]\ncost_per_contact = 0.25\n" + VALUE,
        "holdout",
        0.25,
        30,
    ),
    "evaluate before mavr": (
        "[evaluate]\ncost_per_contact = 0\nmargin_percent = 30\n[mavr]\ncost_per_contact = 0.25\n" + VALUE,
        "holdout",
        0,
        30,
    ),
    "beside a variant": ("[evaluate]\ncost_per_contact = 0.5\nmargin_percent = 30\n", "A", 0.5, 30),
}


@pytest.mark.parametrize("name", COSTS)
def test_costs(shop: Desk, name: str) -> None:
    rules, against, contact, margin = COSTS[name]
    drawn = "holdout = 30\n" if against == "holdout" else "split = { A = 50, B = 50 }\n"
    shop.apply(HEAD.replace("holdout = 30\n", drawn) + rules)
    found = evaluated(shop, "-o", shop / "rows.csv")
    assert found["cost"] == {"per_contact": contact, "margin_percent": margin}
    [segment] = found["segments"]
    conversion, spend = segment["comparisons"]
    assert conversion["after_cost"] is None and spend["against"] == against
    written = segment["arms"][1]["customers"] if against == "holdout" else 0
    for money, left in (("total", "total"), ("total_low", "low"), ("total_high", "high")):
        assert spend["after_cost"][left] == pytest.approx(margin / 100 * spend[money] - contact * written, abs=1e-4)
    [_, row] = csv.DictReader((shop / "rows.csv").read_text().splitlines())
    assert [float(row[f"after_cost{end}"]) for end in ("", "_low", "_high")] == list(spend["after_cost"].values())
    shown = shop.segkit("evaluate", shop / "out").stdout
    assert f"letters, after {contact} a contact, with a margin of {margin} %: " in " ".join(shown.split())


def test_no_costs(shop: Desk) -> None:
    shop.apply(HEAD + VALUE)
    found = evaluated(shop)
    assert found["cost"] is None and found["segments"][0]["comparisons"][1]["after_cost"] is None
    assert "a contact" not in shop.segkit("evaluate", shop / "out").stdout
