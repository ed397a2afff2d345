"""`segkit evaluate RUN`: the arms of a run, what they did since, and what may be chance."""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.desk import Desk
from tests.extras import EVERY_FORMAT

HEAD = """version = 1
as_of = 2024-06-30
[customers]
path = "c.csv"
key = "id"
[events.orders]
path = "o.csv"
time = "day"
amount = "amount"
where.kind = "order"
[output]
directory = "out"
"""
LETTERS = """[segment.letters]
everyone = true
holdout = 25
split = { A = 60, B = 40 }
"""
Row = tuple[str, dt.date, str, str]


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """2,000 customers, of whom some buy in July, and more of those with an even number."""
    dice = random.Random(19)
    desk.put("c.csv", "id,even\n" + "".join(f"k{n},{n % 2 == 0}\n" for n in range(2_000)))
    rows: list[Row] = [("k1", dt.date(2024, 6, 30), "500.00", "order"), ("k2", dt.date(2024, 7, 31), "70.00", "order")]
    for n in range(2_000):
        for _ in range(dice.choice([0, 0, 0, 1, 2])):
            day = dt.date(2024, 7, 1) + dt.timedelta(days=dice.randrange(30))
            amount = f"{dice.choice([-5, 20, 40, 90])}.{dice.randrange(100):02}"
            rows.append((f"k{n}", day, amount, dice.choice(["order", "order", "order", "gift"])))
    desk.put("o.csv", "id,day,amount,kind\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return desk


def evaluated(desk: Desk, *options: object, run: str = "out", code: int = 0) -> Any:
    done = desk.segkit("evaluate", desk / run, "--json", *options, code=code)
    return json.loads(done.stdout) if code == 0 else done.stderr


def arms_in(folder: Path, name: str = "letters") -> dict[str, list[str]]:
    """By arm, the keys in the lists of a segment."""
    arms: dict[str, list[str]] = {"holdout": []}
    with (folder / f"{name}.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            arms.setdefault(row.get("variant", "written"), []).append(row["id"])
    if (folder / f"{name}.holdout.csv").exists():
        arms["holdout"] = [line.split(",")[0] for line in (folder / f"{name}.holdout.csv").read_text().splitlines()[1:]]
    return arms


def done_by(desk: Desk, keys: list[str], first: str = "2024-07-01", last: str = "2024-07-30") -> Mapping[str, Any]:
    """How many of these customers bought in these days, and for how much: once more, in plain Python."""
    spent: dict[str, Decimal] = {}
    for line in (desk / "o.csv").read_text().splitlines()[1:]:
        key, day, amount, kind = line.split(",")
        if kind == "order" and first <= day <= last:
            spent[key] = spent.get(key, Decimal()) + Decimal(amount)
    own = [spent[key] for key in keys if key in spent]
    return {"customers": len(keys), "buyers": len(own), "revenue": float(sum(own))}


def test_arms(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS)
    found = evaluated(shop)
    [segment] = found["segments"]
    expected = arms_in(shop / "out")
    assert [arm["name"] for arm in segment["arms"]] == ["holdout", "A", "B"]
    assert [arm["expected_share"] for arm in segment["arms"]] == [0.25, 0.45, 0.3]
    for arm in segment["arms"]:
        assert {name: arm[name] for name in ("customers", "buyers", "revenue")} == done_by(shop, expected[arm["name"]])
        assert arm["conversion"] == round(arm["buyers"] / arm["customers"], 6)
        assert arm["per_customer"] == round(arm["revenue"] / arm["customers"], 6)
    assert [(c["arm"], c["against"], c["metric"]) for c in segment["comparisons"]] == [
        (arm, "holdout", metric) for arm in "AB" for metric in ("conversion", "spend")
    ]
    assert (found["from"], found["until"]) == ("2024-07-01", "2024-07-30")
    assert segment["written_elsewhere"] == 0
    for comparison in segment["comparisons"]:
        assert comparison["low"] < comparison["difference"] < comparison["high"]
        size = next(arm["customers"] for arm in segment["arms"] if arm["name"] == comparison["arm"])
        assert comparison["total"] == pytest.approx(size * comparison["difference"], abs=0.01)


@pytest.mark.parametrize(
    ("options", "days"),
    [
        (("--from", "2024-07-10"), ("2024-07-10", "2024-08-08")),
        (("--within", "1 week"), ("2024-07-01", "2024-07-07")),
        (("--within", "1 month"), ("2024-07-01", "2024-07-31")),
        (("--from", "2024-06-30", "--until", "2024-07-02"), ("2024-06-30", "2024-07-02")),
    ],
)
def test_days(shop: Desk, options: tuple[str, ...], days: tuple[str, str]) -> None:
    shop.apply(HEAD + LETTERS)
    found = evaluated(shop, *options)
    assert (found["from"], found["until"]) == days
    keys = arms_in(shop / "out")
    for arm in found["segments"][0]["arms"]:
        assert {name: arm[name] for name in ("customers", "buyers", "revenue")} == done_by(
            shop, keys[arm["name"]], *days
        )


FORMS: dict[str, str] = {
    "hashed keys": 'hash = ["id"]',
    "in a table": 'to = "sqlite:{}/lists.db"\ntable = "lists"',
}


@pytest.mark.parametrize("form", FORMS)
def test_wherever_the_lists_are(shop: Desk, form: str) -> None:
    shop.apply(HEAD + LETTERS)
    expected = evaluated(shop)
    shop.apply((HEAD + FORMS[form].format(shop.folder) + "\n" + LETTERS).replace('"out"', '"other"'))
    assert evaluated(shop, run="other") == expected


@pytest.mark.parametrize("format", EVERY_FORMAT)
def test_variants_in_every_format(shop: Desk, format: str) -> None:
    shop.apply(HEAD + LETTERS)
    expected = evaluated(shop)
    shop.apply((HEAD + f'format = "{format}"\n' + LETTERS).replace('"out"', '"other"'))
    assert evaluated(shop, run="other") == expected


def test_several_lists_of_a_segment(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS)
    expected = evaluated(shop)
    shop.apply((HEAD + LETTERS + 'each = ["even"]\n').replace('"out"', '"other"'))
    assert evaluated(shop, run="other") == expected


def test_newer_events(shop: Desk) -> None:
    """They are read as the rules of the run say, from where the command says."""
    orders = (shop / "o.csv").read_text()
    shop.put("o.csv", "id,day,amount,kind\nk1,2024-06-01,1.00,order\n")
    shop.apply(HEAD + LETTERS)
    said = evaluated(shop, code=3)
    assert "`orders` has nothing from 2024-07-01 on: the last event is of 2024-06-01" in said
    assert "--events orders=FILE" in said
    shop.put("new.csv", orders)
    found = evaluated(shop, "--events", f"orders={shop / 'new.csv'}")
    shop.put("o.csv", orders)
    assert found == evaluated(shop)


def test_against_the_first_variant(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS.replace("holdout = 25\n", ""))
    [segment] = evaluated(shop)["segments"]
    assert [arm["name"] for arm in segment["arms"]] == ["A", "B"]
    assert {(c["arm"], c["against"]) for c in segment["comparisons"]} == {("B", "A")}


MORE = """[segment.even]
demographic.even = true
holdout = 50
[segment.odd]
demographic.even = false
"""


def test_what_is_chance_counts_all_segments(shop: Desk) -> None:
    """Also those that are not shown; what no segment has drawn is in none."""
    everybody = [line for n in range(0, 2_000, 2) for line in [f"k{n},2024-07-09,30.00,order"]]
    shop.apply(HEAD + LETTERS + MORE)
    written = set(arms_in(shop / "out", "even")["written"])
    orders = [line for line in everybody if line.split(",")[0] in written or line[1:3] in ("10", "20")]
    shop.put("o.csv", "id,day,amount,kind\n" + "\n".join(orders) + "\n")
    found = evaluated(shop)
    assert [segment["name"] for segment in found["segments"]] == ["letters", "even"]
    [even] = [segment for segment in found["segments"] if segment["name"] == "even"]
    assert all(one["significant"] and one["p_adjusted"] < 1e-6 for one in even["comparisons"])
    alone = evaluated(shop, "--segment", "even")
    assert (alone["segments"], alone["compared"]) == ([even], 3)
    for metric in ("conversion", "spend"):
        family = [c for segment in found["segments"] for c in segment["comparisons"] if c["metric"] == metric]
        ordered, largest = sorted(family, key=lambda one: one["p"]), 0.0
        for rank, one in enumerate(ordered):
            largest = max(largest, min(1, one["p"] * (len(ordered) - rank)))
            assert one["p_adjusted"] == pytest.approx(largest, abs=1e-5)
    shown = shop.segkit("evaluate", shop / "out").stdout
    assert "* hardly chance, 3 comparisons counted" in shown and "*" in next(
        line for line in shown.splitlines() if "  written" in line
    )


def test_written_elsewhere(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS + MORE)
    done = shop.segkit("evaluate", shop / "out")
    found = evaluated(shop)
    held = set(arms_in(shop / "out")["holdout"])
    others = {*arms_in(shop / "out", "even")["written"], *arms_in(shop / "out", "odd")["written"]}
    assert found["segments"][0]["written_elsewhere"] == len(held & others)
    assert f"{len(held & others)} held out of segment `letters` were written by another one" in done.stderr


def test_arms_of_other_sizes_than_drawn(shop: Desk) -> None:
    """Somebody has taken half of those held out from their list."""
    shop.apply(HEAD + LETTERS)
    path = shop / "out/letters.holdout.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 2]))
    said = evaluated(shop, code=3)
    assert "is not as it was written" in said
    manifest = shop / "out/manifest.json"
    content = json.loads(manifest.read_text())
    content["bytes"][path.name] = path.stat().st_size
    manifest.write_text(json.dumps(content))
    [segment] = evaluated(shop)["segments"]
    assert segment["ratio_p"] < 0.001
    said = shop.segkit("evaluate", shop / "out").stderr
    assert "the arms of segment `letters` are not of the sizes that were drawn: held out" in said


def test_few_buyers_say_nothing_of_money(desk: Desk) -> None:
    """Of 60 held out, one would have bought: their money would show a difference that is none."""
    desk.put("c.csv", "id\n" + "".join(f"k{n}\n" for n in range(3_000)))
    desk.put("o.csv", "id,day,amount,kind\nk1,2024-07-30,1.00,order\n")
    desk.apply(HEAD + "[segment.letters]\neveryone = true\nholdout = 2\n")
    held = arms_in(desk / "out")["holdout"]
    orders = "".join(f"{key},2024-07-09,9000.00,order\n" for key in held[:8])
    desk.put("o.csv", "id,day,amount,kind\nk1,2024-07-30,1.00,order\n" + orders)
    conversion, spend = evaluated(desk)["segments"][0]["comparisons"]
    assert conversion["significant"]
    assert spend["p_adjusted"] < 0.05 and not spend["significant"]


@pytest.mark.parametrize(("fewest", "is_told"), [(5, False), (3, True)])
def test_arms_of_few_customers_have_no_figures(shop: Desk, fewest: int, is_told: bool) -> None:
    """What four customers bought is what each of them did."""
    names = ["k1", "k3", "k5", "k7"]  # all of them are one arm, and others are not drawn
    few = f"[segment.few]\ndemographic.id = {names}\nholdout = 0.0001\nsplit = {{ A = 99.99, B = 0.01 }}\n"
    shop.apply(HEAD + f"min_cell = {fewest}\n" + LETTERS + few)
    done = shop.segkit("evaluate", shop / "out", "--json")
    found = json.loads(done.stdout)
    letters, segment = found["segments"]
    held, told, nobody = segment["arms"]
    assert (held["customers"], told["customers"], nobody["customers"]) == (0, 4, 0)
    own = done_by(shop, names)
    expected = (own["buyers"], own["revenue"]) if is_told else (None, None)
    assert (told["buyers"], told["revenue"]) == (expected[0], pytest.approx(expected[1]))
    assert bool(told["metrics"]) is is_told
    assert segment["comparisons"] == [] and len(letters["comparisons"]) == 4
    assert found["compared"] == 2
    notes = [one["message"] for one in found["warnings"] if one["severity"] == "note"]
    assert "segment `few` has nobody in `held out` and `B`: there is nothing to compare" in notes
    assert ("too few customers in segment `few` (A) to tell what they did" in notes) is not is_told
    shown = shop.segkit("evaluate", shop / "out").stdout
    assert bool(re.search(r"^ +A +4 +- +- +- *$", shown, re.MULTILINE)) is not is_told


@pytest.mark.parametrize(("holdout", "split"), [("5", "A = 99.85, B = 0.15"), ("99.9", "A = 100")])
def test_few_are_compared_with_nobody(shop: Desk, holdout: str, split: str) -> None:
    """Be they one variant of many who were written, or all of them beside many who were held out."""
    shop.apply(HEAD + f"[segment.letters]\neveryone = true\nholdout = {holdout}\nsplit = {{ {split} }}\n")
    [segment] = evaluated(shop)["segments"]
    few = {arm["name"] for arm in segment["arms"] if 0 < arm["customers"] < 5}
    assert len(few) == 1
    assert {one["arm"] for one in segment["comparisons"]} == {arm["name"] for arm in segment["arms"][1:]} - few


def test_a_small_chance_is_none_of_zero(shop: Desk) -> None:
    """A tenth of those written bought, and none of the others: with six digits behind the point it would be 0."""
    shop.apply(HEAD + LETTERS.replace("holdout = 25\nsplit = { A = 60, B = 40 }", "holdout = 50"))
    buyers = arms_in(shop / "out")["written"][:100]
    orders = "".join(f"{key},2024-07-09,{n % 9}.50,order\n" for n, key in enumerate(buyers))
    shop.put("o.csv", "id,day,amount,kind\n" + orders + "k1,2024-08-09,1.00,order\n")
    found = evaluated(shop, "-o", shop / "rows.csv")["segments"][0]["comparisons"]
    for one, row in zip(found, shop.read("rows.csv"), strict=True):
        assert 0 < one["p"] < 5e-7
        assert (float(row["p"]), float(row["p_adjusted"])) == (one["p"], one["p_adjusted"])


def test_nobody_bought(shop: Desk) -> None:
    """Of a segment, though others have: there is no interval of nothing."""
    six = 'demographic.id = ["k3", "k4", "k5", "k6", "k7", "k8"]'
    shop.apply(HEAD + "min_cell = 1\n" + LETTERS.replace("everyone = true", six))
    shop.put("o.csv", "id,day,amount,kind\nk3,2024-07-09,0.00,gift\nk3,2024-07-31,0.00,order\n")
    found = evaluated(shop, "--within", "40 days")["segments"][0]["comparisons"]
    assert {one["metric"] for one in found} == {"conversion", "spend"}
    shop.put("o.csv", "id,day,amount,kind\nk3,2024-07-31,0.00,order\nk2,2024-07-09,0.00,order\n")
    assert "none of the keys" in evaluated(shop, code=3)
    shop.put("o.csv", "id,day,amount,kind\nk3,2024-06-09,1.00,order\nk2,2024-08-09,1.00,order\n")
    segment = evaluated(shop)["segments"][0]
    assert all((c["low"], c["p"], c["significant"]) == (None, None, False) for c in segment["comparisons"])
    assert [arm["buyers"] for arm in segment["arms"]] == [0, 0, 0]


def test_events_without_an_amount(shop: Desk) -> None:
    shop.apply((HEAD + LETTERS).replace('amount = "amount"\n', ""))
    [segment] = evaluated(shop)["segments"]
    assert [(arm["revenue"], arm["per_customer"]) for arm in segment["arms"]] == [(None, None)] * 3
    assert [one["metric"] for one in segment["comparisons"]] == ["conversion"] * 2
    assert "  A  " in shop.segkit("evaluate", shop / "out").stdout


def test_keys_that_events_write_in_another_way(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS)
    expected = evaluated(shop)
    shop.put("o.csv", (shop / "o.csv").read_text().replace("\nk", "\nK"))
    rules = (HEAD + LETTERS).replace('key = "id"\n', 'key = "id"\nnormalise_keys = ["case"]\n')
    shop.apply(rules.replace('"out"', '"other"'))
    assert evaluated(shop, run="other") == expected
    shop.apply(rules.replace('"out"', '"third"\nhash = ["id"]'))
    assert "`normalise_keys` can be left out" in evaluated(shop, run="third", code=2)


def test_keys_that_newer_events_write_in_another_way(shop: Desk) -> None:
    """A warning says so, without a key; hashed keys are in lower case anyhow."""
    shop.apply(HEAD + LETTERS)
    new = shop.put("new.csv", re.sub(r"\nk(\d*[13579],)", r"\nK\1", (shop / "o.csv").read_text()))
    found = evaluated(shop, "--events", f"orders={new}")
    lines = [line for line in new.read_text().splitlines() if line.startswith("K") and line.endswith(",order")]
    keys = {line.split(",")[0] for line in lines}
    [warning] = [one["message"] for one in found["warnings"] if "would be" in one["message"]]
    assert warning == f"{len(keys)} keys of `orders` would be of these customers but for case"
    shop.apply((HEAD + LETTERS).replace('"out"', '"other"\nhash = ["id"]'))
    assert evaluated(shop, "--events", f"orders={new}", run="other")["warnings"] == []


def test_a_row_for_each_comparison(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS)
    [segment] = evaluated(shop, "-o", shop / "rows.csv")["segments"]
    rows = list(csv.DictReader((shop / "rows.csv").read_text().splitlines()))
    arms = {arm["name"]: arm for arm in segment["arms"]}
    assert [(row["arm"], row["metric"]) for row in rows] == [(c["arm"], c["metric"]) for c in segment["comparisons"]]
    for row, comparison in zip(rows, segment["comparisons"], strict=True):
        assert row["segment"] == "letters" and float(row["difference"]) == comparison["difference"]
        assert [int(row["buyers"]), int(row["buyers_against"])] == [
            arms[row["arm"]]["buyers"],
            arms["holdout"]["buyers"],
        ]
    done = shop.segkit("evaluate", shop / "out", "-o", "-")
    assert done.stdout == (shop / "rows.csv").read_text() and "  held out" in done.stderr
    assert "does not write this format" in evaluated(shop, "-o", shop / "rows.doc", code=2)


def test_days_that_are_over_though_nobody_bought_on_the_last_one(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS)
    shop.put("o.csv", (shop / "o.csv").read_text() + "k5,2024-09-20,1.00,order\n")
    evaluated(shop, "--until", "2024-08-30", "--fail-on", "warning")


def test_what_single_customers_spent_is_capped(shop: Desk) -> None:
    """The best of a hundred buyers of both arms, and all beyond him, count as much as he."""
    shop.put("o.csv", (shop / "o.csv").read_text() + "k4,2024-07-09,99999.00,order\n")
    shop.apply(HEAD + LETTERS.replace("split = { A = 60, B = 40 }\n", ""))
    arms, spent = arms_in(shop / "out"), dict[str, float]()
    for line in (shop / "o.csv").read_text().splitlines()[1:]:
        key, day, amount, kind = line.split(",")
        if kind == "order" and "2024-07-01" <= day <= "2024-07-30":
            spent[key] = spent.get(key, 0) + float(amount)
    totals = sorted(spent.values())
    at = totals[-(-99 * len(totals) // 100) - 1]
    means = [sum(min(spent.get(key, 0), at) for key in arms[arm]) / len(arms[arm]) for arm in ("written", "holdout")]
    capped = evaluated(shop)["segments"][0]["comparisons"][1]["capped"]
    assert capped["at"] == pytest.approx(at) and capped["difference"] == pytest.approx(means[0] - means[1], abs=1e-5)
    assert capped["low"] < capped["difference"] < capped["high"]


def test_fail_on_warning(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS)
    evaluated(shop, "--fail-on", "warning")
    said = evaluated(shop, "--until", "2024-08-30", "--fail-on", "warning", "-o", shop / "rows.csv", code=1)
    assert "the days that count still run: the last event is of 2024-07-31" in said
    assert "nothing was written" in said and not (shop / "rows.csv").exists()


ERRORS: dict[str, tuple[str, tuple[str, ...], int, str]] = {
    "nothing drawn": (HEAD + "[segment.a]\neveryone = true\n", (), 2, "give segments a `holdout = 10`"),
    "no such segment": (HEAD + LETTERS, ("--segment", "leters"), 2, "did you mean `letters`?"),
    "no such table": (HEAD + LETTERS, ("--events", "order=o.csv"), 2, "did you mean `orders`?"),
    "no length": (HEAD + LETTERS, ("--within", "soon"), 2, "is not a length of time such as 30 days"),
    "days after all events": (HEAD + LETTERS, ("--from", "2025-01-01"), 3, "the last event is of 2024-07-31"),
    "days that end before they begin": (
        HEAD + LETTERS,
        ("--until", "2024-06-01"),
        2,
        "no day counts: the first is 2024-07-01",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(shop: Desk, name: str) -> None:
    rules, options, code, message = ERRORS[name]
    shop.apply(rules)
    said = evaluated(shop, *options, code=code)
    assert message in said and "hint: " in said


def test_no_run(desk: Desk) -> None:
    assert "holds no run" in evaluated(desk, run="nowhere", code=3)


def test_events_of_other_customers(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS)
    shop.put("o.csv", "id,day,amount,kind\nz1,2024-07-30,1.00,order\n")
    assert "none of the keys of `orders`" in evaluated(shop, code=3)


EXCLUSIVE = """[assignment]
mode = "exclusive"
[segment.even]
demographic.even = true
holdout = 25
split = { A = 60, B = 40 }
[segment.rest]
everyone = true
holdout = 40
"""


FEW = f"[segment.few]\ndemographic.id = {[f'k{n}' for n in range(20)]}\n"


@pytest.mark.parametrize("few", ["", FEW + "holdout = 10\n", FEW + "holdout = 90\n"])
def test_what_exclusive_segments_come_to_together(shop: Desk, few: str) -> None:
    """Segments of which few were written, or few held out, are not among them."""
    shop.apply(HEAD + EXCLUSIVE.replace("[segment.even]", few + "[segment.even]"))
    found = evaluated(shop)
    of_few = [arm["customers"] for one in found["segments"] if one["name"] == "few" for arm in one["arms"]]
    assert not of_few or 0 < min(of_few) < 5
    total = error = 0.0
    for name in ("even", "rest"):
        arms = arms_in(shop / "out", name)
        held = spends(shop, arms.pop("holdout"))
        written = spends(shop, [key for keys in arms.values() for key in keys])
        difference = sum(written) / len(written) - sum(held) / len(held)
        squares = sum((x - sum(some) / len(some)) ** 2 for some in (held, written) for x in some)
        pooled = squares / (len(held) + len(written) - 2)
        deviation = (pooled * (1 / len(held) + 1 / len(written))) ** 0.5
        total += len(written) * difference
        error += (len(written) * deviation) ** 2
    [told] = found["in_all"]
    assert told["metric"] == "spend" and told["total"] == pytest.approx(total, abs=0.01)
    assert (told["high"] - told["low"]) / 2 == pytest.approx(1.961 * error**0.5, rel=0.002)
    shown = shop.segkit("evaluate", shop / "out").stdout
    assert f"all segments: {total:,.0f} (" in shown


def spends(desk: Desk, keys: list[str]) -> list[float]:
    """What each of these customers spent in the 30 days after the run."""
    spent = dict.fromkeys(keys, 0.0)
    for line in (desk / "o.csv").read_text().splitlines()[1:]:
        key, day, amount, kind = line.split(",")
        if key in spent and kind == "order" and "2024-07-01" <= day <= "2024-07-30":
            spent[key] += float(amount)
    return list(spent.values())


def test_what_overlapping_segments_come_to_together_is_not_told(shop: Desk) -> None:
    shop.apply(HEAD + EXCLUSIVE.replace('"exclusive"', '"overlapping"'))
    found = evaluated(shop)
    assert found["in_all"] == []
    [note] = [one for one in found["warnings"] if "is not their sum" in one["message"]]
    assert note["severity"] == "note" and "control = 5" in note["hint"]
    shop.apply(HEAD + EXCLUSIVE.replace('mode = "exclusive"', "control = 20").replace("holdout = 40", ""))
    told = [one["message"] for one in evaluated(shop)["warnings"]]
    assert not any("is not their sum" in one for one in told)


def test_no_bound_is_cut(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a number is another one: on a narrow screen, the bounds go on below themselves."""
    lines = (shop / "o.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    more = [f"{key},{day},{float(amount) * 1000:.2f},{kind}" for key, day, amount, kind in rows]
    shop.put("o.csv", "\n".join([lines[0], *more]) + "\n")
    shop.apply(HEAD + LETTERS.replace("letters", "a-segment-with-a-long-name"))
    shown = {}
    for width in ("80", "160"):
        monkeypatch.setenv("COLUMNS", width)
        shown[width] = shop.segkit("evaluate", shop / "out").stdout
    bounds = re.findall(r"[-+][\d,.]+ to [-+][\d,.]+", shown["160"])
    assert len(bounds) == 4
    narrow = re.findall(r"[-+][\d,.]+\d", shown["80"])
    assert all(one in narrow for both in bounds for one in both.split(" to "))
