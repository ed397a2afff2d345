"""The result of a run, built once from what it counted and from where its lists went."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from segkit.criteria.sql.parse import sql_columns
from segkit.diagnostics import Diagnostic, only_notes, without_notes
from segkit.operations.decide import Decision
from segkit.operations.evaluation.counts import tables_of
from segkit.operations.lists.lists import control_name, holdout_of, outputs_of, without_identifier
from segkit.operations.lists.protection import protection
from segkit.operations.summary.count import shown
from segkit.operations.summary.distributions import distributions
from segkit.operations.summary.profiles import profile_of
from segkit.operations.summary.tally import Tally
from segkit.results.apply import ApplyResult, ControlGroup, SegmentResult
from segkit.results.parts import Overlap, Threshold
from segkit.results.terms import CONTROL, REASONS
from segkit.rules.model.file import RuleFile


def result_of(
    run: Decision, folder: Path | None, warnings: Sequence[Diagnostic], *, dry_run: bool = False
) -> ApplyResult:
    """The result of a run whose lists go to `folder`; `elapsed_seconds` is still to be said."""
    rules, tally, computed = run.rules, run.tally, run.evaluated.computed
    customers = tally.count("customers")
    return ApplyResult(
        as_of=run.evaluated.plan.context.as_of,
        customers=customers,
        segments=tuple(_segment(run, name, folder) for name in shown(rules, run.chosen)),
        unmatched=customers - tally.count("in", "segment"),
        unlisted=customers - tally.count("in", "list"),
        several=tally.count("in", "several"),
        overlaps=tuple(_overlaps(run.chosen, tally)),
        tables=tables_of(run.evaluated.plan, tally),
        thresholds=_named(run, computed.thresholds),
        warnings=without_notes(warnings),
        notes=only_notes(warnings),
        elapsed_seconds=0.0,
        directory=str(folder) if folder else None,
        dry_run=dry_run,
        distributions=distributions(rules, tally),
        models=computed.models,
        control=_control(run, folder),
    )


def _control(run: Decision, folder: Path | None) -> ControlGroup | None:
    group, name = run.rules.assignment.control, control_name(run.rules)
    if group is None:
        return None
    path = None if folder is None or name is None else str(folder / name)
    return ControlGroup(Decimal(group.percent), group.salt, run.tally.count(CONTROL), path)


def _named(run: Decision, thresholds: Sequence[Threshold]) -> tuple[Threshold, ...]:
    """The cuts; of groups, those that are large enough and have names that may be shown.

    Others are counted alone: a group by a column that no list shows in clear, or that is computed from such, has no
    name, and the cut of a few customers may be the value of one.
    """
    plan, output = run.evaluated.plan, run.rules.output
    steps = {name: step for step in plan.steps for name in step.names}
    derived = {name: frozenset(sql_columns(sql)) for name, sql in run.rules.customers.derive.items()}

    def is_protected(column: str) -> bool:
        if protection(output, column):
            return True
        step = steps.get(column)
        return any(map(is_protected, step.needs if step else derived.get(column, ())))

    def may_be_named(cut: Threshold) -> bool:
        few = cut.customers is not None and cut.customers < output.min_cell
        return not cut.groups or not (few or any(map(is_protected, cut.within)))

    of_columns: dict[tuple[str, str], list[Threshold]] = {}
    for cut in thresholds:
        of_columns.setdefault((cut.id, cut.column), []).append(cut)
    shown = ([cut for cut in cuts if may_be_named(cut)] or [_nameless(cuts[0])] for cuts in of_columns.values())
    return tuple(cut for cuts in shown for cut in cuts)


def _nameless(cut: Threshold) -> Threshold:
    return cut._replace(values=(), keys=(), within={}, customers=None)


def _segment(run: Decision, name: str, folder: Path | None) -> SegmentResult:
    rules, tally = run.rules, run.tally
    customers, written = tally.count("customers"), tally.count("written", name) if name in run.chosen else 0
    return SegmentResult(
        name=name,
        label=rules.segment[name].label or name,
        matched=tally.count("matched", name),
        excluded={reason: tally.count("stopped", name, reason) for reason in REASONS},
        written=written,
        share=100 * written / customers if customers else 0.0,
        outputs=outputs_of(run.lists, name, folder),
        control=tally.count(CONTROL, name),
        holdout=holdout_of(run.lists, name, folder),
        variants=_variants(rules, tally, name),
        write=rules.segment[name].write,
        profile={column: profile_of(tally, run.medians, name, column) for column in rules.output.profile},
        without_identifier=without_identifier(run.lists, name),
    )


def _variants(rules: RuleFile, tally: Tally, name: str) -> dict[str, int]:
    """How many of the written customers get each variant."""
    if ("variant", name) not in tally.frames:
        return {}
    counts = dict(tally.frames["variant", name].rows())
    return {variant: counts.get(variant, 0) for variant in rules.segment[name].split or ()}


def _overlaps(chosen: Sequence[str], tally: Tally) -> list[Overlap]:
    """Pairs of segments that share customers."""
    pairs = [(first, second) for place, first in enumerate(chosen) for second in chosen[place + 1 :]]
    return [Overlap(*pair, count) for pair in pairs if (count := tally.count("overlap", *pair))]
