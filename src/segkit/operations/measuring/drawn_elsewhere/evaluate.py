"""`evaluate --assignment`: a test that segkit has not drawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.diagnostics import Diagnostic
from segkit.errors import RuleError
from segkit.experiments import SPEND, EvaluateResult, SegmentOutcome
from segkit.io.publish.errors import require_local
from segkit.io.read import Workspace
from segkit.io.write import FORMATS, STDOUT, format_of
from segkit.operations.measuring.arms import ARM, DAY
from segkit.operations.measuring.drawn_elsewhere.groups import Draw, Groups, groups_of
from segkit.operations.measuring.evaluate import done_by, finish, found_in, spelled_otherwise
from segkit.operations.measuring.figures import adjusted, arm_of, outcome_of
from segkit.operations.measuring.metrics import Measure
from segkit.operations.measuring.notes import notes_of
from segkit.operations.measuring.outcomes import Days, Outcomes
from segkit.operations.measuring.settings import NOTHING, Given, settings_of
from segkit.operations.orders_file.columns import choose, open_data
from segkit.operations.orders_file.rules import rule_file
from segkit.operations.orders_file.told import RULES, without_place, without_rule_file
from segkit.operations.progress import Progress, silent
from segkit.rules.model.evaluate import METRICS
from segkit.rules.text.loader import load_rules_text

USUAL = 0.95
"""The level of the intervals."""


class Orders(NamedTuple):
    """A file with what customers did, and its columns; those that are not given are guessed."""

    path: str
    time: str | None = None
    amount: str | None = None
    id: str | None = None


def evaluate_assignment(
    path: str,
    draw: Draw,
    as_of: dt.date,
    *,
    orders: Orders | None = None,
    given: Given = NOTHING,
    output: str | None = None,
    fail_on: str = "error",
    stdout: BinaryIO | None = None,
    progress: Progress = silent,
) -> EvaluateResult:
    """What came of a test: its groups, each beside the control group.

    Of the metrics that are `given`, `conversion` and `spend` are of the `orders` from the day after `as_of`; others, or
    all where there are no orders, are columns of the file, with numbers or with true and false.

    Raises `RuleError` where nothing says what is compared, or a group is not there, `DataError` where a column is not
    there or cannot be read. Raises `CheckFailed` where `fail_on` is `warning` and there are warnings.
    """
    require_local(output or STDOUT)
    format_of(Path(output or STDOUT))  # refused before anything is read
    _require_fit(draw, orders, given)
    columns = [name for name in dict.fromkeys(given.metrics) if orders is None or name not in METRICS]
    with Workspace() as ws:
        progress("reading the groups")
        with without_rule_file("by which `segkit apply` draws tests itself", where=False):
            groups = groups_of(open_data(ws, [path]), draw, columns, ws)
            bought = _bought(groups, orders, draw, as_of, given, ws, progress) if orders else None
    progress("comparing")
    measures, rows = groups.measures, groups.rows
    if bought:
        measures, rows = [*bought.measures, *measures], rows.join(bought.rows, on=KEY, how="left")
    of_arm = rows.partition_by(ARM, as_dict=True)
    arms = {name: arm_of(name, of_arm[(name,)], measures) for name in groups.arms.shares}
    level = USUAL if given.level is None else given.level
    [segment] = adjusted([outcome_of(groups.arms, arms, 0, level)], level)
    segment = segment if draw.expected else _without_shares(segment)
    notes = notes_of([segment], bought.found if bought else [], bought.days if bought else None)
    result = EvaluateResult(
        as_of=as_of,
        runs=(),
        start=bought.days.start if bought else None,
        until=bought.days.until if bought else None,
        customers=len(rows),
        level=level,
        metrics={one.name: one.kind for one in measures},
        cost=None,
        compared=len(segment.comparisons) // len(measures),
        segments=(segment,),
        in_all=(),
        left_out=groups.left_out,
        guesses=bought.guesses if bought else {},
        warnings=(*groups.warnings, *(bought.warnings if bought else ()), *notes),
    )
    finish(result, output, fail_on, stdout, progress)
    return result


def _require_fit(draw: Draw, orders: Orders | None, given: Given) -> None:
    """RuleError where nothing says what is compared, or something is said of orders, and there are none."""
    if orders is not None and draw.key is None:
        hint = "name the column of the file with the key that the orders have, too"
        raise RuleError.of("`--events` needs `--key`: whose orders are they?", hint=hint)
    if orders is None and not given.metrics:
        hint = "`--metric COLUMN` names a column of the file, `--events FILE` a file of orders"
        raise RuleError.of("nothing says what the groups are compared by", hint=hint)
    if orders is None and (given.start or given.within or given.until):
        hint = "give `--events FILE`, or take `--from`, `--within` and `--until` out"
        raise RuleError.of("there are no orders of which these days could count", hint=hint)


class _Bought(NamedTuple):
    """What customers bought: a row each, with the columns of the measures."""

    measures: Sequence[Measure]
    rows: pl.DataFrame
    found: Sequence[Outcomes]
    days: Days
    guesses: Mapping[str, str]
    warnings: tuple[Diagnostic, ...]


def _bought(
    groups: Groups,
    orders: Orders,
    draw: Draw,
    as_of: dt.date,
    given: Given,
    ws: Workspace,
    progress: Progress,
) -> _Bought:
    progress("opening the file of orders")
    metrics = [name for name in given.metrics if name in METRICS]
    table = open_data(ws, [orders.path])
    key = draw.key if draw.key in table.columns else None
    chosen = choose(table, key=key, time=orders.time, amount=orders.amount, id=orders.id, needs_amount=SPEND in metrics)
    loaded = load_rules_text(rule_file([orders.path], chosen, None, as_of), RULES, formats=FORMATS)
    settings = settings_of(loaded.rules, given._replace(metrics=metrics), as_of)
    if given.metrics and not metrics:
        hint = "name `conversion` or `spend`, too, or take `--events` out"
        raise RuleError.of("no metric is of the orders", hint=hint)
    found = found_in(loaded, settings, ws, progress, Path(orders.path).name)
    done = [done_by(one, groups.rows, loaded) for one in found]
    warnings = [*map(without_place, found[0].warnings), *spelled_otherwise(found, groups.rows, loaded)]
    guesses = {role: column for role, column in chosen.guesses.items() if role != "id" and column != draw.key}
    return _Bought(
        measures=settings.asked.measures,
        rows=done[0].drop(DAY),
        found=found,
        days=settings.days,
        guesses=guesses,
        warnings=tuple(warnings),
    )


def _without_shares(segment: SegmentOutcome) -> SegmentOutcome:
    """The groups where nobody has said how they were drawn."""
    return segment._replace(ratio_p=None, arms=tuple(arm._replace(expected=None) for arm in segment.arms))
