"""`explain`: why a customer is, or is not, in each segment; and how a segment comes to be as large as it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from segkit.columns.helpers import KEY
from segkit.criteria.tree import All, fold
from segkit.diagnostics import only_notes, without_notes
from segkit.errors import RuleError
from segkit.gates.ledger import Line
from segkit.io.read import Workspace
from segkit.io.write import FORMATS
from segkit.operations.decide import Decision, decide
from segkit.operations.explanation.criteria import Reader, said
from segkit.operations.explanation.keys import like_these
from segkit.operations.explanation.outcomes import CLAIMED, claimed_by, outcome_of, trees_of
from segkit.operations.progress import Progress, silent
from segkit.results import HELD_OUT, REASONS, WRITTEN, Explained, ExplainedCustomer, ExplainResult, Funnel, FunnelStep
from segkit.rules.text.loader import Overrides, load_rules
from segkit.words import nearest


def explain(
    rules: Path,
    keys: Sequence[str] = (),
    *,
    segment: str | None = None,
    as_of: dt.date | None = None,
    personal: bool = False,
    progress: Progress = silent,
) -> ExplainResult:
    """What `apply` would do now with the customers of these keys, criterion by criterion; without keys, the funnels.

    `segment` looks at one segment alone. `personal` lets the hint for an unknown key name the keys that come near.

    Raises `RuleError` and `DataError`.
    """
    loaded = load_rules(rules, formats=FORMATS, overrides=Overrides(as_of=as_of))
    names = list(loaded.rules.segment)
    if segment is not None and segment not in names:
        raise RuleError.of(f"there is no segment `{segment}`", hint=nearest(segment, names, "segments"))
    written = [name for name in names if loaded.rules.segment[name].write]
    with Workspace() as ws:
        run = decide(loaded, written, ws, progress, leaves=True)
        asked = names if segment is None else [segment]
        trees = trees_of(run.evaluated.plan)
        places = _places(run, keys)
        unknown = tuple(key for key in dict.fromkeys(keys) if key not in places)
        return ExplainResult(
            as_of=run.evaluated.plan.context.as_of,
            customers=tuple(_customer(run, trees, asked, key, place) for key, place in places.items()),
            funnels=() if keys else tuple(_funnel(run, trees, name) for name in asked),
            unknown=unknown,
            hint=like_these(unknown, run.customers[KEY], personal=personal) if unknown else None,
            warnings=without_notes(run.warnings),
            notes=only_notes(run.warnings),
        )


def _places(run: Decision, keys: Sequence[str]) -> dict[str, int]:
    """The row of each key that a customer has, in the order of the keys."""
    known = run.customers.select(KEY).with_row_index("place").filter(pl.col(KEY).is_in(list(keys)))
    rows = dict(known.select(KEY, "place").rows())
    return {key: rows[key] for key in dict.fromkeys(keys) if key in rows}


def _customer(run: Decision, trees: Mapping[str, All], asked: Sequence[str], key: str, place: int) -> ExplainedCustomer:
    as_of = run.evaluated.plan.context.as_of
    reader = Reader(run.loaded.source, trees, run.rules.customers, run.customers[place], as_of)
    return ExplainedCustomer(key, tuple(_explained(run, reader, name, place) for name in asked))


def _explained(run: Decision, reader: Reader, name: str, place: int) -> Explained:
    line, segment = run.ledger.lines[name], run.rules.segment[name]
    outcome = outcome_of(line, place, write=segment.write)
    variant = line.variants[place] if line.variants is not None else None
    return Explained(
        name=name,
        label=segment.label or name,
        matched=bool(line.matched[place]),
        outcome=outcome,
        claimed_by=claimed_by(run.rules, run.ledger, place) if outcome == CLAIMED else None,
        variant=variant,
        file=_file(run, name, place, outcome),
        criteria=reader.criterion(reader.trees[name]),
    )


def _file(run: Decision, name: str, place: int, outcome: str | None) -> str | None:
    """The list that has the customer, or the list of those held out."""
    if outcome not in (WRITTEN, HELD_OUT):
        return None
    row = run.rows.marked.slice(place, 1)
    lists = [one for one in run.lists if one.segment == name and one.holdout == (outcome == HELD_OUT)]
    return next((one.name for one in lists if row.select(one.rows).collect().item()), None)


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
        if reason in line.stopped:
            stopped = int(line.stopped[reason].sum())
            left -= stopped
            yield reason, stopped, left
