"""`evaluate`: whether those written bought more than those held out, and one variant more than another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl

from segkit.columns.helpers import KEY
from segkit.diagnostics import Diagnostic, Severity, without_notes
from segkit.errors import CheckFailed, DataError, RuleError
from segkit.experiments import ARMS, CONVERSION, REACHED, EvaluateResult, SegmentOutcome
from segkit.io.publish.errors import require_local
from segkit.io.read import Workspace
from segkit.io.read.values.texts import normal_key
from segkit.io.write import STDOUT, format_of
from segkit.operations.delivery.runs import Run, open_run
from segkit.operations.explanation.earlier import rules_of
from segkit.operations.lists.protection import key_form, require_secret, written_key
from segkit.operations.measuring.arms import ARM, SEGMENT, Arms, customers_of, drawn_in
from segkit.operations.measuring.figures import Arm, adjusted, arm_of, outcome_of
from segkit.operations.measuring.outcomes import Days, Outcomes, outcomes
from segkit.operations.measuring.table import rows_of
from segkit.operations.orders_file.targets import write_rows
from segkit.operations.progress import Progress, silent
from segkit.results import CONTROL, HELD_OUT
from segkit.rules.model.base import Duration
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import orders_table
from segkit.rules.text.loader import Loaded
from segkit.words import count, nearest

USUAL = Duration(30, "day")


def evaluate_run(
    path: Path,
    *,
    events: Mapping[str, str] | None = None,
    start: dt.date | None = None,
    within: Duration = USUAL,
    until: dt.date | None = None,
    segments: Sequence[str] = (),
    level: float = 0.95,
    output: str | None = None,
    fail_on: str = "error",
    stdout: BinaryIO | None = None,
    progress: Progress = silent,
) -> EvaluateResult:
    """What came of a run: by segment, those written beside those held out, or one variant beside another.

    `events` are other files for tables of events. The days that count begin on `start` (default: the day after the
    run), and end on `until`, or before `within` has passed. `output` is a file with a row for each comparison.

    Raises `RuleError` where nothing was drawn, or no table has orders, `DataError` where the run is not whole, or the
    files end before these days. Raises `CheckFailed` where `fail_on` is `warning` and there are warnings; then nothing
    is written.
    """
    require_local(output or STDOUT)
    format_of(Path(output or STDOUT))  # refused before anything is read
    run = open_run(path)
    loaded = rules_of(run, events=events or {})
    _require_fit(run, loaded, events or {})
    arms = drawn_in(run)
    if not arms:
        hint = "give segments a `holdout = 10` before the next run, or a `split`; or draw a control group"
        raise RuleError.of(f"nothing was drawn in `{run.shown}`: there is nobody to compare with", hint=hint)
    _require_known(segments, arms, run)
    as_of = dt.date.fromisoformat(run.as_of)
    days = _days(as_of, start, within, until)
    table = table_of(loaded.rules)
    with Workspace() as ws:
        progress("reading the run")
        with run.reading():
            members = customers_of(run).collect()
        found = outcomes(loaded, table, days, ws, progress)
        _require_later(found, days, table)
        progress("comparing")
        compared = _compared(members, found.rows, arms, loaded, level)
    shown = [one for one in adjusted(compared, level) if not segments or one.name in segments]
    result = EvaluateResult(
        as_of=as_of,
        start=days.start,
        until=days.until,
        customers=run.manifest.customers,
        level=level,
        compared=sum(one.metric == CONVERSION for segment in compared for one in segment.comparisons),
        segments=tuple(shown),
        warnings=(*found.warnings, *_warnings(shown, found, days)),
    )
    if fail_on == "warning" and without_notes(result.warnings):
        raise CheckFailed(*without_notes(result.warnings), Diagnostic("there are warnings, so nothing was written"))
    if output is not None:
        progress("writing")
        with Workspace() as ws:
            write_rows(rows_of(result), output, ws, stdout, days.until)
    return result


def _require_fit(run: Run, loaded: Loaded, events: Mapping[str, str]) -> None:
    """RuleError where the customers of the run cannot be found again in its events."""
    rules, output = loaded.rules, run.manifest.output
    for name in events:
        if name not in rules.events:
            hint = nearest(name, rules.events, "event tables")
            raise RuleError.of(f"the rules of `{run.shown}` have no `[events.{name}]`", hint=hint)
    require_secret(loaded)
    run.key.require_same(key_form(rules), "the run", "its rule file now")
    if rules.customers.normalise_keys and output.key_protection:
        message = "the keys of the run cannot be found again: they are protected, and events write them in other ways"
        raise RuleError.of(message, hint="write the keys alike in all files, so that `normalise_keys` can be left out")
    if output.changes or output.load == "append_changes":
        hint = "let a run write all members: take `changes` out"
        raise RuleError.of(f"`{run.shown}` has written changes alone, of which nothing is told yet", hint=hint)


def _days(as_of: dt.date, start: dt.date | None, within: Duration, until: dt.date | None) -> Days:
    first = start or as_of + dt.timedelta(days=1)
    days = Days(first, until or within.after(first) - dt.timedelta(days=1))
    if days.until < days.start:
        hint = "give a later day with `--until`, or an earlier one with `--from`"
        raise RuleError.of(f"no day counts: the first is {days.start}, and the last {days.until}", hint=hint)
    return days


def table_of(rules: RuleFile) -> str:
    """The table of events with the orders: the one that the rules look at, or the only one with an amount."""
    if table := orders_table(rules):
        return table
    with_money = [name for name, events in rules.events.items() if events.amount]
    if len(with_money) == 1:
        return with_money[0]
    hint = 'say it in the rule file: `[value]` with `events = "orders"`'
    raise RuleError.of("nothing tells which table of events has the orders", hint=hint)


def _require_known(segments: Sequence[str], arms: Sequence[Arms], run: Run) -> None:
    names = [one.segment for one in arms]
    for name in segments:
        if name not in names:
            hint = nearest(name, names, "segments with a draw")
            raise RuleError.of(f"`{run.shown}` has drawn nobody of a segment `{name}`", hint=hint)


def _require_later(found: Outcomes, days: Days, table: str) -> None:
    """DataError where there are no events in these days because the table ends before."""
    if not found.goes_on and (found.last is None or found.last < days.start):
        last = f"the last event is of {found.last}" if found.last else "there is no event"
        hint = f"give a newer one with `--events {table}=FILE`"
        raise DataError.of(f"`{table}` has nothing from {days.start} on: {last}", hint=hint)


def _compared(
    members: pl.DataFrame, found: pl.DataFrame, arms: Sequence[Arms], loaded: Loaded, level: float
) -> list[SegmentOutcome]:
    done = found.lazy().with_columns(written_key(loaded.rules).alias(KEY)).collect()
    if forms := loaded.rules.customers.normalise_keys:
        members, done = (rows.with_columns(normal_key(pl.col(KEY), forms)) for rows in (members, done))
    done = done.group_by(KEY).agg(pl.all().sum())  # two ways to write a key may be one by now
    if len(done) and not members.join(done, on=KEY, how="semi").height:
        hint = "is it the table of other customers? a key must be written in both in the same way"
        raise DataError.of("none of the keys of the events in these days is one of a customer of the run", hint=hint)
    written = members.filter(~pl.col(ARM).is_in([HELD_OUT, CONTROL, REACHED]))
    elsewhere = members.filter(pl.col(ARM) == HELD_OUT).join(written, on=KEY, how="semi")
    counts = dict(elsewhere.group_by(SEGMENT).len().rows())
    rows = members.join(done, on=KEY, how="left").partition_by(SEGMENT, ARM, as_dict=True)
    of = {one.segment: _arms(one, rows) for one in arms}
    return [outcome_of(one, of[one.segment], counts.get(one.segment, 0), level) for one in arms]


def _arms(arms: Arms, rows: Mapping[tuple[object, ...], pl.DataFrame]) -> dict[str, Arm]:
    return {name: arm_of(name, rows.get((arms.segment, name))) for name in arms.shares}


def _warnings(segments: Sequence[SegmentOutcome], found: Outcomes, days: Days) -> Iterator[Diagnostic]:
    if found.last and found.last < days.until and not found.goes_on:
        message = f"the days that count still run: the last event is of {found.last}, and they end on {days.until}"
        yield _warning(message, "run this again with newer files, or end them with `--until DATE`")
    for one in segments:
        if one.ratio_p is not None and one.ratio_p < 0.001:
            sizes = ", ".join(f"{ARMS.get(arm.name, arm.name)} {count(arm.customers)}" for arm in one.arms)
            message = f"the arms of segment `{one.name}` are not of the sizes that were drawn: {sizes}"
            yield _warning(message, "do not trust its figures: something has taken out, or added, some")
        if one.written_elsewhere:
            message = f"{count(one.written_elsewhere)} held out of segment `{one.name}` were written by another one"
            yield _warning(message, "the difference is smaller than that of writing to nobody")


def _warning(message: str, hint: str) -> Diagnostic:
    return Diagnostic(message, hint=hint, severity=Severity.WARNING)
