"""The result of a run, built once from what it decided and from where that went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from segkit.diagnostics import Diagnostic, only_notes, without_notes
from segkit.gates.ledger import Line, overlaps
from segkit.operations.decide import Decision
from segkit.operations.lists.lists import holdout_of, outputs_of
from segkit.operations.summary.distributions import distributions
from segkit.operations.summary.profiles import profiles
from segkit.results import ApplyResult, Overlap, SegmentResult


def result_of(
    run: Decision, folder: Path | None, warnings: Sequence[Diagnostic], *, dry_run: bool = False
) -> ApplyResult:
    """The result of a run whose lists go to `folder`; `elapsed_seconds` is still to be said."""
    rules, customers, lines = run.rules, run.customers, run.lines
    shown = [name for name in rules.segment if name in run.chosen or not rules.segment[name].write]
    masks = {name: lines[name].written for name in run.chosen}
    profile = profiles(customers, {name: lines[name].written for name in shown}, rules.output.profile)
    segments = tuple(
        SegmentResult(
            name=name,
            label=rules.segment[name].label or name,
            matched=lines[name].matched,
            excluded=lines[name].excluded,
            written=(count := int(lines[name].written.sum()) if name in run.chosen else 0),
            share=100 * count / len(customers) if len(customers) else 0.0,
            outputs=outputs_of(run.lists, name, folder),
            holdout=holdout_of(run.lists, name, folder),
            variants=_variants(lines[name], rules.segment[name].split or ()) if name in run.chosen else {},
            write=rules.segment[name].write,
            profile=profile.get(name, {}),
        )
        for name in shown
    )
    matched, listed, several = _coverage(run.members.select(n for n, s in rules.segment.items() if s.write), masks)
    return ApplyResult(
        as_of=run.evaluated.plan.context.as_of,
        customers=len(customers),
        segments=segments,
        unmatched=len(customers) - matched,
        unlisted=len(customers) - listed,
        several=several,
        overlaps=tuple(Overlap(*pair) for pair in overlaps(masks)),
        tables=run.evaluated.tables,
        thresholds=run.evaluated.computed.thresholds,
        warnings=without_notes(warnings),
        notes=only_notes(warnings),
        elapsed_seconds=0.0,
        directory=str(folder) if folder else None,
        dry_run=dry_run,
        distributions=distributions(rules, customers),
        models=run.evaluated.computed.models,
    )


def _variants(line: Line, names: Iterable[str]) -> dict[str, int]:
    """How many of the written customers get each variant."""
    if line.variants is None:
        return {}
    counts = dict(line.variants.drop_nulls().value_counts().rows())
    return {name: counts.get(name, 0) for name in names}


def _coverage(matched: pl.DataFrame, written: Mapping[str, pl.Series]) -> tuple[int, int, int]:
    """How many customers match a segment, how many are written in a list, and how many in two or more."""
    if not written:
        return 0, 0, 0
    counted = matched.select(pl.any_horizontal(pl.all()).sum())
    lists = pl.DataFrame(list(written.values())).select(pl.sum_horizontal(pl.all().cast(pl.UInt32)).alias("lists"))
    listed, several = lists.select((pl.col("lists") > 0).sum(), (pl.col("lists") > 1).sum().alias("several")).row(0)
    return int(counted.item()), int(listed), int(several)
