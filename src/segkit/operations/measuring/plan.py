"""`evaluate --plan`: before the letters go out, how small a difference could be seen afterwards."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.errors import RuleError
from segkit.experiments import Detectable, PlannedSegment, PlanResult
from segkit.inference.arms import Values
from segkit.inference.families import detectable
from segkit.io.read import Workspace
from segkit.operations.delivery.runs import Run, open_run
from segkit.operations.explanation.earlier import rules_of
from segkit.operations.measuring.arms import ARM, SEGMENT, Arms, customers_of, drawn_in
from segkit.operations.measuring.evaluate import did_by, found_in, refuse_warnings, require_fit, require_known
from segkit.operations.measuring.figures import FEW_BUYERS, Arm, arm_of, figures_of
from segkit.operations.measuring.metrics import Measure
from segkit.operations.measuring.notes import notes_of_plan
from segkit.operations.measuring.outcomes import Days
from segkit.operations.measuring.settings import NOTHING, Given, settings_of
from segkit.operations.progress import Progress, silent
from segkit.results.terms import CONTROL, HELD_OUT, WRITTEN
from segkit.rules.model.file import RuleFile
from segkit.rules.walk import below


def plan_run(
    path: Path,
    *,
    events: Mapping[str, str] | None = None,
    given: Given = NOTHING,
    holdout: Decimal | None = None,
    segments: Sequence[str] = (),
    fail_on: str = "error",
    progress: Progress = silent,
) -> PlanResult:
    """How small a difference of the arms of a run could be seen, by what its customers did in as many days before.

    The days that were looked at end on the day of the run. With `holdout`, the arms are not those of the run, but this
    share in percent of each segment, and the rest.

    Raises `RuleError`, `DataError` and `CheckFailed` as `evaluate_runs` does.
    """
    run = open_run(path)
    loaded = rules_of(run, events=events or {})
    require_fit(run, loaded, events or {})
    drawn = drawn_in(run) if holdout is None else _held_out(run, holdout)
    if not drawn:
        hint = "`--holdout 10` plans with a tenth of each segment"
        raise RuleError.of(f"nothing was drawn in `{run.shown}`: there is nobody to compare with", hint=hint)
    require_known(segments, drawn, run)
    as_of = dt.date.fromisoformat(run.as_of)
    settings = settings_of(loaded.rules, given, as_of)
    first, last = settings.days
    before = settings._replace(windows={as_of: Days(as_of - (last - first), as_of)})
    with Workspace() as ws:
        progress("reading the run")
        with run.reading():
            members = customers_of(run).collect()
        found = found_in(loaded, before, ws, progress)
        members = did_by(members, found, loaded)
    shown = [one for one in drawn if not segments or one.segment in segments]
    planner = _Planner(members, before.asked.measures, before.level, holdout, loaded.rules.output.min_cell)
    planned = [planner.planned(one) for one in shown]
    by_deeds = [one.name for one in planned if one.name in loaded.rules.segment and _by_deeds(loaded.rules, one.name)]
    warnings = dict.fromkeys(warning for one in found for warning in one.warnings)
    result = PlanResult(
        as_of=as_of,
        start=before.days.start,
        until=before.days.until,
        customers=run.manifest.customers,
        level=before.level,
        metrics={one.name: one.kind for one in before.asked.measures},
        segments=tuple(planned),
        warnings=(*settings.warnings, *warnings, *notes_of_plan(planned, by_deeds)),
    )
    refuse_warnings(result.warnings, fail_on)
    return result


_DEEDS = frozenset({"behavioural", "rfm", "lifecycle", "value", "score"})
"""Families of columns that are made of events."""


def _by_deeds(rules: RuleFile, name: str) -> bool:
    """Whether a segment is chosen by what customers did, so that they did more in the days before than in others."""
    for _, block in below(("segment", name), rules.segment[name]):
        if block.behavioural.did or any(_by_deeds(rules, other) for other in block.in_segment):
            return True
        for family, column, _ in block.criteria():
            if family in _DEEDS or (column in rules.trait and rules.trait[column].events):
                return True
    return False


def _held_out(run: Run, percent: Decimal) -> list[Arms]:
    """Each segment that was written, with a share held out."""
    shares = {HELD_OUT: Fraction(percent) / 100, WRITTEN: 1 - Fraction(percent) / 100}
    return [Arms(one.name, shares) for one in run.manifest.segments if one.write]


class _Planner(NamedTuple):
    """What is asked of each segment: `members` are all of the run, and what they did."""

    members: pl.DataFrame
    measures: Sequence[Measure]
    level: float
    holdout: Decimal | None
    fewest: int

    def planned(self, arms: Arms) -> PlannedSegment:
        """What could be seen of a segment; those whom the control group takes out of it are none of its customers."""
        rows = self.members.filter(pl.col(SEGMENT) == arms.segment)
        if CONTROL not in arms.shares:
            rows = rows.filter(pl.col(ARM) != CONTROL)
        everybody = arm_of(arms.segment, rows, self.measures)
        if self.holdout is None:
            sizes = {name: rows.filter(pl.col(ARM) == name).height for name in arms.shares}
        else:
            sizes = {name: round(share * everybody.size) for name, share in arms.shares.items()}
        seen = _detectable(everybody, sizes, self.measures, self.level) if everybody.size >= self.fewest else ()
        return PlannedSegment(
            name=arms.segment,
            customers=everybody.size,
            figures=tuple(figures_of(everybody, self.fewest)),
            arms=sizes,
            comparisons=tuple(seen),
        )


def _detectable(
    everybody: Arm, sizes: Mapping[str, int], measures: Sequence[Measure], level: float
) -> Iterator[Detectable]:
    """What could be seen of each arm beside the first one, where all of them go on as everybody did."""
    base, *others = sizes
    for name in others:
        share = min(sizes[name], sizes[base]) / everybody.size
        for measure in measures:
            values = everybody.values(measure.name) or everybody.shares(measure.name).values
            found = _of(values, sizes[name], sizes[base], level)
            yield Detectable(
                arm=name,
                against=base,
                metric=measure.name,
                detectable=found,
                relative=None if found is None or values.mean <= 0 else 100 * found / values.mean,
                too_few=measure.kind == "mean" and everybody.did[measure.name].ones * share < FEW_BUYERS,
            )


def _of(values: Values, one: int, other: int, level: float) -> float | None:
    """The least difference that is seen; None where there is nobody to tell it by."""
    if not (one and other) or values.size < 2 or not values.squares:
        return None
    return detectable(math.sqrt(values.squares / (values.size - 1) * (1 / one + 1 / other)), level)
