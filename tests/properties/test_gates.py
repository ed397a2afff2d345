"""Random consent, lists, caps, draws, limits and assignments over random customers, against plain Python."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
from hypothesis import given, note
from hypothesis import strategies as st

from segkit.gates.ledger import Ledger, ledger
from segkit.results.explain import ExplainResult

from .explained import (
    check_changes,
    check_criteria,
    check_near_misses,
    check_outcomes,
    check_run,
    check_tests,
    chosen,
    explained,
)
from .files import Case, Row, Table
from .gates import REASONS, Gates, Line
from .test_oracle import examples, read_csv, run_segkit

AS_OF = dt.date(2024, 3, 31)
KINDS = {
    "id": "key", "email": "text", "ok": "boolean", "sms_ok": "boolean", "age": "number", "spend": "money",
    "country": "text", "born": "date",
}  # fmt: skip
SENDS = {"id": "key", "day": "date", "channel": "text", "send": "text"}
CHANNELS = ["email", "sms", "post"]
VALUES: Row = {
    "ok": [True, True, True, False, None],
    "sms_ok": [True, False, None],
    "age": [None, 17, 18, 18, 40, 65],
    "spend": [None, Decimal("-1.5"), Decimal(0), Decimal("0.1"), Decimal("19.99"), Decimal("19.99")],
    "country": ["FR", "fr", "DE", None],
    "born": [None, dt.date(2000, 2, 29), dt.date(1990, 1, 1), dt.date(1990, 1, 2)],
}
CRITERIA: list[Row] = [
    {"everyone": True},
    {"demographic": {"age": {"min": 18}}},
    {"demographic": {"age": {"below": 65, "or_missing": True}}},
    {"geographic": {"country": ["FR", "DE"]}},
    {"in_segment": "block"},
    {"not_in_segment": "block"},
    {"any": [{"demographic": {"ok": True}}, {"behavioural": {"did": {"events": "sends", "min": 2}}}]},
]
CONDITIONS: list[Row] = [
    {"ok": True},
    {"ok": {"is": True, "or_missing": True}},
    {"ok": {"not": False}},
    {"email": {"missing": False}},
    {"age": {"min": 18}, "ok": True},
    {"sent": {"max": 2}},
]
PERCENT = st.sampled_from([0, 100, 50, 10, Decimal("33.4"), Decimal("0.0001"), Decimal("66.6667"), Decimal("99.99")])
WINDOWS: list[Row] = [
    {},
    {"within": "7 days"},
    {"between": ["30 days", "7 days"]},
    {"since": dt.date(2024, 3, 20)},
    {"since": {"column": "born"}, "for": "35 years"},
]


@st.composite
def gated(draw: Any) -> Case:
    """Customers, messages sent, lists, and a rule file with gates of all kinds."""
    count = draw(st.integers(1, 25))
    keys = draw(st.sampled_from([lambda n: f"c{n}", lambda n: f"{n:04d}", lambda n: f"{'ÀéZa'[n % 4]}-{n}"]))
    customers = [{"id": keys(n), "email": draw(emails(n)), **draw(rows_of(VALUES))} for n in range(count)]
    lists = {path: draw(listed(customers)) for path in ("gone.csv", "bounced.csv")}
    tables = {
        "customers.csv": Table(customers, KINDS),
        "sends.csv": Table(draw(sent(customers)), SENDS),
        **{path: Table(rows, {"id": "key", "email": "text"}) for path, rows in lists.items()},
    }
    rules: Row = {
        "version": 1,
        "as_of": AS_OF,
        "customers": {
            "path": "customers.csv",
            "key": "id",
            "types": {"ok": "boolean", "sms_ok": "boolean", "age": "number", "spend": "number", "born": "date"},
        },
        "events": {"sends": {"path": "sends.csv", "time": "day"}},
        "trait": {"sent": {"events": "sends"}},
    }
    if draw(st.booleans()):
        rules["events"]["sends"]["id"] = "send"
    channels = draw(st.booleans())
    if draw(st.booleans()):
        rules["consent"] = draw(consent(channels))
    if draw(st.booleans()):
        rules["frequency_cap"] = draw(caps(channels and "channel" not in rules.get("consent", {"channel": 0})))
    known = next((rules[s]["channel"] for s in ("consent", "frequency_cap") if rules.get(s, {}).get("channel")), None)
    names = draw(st.sampled_from([["a"], ["a", "b"], ["z", "b", "y"]]))
    rules["segment"] = {name: draw(segment(known)) for name in names}
    rules["segment"]["block"] = {"write": False, "demographic": {"age": {"min": 18}}}
    if draw(st.booleans()):
        rules["assignment"] = {"mode": "exclusive"} | ({"priority": names[-1:]} if draw(st.booleans()) else {})
    if draw(st.booleans()):
        group = draw(st.sampled_from([30, 100, 0, {"percent": 50, "salt": "2026"}, {"percent": Decimal("33.4")}]))
        rules["assignment"] = {**rules.get("assignment", {}), "control": group}
    rules["output"] = {"combined": "all.csv", "columns": ["country"]}
    return Case(rules, tables)


def rows_of(pools: Row) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries({name: st.sampled_from(pool) for name, pool in pools.items()})


def emails(number: int) -> st.SearchStrategy[Any]:
    return st.sampled_from([f"c{number}@x.fr", f"C{number}@X.fr", f" c{number}@x.FR ", "Éva@x.fr", None])


@st.composite
def listed(draw: Any, customers: list[Row]) -> list[Row]:
    """A suppression list: values of customers in other cases, of strangers, missing ones; sometimes only a header."""
    chosen = draw(st.lists(st.sampled_from(customers), max_size=8))
    rows = [{"id": row["id"], "email": row["email"] and draw(st.sampled_from([str.upper, str.strip]))(row["email"])}
            for row in chosen]  # fmt: skip
    extra: list[Row] = [{"id": "stranger", "email": "stranger@x.fr"}, {"id": None, "email": "éva@X.fr"}]
    return [*rows, *(extra if rows else [])]


@st.composite
def sent(draw: Any, customers: list[Row]) -> list[Row]:
    days = [AS_OF + dt.timedelta(days=n) for n in (1, 0, -1, -7, -8, -11, -30, -31)]
    keys = [*(row["id"] for row in customers[:6]), "stranger"]
    one = rows_of({"id": keys, "day": days, "channel": CHANNELS, "send": ["s1", "s2", "s3", None]})
    rows = draw(st.lists(one, max_size=40))
    return [{"id": customers[0]["id"], "day": AS_OF, "channel": "email", "send": "s0"}, *rows]


@st.composite
def consent(draw: Any, channels: bool) -> Row:
    rules: Row = draw(permission())
    if channels or not rules:
        rules["channel"] = {"email": draw(permission()), "sms": {"require": {"sms_ok": True}}, "post": {}}
    return rules


@st.composite
def permission(draw: Any) -> Row:
    found: Row = {}
    if draw(st.booleans()):
        found["require"] = draw(st.sampled_from(CONDITIONS))
    if draw(st.booleans()):
        found["suppress"] = draw(st.sampled_from(["gone.csv", ["gone.csv"], ["bounced.csv", "gone.csv"]]))
        if draw(st.booleans()):
            found["suppress_on"] = "email"
    return found


@st.composite
def caps(draw: Any, channels: bool) -> Row:
    rules: Row = draw(cap())
    if channels:
        rules["channel"] = {"email": draw(cap()), "sms": {}, "post": {}}
    return rules


@st.composite
def cap(draw: Any) -> Row:
    where = draw(st.sampled_from([{}, {"where": {"channel": "email"}}]))
    most = draw(st.integers(1, 3))
    return {"events": "sends", "max": most, **where, **draw(st.sampled_from(WINDOWS))}


@st.composite
def limits(draw: Any) -> Any:
    if draw(st.booleans()):
        return draw(st.integers(0, 10))
    found: Row = draw(st.sampled_from([{"count": 3}, {"count": 1}, {"percent": draw(PERCENT)}]))
    options: Row = {
        "by": ["spend", "age", "country", "born", "id", "sent"],
        "order": ["ascending", "descending"],
        "per": ["country", ["country", "age"]],
    }
    return found | {name: draw(st.sampled_from(pool)) for name, pool in options.items() if draw(st.booleans())}


@st.composite
def segment(draw: Any, channels: Row | None) -> Row:
    found: Row = dict(draw(st.sampled_from(CRITERIA)))
    if channels and draw(st.integers(0, 3)):
        found["channel"] = draw(st.sampled_from(sorted(channels)))
    gates = {
        "sample": PERCENT,
        "limit": limits(),
        "holdout": PERCENT,
        "split": st.sampled_from([{"A": 50, "B": 50}, {"x": Decimal("33.3333"), "y": 0, "z": Decimal("66.6667")}]),
    }
    found |= {name: draw(values) for name, values in gates.items() if draw(st.booleans())}
    if draw(st.integers(0, 4)) == 0:
        found["control"] = False
    if found.keys() & {"sample", "holdout", "split"} and draw(st.booleans()):
        found["salt"] = draw(st.sampled_from(["", "spring", "été 2024"]))
    if draw(st.integers(0, 3)) == 0:
        found["each"] = "country"
    return found


@examples(60)
@given(gated())
def test_gates(case: Case) -> None:
    expected = Gates(case.rules, case.rows())
    lines = expected.lines()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        case.write(directory)
        with noted() as ledgers:
            run = run_segkit(directory)
        note(run.message)
        assert run.exit_code == 0, run.message
        summary = {segment["name"]: segment for segment in run.summary["segments"]}
        for name, line in lines.items():
            check_ledger(line, summary[name])
            check_files(name, line, case, expected, directory / "out")
        check_control(case, lines, run.summary, directory / "out")
        found = explained(directory, expected.found.keys, funnels=True)
        check_criteria(found, {name: line.matched for name, line in lines.items()})
        check_outcomes(found, directory / "out", "id")
        check_reasons(found, lines, case)
        if chosen(directory, 2):
            check_run(found, directory)
        if chosen(directory, 3):
            check_changes(found, directory)
        if chosen(directory, 5):
            check_near_misses(found, directory)
            check_tests(found, directory)
    check_masks(lines, case, expected.found.keys, ledgers[-1])
    assert run.combined is not None
    written = {
        name: set(line.written) for name, line in lines.items() if case.rules["segment"][name].get("write", True)
    }
    for row in run.combined:
        names = {name for name, keys in written.items() if row["id"] in keys}
        assert set(filter(None, row["segment"].split("|"))) == names


def check_reasons(found: ExplainResult, lines: Mapping[str, Line], case: Case) -> None:
    """What `explain` says of each customer is what became of him."""
    for customer in found.customers:
        for one in customer.segments:
            line, key = lines[one.name], customer.key
            writes = case.rules["segment"][one.name].get("write", True)
            outcome = line.reasons.get(key, "written") if writes else "not_written"
            outcome = "control" if key in line.control else outcome
            assert one.outcome == (outcome if key in line.matched else None)
            assert one.variant == line.variants.get(key)
            if one.outcome == "claimed":
                assert one.claimed_by is not None
                claimer = lines[one.claimed_by]
                assert key in claimer.written or claimer.reasons[key] == "holdout"


@contextmanager
def noted() -> Iterator[list[Ledger]]:
    """The ledgers of the runs within."""
    ledgers: list[Ledger] = []

    def note_down(*args: Any) -> Ledger:
        ledgers.append(ledger(*args))
        return ledgers[-1]

    with patch("segkit.gates.parts.ledger", note_down):
        yield ledgers


def check_masks(lines: Mapping[str, Line], case: Case, keys: Sequence[str], found: Ledger) -> None:
    """Who was stopped where, and who claimed whom."""

    def named(mask: pl.Series) -> list[str]:
        return [key for key, holds in zip(keys, mask, strict=True) if holds]

    for name, line in lines.items():
        control = found.lines[name].control
        assert named(found.lines[name].matched) == line.matched
        assert ([] if control is None else named(control)) == line.control
        stopped = {reason: line.left_out_by(reason) for reason in REASONS if line.left_out_by(reason)}
        assert {reason: named(mask) for reason, mask in found.lines[name].stopped.items()} == stopped
    if case.rules.get("assignment", {}).get("mode") != "exclusive":
        assert found.claims is None
        return
    assert found.claims is not None
    for number, name in enumerate(case.rules["segment"]):
        line, writes = lines[name], case.rules["segment"][name].get("write", True)
        claimed = {*line.written, *line.left_out_by("holdout")} if writes else set()
        assert set(named((found.claims == number).fill_null(False))) == claimed


def check_ledger(line: Any, found: Row) -> None:
    assert found["matched"] == len(line.matched)
    assert found["control"] == len(line.control)
    assert found["excluded"] == {reason: len(line.left_out_by(reason)) for reason in REASONS}
    if found["write"]:
        assert found["written"] == len(line.written) == found["matched"] - sum(found["excluded"].values())
        counts = {name: list(line.variants.values()).count(name) for name in found["variants"]}
        assert found["variants"] == counts


def check_control(case: Case, lines: Mapping[str, Line], summary: Row, out: Path) -> None:
    """Nobody of the control group is written but where `control = false`, and its file has whom segments would write."""
    if "control" not in case.rules.get("assignment", {}):
        assert not (out / "control.csv").exists() and "control" not in summary
        return
    would = {name: set(line.control) for name, line in lines.items()}
    rows = {row["id"]: row["segment"] for row in read_csv(out / "control.csv")}
    assert {key: set(names.split("|")) for key, names in rows.items()} == {
        key: {name for name, keys in would.items() if key in keys} for key in set().union(*would.values())
    }
    assert summary["control"]["customers"] == len(rows)
    for name, line in lines.items():
        if case.rules["segment"][name].get("control", True):
            assert not rows.keys() & set(line.written)


def check_files(name: str, line: Any, case: Case, expected: Gates, out: Path) -> None:
    segment = case.rules["segment"][name]
    held = read_csv(out / f"{name}.holdout.csv") if "holdout" in segment else []
    assert [row["id"] for row in held] == line.held
    files = [path for path in sorted(out.glob(f"{name}.*csv")) if path.name != f"{name}.holdout.csv"]
    tables = [read_csv(path) for path in files]
    if "each" not in segment:
        assert len(files) == segment.get("write", True)
        assert [row["id"] for rows in tables for row in rows] == line.written
    else:
        by_value: dict[Any, list[str]] = {}
        for key in line.written:
            by_value.setdefault(expected.value(key, "country"), []).append(key)
        assert sorted([row["id"] for row in rows] for rows in tables) == sorted(by_value.values())
    for row in (row for rows in tables for row in rows):
        assert row["segment"] == name
        assert row.get("variant") == line.variants.get(row["id"])
