"""A file of a table, opened: a lazy frame, and the lines of text behind it where there are such."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError
from segkit.io.read.label import Label
from segkit.io.read.problems import problem
from segkit.io.read.text.delimited import TextFile
from segkit.io.read.text.ranges import Lines
from segkit.io.read.values.texts import WHITE
from segkit.rules.model.sources import TypeName

LINE = "\0line"
"""The column with the line or the row of a value."""
BATCH = 50_000


def damaged(opened: Opened) -> DataError | None:
    """The error for a frame that cannot be read to its end."""
    try:
        for _ in opened.frame.collect_batches():
            pass
    except FileNotFoundError:
        return gone(opened.label)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        return problem(
            opened.label, f"`{opened.label.name}` is damaged: {reason}", hint="copy or export the file again"
        )
    return None


def gone(label: Label) -> DataError:
    """The error for a file that somebody has removed meanwhile."""
    return problem(label, f"`{label.name}` was removed while it was read", hint="run this once it is there again")


def rowless(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The same columns, and no rows: nothing of where they come from."""
    return pl.LazyFrame(schema=frame.collect_schema())


class Opened(NamedTuple):
    """One file of a table: what each kind of source becomes.

    Its rows are lines of delimited text, or a frame with types of its own.
    """

    label: Label
    content: Path
    """The file whose digest is that of the content: itself, packed or not; of a pipe, its unpacked copy."""
    frame: pl.LazyFrame
    """The columns under their new names, in the order of this file."""
    names: tuple[str, ...]
    """The same names."""
    text: TextFile | None = None
    """The delimited text, where the rows are its lines."""
    has_lines: bool = False
    """Each row has a line in the file."""
    fault: Callable[[Opened], DataError | None] = damaged
    """What finds out, slowly, why it could not be read."""
    kind: str = ""
    """The name of its kind in `KINDS`, once that has opened it."""
    sheet: str | None = None
    """The sheet of a workbook that it is."""
    numbers: pl.Series | None = None
    """The row of the sheet in which each row stands."""
    found: Mapping[str, str] = MappingProxyType({})
    """What was found out about how it is written, where it is no text."""
    types: Mapping[str, TypeName] = MappingProxyType({})
    """What columns are that hold, as text, also values that no such column can have."""
    mixed: Mapping[str, str] = MappingProxyType({})
    """Columns of texts, of which some came as typed numbers -> the column of the frame that says which."""
    folders: Mapping[str, str | None] = MappingProxyType({})
    """Columns that the names of folders add -> their value in the whole file; the frame has them too."""
    lines: Callable[[], Lines] | None = None
    """Gives the text of which any lines are rows of the frame, where there is one."""
    told: tuple[Diagnostic, ...] = ()
    """What there is to say of how it came, beside what is said of how a text is written."""
    size: int | None = None
    """Bytes of what is read where it is, in a bucket: `content` only stands for it."""

    @property
    def without_rows(self) -> Opened:
        """What is known of the file where it is not."""
        return self._replace(frame=rowless(self.frame), fault=damaged, numbers=None, lines=None)

    @property
    def bytes(self) -> int:
        """How long the file is."""
        return self.content.stat().st_size if self.size is None else self.size

    def place(self, line: int | None = None) -> SourceLocation:
        """Where it is, or a line or row of it."""
        return SourceLocation(str(self.label), line, sheet=self.sheet)

    def explain(self) -> DataError | None:
        """The error behind a read that failed; None where nothing is found."""
        return self.fault(self)

    def values(self, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The raw columns in batches, with the line or the row of each value in `LINE`.

        A header that comes again is told, or left out, elsewhere.
        """
        if self.numbers is not None:
            rows = self.frame.select(names).collect(engine="streaming")
            yield rows.with_columns(self.numbers.alias(LINE))
            return
        if self.text is None:
            yield self.frame.select(names).with_row_index(LINE, offset=1).collect(engine="streaming")
            return
        records, header = self.text.records(), [name.lower() for name in self.text.names]
        own, constant = self.own_names, {name: self.folders[name] for name in names if name in self.folders}
        places = [own.index(name) for name in names if name not in constant]
        others = (record for record in records if [field.strip(WHITE).lower() for field in record[1]] != header)
        while batch := list(islice(others, BATCH)):
            columns = {own[place]: [row[place] or None for _, row in batch] for place in places}
            lines = pl.Series(LINE, [line for line, _ in batch])
            rows = pl.DataFrame({**columns, LINE: lines}, schema_overrides=dict.fromkeys(columns, pl.String))
            yield rows.with_columns(pl.lit(value, pl.String).alias(name) for name, value in constant.items())

    @property
    def rows(self) -> int | None:
        """How many rows there are, where that is known without reading them: as many must be read."""
        return self.text.rows if self.text else None

    @property
    def detected(self) -> Mapping[str, str]:
        """What was found out about how it is written."""
        return self.text.detected if self.text else self.found

    @property
    def notes(self) -> tuple[Diagnostic, ...]:
        """What there is to tell about how it came, and how it is written."""
        return (*self.told, *(self.text.notes if self.text else ()))

    @property
    def headers(self) -> Mapping[str, str]:
        """Column -> its name in the header of a text; nothing where there is no such line."""
        return dict(zip(self.own_names, self.text.names, strict=True)) if self.text else {}

    @property
    def own_names(self) -> tuple[str, ...]:
        """The columns of the file itself."""
        return tuple(name for name in self.names if name not in self.folders)
