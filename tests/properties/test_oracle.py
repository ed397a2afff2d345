"""Random customers, events and rule files over the whole grammar, against an independent evaluation.

SEGKIT_EXAMPLES raises the number of examples (and makes them random); the default is repeatable. SEGKIT_SHRINK=1
makes a failing case small before it is shown, which takes some minutes.
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, assume, given, note, settings

from segkit.cli import main

from .explained import check_criteria, check_near_misses, check_outcomes, check_run, chosen, explained
from .files import Case, Row
from .oracle import RFM_COLUMNS, VALUE_COLUMNS, Evaluation, Outcome, evaluate, rfm_tables, saved_cutoffs
from .strategies import Saved, cases, saved_cases

EXAMPLES = int(os.environ.get("SEGKIT_EXAMPLES", "0"))


def examples(number: int) -> Callable[[Any], Any]:
    return settings(
        max_examples=EXAMPLES or number,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        print_blob=False,
        # shrinking a case of this size takes minutes: ask for it
        phases=[Phase.generate, *([Phase.shrink] if os.environ.get("SEGKIT_SHRINK") else [])],
        # one example is a whole run: dozens of rows, drawn cell by cell
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


@dataclass(frozen=True)
class Run:
    """What `segkit apply` did: the rows of every file of every segment, the combined file, the JSON summary."""

    exit_code: int
    message: str
    summary: Row
    files: dict[str, list[list[Row]]]
    combined: list[Row] | None


def run_segkit(directory: Path) -> Run:
    """Run `segkit apply rules.toml -o out --json` in `directory` and read everything back as text."""
    out = directory / "out"
    result = CliRunner().invoke(main, ["apply", str(directory / "rules.toml"), "-o", str(out), "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if result.exit_code != 0:
        return Run(
            exit_code=result.exit_code, message=result.stderr + result.stdout, summary={}, files={}, combined=None
        )
    combined = out / "all.csv"
    files: dict[str, list[list[Row]]] = {}
    for path in sorted(out.glob("*.csv")):
        if path != combined:
            files.setdefault(path.name.split(".")[0], []).append(read_csv(path))
    rows = read_csv(combined) if combined.exists() else None
    return Run(exit_code=0, message=result.stderr, summary=json.loads(result.stdout), files=files, combined=rows)


def read_csv(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check(case: Case) -> None:
    """Run the case both ways and compare everything."""
    assert tomllib.loads(case.toml(), parse_float=Decimal) == case.rules
    expected = evaluate(case.rules, case.rows(), case.sql, case.files)
    assume(expected.keys)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        case.write(directory)
        run = run_segkit(directory)
        compare(case, expected, run)
        found = explained(directory, expected.keys)
        check_criteria(found, expected.criteria)
        check_outcomes(found, directory / "out", case.rules["customers"]["key"])
        if chosen(directory, 3):
            check_run(found, directory)
        if chosen(directory, 5):
            check_near_misses(found, directory)


def compare(case: Case, expected: Outcome, run: Run) -> None:
    assume("no key of" not in run.message or not expected.unmatched_tables)
    note(run.message)
    assert run.exit_code == 0, run.message
    compare_memberships(case, expected, run)
    compare_columns(case, expected, run)
    compare_summary(case, expected, run)


def compare_memberships(case: Case, expected: Outcome, run: Run) -> None:
    key = case.rules["customers"]["key"]
    in_order = "from" not in case.rules["customers"] and "duplicates" not in case.rules["customers"]
    position = {name: number for number, name in enumerate(expected.keys)}
    found: dict[str, set[str]] = {name: set() for name in expected.written}
    for segment, files in run.files.items():
        assert segment in expected.written, f"{segment} should not be written"
        each = case.rules["segment"][segment].get("each", [])
        for rows in files:
            keys = [row[key] for row in rows]
            assert len(keys) == len(set(keys)) and not found[segment] & set(keys)
            found[segment] |= set(keys)
            assert {row["segment"] for row in rows} <= {segment}
            if in_order:
                assert keys == sorted(keys, key=lambda name: position[name])
            if each:
                assert set(keys) in expected.written[segment].values(), f"{segment} by {each}: {sorted(keys)}"
    differences = {
        name: {"missing": sorted(expected.members(name) - keys), "too many": sorted(keys - expected.members(name))}
        for name, keys in found.items()
        if keys != expected.members(name)
    }
    assert not differences, f"segkit against the oracle: {differences}"
    if run.combined is not None:
        assert [row[key] for row in run.combined] == expected.keys if in_order else True
        for row in run.combined:
            names = {name for name in expected.written if row[key] in expected.members(name)}
            assert set(filter(None, row["segment"].split("|"))) == names


def compare_columns(case: Case, expected: Outcome, run: Run) -> None:
    key = case.rules["customers"]["key"]
    rows = {row[key]: row for files in run.files.values() for file in files for row in file}
    assert set(rows) == set(expected.keys)
    computed = {*case.rules.get("trait", {}), *case.rules["customers"].get("derive", {}), *VALUE_COLUMNS}
    computed |= {f"{prefix}{column}" for prefix in rfm_tables(case.rules) for column in RFM_COLUMNS}
    computed |= {f"{name}_{what}" for name in case.rules.get("score", {}) for what in ("score", "grade")}
    raw = expected.columns.keys() - computed - {"lifecycle"}
    wrong = {
        name: [
            f"{customer}: segkit {rows[customer][name]!r}, oracle {value!r}"
            for customer, value in zip(expected.keys, values, strict=True)
            if not (
                same_text(rows[customer][name], value, loose=case.kinds.get(name) == "loose")
                or (name in raw and as_it_came(case, rows[customer][name], value))
            )
        ]
        for name, values in expected.columns.items()
    }
    assert not any(wrong.values()), {name: lines[:5] for name, lines in wrong.items() if lines}


def as_it_came(case: Case, text: str, value: Any) -> bool:
    """Whether a column of a file that no rule reads went out exactly as it came in: `Oui`, `0,5`."""
    return any(text.strip() == table.cell(value) for table in case.tables.values())


def same_text(text: str, value: Any, loose: bool = False) -> bool:
    """Whether a field of the CSV file is this value; a quotient of money may be loose, at ten decimals."""
    if value is None:
        return text == ""
    match value:
        case bool():
            return text == str(value).lower()
        case int() | Decimal():
            return plain_number(text) and Decimal(text) == value
        case float():
            return text != "" and math.isclose(float(text), value, rel_tol=1e-12, abs_tol=1e-10 if loose else 1e-15)
        case date():
            return text == value.isoformat()
    return bool(text == value)


def plain_number(text: str) -> bool:
    """A number without trailing zeros and without exponent."""
    return re.fullmatch(r"-?\d+(\.\d*[1-9])?", text) is not None


def compare_summary(case: Case, expected: Outcome, run: Run) -> None:
    assert run.summary["customers"] == len(expected.keys)
    by_name = {segment["name"]: segment for segment in run.summary["segments"]}
    for name, keys in expected.criteria.items():
        assert by_name[name]["matched"] == len(keys), f"matched of {name}"
        if name in expected.written:
            assert by_name[name]["written"] == len(expected.members(name)), f"written of {name}"
            assert by_name[name]["excluded"].get("claimed", 0) == len(expected.claimed[name]), f"claimed of {name}"
    shared = {
        shown["column"]: {one["value"]: one["customers"] for one in shown["values"] if one["customers"]}
        for shown in run.summary["distributions"]
    }
    assert shared == expected.shared_out


@pytest.mark.extra("geo")
@examples(32)
@given(cases())
def test_everything_together(case: Case) -> None:
    check(case)


@examples(10)
@given(cases(frozenset({"blocks"})))
def test_conditions_and_blocks(case: Case) -> None:
    check(case)


@examples(16)
@given(cases(frozenset({"traits"})))
def test_traits_and_event_conditions(case: Case) -> None:
    check(case)


@examples(20)
@given(cases(frozenset({"rfm"})))
def test_rfm(case: Case) -> None:
    check(case)


@examples(8)
@given(saved_cases())
def test_saved_cutoffs(saved: Saved) -> None:
    """The file that `segkit rfm` writes on one day has the cuts of that day, and scores another day by them."""
    name, case = "rfm.cutoffs.toml", saved.case
    then = Evaluation(case.rules | {"as_of": saved.day}, case.rows(), {}, {})
    cuts = saved_cutoffs(then.raw_rfm(case.rules["rfm"]), saved.bins, saved.method, saved.ties)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        case.write(path)
        source = case.rules["events"]["orders"]
        options = ["--key", "customer_id", *(f"--{key}={source[key]}" for key in ("time", "id", "amount"))]
        options += [f"--{key}={getattr(saved, key)}" for key in ("bins", "method", "ties")]
        options += ["--as-of", str(saved.day), "--save-cutoffs", str(path / name), "--map", "rf"]
        result = CliRunner().invoke(main, ["rfm", str(path / source["path"]), *options])
        assert result.exit_code == 0, result.stderr
        file = tomllib.loads((path / name).read_text(encoding="utf-8"), parse_float=Decimal)
        found = {measure: {k: v for k, v in file[measure].items() if k != "shares"} for measure in cuts}
        assert found == cuts
        run = run_segkit(path)
    compare(case, evaluate(case.rules, case.rows(), files={name: file}), run)


@examples(16)
@given(cases(frozenset({"lookups", "sources"})))
def test_sources_and_lookups(case: Case) -> None:
    check(case)


@examples(16)
@given(cases(frozenset({"sql", "assignment"})))
def test_sql_and_assignment(case: Case) -> None:
    check(case)


@pytest.mark.extra("geo")
@examples(20)
@given(cases(frozenset({"stages", "sql", "places"})))
def test_stages_and_scores(case: Case) -> None:
    check(case)


@examples(10)
@given(cases(frozenset({"value"})))
def test_value(case: Case) -> None:
    check(case)


@pytest.mark.extra("geo")
@examples(16)
@given(cases(frozenset({"places", "lookups"})))
def test_places(case: Case) -> None:
    check(case)


@examples(10)
@given(cases(frozenset({"time"})))
def test_time_and_lists(case: Case) -> None:
    check(case)
