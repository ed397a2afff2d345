"""Why a customer is, or is not, in a segment: what is said of each criterion, each gate, each unknown key."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
import tomli

from tests.desk import Desk, event_table, head

PEOPLE = """id,country,age,ok,latitude,longitude,spend
C01,FR,40,yes,48.85,2.35,100.50
C02,,17,no,,,20
C03,DE,65,yes,52.52,13.40,
"""
ORDERS = "id,day,kind,total\nC01,2024-02-10,sand,5\nC01,2024-02-20,bricks,7.5\nC03,2023-01-05,sand,3\n"
HEAD = head('latitude = "latitude"', 'longitude = "longitude"', 'types.ok = "boolean"') + event_table(
    "orders", "o.csv", 'amount = "total"'
)


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.put("c.csv", PEOPLE)
    desk.put("o.csv", ORDERS)
    return desk


def said(desk: Desk, rules: str, *args: object, code: int = 0) -> str:
    return str(desk.segkit("explain", desk.put("rules.toml", rules), *args, code=code).stdout)


def told(desk: Desk, rules: str, *args: object) -> Any:
    return json.loads(said(desk, rules, *args, "--json"))


def rows(node: Any) -> list[tuple[Any, ...]]:
    """The criteria below a node: kind, subject, wanted, actual, held."""
    return [tuple(part[name] for name in ("kind", "subject", "wanted", "actual", "held")) for part in node["parts"]]


CRITERIA = [
    # the criterion, of C01, of C02: what is wanted, what there is, whether it holds
    ("demographic.age.min = 18", "age", "at least 18", ("40", True), ("17", False)),
    ("demographic.age.between = [18, 40]", "age", "18 to 40", ("40", True), ("17", False)),
    ("demographic.ok = true", "ok", "is true", ("true", True), ("false", False)),
    ('geographic.country = "FR"', "country", 'is "FR"', ('"FR"', True), (None, False)),
    ('geographic.country = ["FR", "BE", "CH"]', "country", 'one of "FR", "BE" or "CH"', ('"FR"', True), (None, False)),
    ('geographic.country = { not = "FR", or_missing = true }', "country", 'is not "FR", or no value',
     ('"FR"', False), (None, True)),
    ("geographic.country.missing = true", "country", "no value", ('"FR"', False), (None, True)),
    ('demographic.id = { starts_with = "c", ignore_case = true }', "id", 'starts with "c", in capitals or not',
     ('"C01"', True), ('"C02"', True)),
    ("demographic.spend.top_percent = 40", "spend", "in the top 40 %", ("100.5", True), ("20", False)),
    ('demographic.spend.top_percent = { percent = 50, per = "country" }', "spend", "in the top 50 % of each country",
     ("100.5", True), ("20", True)),
    ('behavioural.did = { events = "orders" }', "did", "orders", ("2, last 2024-02-20", True), ("none", False)),
    ('behavioural.did = { events = "orders", where.kind = "sand", within = "30 days", min = 2 }', "did",
     'orders, kind is "sand", in the last 30 days, at least 2', ("1, last 2024-02-10", False), ("none", False)),
    ('behavioural.did = { events = "orders", measure = "sum", above = 12 }', "did", "orders, sum more than 12",
     ("12.5 (2, last 2024-02-20)", True), ("0 (none)", False)),
    ('behavioural.did_not = { events = "orders", since = 2024-01-01 }', "did not", "orders, since 2024-01-01",
     ("2, last 2024-02-20", False), ("none", True)),
    ('behavioural.did = { events = "orders", where.kind = "sand", then = { where.kind = "bricks", within = "2 weeks" } }',
     "did", 'orders, kind is "sand", then kind is "bricks", within 2 weeks', ("1, last 2024-02-10", True), ("none", False)),
    ('behavioural.did = { events = "orders", within = "2 months", in_each = "month" }', "did",
     "orders, in the last 2 months, in each month", ("2, last 2024-02-20", False), ("none", False)),
    ('sql = "age > 18 AND spend > 50"', "sql", "age > 18 AND spend > 50", ("age 40, spend 100.5", True),
     ("age 17, spend 20", False)),
    ("geographic.near = { latitude = 48.85, longitude = 2.35, km = 10 }", "lives", "within 10 km of 48.85, 2.35",
     ("0.0 km", True), (None, False)),
]  # fmt: skip


@pytest.mark.parametrize(("criterion", "subject", "wanted", "first", "second"), CRITERIA)
def test_a_criterion(shop: Desk, criterion: str, subject: str, wanted: str, first: Any, second: Any) -> None:
    found = told(shop, f"{HEAD}[segment.a]\n{criterion}\n", "C01", "C02")
    for customer, (actual, held) in zip(found["customers"], (first, second), strict=True):
        (part,) = customer["segments"][0]["criteria"]["parts"]
        part = part["parts"][0] if part["kind"] == "any" else part
        assert (part["subject"], part["wanted"], part["actual"], part["held"]) == (subject, wanted, actual, held)
        assert part["missing"] == (actual is None)
        assert part["line"] == HEAD.count("\n") + 2 and part["path"].startswith("segment.a.")


GROUPS = """
[segment.a]
in_segment = "grown"
not_in_segment = "big"
any = [{ geographic.country = "DE" }, { demographic.ok = true, demographic.age.min = 50 }]
none = [{ demographic.spend.max = 50 }]
[segment.grown]
write = false
demographic.age.min = 18
[segment.big]
write = false
demographic.spend.min = 1_000
"""


def test_groups_are_opened_up(shop: Desk) -> None:
    (customer,) = told(shop, HEAD + GROUPS, "C01", "--segment", "a")["customers"]
    (segment,) = customer["segments"]
    assert (segment["matched"], segment["outcome"], segment["list"]) == (False, None, None)
    assert rows(segment["criteria"]) == [
        ("segment", "in segment", "grown", None, True),
        ("segment", "not in segment", "big", None, True),
        ("any", "any of", "", None, False),
        ("none", "none of", "", None, True),
    ]
    grown, _, either, neither = segment["criteria"]["parts"]
    assert rows(grown) == [("condition", "age", "at least 18", "40", True)]
    assert [rows(part) for part in either["parts"]] == [
        [("condition", "country", 'is "DE"', '"FR"', False)],
        [("condition", "ok", "is true", "true", True), ("condition", "age", "at least 50", "40", False)],
    ]
    assert [rows(part) for part in neither["parts"]] == [[("condition", "spend", "at most 50", "100.5", False)]]


SHOWN = """\
C01, as of 2024-03-01

a                                                                    3 of 4 hold
  + in segment      grown                                            1 of 1 hold
    + age           at least 18                                               40
  + not in segment  big                                              0 of 1 hold
    - spend         at least 1000                                          100.5
  - any of                                                           0 of 2 hold
    - country       is "DE"                                                 "FR"
    - all of                                                         1 of 2 hold
      + ok          is true                                                 true
      - age         at least 50                                               40
  + none of                                                          0 of 1 hold
    - spend         at most 50                                             100.5

+ holds   - does not   no value: nothing is known, so it does not hold
"""


def test_what_is_shown(shop: Desk) -> None:
    assert said(shop, HEAD + GROUPS, "C01", "--segment", "a") == SHOWN


GATES = """
[consent]
require.ok = true
[assignment]
mode = "exclusive"
[segment.first]
demographic.age.min = 18
each = "country"
split = { A = 50, B = 50 }
[segment.held]
everyone = true
holdout = 100
[segment.never]
everyone = true
write = false
[segment.last]
everyone = true
"""


@pytest.mark.parametrize("color", ["never", "always"])
def test_what_would_command_a_terminal_is_only_shown(desk: Desk, color: str) -> None:
    desk.put("c.csv", "id,city\nC01,Bonn\x1b]0;title\x07\nC02\x1b[2J,Ulm\u202e\nC03,\n")
    rules = desk.put("rules.toml", head() + '[segment.bonn]\ngeographic.city = "Bonn"\n')
    shown = [
        *(desk.segkit("--color", color, "explain", rules, key).stdout for key in ("C01", "C02\x1b[2J")),
        desk.segkit("--color", color, "explain", rules, "C04\x1b[2J", code=3).stderr,
    ]
    assert ['"Bonn\ufffd]0;title\ufffd"' in shown[0], "C02\ufffd[2J" in shown[1], '"Ulm\ufffd"' in shown[1]] == [
        True
    ] * 3
    assert "C04\ufffd[2J" in shown[2]
    assert not re.search("\x1b(?!\\[[0-9;]*m)|\x07|\u202e", "".join(shown))


def test_the_gates_and_the_lists(shop: Desk) -> None:
    found = told(shop, HEAD + GATES, "C01", "C02", "C03")
    outcomes = {
        c["key"]: [(s["outcome"], s["claimed_by"], s["list"]) for s in c["segments"]] for c in found["customers"]
    }
    never = ("not_written", None, None)
    claimed = ("claimed", "first", None)
    assert outcomes == {
        "C01": [("written", None, "first.fr.csv"), claimed, never, claimed],
        "C02": [(None, None, None), ("consent", None, None), never, ("consent", None, None)],
        "C03": [("written", None, "first.de.csv"), claimed, never, claimed],
    }
    assert found["customers"][0]["segments"][0]["variant"] in ("A", "B")
    free = told(shop, HEAD + GATES.replace('mode = "exclusive"', 'mode = "overlapping"'), "C01", "--segment", "held")
    assert [(s["outcome"], s["list"]) for s in free["customers"][0]["segments"]] == [("holdout", "held.holdout.csv")]
    shown = said(shop, HEAD + GATES, "C01", "C02")
    assert "matches, claimed by first\n" in shown and "written, variant " in shown
    assert "matches, without consent\n" in shown and "matches, never written\n" in shown


FUNNEL = """\
3 customers on 2024-03-01

first
                                                                   satisfy  left
  age      at least 18                                                   2     2
  sample                                                                -2     0
  written                                                                      0
"""


def test_the_funnel_of_a_segment(shop: Desk) -> None:
    rules = (
        HEAD + "[segment.first]\ndemographic.age.min = 18\nsample = 0\n[segment.b]\neveryone = true\nwrite = false\n"
    )
    assert said(shop, rules, "--segment", "first") == FUNNEL
    first, second = told(shop, rules)["funnels"]
    assert first["steps"] == [
        {"subject": "age", "wanted": "at least 18", "path": "segment.first.demographic.age", "satisfied": 2, "left": 2}
    ]
    assert first["gates"] == [{"reason": "sample", "stopped": 2, "left": 0}]
    assert (second["matched"], second["written"], second["steps"], second["gates"]) == (3, 0, [], [])


def test_a_criterion_without_a_column_is_counted_for_everybody(shop: Desk) -> None:
    rules = HEAD + '[segment.a]\nsql = "1 < 2"\n[segment.b]\nsql = "1 < 2"\ndemographic.age.min = 18\n'
    alone, beside = told(shop, rules)["funnels"]
    assert [(step["satisfied"], step["left"]) for step in alone["steps"]] == [(3, 3)]
    assert sorted(step["satisfied"] for step in beside["steps"]) == [2, 3]


@pytest.mark.parametrize(
    ("lines", "orders"),
    [
        ("", "C01,2024-02-10,A\nC01,2024-02-20,B\nC02,2024-02-01,C\n"),
        ("", " C01,2024-02-10,A\nC01 ,2024-02-20,B\nC02,2024-02-01,C\n"),
        ('normalise_keys = ["case"]', "c01,2024-02-10,A\nC01,2024-02-20,B\nC02,2024-02-01,C\n"),
    ],
)
def test_what_is_told_of_events_of_one_customer(desk: Desk, lines: str, orders: str) -> None:
    """Nobody else's events are told of, whichever way the keys are written."""
    desk.put("c.csv", "id\nC01\nC02\n")
    desk.put("o.csv", f"id,day,nr\n{orders}")
    rules = head(*filter(None, [lines])) + event_table("orders", "o.csv", 'id = "nr"')
    rules += '[segment.s]\nbehavioural.did = { events = "orders", within = "1 year", then = { within = "2 weeks" } }\n'
    rules += 'behavioural.did_not = { events = "orders", since = 2024-02-15 }\n'
    for keys in (["C01"], ["C02"], ["C02", "C01"]):
        actual = {
            one["key"]: [part["actual"] for part in one["segments"][0]["criteria"]["parts"]]
            for one in told(desk, rules, *keys)["customers"]
        }
        all_of_it = {"C01": ["1, last 2024-02-10", "1, last 2024-02-20"], "C02": ["none", "none"]}
        assert actual == {key: all_of_it[key] for key in keys}


def test_an_unknown_key_comes_last_and_names_nobody(shop: Desk) -> None:
    done = shop.segkit("explain", shop.put("rules.toml", HEAD + GROUPS), "C1", "C02", code=3)
    assert done.stdout.startswith("C02, as of")
    assert done.stderr == ("error: no customer has the key `C1`\nhint: keys look like this: one letter, two digits\n")
    json_of_known = json.loads(shop.segkit("explain", shop / "rules.toml", "C1", "C02", "--json", code=3).stdout)
    assert json_of_known["unknown"] == ["C1"] and len(json_of_known["customers"]) == 1


def test_no_customers_at_all(shop: Desk) -> None:
    shop.put("c.csv", PEOPLE.splitlines()[0] + "\n")
    done = shop.segkit("explain", shop.put("rules.toml", head() + "[segment.a]\neveryone = true\n"), "C1", code=3)
    assert "hint: the customer file has no customers\n" in done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [(["--segment", "b"], "there is no segment `b`"), (["C01", "--as-of", "soon"], "not a date")],
)
def test_what_is_wrong_is_told(shop: Desk, args: list[str], message: str) -> None:
    done = shop.segkit("explain", shop.put("rules.toml", HEAD + "[segment.a]\neveryone = true\n"), *args, code=2)
    assert message in done.stderr


def test_explaining_computes_what_a_run_computes(shop: Desk) -> None:
    """RFM scores and shares are those among all customers, not among those who are asked for."""
    rules = HEAD + '[rfm]\nevents = "orders"\nbins = 2\n[segment.a]\nrfm.r_score = 2\n'
    found = told(shop, rules, "C03")
    assert rows(found["customers"][0]["segments"][0]["criteria"])[0][3:] == ("1", False)


WRITTEN_DOWN = """
[consent]
require.ok = true
[rfm]
events = "orders"
bins = 2
[segment.grown]
demographic.age.min = 18
[segment.sand]
behavioural.did = { events = "orders", where.kind = "sand" }
[segment.best]
rfm.m_score = 2
[segment.top]
demographic.spend.top_percent = 50
"""


def test_a_customer_as_a_test(shop: Desk) -> None:
    written = said(shop, HEAD + WRITTEN_DOWN, "C01", "C02", "--as-test")
    first, second = tomli.loads(written)["test"]
    assert first == {
        "name": "customer 1, in grown, sand, best", "as_of": dt.date(2024, 3, 1),
        "customer": {"age": 40, "ok": True, "spend": 100.5, "r_score": 2, "f_score": 2, "m_score": 2},
        "events": {"orders": [{"day": dt.date(2024, 2, 10), "kind": "sand", "total": 5},
                              {"day": dt.date(2024, 2, 20), "kind": "example 2", "total": 7.5}]},
        "segments": ["grown", "sand", "best"], "written": ["grown", "sand", "best"],
    }  # fmt: skip
    assert (second["segments"], second["written"]) == ([], [])
    assert "# `top`: no test can tell, which has one customer" in written
    assert "C01" not in written
    shop.put("tested.toml", HEAD + WRITTEN_DOWN + written)
    assert "2 passed" in shop.segkit("test", shop / "tested.toml").stdout


PERSONAL = """id,email,born,lat,lon,first_name
C1,anna.berger@gmx.de,1980-03-17,48.8566,2.3522,Anna
C2,ben@gmail.com,2010-03-17,52.5200,13.4050,Ben
"""


@pytest.mark.parametrize(
    ("gate", "comment"),
    [
        ("limit = 1", "# beyond the limit of `a` in the data: a test leaves draws and limits aside"),
        ("holdout = 100", "# held out of `a` in the data: a test leaves draws and limits aside"),
        ("sample = 0.0001", "# not in the sample of `a` in the data: a test leaves draws and limits aside"),
        ("limit = 2", ""),
    ],
)
def test_a_test_says_where_the_data_say_otherwise(shop: Desk, gate: str, comment: str) -> None:
    rules = HEAD + f"[segment.a]\ndemographic.age.min = 40\n{gate}\n"
    written = said(shop, rules, "C03", "--as-test")
    assert 'written = ["a"]' in written
    assert [line for line in written.splitlines() if line.startswith("#")] == ([comment] if comment else [])
    shop.segkit("test", shop.put("rules.toml", rules + written))


def test_what_is_personal_is_made_up(desk: Desk) -> None:
    desk.put("c.csv", PERSONAL)
    rules = (
        head('latitude = "lat"', 'longitude = "lon"')
        + """
[trait.age]
years_since = "born"
[segment.german-mail]
demographic.email.ends_with = ".de"
[segment.grown]
demographic.age.min = 18
[segment.birthday]
demographic.born.anniversary_within = "1 month"
[segment.paris]
geographic.near = { latitude = 48.85, longitude = 2.35, km = 20 }
[segment.annas]
demographic.first_name.starts_with = "An"
"""
    )
    written = said(desk, rules, "C1", "--as-test")
    (test,) = tomli.loads(written)["test"]
    assert test["segments"] == ["german-mail", "grown", "birthday", "paris", "annas"]
    cells = test["customer"]
    for value in ("anna.", "Anna", "berger", "1980-03-17", "48.8566", "2.3522", "gmx"):
        assert value not in written
    assert cells["email"].endswith(".de") and cells["first_name"].startswith("An")
    desk.put("tested.toml", rules + written)
    assert "1 passed" in desk.segkit("test", desk / "tested.toml").stdout


def test_what_cannot_be_made_up_is_told(desk: Desk) -> None:
    desk.put("c.csv", PERSONAL)
    rules = head() + "[segment.a]\ndemographic.email.matches = '^[a-z]+\\.[b-f]{1}erger@'\n"
    done = desk.segkit("explain", desk.put("rules.toml", rules), "C1", "--as-test")
    assert "`email` of `customers` is personal, and left as it is" in done.stdout.splitlines()[0]
    assert "warning: test 1: `email` of `customers` is personal" in done.stderr
    assert "anna" not in done.stderr


def test_ids_of_orders_are_made_up(desk: Desk) -> None:
    desk.put("c.csv", "id\nC1\n")
    desk.put("o.csv", "id,day,order_no\nC1,2024-01-05,SO-7001\nC1,2024-01-05,SO-7001\nC1,2024-02-05,SO-7002\n")
    rules = head() + event_table("orders", "o.csv", 'id = "order_no"')
    rules += '[segment.a]\nbehavioural.did = { events = "orders", min = 2, max = 2 }\n'
    written = said(desk, rules, "C1", "--as-test")
    (test,) = tomli.loads(written)["test"]
    assert [row["order_no"] for row in test["events"]["orders"]] == ["001", "001", "002"] and test["segments"] == ["a"]


@pytest.mark.parametrize("args", [("--as-test",), ("C01", "--as-test", "--json"), ("C01", "--near-misses", "2")])
def test_what_does_not_go_together(shop: Desk, args: tuple[str, ...]) -> None:
    shop.segkit("explain", shop.put("rules.toml", HEAD + WRITTEN_DOWN), *args, code=2)


def test_near_misses(shop: Desk) -> None:
    rules = HEAD + '[segment.a]\ngeographic.country = "FR"\ndemographic.age.min = 50\n[segment.b]\nin_segment = "a"\n'
    (near, of_b) = told(shop, rules, "--near-misses", "1")["near_misses"]
    assert near["members"] == 0 and near["exact"] and near["distances"] == [
        {"conditions": 1, "customers": 2}, {"conditions": 2, "customers": 1}
    ]  # fmt: skip
    assert of_b["conditions"] == near["conditions"]
    assert {one["path"]: (one["customers"], one["nearest"]) for one in near["conditions"]} == {
        "segment.a.geographic.country": (1, [{"key": "C03", "actual": '"DE"', "missing": False}]),
        "segment.a.demographic.age": (1, [{"key": "C01", "actual": "40", "missing": False}]),
    }
    text = said(shop, rules, "--near-misses", "1", "--segment", "a")
    assert "members: 0, 1 condition away: 2, 2 conditions away: 1" in text and "C01  40" in text


def test_the_nearest_come_first(desk: Desk) -> None:
    desk.put("c.csv", "id,age,day\n" + "\n".join(f"{k},{age},{day}" for k, age, day in [
        ("A", 10, "2024-02-01"), ("B", 17, "2023-01-01"), ("C", "", "2023-12-30"), ("D", 16, "2024-03-01"),
    ]) + "\n")  # fmt: skip
    rules = head() + '[segment.a]\ndemographic.age.min = 18\n[segment.b]\nbehavioural.day.older_than = "60 days"\n'
    a, b = told(desk, rules, "--near-misses", "9")["near_misses"]
    assert [one["key"] for one in a["conditions"][0]["nearest"]] == ["B", "D", "A", "C"]
    assert [one["key"] for one in b["conditions"][0]["nearest"]] == ["A", "D"]


def test_a_test_of_who_may_be_claimed_by_what_no_test_can_tell(shop: Desk) -> None:
    rules = (
        HEAD
        + """
[assignment]
mode = "exclusive"
[segment.top]
demographic.spend.top_percent = 30
[segment.rest]
demographic.age.max = 20
"""
    )
    written = said(shop, rules, "C02", "--as-test")
    (test,) = tomli.loads(written)["test"]
    assert test["segments"] == ["rest"] and test["written"] == []
    assert "# `top`: no test can tell" in written and "# whether `rest` is written, no test can tell" in written
    shop.put("tested.toml", rules + written)
    assert "1 passed" in shop.segkit("test", shop / "tested.toml").stdout


NUMBERS = """id,phone,postcode,born,first_name,tags
C1,33612345101,75011,1951-03-21,Zoé 1,a|
C2,33612345102,13002,1990-04-01,Ben,b
"""


def test_numbers_and_days_of_people_are_not_moved_by_one(desk: Desk) -> None:
    desk.put("c.csv", NUMBERS)
    rules = (
        head('lists = { tags = "|" }')
        + """
[trait.age]
years_since = "born"
[segment.called]
demographic.phone.min = 33612345100
[segment.paris]
geographic.postcode.between = [75001, 75020]
[segment.old]
demographic.age.min = 60
[segment.zoe]
demographic.first_name.starts_with = "Zoé"
[segment.a]
needs.tags.has_any = "a"
"""
    )
    written = said(desk, rules, "C1", "--as-test")
    (test,) = tomli.loads(written)["test"]
    cells = test["customer"]
    assert cells["phone"] == 33612345100 and cells["postcode"] in (75001, 75020)
    assert cells["born"] == dt.date(1951, 1, 1) and cells["first_name"] not in ("Zoé 1",)
    assert "None" not in written and test["segments"] == ["called", "paris", "old", "zoe", "a"]


def test_the_time_of_day_is_part_of_a_test(desk: Desk) -> None:
    desk.put("c.csv", "id\nC1\n")
    desk.put("o.csv", "id,at\nC1,2024-01-05 09:30:00\nC1,2024-01-05 17:00:00\n")
    rules = head() + '[events.orders]\npath = "o.csv"\ntime = "at"\nderive.hour = "EXTRACT(HOUR FROM at)"\n'
    rules += '[segment.early]\nbehavioural.did = { events = "orders", where.hour.below = 12, max = 1 }\n'
    written = said(desk, rules, "C1", "--as-test")
    (test,) = tomli.loads(written)["test"]
    assert [row["at"].hour for row in test["events"]["orders"]] == [9, 17] and test["segments"] == ["early"]


def test_the_nearest_of_a_share_that_is_refused(desk: Desk) -> None:
    desk.put("c.csv", "id,x\n" + "".join(f"C{n},{n}\n" for n in range(10)))
    rules = head() + "[segment.a]\nnone = [{ demographic.x.top_percent = 30 }]\n"
    (near,) = told(desk, rules, "--near-misses", "9")["near_misses"]
    assert [one["key"] for one in near["conditions"][0]["nearest"]] == ["C7", "C8", "C9"]


def test_ids_that_conditions_look_at_stay(desk: Desk) -> None:
    desk.put("c.csv", "id\nC1\n")
    desk.put("o.csv", "id,day,order_no\nC1,2024-01-05,SO-7001\n")
    rules = head() + event_table("orders", "o.csv", 'id = "order_no"')
    rules += '[segment.a]\nbehavioural.did = { events = "orders", where.order_no.starts_with = "SO-" }\n'
    written = said(desk, rules, "C1", "--as-test")
    (test,) = tomli.loads(written)["test"]
    assert test["segments"] == ["a"] and written.startswith(
        "# `order_no` of `orders` stays as it is, since a condition"
    )


def test_words_that_few_customers_have_are_made_up(desk: Desk) -> None:
    desk.put("c.csv", "id,note,city\n" + "".join(f"C{n},about {n},{'Lyon' if n % 2 else 'Ulm'}\n" for n in range(20)))
    desk.put("o.csv", "id,day,gift\n" + "".join(f"C{n},2024-01-05,for Léa {n}\n" for n in range(20)))
    rules = head() + event_table("orders", "o.csv")
    rules += """
[output]
hash = ["city"]
[segment.a]
demographic.note.missing = false
demographic.city = ["Lyon", "Paris"]
behavioural.did = { events = "orders", where.gift.missing = false }
"""
    written = said(desk, rules, "C3", "--as-test")
    assert "about 3" not in written and "Léa" not in written
    assert tomli.loads(written)["test"][0]["segments"] == ["a"]


def test_numbers_and_days_that_tell_who_it_is_are_made_up(desk: Desk) -> None:
    """Whatever their columns are called; not those that several customers have, and not what is younger."""
    rows = [f"C{n},{40_023_000 + n},900001,{20 + n},1952-09-{n + 10},2023-01-{n + 10}" for n in range(1, 10)]
    desk.put("c.csv", "id,member,household,age,bday,since\n" + "\n".join(rows) + "\n")
    names = ("member", "household", "age", "bday", "since")
    rules = head() + "[segment.a]\n" + "".join(f"demographic.{name}.missing = false\n" for name in names)
    written = said(desk, rules, "C4", "--as-test")
    assert "40023004" not in written and "1952-09-14" not in written
    assert "household = 900001" in written and "age = 24" in written and "since = 2023-01-14" in written
    desk.segkit("test", desk.put("rules.toml", rules + written))


def test_what_customers_take_from_their_events_stands_there(desk: Desk) -> None:
    rules = """version = 1
as_of = 2024-06-30
[customers]
from = "orders"
key = "id"
columns = ["city"]
[events.orders]
path = "o.csv"
time = "day"
[segment.a]
demographic.city = "Rome"
"""
    desk.put("o.csv", "id,day,city\n" + "".join(f"C{n},2024-01-02,Rome\n" for n in range(9)))
    written = said(desk, rules, "C4", "--as-test")
    assert "customer =" not in written and '{ day = 2024-01-02, city = "Rome" }' in written
    desk.segkit("test", desk.put("rules.toml", rules + written))
    rules = rules.replace('demographic.city = "Rome"', 'behavioural.did = { events = "orders", where.city = "Rome" }')
    rules += '[segment.b]\ndemographic.city = "Rome"\n'
    written = said(desk, rules, "C4", "--as-test")
    assert "customer =" not in written and 'city = "Rome"' in written
    desk.segkit("test", desk.put("rules.toml", rules + written))
    two = written.replace("events.orders", 'customer = { city = "Oslo" }\nevents.orders')
    done = desk.segkit("test", desk.put("rules.toml", rules + two), code=2)
    assert 'customers have their `city` from `orders`, where it is "Rome"' in done.stderr


def test_the_nearest_by_days(desk: Desk) -> None:
    days = {"A": "2024-03-02", "B": "2024-01-20", "C": "2023-06-01", "D": "2024-02-20"}
    desk.put("c.csv", "id,day\n" + "".join(f"{k},{day}\n" for k, day in days.items()))
    rules = head() + '[segment.a]\nbehavioural.day.within = "30 days"\n'
    (near,) = told(desk, rules, "--near-misses", "9")["near_misses"]
    assert [one["key"] for one in near["conditions"][0]["nearest"]] == ["A", "B", "C"]


def test_what_looks_like_a_variable_is_none(desk: Desk) -> None:
    desk.put("c.csv", "id,x\n" + "C1,${HOME}\n" * 1 + "".join(f"C{n},${{HOME}}\n" for n in range(2, 9)))
    rules = head() + '[segment.a]\ndemographic.x.contains = "$${HO"\n'
    written = said(desk, rules, "C1", "--as-test")
    assert "$${HOME}" in written
    desk.put("tested.toml", rules + written)
    assert "1 passed" in desk.segkit("test", desk / "tested.toml").stdout
