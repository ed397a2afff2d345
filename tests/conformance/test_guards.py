"""`expect`: a run that breaks a bound exits 1, says which, and publishes nothing."""

from __future__ import annotations

import pytest

HEAD = """version = 1
as_of = 2024-03-01
[customers]
path = "c.csv"
key = "id"
"""
CUSTOMERS = "id,age\na,10\nb,20\nc,30\nd,40\n"


def rules(expect: str, age: int = 20) -> str:
    return f"{HEAD}[segment.s]\ndemographic.age.min = {age}\nexpect = {{ {expect} }}\n"


@pytest.mark.parametrize(
    ("expect", "says"),
    [
        ("min_size = 3", None),
        ("max_size = 3", None),
        ("min_percent = 75", None),
        ("max_percent = 75", None),
        ("min_size = 4", "segment `s` writes 3 customers: `min_size` is 4"),
        ("max_size = 2", "segment `s` writes 3 customers: `max_size` is 2"),
        ("min_percent = 75.5", "segment `s` writes 75 % of all customers: `min_percent` is 75.5"),
        ("max_percent = 74.9", "segment `s` writes 75 % of all customers: `max_percent` is 74.9"),
    ],
)
def test_bounds(desk, expect, says):
    desk.put("c.csv", CUSTOMERS)
    done = desk.apply(rules(expect), code=1 if says else 0)
    assert (desk / "segments").exists() == (says is None)
    assert says is None or f"error: {says}\n" in done.stderr


def test_all_broken_bounds_are_named(desk):
    desk.put("c.csv", CUSTOMERS)
    done = desk.apply(rules("min_size = 9, min_percent = 99"), code=1)
    assert "`min_size` is 9" in done.stderr
    assert "`min_percent` is 99" in done.stderr


@pytest.mark.parametrize(("most", "code"), [("50", 0), ("33.33", 1), ("33.34", 0), ("10", 1)])
def test_change_against_the_last_run(desk, most, code):
    desk.put("c.csv", CUSTOMERS)
    desk.apply(rules(f"max_change_percent = {most}"))
    before = desk.tree()
    done = desk.apply(rules(f"max_change_percent = {most}", age=30), code=code)
    assert (desk.tree() == before) == bool(code)
    if code:
        assert f"writes 2 customers, 3 in the run before (-33.33 %): `max_change_percent` is {most}" in done.stderr
        desk.apply(rules(f"max_change_percent = {most}", age=30), "--accept-changes")
        assert desk.tree() != before


def test_accepted_changes_do_not_excuse_a_size(desk):
    desk.put("c.csv", CUSTOMERS)
    desk.apply(rules("min_size = 9"), "--accept-changes", code=1)


def test_previous_run(desk):
    desk.put("c.csv", CUSTOMERS)
    desk.apply(rules("max_change_percent = 10"), "-o", desk / "monday")
    desk.apply(rules("max_change_percent = 10", age=30), "-o", desk / "tuesday")
    more = ("-o", desk / "tuesday", "--previous", desk / "monday")
    assert "3 in the run before" in desk.apply(rules("max_change_percent = 10", age=30), *more, code=1).stderr
    missing = desk.apply(rules("max_change_percent = 10"), "--previous", desk / "sunday", code=2)
    assert "holds no run" in missing.stderr


def test_a_directory_a_day_has_no_run_before(desk):
    desk.put("c.csv", CUSTOMERS)
    text = rules("max_change_percent = 10") + '[output]\ndirectory = "runs/{as_of}"\n'
    assert "`previous" in desk.apply(text, code=2).stderr
