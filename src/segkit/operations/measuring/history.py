"""`history`: the segments of a run over time, as its runs have carried it on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from segkit.errors import RuleError
from segkit.histories import HistoryResult, Line, Move, MovesResult, SegmentHistory
from segkit.io.publish.errors import require_local
from segkit.io.read import Workspace
from segkit.io.read.values.numbers import MONEY
from segkit.io.write import STDOUT, format_of
from segkit.operations.delivery.past.lines import has_history, lines_of
from segkit.operations.delivery.runs import open_run
from segkit.operations.orders_file.targets import write_rows
from segkit.words import nearest

_TYPES: dict[str, Any] = {
    **dict.fromkeys(Line._fields, pl.Float64),
    **dict.fromkeys(("as_of", "segment"), pl.String),
    **dict.fromkeys(("customers", "entered", "left", "buyers"), pl.Int64),
    "revenue": MONEY,
}


def history_of(
    path: Path, *, segments: Sequence[str] = (), output: str | None = None, stdout: BinaryIO | None = None
) -> HistoryResult:
    """The history that the last run in a folder has; `output` is a file with its lines.

    Raises `DataError` where there is no run, or where it is not whole, and `RuleError` where it keeps no history.
    """
    require_local(output or STDOUT)
    format_of(Path(output or STDOUT))  # refused before anything is read
    run = open_run(path)
    if not has_history(run):
        hint = "say `history = true` in `[output]`: the history begins with the next run"
        raise RuleError.of(f"`{run.shown}` keeps no history", hint=hint)
    lines = lines_of(run)
    names = list(dict.fromkeys(line.segment for line in sorted(lines, key=lambda line: line.as_of, reverse=True)))
    for name in segments:
        if name not in names:
            message = f"the history of `{run.shown}` has no segment `{name}`"
            raise RuleError.of(message, hint=nearest(name, names, "segments of the history"))
    shown = [line for line in lines if not segments or line.segment in segments]
    kept = run.manifest.history
    result = HistoryResult(
        path=run.shown,
        days=tuple(dict.fromkeys(line.as_of for line in lines)),
        rules_changed=kept.rules_changed if kept else (),
        segments=tuple(
            SegmentHistory(name, tuple(line for line in shown if line.segment == name))
            for name in names
            if not segments or name in segments
        ),
    )
    if output is not None:
        with Workspace() as ws:
            write_rows(_rows(shown), output, ws, stdout, dt.date.fromisoformat(run.as_of))
    return result


def moves_of(path: Path, *, output: str | None = None, stdout: BinaryIO | None = None) -> MovesResult:
    """How customers moved between the values of the columns that the last run in a folder tracks.

    `output` is a file with the moves. Raises as `history_of` does.
    """
    require_local(output or STDOUT)
    format_of(Path(output or STDOUT))
    run = open_run(path)
    tracked = run.manifest.tracked
    if tracked is None:
        hint = 'say which: `[output]` with `track = ["lifecycle"]`'
        raise RuleError.of(f"`{run.shown}` tracks no columns", hint=hint)
    moves = [
        Move(one.column, one.old, one.new, one.customers if isinstance(one.customers, int) else None)
        for one in tracked.moves
    ]
    if output is not None:
        columns = {"column": pl.String, "from": pl.String, "to": pl.String, "customers": pl.Int64}
        with Workspace() as ws:
            rows = pl.DataFrame(moves, schema=columns, orient="row").lazy()
            write_rows(rows, output, ws, stdout, dt.date.fromisoformat(run.as_of))
    return MovesResult(
        path=run.shown,
        as_of=max(tracked.days),
        since=tracked.since,
        customers=tracked.customers,
        came=tracked.came,
        gone=tracked.gone,
        fewest=tracked.fewest,
        columns=tracked.columns,
        moves=tuple(moves),
    )


def _rows(lines: Iterable[Line]) -> pl.LazyFrame:
    rows = pl.DataFrame(list(lines), schema=_TYPES, orient="row")
    return rows.with_columns(pl.col("as_of").str.to_date()).lazy()
