"""`diff`: who entered, left and moved between two runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import polars as pl

from segkit.columns.helpers import KEY
from segkit.errors import RuleError
from segkit.io.publish.errors import require_local
from segkit.io.publish.folder import publish_file
from segkit.io.read import Workspace
from segkit.io.write import STDOUT, TextStyle, format_of, sink, write
from segkit.operations.delivery.runs import Run, open_run
from segkit.operations.lists.stream import to_stream
from segkit.operations.progress import Progress, silent
from segkit.results.diff import DiffResult, Move, RunInfo, SegmentDiff
from segkit.results.terms import ENTERED, LEFT
from segkit.words import nearest

MOVED = "moved"
OLD, NEW = "from", "to"
Keys = Mapping[str, pl.LazyFrame]
"""Segment -> the keys of its customers."""


def diff(
    old: Path,
    new: Path,
    *,
    segments: Sequence[str] = (),
    entered: str | None = None,
    left: str | None = None,
    moved: str | None = None,
    stdout: BinaryIO | None = None,
    progress: Progress = silent,
) -> DiffResult:
    """What differs between two runs, each given by its directory or its manifest.

    `entered`, `left` and `moved` are files to write lists to; `-` is `stdout`. A list has a row for each customer and
    segment, in the order of the runs. Raises `DataError` for what is no run or not whole, and for runs whose keys
    cannot be compared. Raises `RuleError` for unknown segments, and for `moved` where customers may be in several
    segments. Raises `WriteError`.
    """
    for to in (entered, left, moved):
        require_local(to or STDOUT)
        format_of(Path(to or STDOUT))  # refused before anything is read
    first, second = open_run(old), open_run(new)
    _refuse(first, second, moved=moved is not None)
    names = _chosen(first, second, segments)
    progress("comparing")
    before, after = _keys(first, names), _keys(second, names)
    pairs = _pairs(_places(first), _places(second), names)
    exclusive = first.exclusive and second.exclusive
    with first.reading(), second.reading():
        stayed = _stayed(before, after)
        moves = _moves(pairs) if exclusive else None
        lists = {
            ENTERED: (entered, _rows(after, before, second)),
            LEFT: (left, _rows(before, after, second)),
            MOVED: (moved, _moved(pairs, second)),
        }
        _write([(to, rows) for to, rows in lists.values() if to is not None], stdout, second)
    compared = tuple(_segment(name, first, second, stayed.get(name, 0)) for name in names)
    return DiffResult(_info(first), _info(second), compared, moves)


def _refuse(first: Run, second: Run, *, moved: bool) -> None:
    first.key.require_same(second.key, f"`{first.shown}`", f"`{second.shown}`")
    if moved and not (first.exclusive and second.exclusive):
        hint = '`--entered` and `--left` list them; `[assignment] mode = "exclusive"` makes one segment a customer'
        raise RuleError.of("nobody moves between segments that may overlap", hint=hint)


def _chosen(first: Run, second: Run, wanted: Sequence[str]) -> list[str]:
    """The segments to compare: those of the new run in its order, then those that only the old run has."""
    known = [*second.written, *(name for name in first.written if name not in second.written)]
    for name in wanted:
        if name not in known:
            raise RuleError.of(f"neither run has a segment `{name}`", hint=nearest(name, known, "segments"))
    return [name for name in known if name in wanted] if wanted else known


def _keys(run: Run, names: Sequence[str]) -> Keys:
    lists = {name: [run.keys(o) for o in run.lists if o.segment == name] for name in names if name in run.written}
    return {name: pl.concat(keys) for name, keys in lists.items() if keys}


def _stayed(before: Keys, after: Keys) -> dict[str, int]:
    both = [name for name in after if name in before]
    counts = pl.collect_all([after[n].join(before[n], on=KEY, how="semi").select(pl.len()) for n in both])
    return {name: int(count.item()) for name, count in zip(both, counts, strict=True)}


def _segment(name: str, first: Run, second: Run, stayed: int) -> SegmentDiff:
    old, new = first.written.get(name), second.written.get(name)
    return SegmentDiff(
        name=name, old=old, new=new, entered=(new or 0) - stayed, left=(old or 0) - stayed, stayed=stayed
    )


def _places(run: Run) -> pl.LazyFrame:
    """The segment of each customer who is in one: columns KEY and `segment`."""
    nobody = pl.LazyFrame(schema={KEY: pl.String, "segment": pl.String})
    keys = _keys(run, list(run.written))
    return pl.concat([nobody, *(frame.select(KEY, pl.lit(name).alias("segment")) for name, frame in keys.items())])


def _pairs(before: pl.LazyFrame, after: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    """Each customer with the segment before and after, where one of these is among `names`."""
    one, other = before.rename({"segment": OLD}), after.rename({"segment": NEW})
    both = other.join(one, on=KEY, how="full", coalesce=True, maintain_order="left_right")
    return both.filter(pl.col(OLD).is_in(names) | pl.col(NEW).is_in(names))


def _moves(pairs: pl.LazyFrame) -> tuple[Move, ...]:
    counts = pairs.group_by(OLD, NEW).len().sort(OLD, NEW, nulls_last=True).collect()
    return tuple(Move(row[OLD], row[NEW], row["len"]) for row in counts.iter_rows(named=True))


def _moved(pairs: pl.LazyFrame, run: Run) -> pl.LazyFrame:
    changed = pairs.filter(pl.col(OLD).ne_missing(pl.col(NEW)))
    return changed.select(pl.col(KEY).alias(run.key.column), OLD, NEW)


def _rows(keys: Keys, others: Keys, run: Run) -> pl.LazyFrame:
    """The customers in `keys` and not in `others`, segment after segment."""
    key, label = run.key.column, run.label_column

    def part(name: str, frame: pl.LazyFrame) -> pl.LazyFrame:
        alone = frame.join(others[name], on=KEY, how="anti", maintain_order="left") if name in others else frame
        return alone.select(pl.col(KEY).alias(key), pl.lit(name).alias(label))

    nobody = pl.LazyFrame(schema={key: pl.String, label: pl.String})
    return pl.concat([nobody, *(part(name, frame) for name, frame in keys.items())])


def _write(lists: Sequence[tuple[str, pl.LazyFrame]], stdout: BinaryIO | None, run: Run) -> None:
    """Write each list of a run to its file, all of them or none, and at most one to standard output."""
    style = TextStyle(day=dt.date.fromisoformat(run.as_of))
    if sum(to == STDOUT for to, _ in lists) > 1:
        raise RuleError.of("two lists cannot both go to standard output", hint="name a file for one of them")
    paths = [Path(to).resolve() for to, _ in lists if to != STDOUT]
    if len(set(paths)) < len(paths):
        raise RuleError.of("two lists cannot go to one file", hint="name another file for one of them")
    with ExitStack() as stack:
        for to, rows in lists:
            if to != STDOUT:
                target = stack.enter_context(publish_file(Path(to)))
                write([sink(rows, target, format_of(Path(to)), style)])
        for rows in (rows for to, rows in lists if to == STDOUT):
            assert stdout is not None, "rows for standard output need a stream"
            to_stream(rows, "csv", stack.enter_context(Workspace()), stdout)


def _info(run: Run) -> RunInfo:
    return RunInfo(run.shown, run.as_of, run.manifest.customers)
