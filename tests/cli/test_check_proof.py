"""What `segkit check` says without data beyond errors: claims, relations of segments, what a change does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from segkit.cli import main

HEAD = """version = 1
[customers]
path = "customers.csv"
key = "id"
[trait.age]
years_since = "born"
"""
OLD = (
    HEAD
    + """[segment.grown]
demographic.age.min = 18
[segment.old]
demographic.age.min = 65
[segment.young]
demographic.age.max = 17
[segment.paris]
geographic.city = "Paris"
[segment.gone]
geographic.city = "Nice"
"""
)
NEW = (
    HEAD
    + """[segment.grown]
demographic.age = { min = 18, or_missing = true }
[segment.old]
demographic.age.min = 70
[segment.young]
demographic.age.below = 18
[segment.paris]
geographic.city = "Lyon"
[segment.fresh]
geographic.city = "Lille"
"""
)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["check", *arguments])


def files(directory: Path, **texts: str) -> list[str]:
    for name, text in texts.items():
        (directory / f"{name}.toml").write_text(text)
    return [str(directory / f"{name}.toml") for name in texts]


def test_a_claim_is_a_warning_with_code_and_place(tmp_path: Path) -> None:
    (rules,) = files(tmp_path, rules=OLD + "[segment.none]\ndemographic.age.min = 30\nin_segment = 'young'\n")
    result = run(rules)
    assert result.exit_code == 0
    assert "warning: this segment never holds" in result.output and "code: SEG101 never-holds" in result.output
    assert f"{rules}:17:" in result.output
    assert run(rules, "--fail-on", "warning").exit_code == 1


def test_a_note_changes_no_exit_code(tmp_path: Path) -> None:
    (rules,) = files(tmp_path, rules=OLD + "[segment.more]\ndemographic.age.min = 30\nin_segment = 'grown'\n")
    result = run(rules, "--fail-on", "warning")
    assert result.exit_code == 0
    assert "note: this criterion changes nothing" in result.output and "code: SEG105 implied-condition" in result.output


def test_relations(tmp_path: Path) -> None:
    (rules,) = files(tmp_path, rules=OLD)
    result = run(rules, "--relations")
    assert "old    all its customers are in grown\n" in result.output
    found = json.loads(run(rules, "--relations", "--json").stdout)["relations"]
    assert {"relation": "within", "segment": "old", "other": "grown"} in found
    assert {"relation": "apart", "segment": "grown", "other": "young"} in found
    assert "relations" not in json.loads(run(rules, "--json").stdout)


def test_what_a_change_does(tmp_path: Path) -> None:
    old, new = files(tmp_path, old=OLD, new=NEW)
    found = json.loads(run(new, "--against", old, "--json").stdout)["changes"]
    assert {one["segment"]: one["change"] for one in found} == {
        "grown": "wider", "old": "narrower", "young": "same", "paris": "apart", "fresh": "added", "gone": "removed"
    }  # fmt: skip
    assert "young  matches the same customers\n" in run(new, "--against", old).output


def test_what_is_computed_in_another_way_is_not_compared(tmp_path: Path) -> None:
    old, new = files(tmp_path, old=OLD, new=OLD.replace('"born"', '"baptised"'))
    found = json.loads(run(new, "--against", old, "--json").stdout)["changes"]
    assert {one["segment"]: one["change"] for one in found} == {
        "grown": "unknown", "old": "unknown", "young": "unknown", "paris": "same", "gone": "same"
    }  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [("2024-01-01", "2025-01-01"), ("", "2025-01-01"), ("2024-01-01", "")])
def test_another_day_is_another_thing(tmp_path: Path, before: str, after: str) -> None:
    """A window that is written alike lies elsewhere."""
    text = OLD.replace("version = 1\n", "version = 1\n{}").replace("years_since", "days_since")
    dated = [text.format(f"as_of = {day}\n" if day else "") for day in (before, after)]
    old, new = files(tmp_path, old=dated[0], new=dated[1])
    found = json.loads(run(new, "--against", old, "--json").stdout)["changes"]
    assert {one["change"] for one in found} == {"unknown"}


def test_an_older_file_with_errors_is_an_error(tmp_path: Path) -> None:
    old, new = files(tmp_path, old="version = 2\n", new=NEW)
    result = run(new, "--against", old)
    assert result.exit_code == 2
    assert old in result.output
