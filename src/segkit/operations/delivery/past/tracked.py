"""`run/tracked.parquet`: the values that customers have in some columns, by key, and how many moved between values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import COUNT
from segkit.columns.plan.known_values import values_of
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import RuleError
from segkit.io.write import Sink, sink
from segkit.io.write.cells import as_text
from segkit.operations.decide import Decision
from segkit.operations.delivery.manifest import MoveOf, TrackedOf
from segkit.operations.delivery.past.runs import require_kept
from segkit.operations.delivery.runs import RUN_FOLDER, Run
from segkit.operations.lists.protection import protection, written_key
from segkit.rules.model.file import RuleFile

TRACKED_FILE = f"{RUN_FOLDER}/tracked.parquet"
MOST_VALUES = 50
"""Of a column with more, a table of moves says nothing."""
RARE = "(few)"
"""Stands for values that fewer customers have than may be told of."""
_SCHEMA = {"as_of": pl.String, "key": pl.String, "column": pl.String, "value": pl.String}


class Tracked(NamedTuple):
    """The values of two days at most: `as_of`, `key` as the lists show it, `column`, `value`."""

    rows: pl.LazyFrame
    in_manifest: TrackedOf

    @property
    def names(self) -> list[str]:
        """The names of its files."""
        return [TRACKED_FILE]

    def sinks(self, folder: Path) -> list[Sink]:
        """What writes the values."""
        return [sink(self.rows, folder / TRACKED_FILE, "parquet")]


def has_tracked(run: Run) -> bool:
    """Whether a run keeps the values of columns."""
    return TRACKED_FILE in run.manifest.files


def tracked_of(run: Decision, last: Run | None) -> tuple[Tracked, list[Diagnostic]]:
    """The values of today and of the last run of a day before, and what is to be said of them.

    Raises `DataError` where those of the last run are not as it wrote them, `RuleError` for a column of many values.
    """
    today = run.evaluated.plan.context.as_of.isoformat()
    columns = tuple(run.rules.output.track)
    now = _values(run, today)
    _require_few(now, run)
    kept = last.manifest.tracked if last and has_tracked(last) else None
    if last is None or kept is None:
        return Tracked(now, TrackedOf(columns=columns, days=(today,), fewest=run.rules.output.min_cell)), []
    require_kept(last, TRACKED_FILE)
    rows = pl.scan_parquet(last.folder / TRACKED_FILE, glob=False)
    if today < max(kept.days):
        message = f"columns are tracked until {max(kept.days)}: this run, of {today}, adds nothing to them"
        return Tracked(rows, kept), [Diagnostic(message, severity=Severity.NOTE)]
    since = max((day for day in kept.days if day < today), default=None)
    before = rows.filter(pl.col("as_of") == since)
    found = TrackedOf(
        columns=columns,
        days=(*([since] if since else []), today),
        since=since,
        fewest=run.rules.output.min_cell,
    )
    if since:
        with last.reading():
            found = _moved(found, before, now, run.rules)
    return Tracked(pl.concat([before, now]), found), []


def _values(run: Decision, day: str) -> pl.LazyFrame:
    marked, rules = run.rows.marked, run.rules
    schema = marked.collect_schema()
    of_columns = [
        marked.select(
            pl.lit(day).alias("as_of"),
            written_key(rules).alias("key"),
            pl.lit(name).alias("column"),
            as_text(pl.col(name), schema[name], rules.customers.lists.get(name, "|")).alias("value"),
        )
        for name in rules.output.track
    ]
    return pl.concat([pl.LazyFrame(schema=_SCHEMA), *of_columns])


def _require_few(now: pl.LazyFrame, run: Decision) -> None:
    counts = dict(now.group_by("column").agg(pl.col("value").n_unique()).collect().rows())
    for position, column in enumerate(run.rules.output.track):
        if counts.get(column, 0) > MOST_VALUES:
            message = f"`{column}` has {counts[column]:,} values: {MOST_VALUES} are the most that can be tracked"
            place = run.loaded.source.at("output", "track", position)
            raise RuleError(Diagnostic(message, place, "choose a column of few values, or cut it into `bands`"))


def _moved(found: TrackedOf, before: pl.LazyFrame, now: pl.LazyFrame, rules: RuleFile) -> TrackedOf:
    on = ["key", "column"]
    if protection(rules.output, rules.customers.key) == "hash":  # which takes `A1` and `a1` for one key
        before, now = (rows.unique(on, keep="first", maintain_order=True) for rows in (before, now))
    before, now = _without_rare(before, now, found.fewest, rules)
    both = before.join(now, on=on, how="inner").group_by("column", "value", "value_right").len(COUNT)
    first = found.columns[0]
    keys_before, keys_now = (rows.select("key").unique() for rows in (before, now.filter(pl.col("column") == first)))
    moves, stayed, came, gone = pl.collect_all(
        [
            both,
            keys_before.join(keys_now, on="key", how="semi").select(pl.len()),
            keys_now.join(keys_before, on="key", how="anti").select(pl.len()),
            keys_before.join(keys_now, on="key", how="anti").select(pl.len()),
        ]
    )
    return TrackedOf(
        columns=found.columns,
        days=found.days,
        since=found.since,
        customers=stayed.item(),
        came=came.item(),
        gone=gone.item(),
        fewest=found.fewest,
        moves=tuple(_in_order(list(moves.rows()), found, rules)),
    )


def _without_rare(
    before: pl.LazyFrame, now: pl.LazyFrame, fewest: int, rules: RuleFile
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The values of both days, without those that so few have that they may tell who it is; the rules' own stay."""
    counts = pl.concat([before, now]).group_by("as_of", "column", "value").len(COUNT).collect()
    many = counts.filter(pl.col(COUNT) >= fewest).select("column", "value")
    named = {name: values.names for name, values in values_of(rules).items()}
    named |= {name: trait.bands.labels or () for name, trait in rules.trait.items() if trait.bands}
    own = [{"column": name, "value": one} for name, values in named.items() for one in values]
    told = pl.concat([many, pl.DataFrame(own, schema=many.schema)]).unique().with_columns(pl.lit(True).alias(COUNT))

    def shown(rows: pl.LazyFrame) -> pl.LazyFrame:
        known = rows.join(told.lazy(), on=["column", "value"], how="left")
        value = pl.when(pl.col(COUNT).is_null() & pl.col("value").is_not_null()).then(pl.lit(RARE))
        return known.with_columns(value.otherwise("value").alias("value")).drop(COUNT)

    return shown(before), shown(now)


def _in_order(
    rows: Sequence[tuple[str, str | None, str | None, int]], found: TrackedOf, rules: RuleFile
) -> Iterator[MoveOf]:
    """The moves by column, then by the values in their order, those without a value last."""
    known = {name: values.names for name, values in values_of(rules).items()}

    def place(column: str, value: str | None) -> tuple[bool, int, str]:
        names = known.get(column, ())
        return value is None, names.index(value) if value in names else len(names), value or ""

    for column, old, new, customers in sorted(
        rows, key=lambda row: (found.columns.index(row[0]), place(row[0], row[1]), place(row[0], row[2]))
    ):
        count = customers if customers >= found.fewest else f"<{found.fewest}"
        yield MoveOf(column=column, old=old, new=new, customers=count)
