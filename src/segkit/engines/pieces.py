"""Tables in pieces that are read apart: runs of rows of Parquet, in which other kinds of files are put down first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
from polars.io.plugins import register_io_source

from segkit.columns.tables.view import View
from segkit.criteria.kinds import Dtypes
from segkit.io.read import Workspace
from segkit.rules.model.sources import Customers, Events

_NAMED = pl.QueryOptFlags.none().update(projection_pushdown=True)
"""Leaves out the columns that nobody names, and no others: a condition that can never hold names its column, too."""
OF_TEXT = 3
"""Bytes in memory of each byte of a delimited text, as most of its columns are read."""


class Piece(NamedTuple):
    """Some rows of a table, as they came; `place` counts the pieces of a table in the order of its rows."""

    table: str
    place: int
    rows: pl.LazyFrame


class Source(NamedTuple):
    """The rows of a table in a form of which runs can be read, how many there are, and the files that they are in."""

    frames: Sequence[tuple[pl.LazyFrame, int]]
    files: Sequence[Path]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(size for _, size in self.frames)

    def pieces(self, table: str, rows: int) -> Iterator[Piece]:
        """All rows in their order, in pieces of at most so many; one without rows where there is none."""
        runs = [(frame, start) for frame, size in self.frames for start in range(0, size, rows)]
        for place, (frame, start) in enumerate(runs or [(self.frames[0][0], 0)]):
            yield Piece(table, place, frame.slice(start, rows))


def source_of(view: View, named: Collection[str], ws: Workspace) -> Source:
    """The rows of the table of a view; of a table that is no Parquet, a copy of the columns that are `named`."""
    table, schema = view.table, view.table.frame.collect_schema()
    if _is_in_place(view):
        frames = [part.frame.select(schema.names()) for part in table.parts]
        alike = [frame if frame.collect_schema() == schema else frame.cast(schema) for frame in frames]
        files = [ws.unpacked.get(part.content, (part.content, ""))[0].absolute() for part in table.parts]
        return Source([(frame, _size(frame)) for frame in alike], files)
    path = ws.new_file(".parquet")
    with ws.filling():
        table.frame.select(n for n in schema if n in named).sink_parquet(path, compression="lz4")
    copy = pl.scan_parquet(path)
    size = _size(copy)
    return Source([(completed(copy, schema).select(schema.names()), size)], [path])


def size_of(view: View, width: int) -> int:
    """About how many bytes the rows of a table take of which `width` bytes each are read; of texts, by their files."""
    parts = view.table.parts
    sizes = [part.text.source.stat().st_size * OF_TEXT if part.text else _size(part.frame) * width for part in parts]
    return sum(sizes)


def completed(rows: pl.LazyFrame, schema: Dtypes) -> pl.LazyFrame:
    """The rows with all columns of `schema`: those that nobody reads are named all the same, and have no values."""
    there = rows.collect_schema()
    return rows.with_columns(pl.lit(None, dtype).alias(n) for n, dtype in schema.items() if n not in there)


def _is_in_place(view: View) -> bool:
    """Whether the rows are those of Parquet files, and nothing looks at several of them at once."""
    spec, table = view.spec, view.table
    made = isinstance(spec, Customers) and spec.from_
    compared = table.has_repeats or (isinstance(spec, Events) and spec.fill_down)
    kept = all(part.kind == "parquet" or (part.text and part.text.kept) for part in table.parts)
    return kept and not (made or compared)


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
