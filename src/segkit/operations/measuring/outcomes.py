"""What customers did in the days after a run: how many events they had, and what these add up to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.columns.tables.view import AFTER_AS_OF
from segkit.diagnostics import Diagnostic
from segkit.io.read import Workspace
from segkit.io.read.values.numbers import MONEY
from segkit.operations.evaluation.evaluate import evaluate
from segkit.operations.measuring.arms import DAY
from segkit.operations.progress import Progress
from segkit.rules.model.blocks import Segment
from segkit.rules.model.computed.traits import Trait
from segkit.rules.model.file import Output, RuleFile
from segkit.rules.model.measures import Measured
from segkit.rules.model.sources import Customers
from segkit.rules.text.loader import Loaded

_EVENTS = "events"
"""How many events a customer has in these days, whatever they are."""
_AGE = "days-since-first"
"""How many days before the end of all days the first event of a customer is."""


class Days(NamedTuple):
    """The days that count, both included."""

    start: dt.date
    until: dt.date


class Outcomes(NamedTuple):
    """`KEY`, `DAY`, and a column for each measure, of everybody who has an event of `table` in the days that count.

    Which days count may hang on `DAY`: there is a row for each of the windows in which somebody has an event. Counts
    are whole numbers, sums exact decimals.
    """

    table: str
    rows: pl.DataFrame
    keys: pl.DataFrame
    """`KEY` of everybody who has an event in the table, up to the end of these days."""
    warnings: tuple[Diagnostic, ...]
    first: dt.date | None
    """The day of the first event of the table."""
    last: dt.date | None
    """The day of the last event of the table, up to the end of these days."""
    goes_on: bool
    """The table has events after these days."""


def outcomes(
    loaded: Loaded,
    table: str,
    measures: Mapping[str, Measured],
    windows: Mapping[dt.date, Days],
    ws: Workspace,
    progress: Progress,
) -> Outcomes:
    """What the customers of a table of events did in these windows, by the rules that say how it is read.

    Raises `RuleError` and `DataError`.
    """
    rules = _rules(loaded.rules, table, measures, windows)
    evaluated = evaluate(loaded._replace(rules=rules), rules.today(), ws, progress)
    customers = evaluated.computed.customers
    sums = [pl.col(name).cast(MONEY) for name, one in measures.items() if one.measure == "sum"]
    rows = [
        customers.filter(pl.col(_in(_EVENTS, place)) > 0)
        .select(KEY, pl.lit(day).alias(DAY), *(pl.col(_in(name, place)).alias(name) for name in measures))
        .with_columns(*sums)
        for place, day in enumerate(windows)
    ]
    known, keys = pl.collect_all([pl.concat(rows), customers.select(KEY, _AGE)])
    oldest = keys.select(pl.col(_AGE).max()).item()
    return Outcomes(
        table=table,
        rows=known,
        keys=keys.select(KEY),
        first=None if oldest is None else rules.today() - dt.timedelta(days=oldest),
        warnings=evaluated.warnings,
        last=evaluated.computed.last_day(table),
        goes_on=evaluated.computed.counts[table][AFTER_AS_OF].item() > 0,
    )


def _in(name: str, place: int) -> str:
    """The measure in a window."""
    return f"{name}-{place}"


def _rules(rules: RuleFile, table: str, measures: Mapping[str, Measured], windows: Mapping[dt.date, Days]) -> RuleFile:
    """The rules of a table of events alone, whose keys are the customers."""
    events = rules.events[table]
    key = {"from": table, "key": events.key or rules.customers.key, "normalise_keys": rules.customers.normalise_keys}
    traits = {_AGE: Trait(events=table, measure="days_since_first")}
    for place, days in enumerate(windows.values()):
        traits[_in(_EVENTS, place)] = Trait(events=table, between=days)
        for name, one in measures.items():
            trait = Trait(events=table, where=one.where, measure=one.measure, of=one.of, between=days)
            traits[_in(name, place)] = trait
    return RuleFile(
        version=1,
        as_of=max(days.until for days in windows.values()),
        timezone=rules.timezone,
        customers=Customers.model_validate(key),
        events={table: events},
        lookup={name: lookup for name, lookup in rules.lookup.items() if lookup.into == table},
        trait=traits,
        output=Output(columns=tuple(traits)),
        cache=rules.cache,
        segment={"everybody": Segment(everyone=True)},
    )
