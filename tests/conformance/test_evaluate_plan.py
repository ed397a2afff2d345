"""`segkit evaluate RUN --plan`: how small a difference could be seen; and what is said of figures that tell little."""

from __future__ import annotations

import csv
import json
import random
import re
from math import sqrt
from statistics import NormalDist, variance
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
[output]
directory = "out"
"""
LETTERS = """[segment.letters]
everyone = true
holdout = 20
split = { A = 50, B = 50 }
"""


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """1,500 customers, of whom some have bought in June."""
    dice = random.Random(3)
    desk.put("c.csv", "id,even\n" + "".join(f"k{n},{n % 2 == 0}\n" for n in range(1_500)))
    lines = [
        f"k{n},2024-06-{dice.randrange(1, 31):02},{dice.choice([15, 40, 90])}.50"
        for n in range(1_500)
        for _ in range(dice.choice([0, 0, 0, 1, 2]))
    ]
    desk.put("o.csv", "\n".join(["id,day,amount", "k1,2024-05-01,999.00", *lines]) + "\n")
    return desk


def planned(desk: Desk, *options: object, code: int = 0) -> Any:
    done = desk.segkit("evaluate", desk / "out", "--plan", "--json", *options, code=code)
    return json.loads(done.stdout) if code == 0 else done.stderr


def evaluated(desk: Desk, *options: object, code: int = 0) -> Any:
    done = desk.segkit("evaluate", desk / "out", "--json", *options, code=code)
    return json.loads(done.stdout) if code == 0 else done.stderr


def spent(desk: Desk, first: str, last: str) -> dict[str, float]:
    """By key, what each customer spent in these days; those who did not buy are not there."""
    found: dict[str, float] = {}
    for row in csv.DictReader((desk / "o.csv").read_text().splitlines()):
        if first <= row["day"] <= last:
            found[row["id"]] = found.get(row["id"], 0) + float(row["amount"])
    return found


def least(values: list[float], one: int, other: int, level: float = 0.95) -> float:
    """The textbook: (z of the level + z of the power) x the standard error of the difference."""
    z = NormalDist().inv_cdf((1 + level) / 2) + NormalDist().inv_cdf(0.8)
    return z * sqrt(variance(values) * (1 / one + 1 / other))


@pytest.mark.parametrize(
    ("options", "first", "level"),
    [
        ((), "2024-06-01", 0.95),
        (("--within", "10 days"), "2024-06-21", 0.95),
        (("--from", "2024-07-05", "--until", "2024-07-11", "--level", "90"), "2024-06-24", 0.9),
    ],
)
def test_the_arms_of_the_run(shop: Desk, options: tuple[str, ...], first: str, level: float) -> None:
    """The days before are as many as those after; all customers of the segment say how they vary."""
    shop.apply(HEAD + LETTERS)
    found = planned(shop, *options)
    assert (found["from"], found["until"], found["level"]) == (first, "2024-06-30", 100 * level)
    [segment] = found["segments"]
    bought = spent(shop, first, "2024-06-30")
    of_all = [*bought.values(), *[0.0] * (1_500 - len(bought))]
    conversion, spend = segment["metrics"]
    assert (segment["customers"], conversion["customers"]) == (1_500, len(bought))
    assert float(spend["total"]) == pytest.approx(sum(bought.values()))
    sizes = {arm["name"]: arm["customers"] for arm in segment["arms"]}
    lists = [row.split(",")[2] for row in (shop / "out/letters.csv").read_text().splitlines()[1:]]
    assert sizes == {"holdout": 1_500 - len(lists), "A": lists.count("A"), "B": lists.count("B")}
    for one in segment["comparisons"]:
        values = of_all if one["metric"] == "spend" else [float(value > 0) for value in of_all]
        expected = least(values, sizes[one["arm"]], sizes["holdout"], level)
        assert one["against"] == "holdout" and one["detectable"] == pytest.approx(expected, abs=2e-6)
        assert one["relative"] == pytest.approx(100 * expected / (sum(values) / 1_500), abs=1e-3)


def test_a_holdout_that_is_not_drawn_yet(shop: Desk) -> None:
    """Of each segment that is written, whatever the run has drawn."""
    shop.apply(
        HEAD
        + "[segment.all]\neveryone = true\n[segment.even]\ndemographic.even = true\n[segment.b]\neveryone = true\nwrite = false\n"
    )
    assert "`--holdout 10` plans" in planned(shop, code=2)
    found = planned(shop, "--holdout", "20")
    sizes = {one["name"]: {arm["name"]: arm["customers"] for arm in one["arms"]} for one in found["segments"]}
    assert sizes == {"all": {"holdout": 300, "written": 1_200}, "even": {"holdout": 150, "written": 600}}
    ones = [float(value > 0) for value in spent(shop, "2024-06-01", "2024-06-30").values()]
    ones += [0.0] * (1_500 - len(ones))
    assert found["segments"][0]["comparisons"][0]["detectable"] == pytest.approx(least(ones, 300, 1_200), abs=2e-6)
    alone = planned(shop, "--holdout", "20", "--segment", "even")
    assert alone["segments"] == found["segments"][1:]


def test_as_text(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS)
    shown = shop.segkit("evaluate", shop / "out", "--plan").stdout
    assert shown.startswith("1,500 customers on 2024-06-30, events before: 2024-06-01 until 2024-06-30\n")
    found = planned(shop)["segments"][0]
    share, money = found["comparisons"][0], found["comparisons"][1]
    [in_points, each] = [line.split()[-2:] for line in shown.splitlines() if line.startswith("  A ")]
    assert in_points == [f"{100 * share['detectable']:.2f}", f"{share['relative']:.0f}"]
    assert each == [f"{money['detectable']:.2f}", f"{money['relative']:.0f}"]
    assert max(map(len, shown.splitlines())) <= 80


BOUGHT = 'behavioural.did = { events = "orders", within = "1 year" }'
TRAIT = '[trait.orders]\nevents = "orders"\n'
DEEDS: dict[str, tuple[str, str, bool]] = {
    "everyone": ("", "everyone = true", False),
    "a column": ("", "demographic.even = true", False),
    "did": ("", BOUGHT, True),
    "did, within a block": ("", f"any = [{{ demographic.even = true }}, {{ {BOUGHT} }}]", True),
    "another segment": (f"[segment.bought]\n{BOUGHT}\n", 'in_segment = "bought"', True),
    "a trait of events": (TRAIT, "demographic.orders.min = 1", True),
    "a trait of no events": ('[trait.old]\nsql = "even"\n', "demographic.old = true", False),
    "rfm": ('[rfm]\nevents = "orders"\n', "rfm.frequency.min = 1", True),
}


@pytest.mark.parametrize("name", DEEDS)
def test_segments_that_are_chosen_by_what_was_done(shop: Desk, name: str) -> None:
    """They did more before than they will: that is said."""
    before, criteria, is_told = DEEDS[name]
    shop.apply(HEAD + before + f"[segment.letters]\n{criteria}\nholdout = 50\n")
    told = [one["message"] for one in planned(shop, "--segment", "letters")["warnings"]]
    assert (
        told == ["segment `letters` is chosen by what its customers did: that is more than they will do"]
    ) is is_told
    assert bool(told) is is_told


def test_too_few_to_plan_with(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS)
    found = planned(shop, "--holdout", "0.5")
    [segment] = found["segments"]
    assert [one["too_few"] for one in segment["comparisons"]] == [False, True]
    assert [one["severity"] for one in found["warnings"]] == ["note"]
    assert "too few" in shop.segkit("evaluate", shop / "out", "--plan", "--holdout", "0.5").stdout


def test_nobody_to_plan_with(shop: Desk) -> None:
    """A segment without customers, and one of whom nobody has bought: nothing can be told."""
    nobody = '[segment.nobody]\ndemographic.id = "k9999"\nholdout = 50\n'
    shop.apply(HEAD + "min_cell = 1\n" + nobody + '[segment.one]\ndemographic.id = ["k3", "k4"]\nholdout = 50\n')
    shop.put("o.csv", "id,day,amount\nk3,2024-05-01,1.00\nk9,2024-06-09,1.00\nk4,2024-06-30,0.00\n")
    found = planned(shop, "--within", "3 weeks")
    nobody_, one = found["segments"]
    assert (nobody_["customers"], nobody_["comparisons"]) == (0, [])
    assert one["customers"] == 2 and [c["detectable"] for c in one["comparisons"]][1:] == [None]
    assert "nobody" in shop.segkit("evaluate", shop / "out", "--plan", "--within", "3 weeks").stdout


def test_few_customers_to_plan_with(shop: Desk) -> None:
    few = '[segment.few]\ndemographic.id = ["k3", "k4", "k5", "k6"]\nholdout = 50\n'
    shop.apply(HEAD + few)
    [segment] = planned(shop)["segments"]
    assert (segment["customers"], segment["metrics"], segment["comparisons"]) == (4, [], [])
    done = shop.segkit("evaluate", shop / "out", "--plan")
    assert "too few customers in segment `few` to tell what they did" in done.stderr
    assert re.search(r"^few +4 +- +- *$", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("options", [(), ("--holdout", "20")])
def test_the_control_group_stands_aside(shop: Desk, options: tuple[str, ...]) -> None:
    """It is no arm of a segment with a holdout of its own, so what it does is no part of the plan."""
    control = "[assignment]\ncontrol = 30\n"
    shop.apply(HEAD + control + LETTERS)
    segment = planned(shop, *options)["segments"][0]
    rows = shop.read("out/letters.csv") + shop.read("out/letters.holdout.csv")
    assert segment["customers"] == len(rows) == sum(arm["customers"] for arm in segment["arms"])
    bought = spent(shop, "2024-06-01", "2024-06-30")
    did = sum(row["id"] in bought for row in rows)
    assert [one["customers"] for one in segment["metrics"]] == [did, did]


def test_before_there_were_orders(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS)
    shop.put("o.csv", "id,day,amount\nk1,2024-05-01,1.00\n")
    assert "`orders` has nothing from 2024-06-01 on: the last event is of 2024-05-01" in planned(shop, code=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--holdout", "10"), "`--holdout` goes with `--plan` alone"),
        (("--plan", "--against", "A"), "`--against` goes without `--plan`"),
        (("--plan", "-o", "rows.csv"), "`-o` goes without `--plan`"),
        (("--plan", "--holdout", "100"), "100"),
        (("--plan", "--segment", "leters"), "did you mean `letters`?"),
    ],
)
def test_options_that_do_not_go_together(shop: Desk, options: tuple[str, ...], message: str) -> None:
    shop.apply(HEAD + LETTERS)
    assert message in shop.segkit("evaluate", shop / "out", *options, code=2).stderr


def in_july(desk: Desk) -> None:
    """The orders of June come after the run."""
    desk.put("o.csv", (desk / "o.csv").read_text().replace("2024-06", "2024-07"))


def test_against_a_variant(shop: Desk) -> None:
    """The other variants beside this one, in a family of their own; those held out are shown, and not compared."""
    shop.apply(HEAD + LETTERS.replace("B = 50", "B = 30, C = 20") + "[segment.b]\neveryone = true\nholdout = 5\n")
    in_july(shop)
    found = evaluated(shop, "--against", "B")
    [segment] = found["segments"]
    assert [arm["name"] for arm in segment["arms"]] == ["B", "holdout", "A", "C"]
    assert {(one["arm"], one["against"]) for one in segment["comparisons"]} == {("A", "B"), ("C", "B")}
    assert found["compared"] == 2
    other = evaluated(shop)["segments"][0]
    assert segment["ratio_p"] == other["ratio_p"]
    of = {arm["name"]: arm["conversion"] for arm in segment["arms"]}
    assert segment["comparisons"][0]["difference"] == pytest.approx(of["A"] - of["B"], abs=2e-6)
    shown = shop.segkit("evaluate", shop / "out", "--against", "B").stdout
    assert "beyond B" in " ".join(shown.split())
    said = evaluated(shop, "--against", "D", code=2)
    assert "has drawn no variant `D`" in said and "the variants are `A`, `B` and `C`" in said


def test_against_those_held_out(shop: Desk) -> None:
    shop.apply(HEAD + LETTERS)
    in_july(shop)
    assert evaluated(shop, "--against", "holdout") == evaluated(shop)


def test_too_few_buyers(desk: Desk) -> None:
    """It is said in words, and changes no exit code; conversion has no such bound."""
    desk.put("c.csv", "id\n" + "".join(f"k{n}\n" for n in range(3_000)))
    desk.put("o.csv", "id,day,amount\nk1,2024-06-01,1.00\n" + "".join(f"k{n},2024-07-30,{n}.00\n" for n in range(300)))
    for holdout, few in ((2, True), (5, False)):
        desk.apply(HEAD + f"[segment.letters]\neveryone = true\nholdout = {holdout}\n")
        found = evaluated(desk, "--fail-on", "warning")
        assert [one["too_few"] for one in found["segments"][0]["comparisons"]] == [False, few]
        notes = [one["message"] for one in found["warnings"]]
        assert (notes == ["too few buyers in segment `letters` (written): nothing is said of what they come to"]) is few


@pytest.mark.parametrize(("large", "wider"), [(15, None), (30, "written"), (2, "held out")])
def test_arms_that_vary_differently(desk: Desk, large: int, wider: str | None) -> None:
    """It is told where both have fifty buyers: of those written, half spend much more, or less, than the others."""
    desk.put("c.csv", "id\n" + "".join(f"k{n}\n" for n in range(2_000)))
    desk.put("o.csv", "id,day,amount\nk1,2024-06-01,1.00\n")
    desk.apply(HEAD + "[segment.letters]\neveryone = true\nholdout = 50\n")
    held, written = (
        [line.split(",")[0] for line in (desk / f"out/{name}.csv").read_text().splitlines()[1:101]]
        for name in ("letters.holdout", "letters")
    )
    of_held = [f"{key},2024-07-30,{10 + place % 3}.00" for place, key in enumerate(held)]
    of_written = [f"{key},2024-07-30,{(1, large)[place % 2]}.00" for place, key in enumerate(written)]
    desk.put("o.csv", "\n".join(["id,day,amount", "k1,2024-06-01,1.00", *of_held, *of_written]) + "\n")
    found = evaluated(desk, "--fail-on", "warning")
    ratio = found["segments"][0]["comparisons"][1]["variances"]
    assert (ratio > 2, ratio < 0.5) == (wider == "written", wider == "held out")
    told = [one for one in found["warnings"] if f"the variance of `spend` in `{wider}` is" in one["message"]]
    assert [one["severity"] for one in told] == (["note"] if wider else [])
    assert len(found["warnings"]) == len(told)
    desk.put("o.csv", "\n".join(["id,day,amount", "k1,2024-06-01,1.00", *of_held[:40], *of_written]) + "\n")
    assert not [one for one in evaluated(desk)["warnings"] if "the variance" in one["message"]]
