"""Why a score is what it is: the rules that gave points or took some, their sum, and where it is cut off."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.desk import ROOT, Desk, event_table, head

PEOPLE = """id,x,f,country,spend
a,3,1.5,FR,90
b,12,0.1,DE,20
c,,,FR,
"""
ORDERS = "id,day,kind,total\na,2024-02-20,sand,5\na,2024-02-21,bricks,7.5\nb,2023-01-01,sand,3\n"
HEAD = head() + event_table("o", "o.csv", 'amount = "total"')
BLOCK = '[segment.french]\nwrite = false\ndemographic.country = "FR"\n'
ASKED = "[segment.s]\nscore.n_score.min = 5\n"
FR = 'demographic.country = "FR"'


@pytest.fixture(autouse=True)
def files(desk: Desk) -> None:
    desk.put("c.csv", PEOPLE)
    desk.put("o.csv", ORDERS)


def score(*rules: str, more: str = "") -> str:
    return f"[score.n]\n{more}rule = [\n" + "".join(f"  {{ {rule} }},\n" for rule in rules) + "]\n"


def counted(desk: Desk, rules: str, key: str = "a", *options: object) -> Any:
    """How the score came about, of the first criterion of the segment `s`."""
    path = desk.put("rules.toml", HEAD + rules)
    told = json.loads(desk.segkit("explain", path, key, "--segment", "s", "--json", *options).stdout)
    criterion = told["customers"][0]["segments"][0]["criteria"]["parts"][0]
    (found,) = criterion["scores"]
    return found


RULES = [
    # the rule; what it looks at and asks; what a has, and the points
    (f"{FR}, points = 10", "country", 'is "FR"', '"FR"', 10),
    ("demographic.x = { min = 2, max = 5 }, points = -2", "x", "at least 2 and at most 5", "3", -2),
    (f"{FR}, demographic.x.min = 2, points = 4", "country", 'is "FR" and x at least 2', None, 4),
    ("everyone = true, points = 7", "everyone", "", None, 7),
    (f"any = [{{ {FR} }}, {{ demographic.x = 1 }}], points = 3", "any of", 'country is "FR"; x is 1', None, 3),
    (f"any = [{{ {FR} }}], points = 3", "country", 'is "FR"', '"FR"', 3),
    ("none = [{ demographic.x = 1 }, { demographic.x = 2 }], points = 3", "none of", "x is 1; x is 2", None, 3),
    (f"{FR}, any = [{{ demographic.x = 1 }}, {{ demographic.x = 3, demographic.f.min = 1 }}], points = 3",
     "country", 'is "FR" and (x is 1 or x is 3 and f at least 1)', None, 3),
    (f"{FR}, none = [{{ demographic.x = 1 }}], points = 3", "country", 'is "FR" and not (x is 1)', None, 3),
    ('points_per = { column = "x", points = 2 }', "x", "2 for each", "3", 6),
    ('points_per = { column = "x", points = 2, max = 5 }', "x", "2 for each, at most 5", "3", 5),
    (f'{FR}, points_per = {{ column = "f", points = 0.25 }}', "f", '0.25 for each, where country is "FR"', "1.5", 0.375),
    ('behavioural.did = { events = "o", where.kind = "sand" }, points = 9', "did", 'o, kind is "sand"',
     "1, last 2024-02-20", 9),
    ('behavioural.did_not = { events = "o", before = 2024-01-01 }, points = 9', "did not", "o, before 2024-01-01",
     "none", 9),
    ('in_segment = "french", points = 8', "in segment", "french", None, 8),
    ('sql = "x > 2", points = 8', "sql", "x > 2", "x 3", 8),
    ("demographic.spend.top_percent = 50, points = 8", "spend", "in the top 50 %", "90", 8),
    ("rfm.m_score = 3, points = 6", "m_score", "is 3", "3", 6),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "subject", "wanted", "actual", "points"), RULES)
def test_a_rule(desk: Desk, rule: str, subject: str, wanted: str, actual: str | None, points: float) -> None:
    rules = score("everyone = true, points = 50", rule) + ASKED + BLOCK + '[rfm]\nevents = "o"\n'
    found = counted(desk, rules)
    _, told = found["rules"]
    expected = {"subject": subject, "wanted": wanted, "actual": actual, "missing": False, "points": points}
    assert {name: told[name] for name in expected} == expected
    assert (told["path"], told["line"]) == ("score.n.rule.1", HEAD.count("\n") + 4)
    assert found["sum"] == found["score"] == 50 + points


def test_rules_that_give_nothing_are_left_out(desk: Desk) -> None:
    rules = score(f"{FR}, points = 10", "demographic.x = 99, points = 5", 'points_per = { column = "x", points = 1 }')
    assert [rule["subject"] for rule in counted(desk, rules + ASKED)["rules"]] == ["country", "x"]
    found = counted(desk, rules + ASKED, "c")
    assert [rule["subject"] for rule in found["rules"]] == ["country"] and found["score"] == 10


def test_a_value_that_is_missing(desk: Desk) -> None:
    rules = score("demographic.x = { below = 0, or_missing = true }, points = 2") + ASKED
    (rule,) = counted(desk, rules, "c")["rules"]
    assert (rule["actual"], rule["missing"], rule["points"]) == (None, True, 2)
    shown = desk.segkit("explain", desk / "rules.toml", "c").stdout
    assert "x        less than 0, or no value: no value" in shown


ENDS = [
    # max_score, the points of two rules for all; their sum, the score, and what is said of it
    ("", (60, 30), (90, 90), "the sum"),
    ("", (60, 41), (101, 100), "the sum is 101, the score at most 100"),
    ("max_score = 50\n", (60, -4), (56, 50), "the sum is 56, the score at most 50"),
    ("max_score = 2.5\n", (1.25, 1.75), (3, 2.5), "the sum is 3, the score at most 2.5"),
    ("", (-5, 2), (-3, 0), "the sum is -3, the score at least 0"),
    ("", (-5, 5), (0, 0), "the sum"),
    ("", (0, 0), (0, 0), "no rule gives points"),
    ("", (0.1, 0.2), (0.3, 0.3), "the sum"),
    ("grades = { A = 80, B = 2.5 }\n", (60, 30), (90, 90), "the sum; A from 80, B from 2.5"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "points", "made", "said"), ENDS)
def test_where_a_score_ends(desk: Desk, more: str, points: Any, made: Any, said: str) -> None:
    rules = score(*(f"everyone = true, points = {one}" for one in points), more=more) + ASKED
    found = counted(desk, rules)
    assert (found["sum"], found["score"]) == made
    shown = desk.segkit("explain", desk / "rules.toml", "a").stdout.splitlines()
    lines = [" ".join(line.split()) for line in shown]
    assert f"n_score {said} {made[1]}" in lines
    assert max(map(len, shown)) <= 80


@pytest.mark.parametrize(
    "criterion",
    ["score.n_score.min = 5", 'score.n_grade = "B"', 'sql = "n_score > 5 and x > 1"', "none = [{ score.n_score = 1 }]"],
)
def test_whichever_way_a_segment_asks_for_it(desk: Desk, criterion: str) -> None:
    rules = score(f"{FR}, points = 10", more="grades = { A = 50, B = 1 }\n")
    path = desk.put("rules.toml", HEAD + rules + f"[segment.s]\n{criterion}\n[segment.t]\nin_segment = 's'\n")
    told = json.loads(desk.segkit("explain", path, "a", "--json").stdout)
    for segment in told["customers"][0]["segments"]:
        (found,) = list(scores_in(segment["criteria"]))
        assert (found["column"], found["score"], found["grades"]) == ("n_score", 10, {"A": 50, "B": 1})
    shown = desk.segkit("explain", path, "a").stdout
    assert shown.count("the sum") == 1, "a customer is told once how a score came about"


def scores_in(criterion: Any) -> Any:
    yield from criterion["scores"]
    for part in criterion["parts"]:
        yield from scores_in(part)


def test_no_segment_asks_for_the_score(desk: Desk) -> None:
    path = desk.put("rules.toml", HEAD + score(f"{FR}, points = 10") + "[segment.s]\ndemographic.x.min = 1\n")
    told = json.loads(desk.segkit("explain", path, "a", "--json").stdout)
    assert list(scores_in(told["customers"][0]["segments"][0]["criteria"])) == []


LONG = """\
a, as of 2024-03-01

s                                                                    1 of 2 hold
  + n_score    at least 5                                                     25
      x        at least 3: 3                                                 -40
      country  is "FR"                                                       +30
      spend    at most 90 and more than 20: 90                               +20
      x        at least 3: 3                                                 +12
      f        1 for each, at most 10: 1.5                                  +1.5
               and 4 rules more                                             +1.5
      n_score  the sum                                                        25
  - any of                                                           0 of 2 hold
    - n_score  at least 60                                                    25
    - country  is "DE"                                                      "FR"

+ holds   - does not   no value: nothing is known, so it does not hold
"""


def test_a_long_card(desk: Desk) -> None:
    rules = [
        "demographic.x = 3, points = 1",
        *(f"demographic.x.min = {least}, points = {points}" for least, points in ((0, 0.5), (1, -1), (2, 1))),
        'points_per = { column = "f", points = 1, max = 10 }',
        f"{FR}, points = 30",
        "demographic.x.min = 3, points = -40",
        "demographic.spend = { above = 20, max = 90 }, points = 20",
        "demographic.x.min = 3, points = 12",
    ]
    segment = '[segment.s]\nscore.n_score.min = 5\nany = [{ score.n_score.min = 60 }, { demographic.country = "DE" }]\n'
    path = desk.put("rules.toml", HEAD + score(*rules) + segment)
    assert desk.segkit("explain", path, "a").stdout == LONG


def test_what_a_run_wrote_and_what_is_told_of_it(desk: Desk) -> None:
    """Of a run, too, and the points of all customers add up to what it wrote."""
    rules = score(
        f"{FR}, points = 10",
        'points_per = { column = "x", points = -2.5 }',
        'behavioural.did = { events = "o", min = 2 }, points = 7',
        "rfm.r_score = 3, points = 20",
        "demographic.spend.top_percent = 50, points = 0.25",
    )
    rules += '[rfm]\nevents = "o"\n[output]\ncolumns = ["n_score"]\n[segment.s]\nscore.n_score.min = 0\n'
    desk.apply(HEAD + rules, "-o", desk / "out", "-q")
    written = {row["id"]: row["n_score"] for row in desk.read((desk / "out/s.csv").read_bytes())}
    assert set(written) == {"a", "b", "c"}
    for key, points in written.items():
        now = counted(desk, rules, key)
        of_run = json.loads(desk.segkit("explain", "--run", desk / "out", key, "--json").stdout)
        assert of_run["run"] is not None and not of_run["notes"]
        assert list(scores_in(of_run["customers"][0]["segments"][0]["criteria"])) == [now]
        total = sum(Decimal(str(rule["points"])) for rule in now["rules"])
        assert total == Decimal(str(now["sum"])) and max(total, 0) == Decimal(points)


def test_a_test_that_fails_at_a_score(desk: Desk) -> None:
    """It shows how the score came about; not that of a score that the test gives."""
    rules = score(f"{FR}, points = 10", "demographic.x.min = 5, points = 4") + ASKED
    test = '[[test]]\nname = "t"\nas_of = 2024-03-01\ncustomer = {{ country = "FR", x = 1{} }}\nsegments = []\n'
    for given, shown in (("", True), (", n_score = 10", False)):
        path = desk.put("rules.toml", HEAD + rules + test.format(given))
        said = desk.segkit("test", path, code=1).stdout
        assert ("the sum" in said) is shown and "n_score" in said, said


def test_every_field_is_documented(desk: Desk) -> None:
    text = (ROOT / "docs/cli.md").read_text(encoding="utf-8").partition("### `segkit explain --json`")[2]
    section = text.partition("\n### ")[0]
    found = counted(desk, score(f"{FR}, points = 10") + ASKED)
    for name in (*found, *found["rules"][0]):
        assert f"`{name}`" in section, name
