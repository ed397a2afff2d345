"""Scores: points that add up, clipped, and their grades; on real leads they tell who converts."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tests.desk import Desk, event_table, head

ROOT = Path(__file__).parents[2]
HEAD = head() + event_table("o", "o.csv", 'amount = "total"')
CUSTOMERS = """id,x,f,country
a,3,1.5,FR
b,12,0.1,DE
c,,,FR
d,0,-2.25,
e,-4,10,DE
"""
ORDERS = """id,day,total
a,2024-02-20,10.10
a,2024-02-21,20.20
b,2023-01-01,5.05
"""


def put(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)


def score(*rules: str, **keys: str) -> str:
    lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f"[score.s]\n{lines}rule = [{', '.join(f'{{ {rule} }}' for rule in rules)}]\n"


FR, DE = 'demographic.country = "FR"', 'demographic.country = "DE"'
CASES = {
    # rules -> the scores of a, b, c, d, e
    (f"{FR}, points = 10",): "10 0 10 0 0",
    (f"{FR}, points = 10", f"{DE}, points = 5", "demographic.x.min = 3, points = 1"): "11 6 10 0 5",
    ("everyone = true, points = 7",): "7 7 7 7 7",
    (f"{FR}, points = 10", "everyone = true, points = -4"): "6 0 6 0 0",  # not below 0
    ("everyone = true, points = 90", f"{FR}, points = 20"): "100 90 100 90 90",  # not above 100
    ("everyone = true, points = 90", f"{FR}, points = 20", f"{FR}, points = -30"): "80 90 80 90 90",  # clipped once
    (f"{FR}, points = 2.5", f"{DE}, points = 0.25"): "2.5 0.25 2.5 0 0.25",
    (f"{FR}, points = 0.1", f"{FR}, points = 0.2"): "0.3 0 0.3 0 0",  # not 0.30000000000000004
    (f"{FR}, points = 3.0",): "3 0 3 0 0",
    ('points_per = { column = "x", points = 2 }',): "6 24 0 0 0",  # missing gives 0; x of e is -4
    ('points_per = { column = "x", points = 2, max = 20 }',): "6 20 0 0 0",
    ('points_per = { column = "x", points = 2, max = 24 }',): "6 24 0 0 0",
    ("everyone = true, points = 50", 'points_per = { column = "x", points = -2 }'): "44 26 50 50 58",
    ("everyone = true, points = 50", 'points_per = { column = "x", points = -2, max = 5 }'): "45 45 50 50 55",
    ('points_per = { column = "x", points = 0.5 }',): "1.5 6 0 0 0",
    ('points_per = { column = "f", points = 2 }',): "3 0.2 0 0 20",
    ('points_per = { column = "f", points = 0.1 }',): "0.15 0.01 0 0 1",
    (f'{DE}, points_per = {{ column = "x", points = 1 }}',): "0 12 0 0 0",
    ('points_per = { column = "spend", points = 1 }',): "30.3 5.05 0 0 0",
    ('points_per = { column = "orders", points = 3 }',): "6 3 0 0 0",
    ('behavioural.did = { events = "o", within = "30 days", min = 2 }, points = 9',): "9 0 0 0 0",
    ('behavioural.did_not = { events = "o" }, points = 9',): "0 0 9 9 9",
    ("demographic.x.top_percent = 25, points = 9",): "0 9 0 0 0",
    ('sql = "x > 0 and f > 1", points = 9',): "9 0 0 0 0",
    ('in_segment = "french", points = 9', 'not_in_segment = "french", points = 2'): "9 2 9 2 2",
    ("any = [{ demographic.x = 0 }, { demographic.x.missing = true }], points = 9",): "0 0 9 9 0",
    ("rfm.m_score = 5, points = 9",): "0 0 0 0 0",
    ("rfm.m_score = 3, points = 9",): "9 0 0 0 0",  # two customers: scores 1 and 3
}
COLUMNS = """
[trait.orders]
events = "o"
[trait.spend]
events = "o"
measure = "sum"
[rfm]
events = "o"
[segment.french]
write = false
demographic.country = "FR"
"""


def test_points(desk: Desk) -> None:
    put(desk)
    names = {f"n{number}": rules for number, rules in enumerate(CASES)}
    text = "".join(score(*rules).replace("[score.s]", f"[score.{name}]") for name, rules in names.items())
    found = desk.columns(HEAD + COLUMNS + text, *(f"{name}_score" for name in names))
    by_rule = {rules: " ".join(found[key][number] for key in "abcde") for number, rules in enumerate(CASES)}
    assert by_rule == CASES


@pytest.mark.parametrize(
    ("max_score", "scores"), [("50", "50 24 0 0 0"), ("2.5", "2.5 2.5 0 0 0"), ("1000", "66 24 0 0 0")]
)
def test_max_score(desk: Desk, max_score: str, scores: str) -> None:
    put(desk)
    rules = score('points_per = { column = "x", points = 2 }', "demographic.x = 3, points = 60", max_score=max_score)
    assert " ".join(desk.columns(HEAD + rules, "s_score").values()) == scores


def test_whole_points_make_whole_numbers(desk: Desk) -> None:
    put(desk)
    one = score(f"{FR}, points = 10", 'points_per = { column = "x", points = 1 }')
    two = score(f"{FR}, points = 10.5").replace("score.s", "score.t")
    output = '[output]\nformat = "parquet"\ncolumns = ["s_score", "t_score"]\n[segment.all]\neveryone = true\n'
    desk.apply(HEAD + one + two + output)
    schema = pl.read_parquet_schema(desk / "segments/all.parquet")
    assert schema["s_score"] == pl.Int64
    assert schema["t_score"].is_decimal()


@pytest.mark.parametrize("factor", ["999999999999999999", "1e15", "123456789012345678.25", "-999999999999999999"])
def test_large_values_are_clipped_and_do_not_wrap(desk: Desk, factor: str) -> None:
    desk.put("c.csv", f"id,x,f,country\na,{factor},1,FR\nb,1,1,FR\n")
    desk.put("o.csv", ORDERS)
    rules = score('points_per = { column = "x", points = 1000000000 }')
    expected = {"a": "0" if factor.startswith("-") else "100", "b": "100"}
    assert desk.columns(HEAD + rules, "s_score") == expected


@pytest.mark.parametrize(
    ("points", "scores"), [("1", "100 0 8 3"), ("1000000000", "100 0 100 3"), ("-0.5", "0 100 0.5 3")]
)
def test_the_largest_integers(desk: Desk, points: str, scores: str) -> None:
    desk.put("c.parquet", pl.DataFrame({"id": list("abcd"), "x": [2**63 - 1, -(2**63), 5, None]}))
    desk.put("o.csv", ORDERS)
    rules = score(f'points_per = {{ column = "x", points = {points} }}', "everyone = true, points = 3")
    head = HEAD.replace("c.csv", "c.parquet")
    assert " ".join(desk.columns(head + rules, "s_score").values()) == scores


GRADES = "{ C = 20, A = 80, B = 50.5 }"  # the order in the file does not matter


@pytest.mark.parametrize(
    ("points", "grade"),
    [("0", ""), ("19.9999", ""), ("20", "C"), ("50", "C"), ("50.4999999999", "C"), ("50.5", "B"), ("79", "B"),
     ("80", "A"), ("100", "A"), ("1000", "A"), ("-5", "")],
)  # fmt: skip
def test_grades(desk: Desk, points: str, grade: str) -> None:
    put(desk)
    rules = score(f"everyone = true, points = {points}", grades=GRADES)
    assert set(desk.columns(HEAD + rules, "s_grade").values()) == {grade}


def test_the_order_of_grades_and_rules_does_not_matter(desk: Desk) -> None:
    put(desk)
    rules = [f"{FR}, points = 30", f"{DE}, points = 50", 'points_per = { column = "x", points = -1.5 }']
    grades = [("A", 50), ("B", 40), ("C", 20), ("D", 0)]
    seen = set()
    for seed in range(4):
        mixed = random.Random(seed)
        mixed.shuffle(rules)
        mixed.shuffle(grades)
        text = score(*rules, grades=f"{{ {', '.join(f'{name} = {least}' for name, least in grades)} }}")
        seen.add(tuple(desk.columns(HEAD + text, "s_score", "s_grade").items()))
    expected = {"a": ("25.5", "C"), "b": ("32", "C"), "c": ("30", "C"), "d": ("0", "D"), "e": ("56", "A")}
    assert seen == {tuple(expected.items())}


def test_two_scores_side_by_side(desk: Desk) -> None:
    put(desk)
    fit = score(f"{FR}, points = 80", grades="{ hot = 50, cold = 0 }").replace("score.s", "score.fit")
    interest = score('points_per = { column = "x", points = 5 }').replace("score.s", "score.interest")
    both = score("score.fit_score.min = 50, points = 10", "score.interest_score.min = 10, points = 1")
    segments = '[segment.match]\nscore.fit_grade = "hot"\nscore.interest_score.above = 10\n'
    columns = ("fit_score", "fit_grade", "interest_score", "s_score")
    assert desk.columns(HEAD + fit + interest + both, *columns) == {
        "a": ("80", "hot", "15", "11"),
        "b": ("0", "cold", "60", "1"),
        "c": ("80", "hot", "0", "10"),
        "d": ("0", "cold", "0", "0"),
        "e": ("0", "cold", "0", "0"),
    }
    assert [row["id"] for row in desk.rows(HEAD + fit + interest + segments)] == ["a"]


def test_columns_of_scores_can_be_used_everywhere(desk: Desk) -> None:
    put(desk)
    text = score(f"{FR}, points = 30", f"{DE}, points = 10", grades="{ A = 30, B = 10 }")
    text += '[trait.band]\nbands = { of = "s_score", edges = [10, 30], labels = ["low", "middle", "high"] }\n'
    segments = {
        "any family": "firmographic.s_score.min = 30",
        "missing": "score.s_grade.missing = true",
        "sql": "sql = \"s_grade = 'B' and s_score < 20\"",
        "top": "score.s_score.top_percent = 40",
        "band": 'score.s_grade = "A"\ndemographic.band = "high"',
    }
    assert desk.members(HEAD + text, segments) == {
        "any family": ["a", "c"],
        "missing": ["d"],
        "sql": ["b", "e"],
        "top": ["a", "c"],
        "band": ["a", "c"],
    }
    found = desk.json(HEAD + text + '[output]\nprofile = ["s_score"]\n[segment.all]\neveryone = true\n')
    assert found["segments"][0]["profile"]["s_score"]["total"] == 80


def test_the_summary_counts_every_grade(desk: Desk) -> None:
    put(desk)
    text = score(f"{FR}, points = 30", f"{DE}, points = 10", grades="{ B = 10, A = 30, S = 90 }")
    plain = score("everyone = true, points = 1").replace("score.s", "score.plain")
    rules = HEAD + text + plain + "[segment.all]\neveryone = true\n"
    (found,) = desk.json(rules)["distributions"]
    assert found["column"] == "s_grade"
    assert [(v["value"], v["customers"], v["share"]) for v in found["values"]] == [
        ("S", 0, 0), ("A", 2, 40.0), ("B", 2, 40.0), (None, 1, 20.0),
    ]  # fmt: skip
    assert "no grade" in desk.apply(rules).stdout


def test_thresholds_of_rules_are_told(desk: Desk) -> None:
    put(desk)
    (threshold,) = desk.json(
        HEAD + score("demographic.x.bottom_percent = 25, points = 9") + "[segment.all]\neveryone = true\n"
    )["thresholds"]
    assert (threshold["column"], threshold["values"], threshold["falls"]) == ("x (bottom 25 %)", [-4], True)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ('points_per = { column = "country", points = 1 }', "`column` asks for a number, but column `country` is text"),
        ('points_per = { column = "xx", points = 1 }', "customers have no column `xx`"),
        ('points_per = { column = "s_score", points = 1 }', "`s_score` -> `s_score`"),
        ('in_segment = "all", points = 1', "`s_score` -> `[segment.all]` -> `s_score`"),
        ('sql = "x", points = 1', "not true or false"),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(desk: Desk, rules: str, message: str) -> None:
    put(desk)
    done = desk.apply(HEAD + score(rules) + "[segment.all]\nscore.s_score.min = 0\n", code=2)
    assert done.stderr.count("error:") == 1
    assert message in done.stderr
    assert "rules.toml:" in done.stderr


def test_random_scores_against_a_loop(desk: Desk) -> None:
    draw = random.Random(7)
    rows = [(f"k{n}", draw.choice([None, *range(-5, 30)]), draw.choice(["FR", "DE", None])) for n in range(300)]
    desk.put("c.csv", "id,x,f,country\n" + "".join(f"{k},{'' if x is None else x},,{c or ''}\n" for k, x, c in rows))
    desk.put("o.csv", ORDERS.replace("a,", "k1,"))
    text = score(
        f"{FR}, points = 12.5",
        "demographic.x.above = 10, points = -7",
        'points_per = { column = "x", points = 1.25, max = 20 }',
        f'{DE}, points_per = {{ column = "x", points = -3, max = 9 }}',
        grades="{ A = 25, B = 12.5, C = 0.01 }",
    )

    def expected(x: int | None, country: str | None) -> tuple[Decimal, str]:
        total = Decimal("12.5") if country == "FR" else Decimal(0)
        if x is not None:
            total -= 7 if x > 10 else 0
            total += max(Decimal(-20), min(Decimal(20), Decimal("1.25") * x))
            total += max(-9, min(9, -3 * x)) if country == "DE" else 0
        total = max(Decimal(0), min(Decimal(100), total))
        grade = "A" if total >= 25 else "B" if total >= Decimal("12.5") else "C" if total >= Decimal("0.01") else ""
        return total, grade

    found = desk.columns(HEAD + text, "s_score", "s_grade")
    assert {key: (Decimal(s), g) for key, (s, g) in found.items()} == {k: expected(x, c) for k, x, c in rows}


def test_the_recipe_tells_who_converts_on_real_leads(desk: Desk, shared: Callable[[str], Path]) -> None:
    leads = shared("leads/Leads.csv")
    recipe = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
    rules = recipe.partition("<!-- file: leads.toml -->\n```toml\n")[2].partition("```")[0]
    names = {
        "origin": "Lead Origin",
        "source": "Lead Source",
        "visits": "TotalVisits",
        "seconds_on_site": "Total Time Spent on Website",
        "last_activity": "Last Activity",
        "occupation": "What is your current occupation",
        "converted": "Converted",
    }
    rename = ", ".join(f'{new} = "{old}"' for new, old in names.items())
    rules = rules.replace('"leads.csv"', f'"{leads}"').replace('"lead_id"', f'"Prospect ID"\nrename = {{ {rename} }}')
    found = desk.json(rules, "--dry-run")
    assert found["customers"] == 9240
    converted = [segment["profile"]["converted"] for segment in found["segments"]]
    shares = [round(100 * profile["mean"]) for profile in converted]
    assert sum(profile["total"] for profile in converted) == 3561  # as published: 38.5 %
    assert shares == [89, 67, 28, 9]
    for share in shares:
        assert f"{share} %" in recipe


@pytest.mark.parametrize("value", ["20", "1e20", "2e28", "1e300"])
def test_points_per_of_a_value_beyond_all_money(desk: Desk, value: str) -> None:
    desk.put("c.csv", f"id,big\na,{value}\nb,-{value}\nc,\nd,0.5\n")
    text = head('types = { big = "number" }')
    rule = '[[score.s.rule]]\npoints_per = { column = "big", points = 2.5, max = 20 }\n'
    assert desk.columns(text + rule, "s_score") == {"a": "20", "b": "0", "c": "0", "d": "1.25"}
