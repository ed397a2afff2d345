"""What `explain` says of every customer, held against the lists that a run has written."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from segkit.operations.explain import explain
from segkit.results import Criterion, ExplainResult


def explained(directory: Path, keys: Sequence[str], *, funnels: bool = False) -> ExplainResult:
    """Every customer, and the funnel of every segment, of `rules.toml` in a folder whose lists are in `out`."""
    found = explain(directory / "rules.toml", keys)
    of_all = explain(directory / "rules.toml").funnels if funnels else ()
    assert found.unknown == () and [customer.key for customer in found.customers] == list(dict.fromkeys(keys))
    return found._replace(funnels=of_all)


def check_run(found: ExplainResult, directory: Path) -> None:
    """Of a run, whose files only some customers are read from, the same is said as of all customers."""
    some = found.customers[::3]
    of_run = explain(None, [customer.key for customer in some], run=directory / "out")
    assert of_run.customers == some and of_run.as_of == found.as_of
    if of_run.run is None:
        assert any("the run does not tell all" in note.message for note in of_run.notes)
    else:
        assert not of_run.warnings


def check_criteria(found: ExplainResult, matched: Mapping[str, Collection[str]]) -> None:
    """A segment has exactly the customers for whom its criteria hold, and the funnel ends with as many."""
    for customer in found.customers:
        for one in customer.segments:
            assert one.matched == (customer.key in matched[one.name]) == one.criteria.held, (customer.key, one.name)
            check_parts(one.criteria)
    for funnel in found.funnels:
        assert funnel.matched == len(matched[funnel.name])
        assert not funnel.steps or funnel.steps[-1].left == funnel.matched
        assert all(step.left <= step.satisfied <= funnel.customers for step in funnel.steps)


def check_parts(criterion: Criterion) -> None:
    """A group of criteria holds as its parts say."""
    held = [part.held for part in criterion.parts]
    wanted: dict[str, Any] = {"all": all, "any": any, "none": lambda parts: not any(parts)}
    if criterion.kind in wanted:
        assert criterion.held == wanted[criterion.kind](held)
    if criterion.kind == "segment":
        negated = criterion.subject.startswith("not ")
        assert criterion.held == (all(held) is not negated)
    for part in criterion.parts:
        check_parts(part)


def check_outcomes(found: ExplainResult, directory: Path, key: str) -> None:
    """A customer is in the list that is named, and in no other of the segment."""
    lists = {path.name: {row[key] for row in _rows(path)} for path in directory.glob("*.csv") if path.name != "all.csv"}
    for customer in found.customers:
        for one in customer.segments:
            of_segment = [name for name in lists if name.split(".")[0] == one.name]
            there = [name for name in of_segment if customer.key in lists[name]]
            assert there == ([one.file] if one.file else []), (customer.key, one.name, one.outcome)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
