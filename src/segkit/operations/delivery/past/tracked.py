"""`run/tracked.parquet`: the values that customers have in some columns, by key, and how many moved between values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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


def has_day(run: Run) -> bool:
    """Whether a run keeps the values of its own day; one after which there were later days keeps theirs."""
    tracked = run.manifest.tracked
    return tracked is not None and has_tracked(run) and run.as_of in tracked.days


def moves_between(old: Run, new: Run, fewest: int) -> TrackedOf:
    """How customers moved between the values of the columns that two runs track; both show keys in the same way.

    Values that fewer than `fewest` customers have on these days are not told, but for those that one of the runs tells.
    Raises `DataError` where what a run keeps is not as it was written.
    """
    kept = [run.manifest.tracked for run in (old, new) if run.manifest.tracked]
    fewest = max(fewest, *(one.fewest for one in kept))
    columns = tuple(column for column in kept[-1].columns if column in kept[0].columns)
    found = TrackedOf(columns=columns, days=(old.as_of, new.as_of), since=old.as_of, fewest=fewest)
    if not columns:
        return found
    values = [_of_day(run, columns) for run in (old, new)]
    hashed = new.key.protection == "hash"
    with old.reading(), new.reading():
        return _moved(found, values[0], values[1], _Known(_named_in([old, new]), hashed=hashed))


def _of_day(run: Run, columns: Sequence[str]) -> pl.LazyFrame:
    run.require(TRACKED_FILE)
    rows = pl.scan_parquet(run.folder / TRACKED_FILE, glob=False)
    return rows.filter(pl.col("as_of") == run.as_of, pl.col("column").is_in(columns))


def _named_in(runs: Sequence[Run]) -> dict[str, tuple[str, ...]]:
    """The values that manifests tell, by column, in their order."""
    found: dict[str, dict[str, None]] = {}
    for run in reversed(runs):
        aggregates, tracked = run.manifest.aggregates, run.manifest.tracked
        told = [(one.column, value.value) for one in (aggregates.columns if aggregates else ()) for value in one.values]
        told += [(one.column, value) for one in (tracked.moves if tracked else ()) for value in (one.old, one.new)]
        for column, value in told:
            if value not in (None, RARE):
                found.setdefault(column, {})[value] = None
    return {column: tuple(values) for column, values in found.items()}


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
    before = rows.filter(pl.col("as_of").eq_missing(pl.lit(since)))  # of no day, there are none
    found = TrackedOf(
        columns=columns,
        days=(*([since] if since else []), today),
        since=since,
        fewest=run.rules.output.min_cell,
    )
    if since:
        with last.reading():
            found = _moved(found, before, now, _known(run.rules))
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


class _Known(NamedTuple):
    """What is known of tracked columns: values that are told of a few, too, in their order; how keys are shown."""

    values: Mapping[str, Sequence[str]]
    hashed: bool


def _known(rules: RuleFile) -> _Known:
    values: dict[str, Sequence[str]] = {name: known.names for name, known in values_of(rules).items()}
    values |= {name: trait.bands.labels or () for name, trait in rules.trait.items() if trait.bands}
    return _Known(values, hashed=protection(rules.output, rules.customers.key) == "hash")


def _moved(found: TrackedOf, before: pl.LazyFrame, now: pl.LazyFrame, known: _Known) -> TrackedOf:
    on = ["key", "column"]
    if known.hashed:  # which takes `A1` and `a1` for one key
        before, now = (rows.unique(on, keep="first", maintain_order=True) for rows in (before, now))
    before, now = _without_rare(before, now, found.fewest, known)
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
        moves=tuple(_in_order(list(moves.rows()), found, known)),
    )


def _without_rare(
    before: pl.LazyFrame, now: pl.LazyFrame, fewest: int, known: _Known
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The values of both days, without those that so few have that they may tell who it is; the rules' own stay."""
    counts = pl.concat([before, now]).group_by("as_of", "column", "value").len(COUNT).collect()
    many = counts.filter(pl.col(COUNT) >= fewest).select("column", "value")
    own = [{"column": name, "value": one} for name, values in known.values.items() for one in values]
    told = pl.concat([many, pl.DataFrame(own, schema=many.schema)]).unique().with_columns(pl.lit(True).alias(COUNT))

    def shown(rows: pl.LazyFrame) -> pl.LazyFrame:
        marked = rows.join(told.lazy(), on=["column", "value"], how="left")
        value = pl.when(pl.col(COUNT).is_null() & pl.col("value").is_not_null()).then(pl.lit(RARE))
        return marked.with_columns(value.otherwise("value").alias("value")).drop(COUNT)

    return shown(before), shown(now)


def _in_order(
    rows: Sequence[tuple[str, str | None, str | None, int]], found: TrackedOf, known: _Known
) -> Iterator[MoveOf]:
    """The moves by column, then by the values in their order, those without a value last."""

    def place(column: str, value: str | None) -> tuple[bool, int, str]:
        names = known.values.get(column, ())
        return value is None, names.index(value) if value in names else len(names), value or ""

    for column, old, new, customers in sorted(
        rows, key=lambda row: (found.columns.index(row[0]), place(row[0], row[1]), place(row[0], row[2]))
    ):
        count = customers if customers >= found.fewest else f"<{found.fewest}"
        yield MoveOf(column=column, old=old, new=new, customers=count)
