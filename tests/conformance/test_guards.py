"""`expect`: a run that breaks a bound exits 1, says which, and publishes nothing."""

from __future__ import annotations

import shutil
import threading

import pytest

from segkit.errors import CheckFailed
from segkit.io.publish import lock
from segkit.operations.apply import apply
from segkit.results.apply import ApplyResult
from tests.desk import Desk, head

HEAD = head()
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
def test_bounds(desk: Desk, expect: str, says: str | None) -> None:
    desk.put("c.csv", CUSTOMERS)
    done = desk.apply(rules(expect), code=1 if says else 0)
    assert (desk / "segments").exists() == (says is None)
    assert says is None or f"error: {says}\n" in done.stderr


def test_all_broken_bounds_are_named(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    done = desk.apply(rules("min_size = 9, min_percent = 99"), code=1)
    assert "`min_size` is 9" in done.stderr
    assert "`min_percent` is 99" in done.stderr


@pytest.mark.parametrize(("most", "code"), [("50", 0), ("33.33", 1), ("33.34", 0), ("10", 1)])
def test_change_against_the_last_run(desk: Desk, most: str, code: int) -> None:
    desk.put("c.csv", CUSTOMERS)
    desk.apply(rules(f"max_change_percent = {most}"))
    before = desk.tree()
    done = desk.apply(rules(f"max_change_percent = {most}", age=30), code=code)
    assert (desk.tree() == before) == bool(code)
    if code:
        assert f"writes 2 customers, 3 in the run before (-33.33 %): `max_change_percent` is {most}" in done.stderr
        desk.apply(rules(f"max_change_percent = {most}", age=30), "--accept-changes")
        assert desk.tree() != before


def test_accepted_changes_do_not_excuse_a_size(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    desk.apply(rules("min_size = 9"), "--accept-changes", code=1)


def test_previous_run(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    desk.apply(rules("max_change_percent = 10"), "-o", desk / "monday")
    desk.apply(rules("max_change_percent = 10", age=30), "-o", desk / "tuesday")
    more = ("-o", desk / "tuesday", "--previous", desk / "monday")
    assert "3 in the run before" in desk.apply(rules("max_change_percent = 10", age=30), *more, code=1).stderr
    missing = desk.apply(rules("max_change_percent = 10"), "--previous", desk / "sunday", code=2)
    assert "holds no run" in missing.stderr


def test_a_directory_a_day_has_no_run_before(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    text = rules("max_change_percent = 10") + '[output]\ndirectory = "runs/{as_of}"\n'
    assert "`previous" in desk.apply(text, code=2).stderr


def test_the_last_run_is_the_last_one_when_it_is_this_runs_turn(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that waits for another is compared with what that one has published."""
    monkeypatch.chdir(desk.folder)
    many = "id,age\n" + "".join(f"c{i},20\n" for i in range(100))
    desk.put("c.csv", CUSTOMERS)
    text = rules("max_change_percent = 20")
    desk.apply(text)
    desk.put("many.csv", many)
    desk.segkit("apply", desk / "rules.toml", "--customers", "many.csv", "-o", "other")
    waits = threading.Event()
    ended: list[ApplyResult | CheckFailed] = []

    def run() -> None:
        try:
            ended.append(apply(desk / "rules.toml", progress=lambda what: waits.set() if "wait" in what else None))
        except CheckFailed as error:
            ended.append(error)

    with lock.locked(desk / ".segments.segkit-lock", desk / "segments", wait=True, on_wait=print):
        thread = threading.Thread(target=run)
        thread.start()
        assert waits.wait(30)
        shutil.rmtree(desk / "segments")
        shutil.move(desk / "other", desk / "segments")
    thread.join(30)
    (error,) = ended
    assert "writes 3 customers, 100 in the run before" in str(error)
    assert desk.tree()["s.csv"].count(b"\n") == 101
