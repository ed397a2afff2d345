"""Runs a batch of tests through the pipeline, and compares what it makes of each customer with what is expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.criteria.tree import All
from segkit.gates.ledger import Ledger, claim_order, ledger, memberships
from segkit.io.read import Workspace
from segkit.operations.evaluation.evaluate import Evaluated, evaluate
from segkit.operations.explanation.criteria import Reader
from segkit.operations.explanation.outcomes import CLAIMED, claimed_by, outcome_of, trees_of
from segkit.operations.explanation.points import scores_of
from segkit.operations.progress import silent
from segkit.operations.testing.batches import Batch, rules_for
from segkit.operations.testing.given import Given
from segkit.operations.testing.known import Known
from segkit.operations.testing.undecided import Roots, Undecided, undecided_in, why
from segkit.results.explain import Explained
from segkit.results.terms import WRITTEN
from segkit.results.test import Difference, Verdict
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded

UNDECIDED = "undecided"


class Run(NamedTuple):
    """A batch, computed: a row for each customer that there is, and what became of them."""

    loaded: Loaded
    rules: RuleFile
    evaluated: Evaluated
    ledger: Ledger
    undecided: Undecided
    places: Mapping[str, int]
    trees: Mapping[str, All]

    @property
    def customers(self) -> pl.DataFrame:
        return self.evaluated.computed.frame

    def outcomes(self, place: int) -> dict[str, str | None]:
        """What became of the customer in each segment, as far as a test can tell."""
        lines = self.ledger.lines
        found: dict[str, str | None] = {}
        open_claims = False  # a segment before may claim the customer
        for name in claim_order(self.rules):
            write = self.rules.segment[name].write
            outcome = outcome_of(lines[name], place, write=write)
            unknown = name in self.undecided.criteria or (outcome is not None and name in self.undecided.gates)
            if write and (unknown or (outcome == WRITTEN and open_claims)):
                found[name] = UNDECIDED
                open_claims = open_claims or self.rules.assignment.mode == "exclusive"
            else:
                found[name] = UNDECIDED if name in self.undecided.criteria else outcome
        return found


def verdicts_of(loaded: Loaded, batch: Batch, known: Known, ws: Workspace) -> tuple[list[Verdict], list[Finding]]:
    """A verdict on each test of a batch, and findings about what it expects of segments that cannot be decided."""
    run = computed(loaded, batch, known, ws)
    verdicts: list[Verdict] = []
    wrong: list[Finding] = []
    for test, key in zip(batch.tests, batch.keys, strict=True):
        place = run.places.get(key)
        outcomes = {} if place is None else run.outcomes(place)
        wrong += _undecided_but_named(run, known, test, outcomes)
        verdicts.append(_verdict(run, test, place, outcomes))
    return verdicts, wrong


def computed(loaded: Loaded, batch: Batch, known: Known, ws: Workspace) -> Run:
    """A batch of tests, run through the steps of the rules."""
    rules = rules_for(loaded.rules, batch, known, ws)
    made = loaded._replace(rules=rules)
    evaluated = evaluate(made, batch.as_of, ws, silent, leaves=True, given=batch.given, unknown=batch.unknown)
    undecided = undecided_in(loaded.rules, evaluated.plan, batch)
    customers = evaluated.computed.frame
    return Run(
        loaded=made,
        rules=rules,
        evaluated=evaluated,
        ledger=ledger(_without_claims(rules, undecided), memberships(rules, customers), customers),
        undecided=undecided,
        places={key: place for place, key in enumerate(customers[KEY])},
        trees=trees_of(evaluated.plan),
    )


def _without_claims(rules: RuleFile, undecided: Undecided) -> RuleFile:
    """The rules, of which segments that cannot be decided claim nobody: `outcomes` thinks of what they may claim."""
    if rules.assignment.mode != "exclusive":
        return rules
    open_ = undecided.criteria.keys() | undecided.gates.keys()
    segments = {
        name: segment.model_copy(update={"write": False}) if name in open_ else segment
        for name, segment in rules.segment.items()
    }
    return rules.model_copy(update={"segment": segments})


def _undecided_but_named(run: Run, known: Known, test: Given, outcomes: Mapping[str, str | None]) -> Iterator[Finding]:
    """Findings about expectations of segments that nobody can decide for this customer."""
    of, path = test.test, ("test", test.number)
    for key in ("segments", "not_segments", "written"):
        for position, name in enumerate(getattr(of, key) or ()):
            undecided = name in run.undecided.criteria if key != "written" else outcomes.get(name) == UNDECIDED
            if undecided:
                yield _cannot_be_decided(run, known, (*path, key, position), name)
    for name in of.stopped:
        if outcomes.get(name) == UNDECIDED:
            yield _cannot_be_decided(run, known, (*path, "stopped", name), name)


def _cannot_be_decided(run: Run, known: Known, path: KeyPath, name: str) -> Finding:
    roots: Roots = run.undecided.criteria.get(name) or run.undecided.gates.get(name) or frozenset()
    if not roots:
        message = f"`{name}` may be claimed by a segment before it, which the test cannot tell"
        return Finding(path, message, "give what that segment looks at, or take the expectation out")
    told, hint = why(roots, run.rules, known)
    what = "looks at" if name in run.undecided.criteria else "is written only by consent that looks at"
    return Finding(path, f"`{name}` {what} {told}", hint)


def _verdict(run: Run, test: Given, place: int | None, outcomes: Mapping[str, str | None]) -> Verdict:
    differences = tuple(_differences(test, run, outcomes))
    names = dict.fromkeys(name.partition(":")[0] for d in differences for name in _apart(d))
    wrong = [] if place is None else [name for name in run.rules.segment if name in names]
    explained = _explained(run, place, wrong, outcomes) if wrong and place is not None else ()
    open_ = [name for name in run.rules.segment if outcomes.get(name) == UNDECIDED]
    return Verdict(
        name=test.test.name,
        location=run.loaded.source.at("test", test.number, "name"),
        as_of=test.as_of,
        differences=differences,
        wrong=tuple(explained),
        undecided=tuple(name for name in open_ if name in run.undecided.criteria),
        undecided_written=tuple(name for name in open_ if run.rules.segment[name].write),
        left_out=_left_out(run.rules, test) if place is None else None,
    )


def _apart(difference: Difference) -> set[str]:
    """What is named on one side alone; what must not be there, where it is."""
    expected, found = set(difference.expected), set(difference.found)
    return expected & found if difference.key == "not_segments" else expected ^ found


def _differences(test: Given, run: Run, outcomes: Mapping[str, str | None]) -> Iterator[Difference]:
    of = test.test
    undecided = run.undecided.criteria
    matched = [name for name in run.rules.segment if outcomes.get(name) is not None and name not in undecided]
    if of.segments is not None:
        yield from _if_apart("segments", of.segments, matched)
    if refused := [name for name in of.not_segments if name in matched]:
        yield Difference("not_segments", of.not_segments, tuple(refused))
    if of.written is not None:
        written = [name for name in run.rules.segment if outcomes.get(name) == WRITTEN]
        yield from _if_apart("written", of.written, written)
    if of.stopped:
        expected = [f"{name}: {reason}" for name, reason in of.stopped.items()]
        found = [f"{name}: {outcomes.get(name) or 'no match'}" for name in of.stopped]
        yield from _if_apart("stopped", expected, found)


def _if_apart(key: str, expected: Sequence[str], found: Sequence[str]) -> Iterator[Difference]:
    if set(expected) != set(found):
        yield Difference(key, tuple(dict.fromkeys(expected)), tuple(found))


def _explained(run: Run, place: int, names: Sequence[str], outcomes: Mapping[str, str | None]) -> Iterator[Explained]:
    plan = run.evaluated.plan
    reader = Reader(run.loaded.source, plan, run.trees, run.customers[place], scores_of(plan))
    for name in names:
        segment, outcome = run.rules.segment[name], outcomes[name]
        yield Explained(
            name=name,
            label=segment.label or name,
            matched=outcome is not None,
            outcome=outcome,
            claimed_by=claimed_by(run.rules, run.ledger, place) if outcome == CLAIMED else None,
            variant=None,
            file=None,
            criteria=reader.criterion(run.trees[name]),
        )


def _left_out(rules: RuleFile, test: Given) -> str:
    """Why the customers lack that of a test."""
    origin = rules.customers.from_
    if origin:
        return f"the customers are those who have an event in `{origin}`, as far as its `where` keeps it"
    return "`[customers] where` leaves the customer out"
