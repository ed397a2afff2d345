"""Random rule files: what `check` claims without data is refuted by no customer of the real pipeline.

The customers are those of the case, whose values lie on the bounds of its conditions, and mixtures of them. Each claim
becomes a segment that it says nobody can be in.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, note
from hypothesis import strategies as st

from segkit.errors import RuleError
from segkit.io.write import FORMATS
from segkit.proof.prove import Claim, Proof, prove
from segkit.rules.findings import KeyPath
from segkit.rules.model.blocks import SHORT
from segkit.rules.text.loader import load_rules

from .files import Case, Row, Table
from .proof_cases import tempting
from .strategies import cases
from .test_oracle import Run, examples, run_segkit

MIXED = 150
"""How many customers are mixed from others."""

EARLIER = [0, 1, 2, 28, 30, 31, 59, 90, 92, 181, 365, 366, 400, 1461]
"""How many days before the day of the run the proof is made."""


def mixed(case: Case, random: Random) -> Case:
    """The case with more customers, each cell of which comes from some customer, and with events of theirs."""
    source = case.rules["customers"]
    table = case.tables.get(source.get("path", ""))
    if table is None or not table.rows:
        return case
    key = next(old for old, kind in table.kinds.items() if kind == "key")
    taken = {str(row[key]) for row in table.rows}
    number = all(isinstance(row[key], int) for row in table.rows)
    new = [n if number else f"mixed{n}" for n in range(900_000, 900_000 + MIXED) if str(n) not in taken]
    customers = [{**_row(table, random), key: name} for name in new]
    tables = {**case.tables, source["path"]: replace(table, rows=[*table.rows, *customers])}
    for name, spec in case.rules.get("events", {}).items():
        events = tables.get(spec.get("path", ""))
        if events is not None and events.rows and "id" not in spec and name != source.get("from"):
            keys = [column for column, kind in events.kinds.items() if kind == "key"]
            rows = [{**_row(events, random), keys[0]: random.choice(new)} for _ in range(2 * MIXED)] if keys else []
            tables[spec["path"]] = replace(events, rows=[*events.rows, *rows])
    return replace(case, tables=tables)


def _row(table: Table, random: Random) -> Row:
    return {column: random.choice(table.rows)[column] for column in table.kinds}


def impossible(rules: Row, proof: Proof) -> Iterator[tuple[str, Row]]:
    """(what is claimed, a block that nobody can be in by it)."""
    for claim in proof.claims:
        if claim.code not in ("SEG109", "SEG110", "SEG111"):
            yield str(claim), _block(rules, _goal(claim))
            if claim.code == "SEG103":
                yield str(claim), _block(rules, [(claim.at, False), (claim.conflict[0], True)])
    for one in proof.relations:
        here, there = ("segment", one.segment), ("segment", one.other)
        yield str(one), _block(rules, [(here, True), (there, one.relation == "apart")])
        if one.relation == "equal":
            yield str(one), _block(rules, [(here, False), (there, True)])


def _goal(claim: Claim) -> list[tuple[KeyPath, bool]]:
    """What nobody satisfies: the criteria that are named hold or do not, as the code says."""
    stages = claim.at[0] == "lifecycle"
    others = [
        (
            path,
            not (
                claim.code == "SEG103"
                or (claim.code == "SEG104" and len(path) == len(claim.at))
                or (stages and path[0] == "lifecycle" and len(path) == 3)
                or (claim.code == "SEG107" and path[:-1] == claim.at[:-1])
            ),
        )
        for path in claim.conflict
    ]
    if claim.code == "SEG101":
        return others
    if claim.code == "SEG104" and stages:
        return [*others, (claim.at, True)]
    return [*others, (claim.at, claim.code not in ("SEG102", "SEG105"))]


def _block(rules: Row, goal: list[tuple[KeyPath, bool]]) -> Row:
    parts: dict[str, list[Row]] = {"all": [], "none": []}
    for path, wanted in goal:
        block = _alone(rules, path)
        if block:
            parts["all" if wanted else "none"].append(block)
    return {kind: blocks for kind, blocks in parts.items() if blocks}


def _alone(rules: Row, path: KeyPath) -> Row:
    """The criterion at this place as a block of its own."""
    if path[0] == "segment" and len(path) == 2:
        return {"in_segment": path[1]}
    there: Any = rules
    start = 4 if path[0] == "score" else 3 if path[0] == "lifecycle" else 2
    for key in path[:start]:
        there = there[key]
    rest: list[Any] = list(path[start:])
    while len(rest) >= 2 and rest[0] in ("any", "all", "none"):
        there, rest = there[rest[0]][rest[1]], rest[2:]
    own = {k: v for k, v in there.items() if k not in NOT_CRITERIA}
    if not rest:
        return own
    family = rest[0]
    if family == "behavioural" and family not in there:
        family = "behavioral"
    inner = there[family]
    if len(rest) == 1:
        return {family: inner}
    if family in ("in_segment", "not_in_segment"):
        return {family: inner[rest[1]] if isinstance(inner, list) else inner}
    if family in SHORT and not isinstance(inner, dict):
        return {family: inner}
    value = inner[rest[1]]
    if len(rest) == 3 and isinstance(value, list):
        value = value[rest[2]]
    return {family: {rest[1]: value}}


NOT_CRITERIA = {
    "name", "points", "points_per", "label", "write", "each", "channel", "sample", "limit", "holdout", "split", "salt",
    "control", "expect", "everyone",
}  # fmt: skip


def refute(case: Case, on: dt.date | None = None) -> None:
    """Looks for a customer who is where the proof says that nobody can be, and for lists that are not as claimed.

    With a day, what is claimed on that day of the file without `as_of` is looked for on the day of the case.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        case.write(directory)
        try:
            rules = load_rules(directory / "rules.toml", formats=FORMATS).rules
        except RuleError:
            assume(False)
        if on:
            rules = rules.model_copy(update={"as_of": None})
        proof = prove(rules, on or rules.today(), with_relations=True)
        claimed = [(said, block) for said, block in impossible(case.rules, proof) if block]
        assume(claimed)
        more = {f"claim-{n}": {**block, "write": False} for n, (_, block) in enumerate(claimed)}
        case = replace(case, rules={**case.rules, "segment": {**case.rules["segment"], **more}})
        case.write(directory)
        run = run_segkit(directory)
    assume(run.exit_code == 0 or "no key of" not in run.message)
    note(run.message)
    assert run.exit_code == 0, run.message
    found = {segment["name"]: segment for segment in run.summary["segments"]}
    refuted = [said for n, (said, _) in enumerate(claimed) if found[f"claim-{n}"]["matched"]]
    for claim in proof.claims:
        if claim.code == "SEG104" and claim.at[0] == "segment" and found[claim.at[1]]["written"]:
            refuted.append(str(claim))
        if claim.code == "SEG103" and _written(case, run, claim.at[1]) != _written(case, run, claim.other):
            refuted.append(str(claim))
    assert not refuted, refuted


def _written(case: Case, run: Run, segment: Any) -> list[str]:
    key = case.rules["customers"]["key"]
    return sorted(row[key] for rows in run.files.get(segment, []) for row in rows)


@pytest.mark.extra("geo")
@examples(12)
@given(cases())
def test_no_customer_refutes_a_claim(case: Case) -> None:
    refute(mixed(case, Random(0)))


@examples(12)
@given(cases(frozenset({"blocks"})))
def test_no_customer_refutes_a_claim_about_columns(case: Case) -> None:
    refute(mixed(case, Random(0)))


@examples(12)
@given(cases(frozenset({"traits", "stages", "value"})))
def test_no_customer_refutes_a_claim_about_events(case: Case) -> None:
    refute(mixed(case, Random(0)))


@examples(12)
@given(cases(frozenset({"traits", "stages", "value", "blocks", "sql"})), st.sampled_from(EARLIER))
def test_no_customer_of_a_later_day_refutes_a_claim(case: Case, days: int) -> None:
    as_of: dt.date = case.rules["as_of"]
    refute(mixed(case, Random(0)), as_of - dt.timedelta(days=days))


@examples(12)
@given(st.integers(0, 2**64))
def test_no_customer_refutes_a_claim_that_is_tempting(seed: int) -> None:
    case, on = tempting(Random(seed))
    refute(case, on)
    refute(case)
