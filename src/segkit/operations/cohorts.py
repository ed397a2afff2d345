"""`cohorts`: who comes back, by the period of the first event; of a file of events, or of a table of a rule file."""

from __future__ import annotations

import datetime as dt
import time as clock
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import polars as pl

from segkit.columns.features.cohorts.cohorts import EVENT_COUNT, cohort_counts, cohort_of, with_first_events
from segkit.columns.features.cohorts.periods import By, is_over, label_of, number_of
from segkit.columns.helpers import AMOUNT, COHORT, COUNT, KEY, PERIOD, member
from segkit.diagnostics import Diagnostic, Severity, only_notes
from segkit.errors import DataError, RuleError
from segkit.io.read import Workspace
from segkit.io.read.values.numbers import MONEY
from segkit.io.write import FORMATS, STDOUT
from segkit.operations.evaluation.counts import tables_of
from segkit.operations.evaluation.evaluate import Evaluated, evaluate
from segkit.operations.orders_file.asked import is_rule_file, table_asked
from segkit.operations.orders_file.columns import TABLE, Chosen, choose, open_data
from segkit.operations.orders_file.rules import rule_file
from segkit.operations.orders_file.targets import refuse_targets, spare_inputs, write_rows
from segkit.operations.orders_file.told import RULES, warnings_of, without_rule_file
from segkit.operations.progress import Progress, silent
from segkit.results.cohorts import Cohort, CohortCell, CohortsResult
from segkit.rules.text.loader import Loaded, Overrides, load_rules, load_rules_text
from segkit.words import nearest

MOST_PERIODS = 1_000
"""Nineteen years of weeks."""
FEW = 10
"""So many customers may each have one event by chance."""
Show = Literal["customers", "percent", "revenue"]


def cohorts(
    data: str | Path | Sequence[str | Path],
    *,
    key: str | None = None,
    time: str | None = None,
    amount: str | None = None,
    id: str | None = None,
    where: str | None = None,
    sheet: str | None = None,
    events: str | None = None,
    segment: str | None = None,
    by: By = "month",
    show: Show = "percent",
    as_of: dt.date | None = None,
    output: str | None = None,
    stdout: BinaryIO | None = None,
    progress: Progress = silent,
) -> CohortsResult:
    """The customers by the period of their first event, and how many of them have one in each period since.

    `data` is a rule file (`.toml`), or a path or glob of events, or a list of these, read as one table. `key`, `time`,
    `amount`, `id`, `where` and `sheet` are as in `rfm`, and go with a file of events. Of a rule file, `events` names
    the table (default: that of `[value]`, or of `[rfm]`, or the only one), and `segment` who is looked at.
    """
    started = clock.perf_counter()
    files = [str(path) for path in ([data] if isinstance(data, (str, Path)) else data)]
    columns = {"key": key, "time": time, "amount": amount, "id": id, "where": where, "sheet": sheet}
    has_rules = is_rule_file(files, columns, {"events": events, "segment": segment})
    targets = {"-o": output}
    refuse_targets(targets)
    with Workspace() as ws:
        with nullcontext() if has_rules else without_rule_file("which `segkit cohorts` takes, too"):
            if has_rules:
                asked = _of_rules(Path(files[0]), events, segment, as_of, show)
            else:
                progress("opening the file")
                asked = _of_events(ws, files, columns, as_of, show)
            rules = with_first_events(asked.loaded.rules, asked.table)
            loaded = asked.loaded._replace(rules=rules)
            evaluated = evaluate(loaded, rules.today(), ws, progress)
        spare_inputs(evaluated, targets)
        progress("counting cohorts")
        result = _result(evaluated, asked, segment, by, show)
        warnings = (*warnings_of(evaluated, loaded, asked.columns), *_one_event_each(result))
        result = result._replace(warnings=warnings, path=None if output == STDOUT else output)
        if output is not None:
            progress("writing")
            write_rows(_rows(result), output, ws, stdout, evaluated.plan.context.as_of)
    return result._replace(elapsed_seconds=clock.perf_counter() - started)


class _Asked(NamedTuple):
    """The rules, the event table that is looked at, and for a file of events, its columns."""

    loaded: Loaded
    table: str
    columns: Chosen | None = None


def _of_events(
    ws: Workspace, files: Sequence[str], given: Mapping[str, str | None], as_of: dt.date | None, show: Show
) -> _Asked:
    """A file of events; `DataError` where a column that is needed can neither be found nor guessed."""
    columns = choose(
        open_data(ws, files, given["sheet"]),
        key=given["key"],
        time=given["time"],
        amount=given["amount"],
        id=given["id"],
        needs_amount=show == "revenue",
    )
    return _Asked(
        load_rules_text(rule_file(files, columns, given["where"], as_of, sheet=given["sheet"]), RULES, formats=FORMATS),
        TABLE,
        columns,
    )


def _of_rules(path: Path, events: str | None, segment: str | None, as_of: dt.date | None, show: Show) -> _Asked:
    """A table of a rule file; `RuleError` where it, or the segment, is not there, or money is asked of one without."""
    loaded = load_rules(path, formats=FORMATS, overrides=Overrides(as_of=as_of))
    rules = loaded.rules
    table = table_asked(rules, path, events)
    if segment is not None and segment not in rules.segment:
        hint = nearest(segment, rules.segment, "segments")
        raise RuleError.of(f"`{path}` has no segment `{segment}`", hint=hint)
    if show == "revenue" and not rules.events[table].amount:
        message = f"`--show revenue` needs an amount, and `[events.{table}]` of `{path}` names none"
        hint = f'add `amount = "..."`: the column of `[events.{table}]` with the money'
        raise RuleError.of(message, hint=hint)
    return _Asked(loaded, table)


def _result(evaluated: Evaluated, asked: _Asked, segment: str | None, by: By, show: Show) -> CohortsResult:
    plan, as_of = evaluated.plan, evaluated.plan.context.as_of
    frame = evaluated.computed.frame
    looked_at = frame if segment is None else frame.filter(pl.col(member(segment)))
    with_events = looked_at.select(pl.col(plan.match).alias(KEY), EVENT_COUNT, cohort_of(by, as_of)).drop_nulls(COHORT)
    _refuse_many(with_events[COHORT], by, as_of)
    counts = cohort_counts(plan.views[asked.table], with_events.select(KEY, COHORT), by)
    columns = asked.columns
    return CohortsResult(
        as_of=as_of,
        by=by,
        show=show,
        table=None if columns else asked.table,
        segment=segment,
        customers=len(with_events),
        events=int(with_events[EVENT_COUNT].sum() or 0),
        without_events=len(looked_at) - len(with_events),
        open_period=None if is_over(as_of, by) else label_of(number_of(as_of, by), by),
        cohorts=tuple(_cohorts(with_events[COHORT], counts, by, as_of)),
        guesses=columns.guesses if columns else {},
        rows_are_orders=bool(columns and columns.rows_are_orders),
        tables=tables_of(plan, evaluated.tally),
        warnings=(),
        notes=only_notes(evaluated.warnings),
        elapsed_seconds=0.0,
    )


def _one_event_each(result: CohortsResult) -> list[Diagnostic]:
    """A warning where nobody has a second event: that is what a file of customers looks like."""
    if result.customers < FEW or result.events > result.customers:
        return []
    message = f"none of {result.customers:,} customers has a second event, so nobody can come back"
    hint = "is this a file of customers, or the time a date of theirs? Cohorts are made of events, such as orders"
    return [Diagnostic(message, hint=hint, severity=Severity.WARNING)]


def _refuse_many(first: pl.Series, by: By, as_of: dt.date) -> None:
    """`DataError` for more periods than anybody can look at: each cohort has a cell for each period since."""
    oldest = first.min()
    periods = 0 if oldest is None else number_of(as_of, by) - int(str(oldest)) + 1
    if periods > MOST_PERIODS:
        message = f"there are {periods:,} {by}s from the first event to {as_of}; {MOST_PERIODS:,} are the most"
        hint = f"look for wrong days, such as birth dates: the oldest cohort is {label_of(int(str(oldest)), by)}"
        raise DataError.of(message, hint=f"{hint}; or count by longer periods (`--by`), or leave rows out (`--where`)")


def _cohorts(first: pl.Series, counts: pl.DataFrame, by: By, as_of: dt.date) -> Iterator[Cohort]:
    """The cohorts that have customers, the oldest first; `first` is the period of the first event of each customer."""
    money = AMOUNT if AMOUNT in counts.columns else None
    rows = counts.select(COHORT, PERIOD, COUNT, *([money] if money else [])).rows()
    found = {(cohort, period): (count, *revenue) for cohort, period, count, *revenue in rows}
    none = (0, Decimal(0)) if money else (0,)
    now, not_over = number_of(as_of, by), not is_over(as_of, by)
    for cohort, customers in sorted(first.value_counts().rows()):
        cells = []
        for period in range(cohort, now + 1):
            active, *revenue = found.get((cohort, period), none)
            cells.append(
                CohortCell(
                    period=period - cohort,
                    customers=active,
                    percent=100 * active / customers,
                    revenue=revenue[0] if revenue else None,
                    open=not_over and period == now,
                )
            )
        yield Cohort(label_of(cohort, by), customers, tuple(cells))


def _rows(result: CohortsResult) -> pl.LazyFrame:
    """One row a cohort: its name, its customers, which of its periods is not over, and the figure of each period."""
    figure: dict[str, pl.DataType] = {"customers": pl.Int64(), "percent": pl.Float64(), "revenue": MONEY}
    longest = max((len(cohort.cells) for cohort in result.cohorts), default=0)
    fixed = {"cohort": pl.String(), "customers": pl.Int64(), "open_period": pl.Int64()}
    schema = fixed | {f"period_{number}": figure[result.show] for number in range(longest)}
    rows = [
        [cohort.name, cohort.customers, next((cell.period for cell in cohort.cells if cell.open), None)]
        + [_figure(cell, result.show) for cell in cohort.cells]
        + [None] * (longest - len(cohort.cells))
        for cohort in result.cohorts
    ]
    return pl.DataFrame(rows, schema=schema, orient="row").lazy()


def _figure(cell: CohortCell, show: str) -> int | float | Decimal | None:
    return round(cell.percent, 4) if show == "percent" else cell.customers if show == "customers" else cell.revenue
