"""Tables in pieces that are read apart: rows of Parquet, lines of texts; other kinds are put down as Parquet first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

import polars as pl
from polars.io.plugins import register_io_source

from segkit.columns.tables.view import View
from segkit.criteria.kinds import Dtypes
from segkit.io.read import Opened, Workspace
from segkit.io.read.opened import rowless
from segkit.io.read.text.ranges import Range
from segkit.rules.model.sources import Customers, Events

_NAMED = pl.QueryOptFlags.none().update(projection_pushdown=True)
"""Leaves out the columns that nobody names, and no others: a condition that can never hold names its column, too."""
Rows: TypeAlias = Callable[[], pl.LazyFrame]
OF_TEXT = 3
"""Bytes in memory of each byte of a delimited text, as most of its columns are read."""


class Piece(NamedTuple):
    """Some rows of a table, as they came; `place` counts the pieces of a table in the order of its rows."""

    table: str
    place: int
    rows: Rows


class Part(NamedTuple):
    """A file of a table: how many rows it has, and all of them in runs of about so many."""

    file: Path
    size: int
    runs: Callable[[int], Iterable[Rows]]


class Source(NamedTuple):
    """The rows of a table in files of which runs can be read apart."""

    parts: Sequence[Part]
    nothing: pl.LazyFrame

    @property
    def size(self) -> int:
        """How many rows there are."""
        return sum(part.size for part in self.parts)

    def pieces(self, table: str, rows: int) -> Iterator[Piece]:
        """All rows in their order, in pieces of about so many; one without rows where there is none."""
        runs = [run for part in self.parts for run in part.runs(rows)]
        for place, run in enumerate(runs or [self.nothing.lazy]):
            yield Piece(table, place, run)


def source_of(view: View, named: Collection[str], ws: Workspace) -> Source:
    """The rows of the table of a view; where they cannot be read in runs, of a copy of the columns that are `named`."""
    table, schema = view.table, view.table.frame.collect_schema()
    if all(map(_has_runs, table.parts)) and not _is_compared(view):
        return Source([_read(part, schema, ws) for part in table.parts], rowless(table.frame))
    path = ws.new_file(".parquet")
    with ws.filling():
        table.frame.select(n for n in schema if n in named).sink_parquet(path, compression="lz4")
    return Source([_part(path, completed(pl.scan_parquet(path), schema), schema)], rowless(table.frame))


def _read(part: Opened, schema: pl.Schema, ws: Workspace) -> Part:
    if part.lines is None:
        path, _ = ws.unpacked.get(part.content, (part.content, ""))
        return _part(path.absolute(), part.frame, schema)
    lines = part.lines()

    def runs(rows: int) -> Iterator[Rows]:
        return (partial(_of_range, run, part.names, schema) for run in lines.ranges(rows))

    return Part(lines.source, lines.rows, runs)


def _of_range(run: Range, names: Sequence[str], schema: pl.Schema) -> pl.LazyFrame:
    frame = run.frame()
    found = frame.collect_schema().names()
    return _alike(frame.rename(dict(zip(found, names, strict=True))), schema)


def _part(file: Path, frame: pl.LazyFrame, schema: pl.Schema) -> Part:
    frame, size = _alike(frame, schema), _size(frame)
    return Part(file, size, lambda rows: (partial(frame.slice, start, rows) for start in range(0, size, rows)))


def _alike(frame: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """The rows of a file with the columns and types of the table."""
    frame = frame.select(schema.names())
    return frame if frame.collect_schema() == schema else frame.cast(schema)


def size_of(view: View, width: int) -> int:
    """About how many bytes the rows of a table take of which `width` bytes each are read; of texts, by their files."""
    parts = view.table.parts
    sizes = [part.text.source.stat().st_size * OF_TEXT if part.text else _size(part.frame) * width for part in parts]
    return sum(sizes)


def completed(rows: pl.LazyFrame, schema: Dtypes) -> pl.LazyFrame:
    """The rows with all columns of `schema`: those that nobody reads are named all the same, and have no values."""
    there = rows.collect_schema()
    return rows.with_columns(pl.lit(None, dtype).alias(n) for n, dtype in schema.items() if n not in there)


def _has_runs(part: Opened) -> bool:
    """Whether some rows of a file can be read without those before them."""
    return part.kind == "parquet" or part.lines is not None or bool(part.text and part.text.kept)


def _is_compared(view: View) -> bool:
    """Whether something looks at several rows of the table at once."""
    spec = view.spec
    made = isinstance(spec, Customers) and spec.from_
    return bool(made or view.table.has_repeats or (isinstance(spec, Events) and spec.fill_down))


def _size(frame: pl.LazyFrame) -> int:
    return int(frame.select(pl.len()).collect().item())


def columns_read(
    schemas: Mapping[str, Dtypes], make: Callable[[Mapping[str, pl.LazyFrame]], Sequence[pl.LazyFrame]]
) -> dict[str, list[str]]:
    """Frame -> the columns that are read of it by whatever `make` makes of these frames.

    Polars, which leaves out the others, is asked: it runs over no rows.
    """
    read: dict[str, set[str]] = {name: set() for name in schemas}

    def frame(name: str, schema: Dtypes) -> pl.LazyFrame:
        def rows(columns: list[str] | None, *_: object) -> Iterator[pl.DataFrame]:
            asked = list(schema) if columns is None else columns
            read[name].update(asked)
            yield pl.DataFrame(schema=dict(schema)).select(asked)

        return register_io_source(rows, schema=dict(schema))

    made = make({name: frame(name, schema) for name, schema in schemas.items()})
    if made:
        pl.collect_all(made, optimizations=_NAMED)
    return {name: [column for column in schemas[name] if column in read[name]] for name in schemas}
