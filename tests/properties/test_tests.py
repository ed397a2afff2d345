"""Tests written from what a run makes of random customers pass, and with one expectation turned round they fail."""

from __future__ import annotations

import datetime as dt
import math
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given

from segkit.columns.features.steps import MeasureStep, RowStep
from segkit.columns.helpers import KEY, listed
from segkit.errors import DataError
from segkit.io.read import Workspace
from segkit.io.write import FORMATS
from segkit.operations.decide import Decision, decide
from segkit.operations.explanation.outcomes import outcome_of
from segkit.operations.progress import silent
from segkit.operations.test import test as run_tests
from segkit.operations.testing.known import Known, known_of
from segkit.results.test import Verdicts
from segkit.rules.model.computed.rfm import rfm_columns
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import load_rules

from .files import Case, Row, to_toml, toml_key, toml_value
from .strategies import cases
from .test_gates import gated
from .test_oracle import examples

DRAWS = ("sample", "limit", "holdout", "control", "split", "salt", "expect")


class Customer(NamedTuple):
    """What a test gives, and what a run has made of it: by segment `written`, a reason, or None for no match."""

    key: str
    columns: Row
    events: Mapping[str, list[Row]]
    outcomes: Mapping[str, str | None]
    listed: list[str]
    complete: bool  # it gives all that is found over all customers
    computed: Row  # some of the columns that the run has computed


def check(case: Case) -> None:
    """Run the case, make tests of its customers, and run these."""
    segments = {name: {k: v for k, v in s.items() if k not in DRAWS} for name, s in case.rules["segment"].items()}
    assignment = {k: v for k, v in case.rules.get("assignment", {}).items() if k != "control"}
    case = replace(case, rules=case.rules | {"segment": segments, "assignment": assignment})
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        customers = list(_customers(case, directory))
        assume(customers)
        undecided = _checked(case, directory, customers)
        _checked(case, directory, [one._replace(columns=one.columns | one.computed) for one in customers])
        for turn in range(3):
            turned = _tested(case, directory, customers, undecided, turn=turn)
            assert not [v.name for v in turned.verdicts if v.passed and undecided[v.name][0] != set(segments)]
        if not re.search("top_percent|bottom_percent", case.toml()):
            assert not [one.key for one in customers if one.complete and any(undecided[one.key])]


Undecided = Mapping[str, tuple[set[str], set[str]]]
"""Customer -> the segments whose criteria a test cannot tell, and those of which it cannot tell who is written."""


def _checked(case: Case, directory: Path, customers: list[Customer]) -> Undecided:
    """What the tests cannot tell; all else is as the run has found it."""
    first = _tested(case, directory, customers, {})
    assert {v.name for v in first.verdicts} == {customer.key for customer in customers}
    undecided = {v.name: (set(v.undecided), set(v.undecided_written)) for v in first.verdicts}
    result = _tested(case, directory, customers, undecided)
    assert not result.failed, [(v.name, v.differences) for v in result.verdicts if not v.passed]
    return undecided


def _customers(case: Case, directory: Path) -> Iterator[Customer]:
    path = case.write(directory)
    loaded = load_rules(path, formats=FORMATS)
    known = known_of(loaded.rules)
    with Workspace() as ws:
        try:
            run = decide(loaded, [n for n, s in loaded.rules.segment.items() if s.write], ws, silent)
        except DataError:
            assume(False)  # no key of the events is a customer's, for one
    spec = case.rules["customers"]
    origin = spec.get("from")
    rows = {} if origin else _by_key(case.tables[spec["path"]].rows, _column_in_file(spec, spec["key"]))
    assume(origin or spec.get("duplicates", "error") == "error")
    lists = spec.get("lists", {})
    for place, key in enumerate(run.customers[KEY]):
        (row,) = rows.get(key, [{}])
        named = {new: row[old] for new, old in _names(spec.get("rename", {}), row)}
        columns = {c: v for c, v in named.items() if c in known.columns["customers"] and not _missing(v)}
        columns |= {c: _listed(columns[c], mark) for c, mark in lists.items() if c in columns}
        columns = {c: v for c, v in columns.items() if v != []}
        found = _found_over_all(run, place)
        columns |= {name: value for name, value in found.items() if value is not None}
        events = {
            name: list(_events(case, loaded.rules, name, key, known.columns[name])) for name in loaded.rules.events
        }
        outcomes = {
            name: outcome_of(line, place, write=loaded.rules.segment[name].write)
            for name, line in run.ledger.lines.items()
        }
        complete = None not in found.values()
        yield Customer(
            key,
            columns | {spec["key"]: key},
            events,
            outcomes,
            _lists(run, place),
            complete,
            _computed(run, place, known),
        )


def _listed(text: str, mark: str) -> list[str]:
    return [part.strip() for part in text.split(mark) if part.strip()]


def _lists(run: Decision, place: int) -> list[str]:
    """The suppression lists that a customer is on; by two columns, a list counts where both are on it."""
    found: dict[str, set[bool]] = {}
    for file, column in run.evaluated.plan.listed:
        found.setdefault(file, set()).add(run.customers[listed(file, column)][place])
    assume(all(len(answers) == 1 for answers in found.values()))
    return [file for file, answers in found.items() if True in answers]


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _names(rename: Mapping[str, str], row: Row) -> Iterator[tuple[str, str]]:
    """The name in the rules of each column of a file, and that in the file."""
    renamed = {old: new for new, old in rename.items()}
    return ((renamed.get(old, old), old) for old in row)


def _column_in_file(spec: Row, column: str) -> str:
    found: str = spec.get("rename", {}).get(column, column)
    return found


def _by_key(rows: list[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(_text(row[column]), []).append(row)
    return found


def _text(key: Any) -> str:
    return str(int(key)) if isinstance(key, float) else str(key).strip()


def _events(case: Case, rules: RuleFile, name: str, key: str, known: frozenset[str]) -> Iterator[Row]:
    """The events that count, without what no rule reads."""
    spec = rules.events[name]
    own = spec.key or rules.customers.key
    for path in (spec.path,) if isinstance(spec.path, str) else spec.path:
        for row in case.tables[path].rows:
            named = {new: row[old] for new, old in _names(spec.rename, row)}
            time = named[spec.time]
            if named[own] is None or _text(named[own]) != key or time is None:
                continue
            if _day(time, rules.timezone) <= rules.today():
                yield {c: v for c, v in named.items() if c in known and c != own and not _missing(v)}


def _day(time: Any, zone: str) -> dt.date:
    if not isinstance(time, dt.datetime):
        day: dt.date = time
        return day
    return (time.astimezone(ZoneInfo(zone)) if time.tzinfo else time).date()


def _found_over_all(run: Decision, place: int) -> Row:
    """The scores, bands and means that the run has found for a customer, and None where it has found none."""
    names = [name for table in run.rules.rfm for name in rfm_columns(table)[3:6]]
    names += [n for n, t in run.rules.trait.items() if t.mean_of or (t.bands and t.bands.quantiles)]
    row = run.customers.row(place, named=True)
    found = {name: row.get(name) for name in names}
    return {n: Decimal(repr(v)) if isinstance(v, float) and math.isfinite(v) else v for n, v in found.items()}


def _computed(run: Decision, place: int, known: Known) -> Row:
    """Every second column that is computed, with its value where there is one."""
    there = [name for name in run.customers.columns if isinstance(known.computed.get(name), (RowStep, MeasureStep))]
    row = run.customers.row(place, named=True)
    found = {name: row[name] for name in sorted(there)[::2] if row[name] is not None}
    return {n: Decimal(repr(v)) if isinstance(v, float) else v for n, v in found.items()}


def _tested(
    case: Case,
    directory: Path,
    customers: list[Customer],
    undecided: Undecided,
    *,
    turn: int | None = None,
) -> Verdicts:
    """Run tests that expect what the run has found; with `turn`, one expectation of each is wrong."""
    lines = [to_toml(case.rules, case.dotted)]
    for customer in customers:
        every = set(case.rules["segment"])
        open_, unwritten = undecided.get(customer.key, (every, every))
        lines += ["", "[[test]]", f"name = {toml_value(customer.key)}"]
        lines += [f"customer.{toml_key(column)} = {toml_value(value)}" for column, value in customer.columns.items()]
        lines += [f"events.{name} = {toml_value(rows)}" for name, rows in customer.events.items() if rows]
        lines += [f"listed = {toml_value(customer.listed)}"]
        lines += _expected({n: o for n, o in customer.outcomes.items() if n not in open_}, unwritten, turn)
    path = directory / "tested.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return run_tests(path)


def _expected(outcomes: Mapping[str, str | None], unwritten: set[str], turn: int | None) -> list[str]:
    matched = {name for name, outcome in outcomes.items() if outcome is not None}
    written = {name for name, outcome in outcomes.items() if outcome == "written"} - unwritten
    stopped = {n: o for n, o in outcomes.items() if o in ("consent", "suppressed", "frequency_cap", "claimed")}
    stopped = {n: o for n, o in stopped.items() if n not in unwritten}
    if turn is not None and outcomes:
        name = sorted(outcomes)[turn % len(outcomes)]
        if name in stopped and turn == 1:
            stopped[name] = "suppressed" if stopped[name] == "consent" else "consent"
        elif name in written and turn == 2:
            written -= {name}
        else:
            matched ^= {name}
            written -= {name}
            stopped = {n: o for n, o in stopped.items() if n != name}
    return [
        f"segments = {toml_value(sorted(matched))}",
        f"written = {toml_value(sorted(written))}",
        *(f"stopped.{toml_key(name)} = {toml_value(outcome)}" for name, outcome in stopped.items()),
    ]


@examples(6)
@given(cases(frozenset({"blocks"})))
def test_of_conditions_and_blocks(case: Case) -> None:
    check(case)


@examples(8)
@given(cases(frozenset({"traits"})))
def test_of_traits_and_event_conditions(case: Case) -> None:
    check(case)


@examples(6)
@given(cases(frozenset({"rfm"})))
def test_of_rfm(case: Case) -> None:
    check(case)


@examples(10)
@given(cases(frozenset({"sql", "assignment"})))
def test_of_sql_and_assignment(case: Case) -> None:
    check(case)


@pytest.mark.extra("geo")
@examples(6)
@given(cases(frozenset({"stages", "sql", "places"})))
def test_of_stages_and_scores(case: Case) -> None:
    check(case)


@examples(5)
@given(cases(frozenset({"value"})))
def test_of_value(case: Case) -> None:
    check(case)


@examples(5)
@given(cases(frozenset({"time"})))
def test_of_time_and_lists(case: Case) -> None:
    check(case)


@examples(5)
@given(cases(frozenset({"sources", "traits"})))
def test_of_sources(case: Case) -> None:
    check(case)


@examples(10)
@given(gated())
def test_of_gates(case: Case) -> None:
    check(case)
