"""Data that ends before the day of the run, and values that nobody has: told, or refused where it is asked."""

from __future__ import annotations

import json

import pytest

from tests.desk import Desk, event_table, head

ALL = "[segment.all]\neveryone = true\n"


def put_events(desk: Desk, *days: str, where: str = "yes") -> None:
    desk.put("c.csv", "id\na\nb\n")
    desk.put("o.csv", "id,day,total,counts\n" + "".join(f"a,{day},5,{where}\n" for day in days))


def warned(desk: Desk, rules: str, *args: object) -> list[str]:
    return [w["message"] for w in desk.json(rules, *args)["warnings"]]


# --- events that end long before `as_of` ---

ORDERS = event_table("o", "o.csv", 'amount = "total"')
AGED = [
    ('[trait.t]\nevents = "o"\nwithin = "30 days"\n[output]\ncolumns = ["t"]\n', True),
    ('[trait.t]\nevents = "o"\nsince = "30 days"\n[output]\ncolumns = ["t"]\n', True),
    ('[trait.t]\nevents = "o"\nbetween = ["2 years", "1 year"]\n[output]\ncolumns = ["t"]\n', True),
    ('[trait.t]\nevents = "o"\nmeasure = "days_since_last"\n[output]\ncolumns = ["t"]\n', True),
    ('[segment.d]\nbehavioural.did_not = { events = "o", within = "90 days" }\n', True),
    ('[lifecycle]\nevents = "o"\n[output]\ncolumns = ["lifecycle"]\n', True),
    ('[rfm]\nevents = "o"\n[output]\ncolumns = ["rfm_code"]\n', True),
    ('[frequency_cap]\nevents = "o"\nmax = 3\nwithin = "7 days"\n', True),
    ('[trait.t]\nevents = "o"\n[output]\ncolumns = ["t"]\n', False),
    ('[trait.t]\nevents = "o"\nmeasure = "last"\n[output]\ncolumns = ["t"]\n', False),
    ('[trait.t]\nevents = "o"\nsince = 2020-01-01\n[output]\ncolumns = ["t"]\n', False),
    ('[trait.t]\nevents = "o"\nwithin = "30 days"\n', False),  # nobody asks for it, so nothing is read
    ('[value]\nevents = "o"\n[output]\ncolumns = ["revenue"]\n', False),
]


@pytest.mark.parametrize(("more", "told"), AGED)
def test_a_table_that_ends_long_before_the_day_of_the_run_is_told(desk: Desk, more: str, told: bool) -> None:
    rules = head() + ORDERS + ALL + more
    put_events(desk, "2022-01-01", "2023-02-28", "2024-03-02", "", "2022-05-05")  # 2024-03-02 does not exist yet
    found = [m for m in warned(desk, rules) if "the last event" in m]
    assert found == ["the last event of `o` was on 2023-02-28, 367 days before 2024-03-01"] * told
    put_events(desk, "2022-01-01", "2023-03-01")
    assert not [m for m in warned(desk, rules) if "the last event" in m]
    put_events(desk)
    assert not [m for m in warned(desk, rules) if "the last event" in m]


def test_a_check_which_takes_no_other_day_does_not_tell_it(desk: Desk) -> None:
    put_events(desk, "2022-01-01")
    rules = desk.put("rules.toml", head() + ORDERS + ALL + AGED[0][0])
    assert "the last event" not in desk.segkit("check", rules, "--data").stderr


def test_only_rows_that_where_keeps_are_the_last_event(desk: Desk) -> None:
    rules = head() + ORDERS + 'where.counts = "yes"\n' + ALL + AGED[0][0]
    put_events(desk, "2022-01-01")
    with (desk / "o.csv").open("a") as file:
        file.write("a,2024-02-01,5,no\n")
    assert [m for m in warned(desk, rules) if "2022-01-01, 790 days before" in m]


def test_the_last_event_is_found_where_measures_compare_rows(desk: Desk) -> None:
    """Rows that are left out go another way then."""
    rules = head() + event_table("o", "o.csv", 'id = "total"') + ALL + AGED[0][0]
    put_events(desk, "2022-01-01", "2024-03-02")
    assert [m for m in warned(desk, rules) if "2022-01-01, 790 days before" in m]


def test_rfm_tells_it_too(desk: Desk) -> None:
    path = desk.put("o.csv", "customer_id,date,amount\na,2022-01-01,5\nb,2022-01-02,5\n")
    done = json.loads(desk.segkit("rfm", path, "--as-of", "2024-03-01", "--json").stdout)
    (told,) = [w for w in done["warnings"] if "the last event" in w["message"]]
    assert told["message"].endswith("was on 2022-01-02, 789 days before 2024-03-01")
    assert "--as-of 2022-01-02" in told["hint"] and told["path"] is None


# --- `expect` of an event table ---

EXPECT = ORDERS + 'where.counts = "yes"\nexpect = { max_age = "2 days" }\n'
MAX_AGE = [
    (["2024-02-28"], False),  # two days before the day of the run
    (["2024-02-27"], True),
    (["2024-02-29", "2020-01-01"], False),
    (["2024-03-01"], False),
    (["2024-02-01", "2024-03-02"], True),  # what comes after `as_of` does not count
    (["2024-03-02"], True),
    ([], True),
]


@pytest.mark.parametrize("measured", [True, False])
@pytest.mark.parametrize(("days", "broken"), MAX_AGE)
def test_events_that_are_too_old_publish_nothing(desk: Desk, days: list[str], broken: bool, measured: bool) -> None:
    rules = head() + EXPECT + ALL + ('[segment.s]\nbehavioural.did = { events = "o" }\n' if measured else "")
    put_events(desk, *days)
    with (desk / "o.csv").open("a") as file:
        file.write("a,2024-03-01,5,no\n")  # `where` drops it
    for args in ([], ["--accept-changes"], ["--dry-run"], ["-o", "-"]):
        done = desk.apply(rules, *args, code=int(broken))
        assert ("`max_age` is 2 days before `as_of`, 2024-03-01" in done.stderr) == broken
        if broken:
            assert "rules.toml" in done.stderr and "nothing was written" in done.stderr
            assert not (desk / "segments").exists()


def test_the_last_good_run_stays(desk: Desk) -> None:
    put_events(desk, "2024-02-29")
    desk.apply(head() + EXPECT + ALL)
    before = desk.tree()
    put_events(desk, "2024-02-01")
    told = desk.apply(head() + EXPECT + ALL + "expect = { min_size = 3 }\n", code=1).stderr
    assert "the last event of `o` that counts was on 2024-02-01" in told and "`min_size` is 3" in told
    assert desk.tree() == before


def test_like_does_not_take_it_over(desk: Desk) -> None:
    put_events(desk, "2024-02-29")
    refunds = '[events.refunds]\nlike = "o"\nwhere.total.below = 0\n'
    desk.apply(head() + EXPECT + refunds + '[segment.s]\nbehavioural.did_not = { events = "refunds" }\n')


@pytest.mark.parametrize("expect", ["{}", "{ min_size = 3 }", '{ max_age = "soon" }'])
def test_expectations_that_are_none(desk: Desk, expect: str) -> None:
    put_events(desk, "2024-02-29")
    assert "max_age" in desk.apply(head() + ORDERS + f"expect = {expect}\n" + ALL, code=2).stderr


# --- values that nobody has, of segments that nobody matches ---

MARRIED = head("lists = { hobbies = ',' }") + ORDERS
VALUES = [
    ('demographic.status = "married"', ["married"]),
    ('demographic.status = "Married"\ndemographic.country = "FR"', []),
    ('demographic.status = ["Married", "Single"]', []),  # somebody matches
    ('demographic.status = { is = "MARRIED", ignore_case = true }', []),
    ('psychographic.hobbies.has_all = ["golf", "Chess"]', ["Chess"]),
    ('behavioural.did = { events = "o", where.counts = "YES" }', ["YES"]),
    ("behavioural.t.min = 1", ["Yes"]),
    ("behavioural.u.min = 1", []),  # no text
]


@pytest.mark.parametrize(("criteria", "values"), VALUES)
def test_values_that_do_not_occur_are_told_where_nobody_matches(desk: Desk, criteria: str, values: list[str]) -> None:
    put_events(desk, "2024-02-29")
    desk.put("c.csv", 'id,status,country,hobbies\na,Married,DE,"golf,chess"\nb,Divorced,FR,\n')
    traits = '[trait.t]\nevents = "o"\nwhere.counts = "Yes"\n[trait.u]\nevents = "o"\nwhere.total.above = 9\n'
    rules = MARRIED + traits + f"[segment.s]\n{criteria}\n"
    done = desk.json(rules)
    found = [w for w in done["warnings"] if "does not occur" in w["message"]]
    assert [w["message"].split("`")[1] for w in found] == values
    assert all(w["hint"] == "`segkit check --data` shows the values that occur" for w in found)
    assert "Divorced" not in json.dumps(json.loads((desk / "segments/manifest.json").read_text())["warnings"])


def test_at_most_twenty_values_are_told(desk: Desk) -> None:
    desk.put("c.csv", "id,status\na,Married\n")
    values = json.dumps([f"v{i}" for i in range(50)])
    found = warned(desk, head() + f"[segment.s]\ndemographic.status = {values}\n")
    assert len(found) == 21 and found[-1].startswith("30 more values")


def test_a_segment_with_somebody_is_not_looked_at(desk: Desk) -> None:
    desk.put("c.csv", "id,status\na,Married\n")
    rules = head() + '[segment.s]\ndemographic.status = ["Married", "married"]\n'
    assert warned(desk, rules) == []


def test_without_customers_only_that_is_told(desk: Desk) -> None:
    desk.put("c.csv", "id,status\n")
    assert warned(desk, head() + '[segment.s]\ndemographic.status = "x"\n') == ["`customers` has no rows"]


def test_a_table_that_begins_after_the_day_of_the_run_is_told(desk: Desk) -> None:
    rules = head() + ORDERS + ALL + '[segment.never]\nbehavioural.did_not = { events = "o" }\n'
    put_events(desk, "2024-03-02", "2024-03-05")
    assert "`o` has no event up to 2024-03-01, and 2 events after that day" in warned(desk, rules)
    told = desk.segkit("rfm", desk / "o.csv", "--key", "id", "--as-of", "2024-03-01").stdout
    assert "has no event up to 2024-03-01" in told
    put_events(desk, "2024-03-01", "2024-03-05")
    assert not [m for m in warned(desk, rules) if "no event up to" in m]
    put_events(desk, "2024-02-01", "2024-03-05")
    left_out = rules.replace('amount = "total"', 'amount = "total"\nwhere.counts = "no"')
    assert not [m for m in warned(desk, left_out) if "no event up to" in m]  # `where` is what leaves them out
