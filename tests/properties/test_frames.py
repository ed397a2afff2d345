"""Frames from Python against the same data as Parquet through the command line, for random rule files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, note

import segkit
from segkit.cli import main
from segkit.io.write import TextStyle, sink, write
from segkit.report.as_json.apply import apply_json
from segkit.results.terms import REASONS

from .files import Case, Row
from .strategies import cases
from .test_gates import gated
from .test_oracle import examples

OF_TEXTS = ("delimiter", "quote", "encoding", "decimal", "true_values", "false_values")
"""What sources say of how a text is written."""


class Stream:
    """A frame of which only the stream of Arrow is known."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


GIVEN: tuple[Callable[[pl.DataFrame], Any], ...] = (lambda frame: frame, pl.DataFrame.lazy, Stream)


def typed(case: Case) -> Case:
    """The case with its sources as Parquet files."""
    rules: Row = deepcopy(case.rules)
    paths: dict[str, str] = {}
    for source in sources(rules):
        if isinstance(source.get("path"), str) and source["path"] in case.tables:
            paths[source["path"]] = f"{Path(source['path']).stem}.parquet"
            source["path"] = paths[source["path"]]
            for key in OF_TEXTS:
                source.pop(key, None)
    return replace(case, rules=rules, tables={paths.get(path, path): table for path, table in case.tables.items()})


def sources(rules: Row) -> list[Row]:
    return [rules["customers"], *rules.get("events", {}).values(), *rules.get("lookup", {}).values()]


def frames_of(case: Case, number: int) -> dict[str, Any]:
    """What `segkit.apply` is given: each table as a frame, each in another way."""
    turn = iter(range(number, number + 100))

    def frame(source: Row) -> Any:
        return GIVEN[next(turn) % len(GIVEN)](case.tables[source["path"]].frame())

    rules = case.rules
    of_events = {name: frame(one) for name, one in rules.get("events", {}).items() if one.get("path") in case.tables}
    of_lookups = {name: frame(one) for name, one in rules.get("lookup", {}).items() if one.get("path") in case.tables}
    customers = frame(rules["customers"]) if "path" in rules["customers"] else None
    return {"customers": customers, "events": of_events, "lookups": of_lookups}


def check(case: Case) -> None:
    """The same lists, the same ledger, or the same error."""
    case = typed(case)
    note(case.toml())
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        case.write(directory)
        rules, out = directory / "rules.toml", directory / "out"
        done = CliRunner().invoke(main, ["apply", str(rules), "-o", str(out), "--json"])
        given_frames = frames_of(case, len(case.toml()))
        for path in case.tables:
            if path.endswith(".parquet"):
                (directory / path).unlink()  # so nothing can be read from there
        try:
            run = segkit.apply(rules, **given_frames)
        except segkit.SegkitError as error:
            assert done.exit_code == error.exit_code, done.stderr
            same_error(error, done.stderr)
            return
        assert done.exit_code == 0, done.stderr
        assert not (directory / "segments").exists()
        same_summary(json.loads(done.stdout), run)
        same_lists(run, out, directory)
        same_ledger(run, case)
        same_members(run, segkit.load(rules), given_frames)


def same_error(error: segkit.SegkitError, told: str) -> None:
    """But for what the table is called."""
    for one in error.diagnostics:
        assert one.message.split("`")[0] in told, (one.message, told)


def same_summary(summary: Row, run: segkit.Run) -> None:
    found = json.loads(apply_json(run.result))
    for name in ("customers", "unmatched", "unlisted", "several", "overlaps", "distributions", "thresholds", "models"):
        assert found[name] == summary[name]
    for told, one in zip(summary["segments"], found["segments"], strict=True):
        assert {**told, "path": None, "outputs": [], "holdout_path": None} == {
            **one, "path": None, "outputs": [], "holdout_path": None
        }  # fmt: skip
    for told, one in zip(summary["tables"], found["tables"], strict=True):
        assert (told["name"], told["rows"], told["left_out"]) == (one["name"], one["rows"], one["left_out"])
    assert [one["message"] for one in summary["warnings"]] == run.warnings


def same_lists(run: segkit.Run, out: Path, directory: Path) -> None:
    """What is written later is what the command wrote; frames of lists have what the files have."""
    run.write(directory / "later")
    files = {path.name: path.read_bytes() for path in out.glob("*.csv")}
    assert files == {path.name: path.read_bytes() for path in (directory / "later").glob("*.csv")}
    style = TextStyle(separators=run._decision.rules.customers.lists)
    for name, content in files.items():
        if name != "all.csv":
            again = directory / "again.csv"
            write([sink(run[name.removesuffix(".csv")].lazy(), again, "csv", style)])
            assert again.read_bytes() == content, name


def same_ledger(run: segkit.Run, case: Case) -> None:
    counts = {(s, o): n for s, o, n in run.ledger.group_by("segment", "outcome").len().rows()}
    key = case.rules["customers"]["key"]
    for one in run.result.segments:
        assert counts.get((one.name, "control"), 0) == one.control
        for reason in REASONS:
            control = one.control if reason == "holdout" else 0
            assert counts.get((one.name, reason), 0) + control == one.excluded[reason]
        if one.write:
            assert counts.get((one.name, "written"), 0) == one.written
            of_list = run.ledger.filter(segment=one.name, outcome="written")
            assert sorted(of_list["key"]) == sorted(run[one.name][key])
            variants = dict(of_list.select("key", "variant").rows())
            if "variant" in run[one.name].columns and one.variants:
                assert variants == dict(run[one.name].select(key, "variant").rows())
        else:
            assert counts.get((one.name, "not_written"), 0) == one.matched


def same_members(run: segkit.Run, rules: segkit.Rules, given_frames: dict[str, Any]) -> None:
    """Segments that can be compiled hold for the same customers; those that cannot say what they lack."""
    features = rules.features(given_frames["customers"], given_frames["events"], lookups=given_frames["lookups"])
    customers = run.customers.collect()
    assert features.select(pl.len()).collect().item() == len(customers)
    for name in rules.segments:
        try:
            holds = segkit.compile_segment(rules, name, features)
        except segkit.RuleError as error:
            told = [one.message for one in error.diagnostics]
            assert all("look at events of" in one or "needs a cut over all customers" in one for one in told), told
            continue
        found = features.with_columns(holds.alias("holds")).select("holds").collect()["holds"]
        assert found.to_list() == customers[f"segment.{name}"].to_list(), name


@examples(8)
@given(gated())
def test_gates(case: Case) -> None:
    check(case)


@pytest.mark.extra("geo")
@examples(8)
@given(cases())
def test_everything(case: Case) -> None:
    check(case)


@examples(8)
@given(cases(frozenset({"sources", "lookups", "traits"})))
def test_sources_and_lookups(case: Case) -> None:
    check(case)


@examples(8)
@given(cases(frozenset({"rfm", "stages", "sql"})))
def test_cuts(case: Case) -> None:
    check(case)
