"""`explain`: why a customer is, or is not, in each segment; and how a segment comes to be as large as it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.criteria.tree import All, fold
from segkit.diagnostics import Diagnostic, Severity, only_notes, without_notes
from segkit.errors import RuleError
from segkit.gates.ledger import Line
from segkit.io.read import Table, Workspace
from segkit.io.read.values.texts import normal_keys
from segkit.io.write import FORMATS
from segkit.operations.decide import Decision, decide
from segkit.operations.delivery.runs import Run, open_run
from segkit.operations.evaluation.open_sources import open_tables
from segkit.operations.explanation.criteria import Reader
from segkit.operations.explanation.earlier import Earlier, NotKept, keys_of_table, look_into, rules_of
from segkit.operations.explanation.keys import like_these
from segkit.operations.explanation.near_misses import Readers
from segkit.operations.explanation.near_misses import near_misses as near_misses_of
from segkit.operations.explanation.outcomes import Looked, Now, trees_of
from segkit.operations.explanation.points import Counted, scores_of
from segkit.operations.explanation.since import (
    changed_copy,
    changed_inputs,
    changed_zones,
    differing,
    other_rules,
    other_variables,
    unreadable,
)
from segkit.operations.explanation.words import said
from segkit.operations.lists.protection import require_secret
from segkit.operations.progress import Progress, silent
from segkit.operations.testing.known import known_of
from segkit.operations.testing.of_customer import Written, as_test, read_columns
from segkit.results.explain import Explained, ExplainedCustomer, ExplainResult, Funnel, FunnelStep
from segkit.results.terms import CONTROL, HELD_OUT, LEFT_OUT, REASONS
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.loader import Loaded, Overrides, load_rules
from segkit.words import listed, nearest


class Asking(NamedTuple):
    """What is asked beside the keys: so many near misses of each condition, customers as tests.

    `verify` compares files as a whole, `personal` says that keys may be shown.
    """

    near: int | None
    as_test: bool
    verify: bool
    personal: bool
    progress: Progress


def explain(
    rules: Path | None,
    keys: Sequence[str] = (),
    *,
    segment: str | None = None,
    as_of: dt.date | None = None,
    run: Path | None = None,
    verify: bool = False,
    near_misses: int | None = None,
    as_test: bool = False,
    personal: bool = False,
    progress: Progress = silent,
) -> ExplainResult:
    """What `apply` would do now with the customers of these keys, criterion by criterion; without keys, the funnels.

    With `as_test`, each of these customers also as a test of the rule file, with what is personal made up.
    With `near_misses`, who is one condition away from each segment, instead: so many customers for each condition.
    With `run`, what happened in a run that was published, by the rules that it keeps: of its files, only the rows of
    these customers are read, and `verify` looks whether these files are still the same. `segment` looks at one segment
    alone. `personal` lets the hint for an unknown key name the keys that come near.

    Raises `RuleError` and `DataError`.
    """
    asking = Asking(near_misses, as_test=as_test, verify=verify, personal=personal, progress=progress)
    with Workspace() as ws:
        if run is None:
            assert rules is not None, "there are rules, or a run that keeps them"
            loaded = load_rules(rules, formats=FORMATS, overrides=Overrides(as_of=as_of))
            return explained_now(loaded, keys, segment, ws, asking)
        return _of_run(open_run(run), rules, keys, segment, ws, asking)


def _of_run(
    run: Run,
    rules: Path | None,
    keys: Sequence[str],
    segment: str | None,
    ws: Workspace,
    asking: Asking,
) -> ExplainResult:
    """What happened in a run, or, where it has not kept enough for that, what its rules would do now."""
    loaded = rules_of(run)
    told = [*other_rules(run, rules), *changed_copy(run), *other_variables(run, loaded)]
    require_secret(loaded)
    asked = _asked(loaded, segment)
    tables = open_tables(loaded, ws, asking.progress)
    changed = changed_inputs(run, loaded.rules, tables, verify=asking.verify)
    told += changed
    notes = [_note("the files are as the run has read them")] if asking.verify and not changed else []
    if not keys:
        result = explained_now(loaded, keys, segment, ws, asking)
        notes = [_note("by the rules and on the day of the run, from the files as they are now"), *notes]
        return result._replace(warnings=(*told, *result.warnings), notes=(*notes, *result.notes))
    try:
        looked = look_into(run, loaded, tables, keys, ws, asking.progress)
    except NotKept as reason:
        hint = "what follows is computed from the files as they are now, as `apply` would do it"
        notes = [_note(f"the run does not tell all: {reason}", hint), *notes]
        result = _left_out(explained_now(loaded, keys, segment, ws, asking), run)
        return result._replace(warnings=(*told, *result.warnings), notes=(*notes, *result.notes))
    customers, unknown = _customers(looked, asked, keys)
    told += [*changed_zones(run, looked.zones), *unreadable(looked.unread), *differing(looked.differs)]
    origin = loaded.rules.customers.from_ or CUSTOMERS
    return ExplainResult(
        as_of=looked.plan.context.as_of,
        run=run.shown,
        customers=customers,
        funnels=(),
        unknown=unknown,
        hint=_hint(looked, unknown, loaded, tables[origin], personal=asking.personal) if unknown else None,
        warnings=tuple(told),
        notes=tuple(notes),
    )


def _note(message: str, hint: str | None = None) -> Diagnostic:
    return Diagnostic(message, hint=hint, severity=Severity.NOTE)


def _left_out(result: ExplainResult, run: Run) -> ExplainResult:
    """What would become of customers now, but for the segments that the run has left out."""
    named = {one.name for one in run.manifest.segments}

    def of_run(one: Explained) -> Explained:
        left_out = one.name not in named and one.outcome is not None
        return one._replace(outcome=LEFT_OUT, claimed_by=None, variant=None, file=None) if left_out else one

    customers = (one._replace(segments=tuple(map(of_run, one.segments))) for one in result.customers)
    return result._replace(customers=tuple(customers))


def _hint(looked: Earlier, unknown: Sequence[str], loaded: Loaded, table: Table, *, personal: bool) -> str | None:
    """Of keys that nobody has any more: the lists of the run that have them; of others, how keys look."""
    gone = {key: looked.lists_of(key) for key in unknown}
    if any(gone.values()):
        lists = "; ".join(f"`{key}` is in {listed(names)}" for key, names in gone.items() if names)
        return f"the customer file has lost them since the run: {lists}"
    return like_these(unknown, keys_of_table(loaded, table), personal=personal)


def explained_now(
    loaded: Loaded, keys: Sequence[str], segment: str | None, ws: Workspace, asking: Asking
) -> ExplainResult:
    """What `apply` would do now with customers, or the funnels, or the near misses."""
    if asking.near is not None and asking.near < 1:
        raise RuleError.of(f"{asking.near} near misses of each condition are none to show", hint="ask for 1 or more")
    if keys and asking.near:
        raise RuleError.of("near misses are looked for among all customers", hint="leave the keys out")
    asked = _asked(loaded, segment)
    written = [name for name, one in loaded.rules.segment.items() if one.write]
    kept = read_columns(loaded.rules, known_of(loaded.rules)) if asking.as_test else frozenset()
    told = None if asking.near else frozenset(normal_keys(keys, loaded.rules.customers.normalise_keys or ()))
    run = decide(loaded, written, ws, asking.progress, leaves=True, told=told, kept=kept, delivered=False)
    trees = trees_of(run.evaluated.plan)
    readers = Readers(run, trees)
    customers, unknown = _customers(Now(run), asked, keys)
    tests = _tests(run, customers, ws) if asking.as_test else ()
    return ExplainResult(
        as_of=run.evaluated.plan.context.as_of,
        run=None,
        customers=customers,
        funnels=() if keys or asking.near else tuple(_funnel(run, trees, name) for name in asked),
        near=tuple(near_misses_of(run, trees, name, asking.near, readers) for name in asked) if asking.near else (),
        unknown=unknown,
        hint=like_these(unknown, run.customers[KEY], personal=asking.personal) if unknown else None,
        warnings=(*without_notes(run.warnings), *_warned(tests)),
        notes=only_notes(run.warnings),
        tests=tuple(one.text for one in tests),
    )


def _tests(run: Decision, customers: Sequence[ExplainedCustomer], ws: Workspace) -> tuple[Written, ...]:
    places = _places(run.customers, [one.key for one in customers])
    return tuple(as_test(run, places[one.key], number, ws) for number, one in enumerate(customers, 1))


def _warned(tests: Sequence[Written]) -> Iterator[Diagnostic]:
    for number, one in enumerate(tests, 1):
        for warning in one.warnings:
            yield Diagnostic(
                f"test {number}: {warning}", hint="look at it before it goes anywhere", severity=Severity.WARNING
            )


def _asked(loaded: Loaded, segment: str | None) -> list[str]:
    """The segments that are looked at."""
    names = list(loaded.rules.segment)
    if segment is not None and segment not in names:
        raise RuleError.of(f"there is no segment `{segment}`", hint=nearest(segment, names, "segments"))
    return names if segment is None else [segment]


def _places(customers: pl.DataFrame, keys: Sequence[str]) -> dict[str, int]:
    """The row of each key that a customer has, in the order of the keys."""
    known = customers.select(KEY).with_row_index("place").filter(pl.col(KEY).is_in(list(keys)))
    rows: dict[str, int] = dict(known.select(KEY, "place").rows())
    return {key: rows[key] for key in dict.fromkeys(keys) if key in rows}


def _customers(
    looked: Looked, asked: Sequence[str], keys: Sequence[str]
) -> tuple[tuple[ExplainedCustomer, ...], tuple[str, ...]]:
    """The customers with these keys, explained, in the order of the keys; and the keys of nobody."""
    places = _places(looked.customers, keys)
    known = trees_of(looked.plan), scores_of(looked.plan)
    customers = tuple(_customer(looked, *known, asked, key, place) for key, place in places.items())
    return customers, tuple(key for key in dict.fromkeys(keys) if key not in places)


def _customer(
    looked: Looked,
    trees: Mapping[str, All],
    scores: Mapping[str, Counted],
    asked: Sequence[str],
    key: str,
    place: int,
) -> ExplainedCustomer:
    reader = Reader(looked.loaded.source, looked.plan, trees, looked.customers[place], scores)
    return ExplainedCustomer(key, tuple(_explained(looked, reader, name, place) for name in asked))


def _explained(looked: Looked, reader: Reader, name: str, place: int) -> Explained:
    found, segment = looked.outcome(name, place), looked.loaded.rules.segment[name]
    return Explained(
        name=name,
        label=segment.label or name,
        matched=found.matched,
        outcome=found.outcome,
        claimed_by=found.claimed_by,
        variant=found.variant,
        file=found.file,
        findable=found.findable,
        criteria=reader.criterion(reader.trees[name]),
    )


def _funnel(run: Decision, trees: Mapping[str, All], name: str) -> Funnel:
    """How many satisfy each criterion of a segment and are left after it; then those whom each gate stops."""
    line, tree, segment = run.ledger.lines[name], trees[name], run.rules.segment[name]
    parts = [fold(part).alias(str(n)) for n, part in enumerate(tree.parts)]
    # Beside the key, a criterion without a column has a value for each customer, too.
    held = run.customers.select(KEY, *parts).drop(KEY)
    left, steps = pl.Series([True], dtype=pl.Boolean).new_from_index(0, len(run.customers)), []
    for part, mask in zip(tree.parts, held.iter_columns(), strict=True):
        left = left & mask
        subject, wanted, _ = said(part)
        path = ".".join(map(str, part.path))
        steps.append(FunnelStep(subject, wanted, path, satisfied=int(mask.sum()), left=int(left.sum())))
    return Funnel(
        name=name,
        label=segment.label or name,
        write=segment.write,
        customers=len(run.customers),
        matched=int(line.matched.sum()),
        steps=tuple(steps),
        gates=tuple(_gates(line)) if segment.write else (),
        written=int(line.written.sum()) if segment.write else 0,
    )


def _gates(line: Line) -> Iterator[tuple[str, int, int]]:
    left = int(line.matched.sum())
    for reason in REASONS:
        for name, mask in _stopped(line, reason):
            stopped = int(mask.sum())
            left -= stopped
            yield name, stopped, left


def _stopped(line: Line, reason: str) -> Iterator[tuple[str, pl.Series]]:
    """Those whom a gate stops; of those held out, the control group is told apart."""
    if reason == HELD_OUT:
        told = {CONTROL: line.control, HELD_OUT: line.held}
        yield from ((name, mask) for name, mask in told.items() if mask is not None and mask.any())
    elif reason in line.stopped:
        yield reason, line.stopped[reason]
