"""Lifecycle: the ready-made stages day by day, stages of one's own, and where the column can be used."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import pytest

from tests.desk import Desk, event_table, head

AS_OF = date(2024, 3, 1)
HEAD = head() + event_table("o", "o.csv")
PRESET = '[lifecycle]\nevents = "o"\n'


def ago(*days: int) -> list[date]:
    return [AS_OF - timedelta(days) for days in days]


def put(desk: Desk, events: Mapping[str, Iterable[date]]) -> None:
    desk.put("c.csv", "id\n" + "".join(f"{key}\n" for key in events))
    lines = "".join(f"{key},{day}\n" for key, days in events.items() for day in days)
    desk.put("o.csv", "id,day\n" + (lines or "nobody,2024-01-01\n"))


CASES = {
    # days ago of the events -> the stage
    (): "prospect",
    (0,): "new",
    (30,): "new",
    (31,): "active",
    (30, 20, 10, 5): "new",  # the first that holds: new comes before loyal
    (31, 20, 10): "active",
    (31, 20, 10, 5): "loyal",
    (800, 700, 600, 90): "loyal",
    (800, 700, 600, 91): "at_risk",
    (800, 90): "active",
    (90,): "active",
    (91,): "at_risk",
    (180,): "at_risk",
    (181,): "inactive",
    (365,): "inactive",
    (366,): "lost",
    (5000, 4000, 3000, 2000, 1000): "lost",
    (800, 0, 0, 0): "loyal",  # four events without ids, three of them on one day
    (-1,): "prospect",  # tomorrow does not exist
    (31, -1): "active",
    (40, 39, 38, -1): "active",
}


def test_the_ready_made_stages(desk: Desk) -> None:
    events = {f"k{number}": ago(*days) for number, days in enumerate(CASES)}
    put(desk, events)
    found = desk.columns(HEAD + PRESET, "lifecycle")
    assert {days: found[f"k{number}"] for number, days in enumerate(CASES)} == CASES


def test_everybody_is_in_one_stage_at_any_distance(desk: Desk) -> None:
    put(desk, {f"k{days}": ago(days) for days in range(400)})
    found = desk.columns(HEAD + PRESET, "lifecycle")
    ends = {"new": 30, "active": 90, "at_risk": 180, "inactive": 365, "lost": 399}
    expected = {f"k{days}": next(name for name, end in ends.items() if days <= end) for days in range(400)}
    assert found == expected


MONTHS = [
    # as_of, the duration, the last day that is still within it: months clip to the month's end
    ("2024-03-31", "1 month", "2024-02-29"),
    ("2023-03-31", "1 month", "2023-02-28"),
    ("2024-03-30", "1 month", "2024-02-29"),
    ("2024-05-31", "1 quarter", "2024-02-29"),
    ("2024-02-29", "1 year", "2023-02-28"),
    ("2024-03-01", "4 weeks", "2024-02-02"),
]


@pytest.mark.parametrize(("as_of", "length", "edge"), MONTHS)
def test_durations_are_counted_from_as_of(desk: Desk, as_of: str, length: str, edge: str) -> None:
    last = date.fromisoformat(edge)
    put(desk, {"on": [last], "before": [last - timedelta(1)]})
    lengths = "".join(f'{key} = "{length}"\n' for key in ("new_for", "at_risk_after", "inactive_after", "lost_after"))
    head = HEAD.replace("2024-03-01", as_of) + PRESET + lengths
    assert desk.columns(head, "lifecycle") == {"on": "new", "before": "lost"}  # nothing lies between equal durations


@pytest.mark.parametrize(("loyal_from", "stage"), [(1, "loyal"), (2, "loyal"), (3, "active")])
def test_loyal_from(desk: Desk, loyal_from: int, stage: str) -> None:
    put(desk, {"a": ago(60, 50)})
    assert desk.columns(f"{HEAD}{PRESET}loyal_from = {loyal_from}\n", "lifecycle") == {"a": stage}


def test_lines_of_one_order_are_one_event(desk: Desk) -> None:
    desk.put("c.csv", "id\na\nb\n")
    orders = ["a,1", "a,1", "a,1", "a,2", "b,3", "b,4", "b,", "b,"]  # without an id, each line is an event
    desk.put("o.csv", "id,order,day\n" + "".join(f"{order},2024-01-15\n" for order in orders))
    assert desk.columns(HEAD + 'id = "order"\n' + PRESET, "lifecycle") == {"a": "active", "b": "loyal"}


def test_events_without_a_day_do_not_count(desk: Desk) -> None:
    desk.put("c.csv", "id\na\nb\n")
    desk.put("o.csv", "id,day\na,\nb,2024-02-20\n")
    assert desk.columns(HEAD + PRESET, "lifecycle") == {"a": "prospect", "b": "new"}


LADDER = """
[[lifecycle.stage]]
name = "customer"
behavioural.did = { events = "o" }
[[lifecycle.stage]]
name = "Qualified lead"
any = [{ demographic.visits.min = 3 }, { sql = "visits = 1 and country = 'FR'" }]
[[lifecycle.stage]]
name = "lead"
demographic.visits.missing = false
"""


def ladder(desk: Desk) -> None:
    desk.put("c.csv", "id,visits,country\na,5,FR\nb,5,DE\nc,1,FR\nd,2,FR\ne,,FR\n")
    desk.put("o.csv", "id,day\na,2024-02-20\n")


def test_stages_of_ones_own(desk: Desk) -> None:
    ladder(desk)
    expected = {"a": "customer", "b": "Qualified lead", "c": "Qualified lead", "d": "lead", "e": ""}
    assert desk.columns(HEAD + LADDER, "lifecycle") == expected


def test_the_rest_says_everyone(desk: Desk) -> None:
    ladder(desk)
    rest = '[[lifecycle.stage]]\nname = "stranger"\neveryone = true\n'
    assert desk.columns(HEAD + LADDER + rest, "lifecycle")["e"] == "stranger"


def test_conditions_on_the_stage(desk: Desk) -> None:
    ladder(desk)
    segments = {
        "short": 'lifecycle = "lead"',
        "list": 'lifecycle = ["lead", "customer"]',
        "not": 'lifecycle.lifecycle.not = "lead"',
        "missing": "lifecycle.lifecycle.missing = true",
        "family": 'needs.lifecycle.starts_with = "Qualified"',
        "sql": "sql = \"lifecycle = 'customer' or visits = 2\"",
        "none": 'none = [{ lifecycle = "lead" }]',
    }
    assert desk.members(HEAD + LADDER, segments) == {
        "short": ["d"],
        "list": ["a", "d"],
        "not": ["a", "b", "c"],
        "missing": ["e"],
        "family": ["b", "c"],
        "sql": ["a", "d"],
        "none": ["a", "b", "c", "e"],
    }


def test_a_stage_may_ask_whatever_a_segment_may(desk: Desk) -> None:
    desk.put("c.csv", "id,x,lat,lon\na,1,48.85,2.35\nb,2,48.85,2.35\nc,3,,\nd,4,0,0\ne,5,0,0\n")
    desk.put("o.csv", "id,day,total\na,2024-02-20,5\nd,2024-02-20,50\nb,2023-01-01,1\n")
    head = HEAD.replace('key = "id"\n', 'key = "id"\nlatitude = "lat"\nlongitude = "lon"\n') + 'amount = "total"\n'
    stages = """
    [[lifecycle.stage]]
    name = "big"
    behavioural.did = { events = "o", measure = "sum", above = 20 }
    [[lifecycle.stage]]
    name = "top"
    demographic.x.top_percent = 20
    [[lifecycle.stage]]
    name = "in a segment"
    in_segment = "third"
    [[lifecycle.stage]]
    name = "near"
    geographic.near = { latitude = 48.85, longitude = 2.35, km = 1 }
    behavioural.did_not = { events = "o", within = "90 days" }
    [[lifecycle.stage]]
    name = "r"
    rfm.r_score.min = 1
    [rfm]
    events = "o"
    [segment.third]
    demographic.x = 3
    """
    expected = {"a": "r", "b": "near", "c": "in a segment", "d": "big", "e": "top"}
    assert desk.columns(head + stages, "lifecycle") == expected


def test_columns_made_of_the_stage(desk: Desk) -> None:
    ladder(desk)
    head = HEAD + LADDER + "[trait.rank]\nsql = \"case when lifecycle = 'customer' then 2 else 1 end\"\n"
    assert desk.columns(head, "rank") == {"a": "2", "b": "1", "c": "1", "d": "1", "e": "1"}


SUMMARY = [
    ("prospect", 1, 25.0), ("new", 1, 25.0), ("loyal", 0, 0), ("active", 0, 0), ("at_risk", 0, 0),
    ("inactive", 0, 0), ("lost", 2, 50.0),
]  # fmt: skip


def test_the_summary_counts_every_stage_in_order(desk: Desk) -> None:
    put(desk, {"a": [], "b": ago(3), "c": ago(900), "d": ago(901)})
    rules = HEAD + PRESET + '[segment.s]\nlifecycle = "new"\n'
    found = desk.json(rules, "--dry-run")["distributions"]
    assert [d["column"] for d in found] == ["lifecycle"]
    assert [(v["value"], v["customers"], v["share"]) for v in found[0]["values"]] == SUMMARY
    lines = desk.apply(rules).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    start = next(i for i, line in enumerate(lines) if line.startswith("lifecycle"))
    assert [line.split()[0] for line in lines[start + 2 : start + 9]] == [name for name, *_ in SUMMARY]
    manifest = json.loads((desk / "segments/manifest.json").read_text())
    assert manifest["distributions"] == found


def test_the_summary_counts_who_is_in_no_stage(desk: Desk) -> None:
    ladder(desk)
    rules = HEAD + LADDER + "[segment.s]\neveryone = true\n"
    (found,) = desk.json(rules)["distributions"]
    assert [(v["value"], v["customers"]) for v in found["values"]] == [
        ("customer", 1), ("Qualified lead", 2), ("lead", 1), (None, 1),
    ]  # fmt: skip
    assert "no stage" in desk.apply(rules).stdout


def test_without_the_section_nothing_is_counted(desk: Desk) -> None:
    put(desk, {"a": []})
    assert desk.json(HEAD + "[segment.s]\neveryone = true\n")["distributions"] == []


def test_nobody_at_all(desk: Desk) -> None:
    desk.put("c.csv", "id\n")
    desk.put("o.csv", "id,day\n")
    (found,) = desk.json(HEAD + PRESET + "[segment.s]\neveryone = true\n")["distributions"]
    assert {(v["customers"], v["share"]) for v in found["values"]} == {(0, 0)}


def test_a_column_of_that_name_in_the_file(desk: Desk) -> None:
    desk.put("c.csv", "id,lifecycle\na,old\n")
    desk.put("o.csv", "id,day\na,2024-02-20\n")
    message = desk.apply(HEAD + PRESET + "[segment.s]\neveryone = true\n", code=2).stderr
    assert "`lifecycle` takes the name of a column that the file has already (`[customers]`)" in message
    assert "rename" in message


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ('demographic.vistis.min = 3', "customers have no column `vistis`"),
        ('demographic.country.min = 3', "column `country` is text"),
        ('sql = "visits + 1"', "not true or false"),
        ('sql = "nothing = 1"', "customers have no column `nothing`"),
        ('behavioural.did = { events = "o", where.what = 1 }', "`o` has no column `what`"),
        ('sql = "lifecycle = \'x\'"', "`lifecycle` -> `lifecycle`"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_its_place(desk: Desk, stage: str, message: str) -> None:
    ladder(desk)
    done = desk.apply(f'{HEAD}[[lifecycle.stage]]\nname = "x"\n{stage}\n[segment.s]\neveryone = true\n', code=2)
    assert done.stderr.count("error:") == 1
    assert message in done.stderr
    assert "rules.toml:" in done.stderr
