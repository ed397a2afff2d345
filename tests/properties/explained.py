"""What `explain` says of every customer, held against the lists that a run has written."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any
from zlib import crc32

from segkit.operations.apply import apply
from segkit.operations.explain import explain
from segkit.operations.test import test as run_tests
from segkit.results.explain import Criterion, Explained, ExplainResult


def explained(directory: Path, keys: Sequence[str], *, funnels: bool = False) -> ExplainResult:
    """Every customer, and the funnel of every segment, of `rules.toml` in a folder whose lists are in `out`."""
    found = explain(directory / "rules.toml", keys)
    of_all = explain(directory / "rules.toml").funnels if funnels else ()
    assert found.unknown == () and [customer.key for customer in found.customers] == list(dict.fromkeys(keys))
    return found._replace(funnels=of_all)


def chosen(directory: Path, one_in: int) -> bool:
    """Whether this rule file is one in so many, always the same ones; all are where more examples are asked for."""
    return bool(os.environ.get("SEGKIT_EXAMPLES")) or crc32((directory / "rules.toml").read_bytes()) % one_in == 0


def check_run(found: ExplainResult, directory: Path) -> None:
    """Of a run, whose files only some customers are read from, the same is said as of all customers."""
    some = found.customers[::3]
    assert explained(directory, [customer.key for customer in some]).customers == some
    of_run = explain(None, [customer.key for customer in some], run=directory / "out")
    assert of_run.customers == some and of_run.as_of == found.as_of
    if of_run.run is None:
        assert any("the run does not tell all" in note.message for note in of_run.notes)
    else:
        assert not of_run.warnings


def check_changes(found: ExplainResult, directory: Path) -> None:
    """Of a run that writes changes alone, and keeps its members in a file, the same is said."""
    text = (directory / "rules.toml").read_text(encoding="utf-8")
    assert text.count("[output]") == 1
    rules = directory / "changes.toml"
    rules.write_text(text.replace("[output]\n", "[output]\nchanges = true\n"), encoding="utf-8")
    for _ in range(2):
        apply(rules, output=str(directory / "changes"))
    keys = [customer.key for customer in found.customers]
    then = explain(None, keys, run=directory / "changes")
    assert [customer.key for customer in then.customers] == keys and not then.warnings
    for before, after in zip(found.customers, then.customers, strict=True):
        assert [_fate(one) for one in before.segments] == [_fate(one) for one in after.segments], before.key


def _fate(one: Explained) -> tuple[object, ...]:
    return one.name, one.matched, one.outcome, one.claimed_by, one.variant, one.file


def check_tests(found: ExplainResult, directory: Path) -> None:
    """Customers who are written down as tests of the rule file pass, but for what is said of them."""
    keys = [customer.key for customer in found.customers[::4]][:2]
    written = explain(directory / "rules.toml", keys, as_test=True)
    rules = (directory / "rules.toml").read_text(encoding="utf-8")
    tested = directory / "tested.toml"
    tested.write_text("\n".join([rules, *written.tests]), encoding="utf-8")
    warned = {int(match[1]) for one in written.warnings if (match := re.match(r"test (\d+): ", one.message))}
    for number, verdict in enumerate(run_tests(tested).verdicts, 1):
        assert number in warned or not verdict.differences, (keys[number - 1], verdict.differences, written.tests)
    assert len(written.tests) == len(keys)


def check_near_misses(found: ExplainResult, directory: Path) -> None:
    """Exactly those are near for whom a segment holds, by hand, once a condition is turned wherever it stands."""
    near = explain(directory / "rules.toml", near_misses=len(found.customers) or 1).near
    for number, one in enumerate(near):
        trees = {customer.key: customer.segments[number].criteria for customer in found.customers}
        places = [place for condition in one.conditions for place in condition.paths]
        assert len(places) == len(set(places))
        assert all(set(places) == {leaf.path for leaf in _leaves(tree)} for tree in trees.values())
        away = {key: 0 for key, tree in trees.items() if tree.held}
        for condition in one.conditions:
            turned = {key for key, tree in trees.items() if not tree.held and _holds(tree, condition.paths)}
            assert {customer.key for customer in condition.nearest} == turned and condition.customers == len(turned)
            away |= dict.fromkeys(turned, 1)
        distances = {step.conditions: step.customers for step in one.distances}
        assert sum(distances.values()) == len(trees)
        for step in (0, 1):
            assert distances.get(step, 0) == sum(number == step for number in away.values())
        if one.exact:
            assert distances == Counter(_away(tree) for tree in trees.values())


def _leaves(criterion: Criterion) -> Iterator[Criterion]:
    if criterion.kind in ("all", "any", "none", "segment"):
        for part in criterion.parts:
            yield from _leaves(part)
    else:
        yield criterion


def _holds(criterion: Criterion, turned: Collection[str]) -> bool:
    """Whether a criterion holds with the conditions at these places turned."""
    parts = [_holds(part, turned) for part in criterion.parts]
    match criterion.kind:
        case "all":
            return all(parts)
        case "any":
            return any(parts)
        case "none":
            return not any(parts)
        case "segment":
            return all(parts) is not criterion.subject.startswith("not ")
    return criterion.held is not (criterion.path in turned)


def _away(criterion: Criterion) -> int | None:
    """The fewest conditions whose turning makes a criterion hold, of all sets of them; None where none does."""
    found = _by_parts(criterion, wanted=True)
    places = [leaf.path for leaf in _leaves(criterion)]
    if len(places) <= 6:
        sets = (turned for size in range(len(places) + 1) for turned in combinations(places, size))
        assert found == next((len(turned) for turned in sets if _holds(criterion, turned)), None)
    return found


def _by_parts(criterion: Criterion, *, wanted: bool) -> int | None:
    """The same, put together: all of some parts, or the nearest of them."""
    kind, negated = criterion.kind, criterion.subject.startswith("not ")
    if kind not in ("all", "any", "none", "segment"):
        return int(criterion.held is not wanted)
    wanted = wanted is not (kind == "none" or (kind == "segment" and negated))
    parts = [_by_parts(part, wanted=wanted) for part in criterion.parts]
    if (kind in ("all", "segment")) is wanted:
        return None if None in parts else sum(part for part in parts if part is not None)
    return min((part for part in parts if part is not None), default=None)


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
    for score in criterion.scores:
        assert sum(rule.points for rule in score.rules) == score.sum and all(rule.points for rule in score.rules)
        assert score.score == min(max(score.sum, 0), score.max_score)
    for part in criterion.parts:
        check_parts(part)


def check_outcomes(found: ExplainResult, directory: Path, key: str) -> None:
    """A customer is in the list that is named, and in no other of the segment."""
    lists = {path.name: {row[key] for row in _rows(path)} for path in directory.glob("*.csv") if path.name != "all.csv"}
    control = _rows(directory / "control.csv") if "control.csv" in lists else []
    of_control = {(row[key], name) for row in control for name in row["segment"].split("|")}
    for customer in found.customers:
        for one in customer.segments:
            if one.file == "control.csv":
                assert (customer.key, one.name) in of_control
                continue
            assert (customer.key, one.name) not in of_control
            of_segment = [name for name in lists if name.split(".")[0] == one.name]
            there = [name for name in of_segment if customer.key in lists[name]]
            assert there == ([one.file] if one.file else []), (customer.key, one.name, one.outcome)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
