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


LOOKED_UP = """version = 1
[customers]
path = "customers.csv"
key = "id"
[events.orders]
path = "orders.csv"
time = "day"
[trait.kind]
events = "orders"
measure = "{measure}"
of = "product"
[trait.orders]
events = "orders"
[lookup.kinds]
path = "kinds.csv"
on = {{ kind = "name" }}
{columns}
[lookup.makers]
path = "makers.csv"
on = "maker"
columns = ["land"]
[score.fit]
rule = [{{ geographic.land = "FR", points = {points} }}]
[segment.by_lookup]
demographic.maker = "Acme"
[segment.by_two]
geographic.land = "FR"
[segment.by_points]
score.fit_score.min = 1
[segment.by_segment]
in_segment = "by_lookup"
[segment.by_events]
behavioural.orders.min = 3
[segment.by_file]
demographic.age.min = 3
"""
LISTED = 'columns = ["maker"]'


@pytest.mark.parametrize(
    ("before", "after", "known"),
    [
        ({}, {}, {"by_lookup", "by_two", "by_points", "by_segment", "by_events", "by_file"}),
        ({}, {"measure": "first"}, {"by_events", "by_file"}),
        ({"columns": ""}, {"columns": "", "measure": "first"}, {"by_events"}),
        ({}, {"points": "2"}, {"by_lookup", "by_two", "by_segment", "by_events", "by_file"}),
    ],
)
def test_what_is_joined_by_a_changed_trait_is_not_compared(
    tmp_path: Path, before: dict[str, str], after: dict[str, str], known: set[str]
) -> None:
    given = {"measure": "last", "columns": LISTED, "points": "1"}
    old, new = files(tmp_path, old=LOOKED_UP.format(**given | before), new=LOOKED_UP.format(**given | after))
    found = json.loads(run(new, "--against", old, "--json").stdout)["changes"]
    assert {one["segment"] for one in found if one["change"] == "same"} == known
    assert {one["change"] for one in found} <= {"same", "unknown"}


def test_another_table_changes_only_what_reads_it(tmp_path: Path) -> None:
    more = OLD + '[events.visits]\npath = "visits.csv"\ntime = "day"\n'
    visits = "[segment.paris]\nbehavioural.did = { events = 'visits' }\n"
    segment = '[segment.paris]\ngeographic.city = "Paris"\n'
    old, new = files(tmp_path, old=OLD, new=more.replace(segment, visits))
    found = json.loads(run(new, "--against", old, "--json").stdout)["changes"]
    assert {one["segment"]: one["change"] for one in found} == {
        "grown": "same", "old": "same", "young": "same", "paris": "other", "gone": "same"
    }  # fmt: skip
    old, new = files(tmp_path, old=more, new=more.replace("visits.csv", "calls.csv"))
    found = json.loads(run(new, "--against", old, "--json").stdout)["changes"]
    assert {one["change"] for one in found} == {"unknown"}


@pytest.mark.parametrize(("content", "change"), [("{}", "same"), ("{ }", "unknown"), (None, "unknown")])
def test_zones_are_those_of_the_folder_of_the_file(tmp_path: Path, content: str | None, change: str) -> None:
    text = (HEAD + "latitude = 'lat'\nlongitude = 'lon'\n").replace('[trait.age]\nyears_since = "born"\n', "")
    text += "[segment.zone]\ngeographic.inside = 'zones.geojson'\n[segment.in_zone]\nin_segment = 'zone'\n"
    text += "[segment.other]\ngeographic.city = 'Paris'\n"
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a" / "zones.geojson").write_text("{}")
    if content is not None:
        (tmp_path / "b" / "zones.geojson").write_text(content)
    (old,), (new,) = (files(tmp_path / folder, rules=text) for folder in ("a", "b"))
    found = json.loads(run(new, "--against", old, "--json").stdout)["changes"]
    assert {one["segment"]: one["change"] for one in found} == {"zone": change, "in_zone": change, "other": "same"}


def test_an_older_file_with_errors_is_an_error_beside_what_is_found(tmp_path: Path) -> None:
    old, new = files(
        tmp_path, old="version = 2\n", new=NEW + "[segment.none]\ndemographic.age = { min = 9, max = 8 }\n"
    )
    result = run(new, "--against", old)
    assert result.exit_code == 1
    assert f"error: {old}" in result.output or old in result.output
    assert "SEG101 never-holds" in result.output
    result = run(new, "--against", str(tmp_path / "not-there.toml"))
    assert result.exit_code == 1
    assert "not-there.toml" in result.output and "SEG101 never-holds" in result.output


@pytest.mark.parametrize("options", [(), ("--format", "github")])
def test_errors_of_the_older_file_are_counted_for_that_file(tmp_path: Path, options: tuple[str, ...]) -> None:
    old, new = files(tmp_path, old="version = 2\n", new=NEW)
    result = run(new, "--against", old, *options)
    assert result.exit_code == 1
    assert f"{old}: 2 errors, so nothing is compared with it\n" in result.output
    assert f"{new}: nothing wrong (" in result.output and f"{new}: 1 error" not in result.output


def test_each_file_has_its_own_problems_counted(tmp_path: Path) -> None:
    wrong = NEW + "[segment.none]\ndemographic.age = { min = 9, max = 8 }\n"
    old, new = files(tmp_path, old="version = 2\n", new=wrong)
    result = run(new, "--against", old)
    assert f"{new}: 1 warning\n" in result.output
    assert f"{old}: 2 errors, so nothing is compared with it\n" in result.output
    missing = tmp_path / "not-there.toml"
    assert f"{missing}: 1 error, so nothing is compared with it" in run(new, "--against", str(missing)).output


def test_only_criteria_are_compared_and_that_is_said(tmp_path: Path) -> None:
    old, new = files(tmp_path, old=OLD, new=OLD.replace("[segment.old]\n", "[segment.old]\nlimit = 5\n"))
    said = "Criteria are compared, not consent, lists, claims, limits and draws.\n"
    assert said in run(new, "--against", old).output and said in run(new, "--relations").output
    assert said not in run(new).output


def test_no_relations_are_said(tmp_path: Path) -> None:
    (rules,) = files(tmp_path, rules=HEAD + "[segment.a]\ndemographic.age.min = 3\n")
    assert (
        "No two segments are known to be equal, apart, or one within the other.\n" in run(rules, "--relations").output
    )


@pytest.mark.parametrize("text", ["", "version = 1\n", HEAD, None])
@pytest.mark.parametrize("form", [["--json"], ["--format", "github"], ["--format", "sarif"]])
def test_errors_without_a_line_are_told_to_programs_too(tmp_path: Path, text: str | None, form: list[str]) -> None:
    rules = tmp_path / "rules.toml"
    if text is not None:
        rules.write_text(text)
    result = run(str(rules), *form)
    assert result.exit_code in (1, 2)
    if "github" in form:
        assert result.stdout.startswith("::error ")
    else:
        found = json.loads(result.stdout)
        said = found["diagnostics"] if "--json" in form else found["runs"][0]["results"]
        assert said and (found["errors"] if "--json" in form else said[0]["level"] == "error")


NAMED = (
    HEAD
    + """[segment.loyal]
behavioral.tenure.min = 5
[segment.fresh]
behavioral.tenure.max = 2
in_segment = "loyal"
[segment.both]
in_segment = ["loyal", "fresh"]
needs.a = true
[segment.nested]
any = [{ needs.x = 3 }, { needs.x = 4 }]
all = [{ any = [{ needs.x = 5 }, { needs.x = 6 }] }]
[segment.copy]
behavioral.tenure.min = 5
"""
)


def test_places_are_named_as_they_are_written(tmp_path: Path) -> None:
    (rules,) = files(tmp_path, rules=NAMED)
    said = run(rules).output
    first = NAMED.split("\n").index("behavioral.tenure.max = 2") + 1
    assert (
        f'never holds, whatever the data are: `behavioral.tenure` (line {first}) and `in_segment = "loyal"` (line '
        in said
    )
    assert f'are: no customer satisfies `in_segment = "fresh"` (line {first + 3})' in said
    assert f"are: `any` (line {first + 6}) and `any` in block 1 of `all` (line {first + 7}) exclude each other" in said
    assert "segment `copy` always has the same customers as segment `loyal` (line 7)" in said


def test_findings_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("id,born,city\n1,1990-01-01,Paris\n2,1980-01-01,Lyon\n")
    never = "[segment.never]\ndemographic.age.min = 30\nall = [{ demographic.age.max = 20 }]\n"
    nobody = "[segment.nobody]\ngeographic.city = 'Nice'\n"
    (rules,) = files(tmp_path, rules=HEAD + nobody + never + nobody.replace("nobody", "nowhere"))
    found = json.loads(run(rules, "--data", "--json").stdout)["diagnostics"]
    lines = [one["line"] for one in found]
    assert lines == sorted(lines) and {"SEG101", "SEG201"} <= {one["code"] for one in found}
