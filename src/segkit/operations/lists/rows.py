"""The rows of lists: key, label, variant where there are variants, and the columns that go out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.columns import helpers
from segkit.columns.helpers import KEY
from segkit.gates.draws import VARIANT
from segkit.io.write import FORMATS, Sink, TextStyle, sink
from segkit.operations.lists.audience import audience_rows, platform_of
from segkit.operations.lists.lists import List, combined_name, has_variants
from segkit.operations.lists.protection import protected
from segkit.results.terms import CONTROL
from segkit.rules.model.file import RuleFile


class Rows(NamedTuple):
    """The customers as lists show them: with marks that say who is in which list, and the columns that go out."""

    marked: pl.LazyFrame
    rules: RuleFile
    columns: Sequence[str]
    day: dt.date | None = None
    """The day of the run."""

    def of(self, list_: List, *, in_common: bool = False) -> pl.LazyFrame:
        """The rows of one list; `in_common` gives lists without variants the column that others have."""
        if platform := platform_of(self.rules):
            return audience_rows(self.marked.filter(list_.rows), self.rules, platform)
        head = [self._key(), pl.lit(list_.segment).alias(self.rules.output.label_column)]
        segment = self.rules.segment.get(list_.segment)
        if segment and segment.split:
            head.append(pl.col(helpers.variant(list_.segment)).alias(VARIANT))
        elif in_common and has_variants(self.rules):
            head.append(pl.lit(None, pl.String).alias(VARIANT))
        return self._shown(self.marked.filter(list_.rows).select(*head, *self._going_out()))

    def files_of(self, list_: List) -> list[tuple[str, pl.LazyFrame]]:
        """The files of one list, each by its name, with their rows."""
        platform = platform_of(self.rules)
        if platform is None:
            return [(list_.name, self.of(list_))]
        customers = self.marked.filter(list_.rows)
        return [(part.name, audience_rows(customers, self.rules, platform, part)) for part in list_.parts]

    def of_all(self, lists: Iterable[List]) -> pl.LazyFrame:
        """The rows of all lists of those written, one list after the other; no rows where there is no list."""
        nothing = List(name="", segment="", rows=pl.lit(False), written=0, values={})
        shown = [list_ for list_ in lists if list_.writes] or [nothing]
        return pl.concat([self.of(list_, in_common=True) for list_ in shown])

    def combined(self, segments: Iterable[str]) -> pl.LazyFrame:
        """Every customer with the names of its segments joined by `|`; this label is missing where there are none."""
        label = self._joined({name: pl.col(helpers.written(name)) for name in segments})
        return self._shown(self.marked.select(self._key(), label, *self._going_out()))

    def control(self, lists: Iterable[List]) -> pl.LazyFrame:
        """Who is in the control group and would have been written, with the names of these segments joined by `|`."""
        marks = {list_.segment: list_.rows for list_ in lists if list_.outcome == CONTROL}
        label = self._joined(marks)
        rows = self.marked.filter(pl.any_horizontal(marks.values()) if marks else pl.lit(False))
        if platform := platform_of(self.rules):
            return audience_rows(rows, self.rules, platform)
        return self._shown(rows.select(self._key(), label))

    def _shown(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The rows with what is to be hidden hidden, under the names that are asked for."""
        return protected(rows, self.rules).rename(self.rules.output.headers, strict=False)

    def _joined(self, marks: Mapping[str, pl.Expr]) -> pl.Expr:
        """The names of the segments that hold for a customer; missing where none does, or where there is none."""
        label = pl.lit(None, pl.String)
        if marks:
            names = [pl.when(mark).then(pl.lit(name)) for name, mark in marks.items()]
            joined = pl.concat_str(names, separator="|", ignore_nulls=True)
            label = pl.when(pl.any_horizontal(marks.values())).then(joined)
        return label.alias(self.rules.output.label_column)

    @property
    def style(self) -> TextStyle:
        """How text formats are written."""
        output = self.rules.output
        return TextStyle(
            delimiter=output.delimiter,
            decimal=output.decimal,
            bom=output.bom,
            escape_formulas=output.escape_formulas,
            separators={output.headers.get(name, name): mark for name, mark in self.rules.customers.lists.items()},
            day=self.day,
        )

    def sink(self, rows: pl.LazyFrame, target: Path) -> Sink:
        """The sink of such rows, in the format of the run."""
        return sink(rows, target, self.rules.output.format, self.style._replace(sheet=target.stem))

    def combined_sinks(self, lists: Iterable[List], directory: Path) -> list[Sink]:
        """The sink of the combined file, where it is asked for."""
        combined = combined_name(self.rules)
        if combined is None:
            return []
        segments = dict.fromkeys(list_.segment for list_ in lists)
        return [self.sink(self.combined(segments), directory / combined)]

    def _key(self) -> pl.Expr:
        return pl.col(KEY).alias(self.rules.customers.key)

    def _going_out(self) -> list[pl.Expr]:
        """The columns as they are written: padded text as it came, and arrays in cells, too, though rules read both."""
        known = self.marked.collect_schema()
        as_read = () if FORMATS[self.rules.output.format].cells else self.rules.customers.lists
        raw = {name: helpers.as_it_came(name) for name in self.columns if name not in as_read}
        return [pl.col(raw[name] if raw.get(name) in known else name).alias(name) for name in self.columns]
