"""A table as rules see it: which of its rows are kept, and how many are left out for which reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any, NamedTuple

import polars as pl
from polars.expr.whenthen import ChainedThen, Then

from segkit.columns import helpers
from segkit.columns.helpers import (
    COUNT,
    DOUBT,
    HEADER,
    KEPT,
    KEY,
    LATEST,
    LEFT_OUT,
    PADDED,
    TIME,
    is_hidden,
    left_out_key,
)
from segkit.columns.tables.joined import Asked
from segkit.columns.tables.lists import misshapen
from segkit.criteria.conditions import holds
from segkit.criteria.context import Context
from segkit.criteria.kinds import Dtypes, Kind
from segkit.io.read import ColumnType, Table
from segkit.io.read.opened import rowless
from segkit.io.read.repeats import REPEATED
from segkit.io.read.table import names_itself
from segkit.io.read.values.texts import needs_care
from segkit.rules.model.conditions import Conditions
from segkit.rules.model.sources import Events, Source

NO_KEY, REPEATED_ROW, NO_TIME, AFTER_AS_OF, WHERE = "no_key", "repeated_row", "no_time", "after_as_of", "where"

TYPE_OF_KIND: Mapping[Kind, ColumnType] = {
    "number": ColumnType.NUMBER,
    "date": ColumnType.DATE,
    "boolean": ColumnType.BOOLEAN,
}


class Reads(NamedTuple):
    """What rules read of one table, as sets of its columns.

    `values` are read as typed values. Of these, `as_came` stay as they came if they are text, since no rule asks
    whether they are blank; `text` are read as text, `money` as exact money. `keys` are read as the text of a key.
    `others` are named for another purpose, such as output. `fields` are also read as the text of their field, for text
    functions of SQL, `moments` as timestamps.
    """

    values: AbstractSet[str] = frozenset()
    as_came: AbstractSet[str] = frozenset()
    text: AbstractSet[str] = frozenset()
    money: AbstractSet[str] = frozenset()
    keys: AbstractSet[str] = frozenset()
    others: AbstractSet[str] = frozenset()
    fields: AbstractSet[str] = frozenset()
    moments: AbstractSet[str] = frozenset()
    kinds: Mapping[str, Kind] = MappingProxyType({})
    """The kind that rules ask for, which counts for columns without any value to tell their type."""

    def type_of(self, table: Table, name: str) -> tuple[ColumnType | None, bool]:
        """The type that a column of `table` is read as (None: its own), and whether it is read as money."""
        column = table.columns[name]
        if name in self.text and column.mixed:
            return ColumnType.TEXT, False
        if column.blank and self.kinds.get(name) in TYPE_OF_KIND:
            return TYPE_OF_KIND[self.kinds[name]], name in self.money
        return None, name in self.money

    def only(self, names: Iterable[str]) -> Reads:
        """The part of these reads that is about `names`."""
        chosen = frozenset(names)
        return Reads(
            values=self.values & chosen,
            as_came=self.as_came & chosen,
            text=self.text & chosen,
            money=self.money & chosen,
            keys=self.keys & chosen,
            others=self.others & chosen,
            fields=self.fields & chosen,
            kinds={name: kind for name, kind in self.kinds.items() if name in chosen},
        )


class Doubts(NamedTuple):
    """What asks for a second look at a table.

    `suspects` are the columns that may hold a value that cannot be read. `short` says whether the line of a row may be
    short; it is None unless the whole lines of a text are read. `lookups` are those whose `found` columns are there.
    """

    suspects: tuple[str, ...]
    short: pl.Expr | None
    lookups: tuple[str, ...] = ()
    cells: Mapping[str, str] = MappingProxyType({})
    """The columns of `lists` whose cells are arrays written in some form, and the form."""

    @property
    def columns(self) -> list[str]:
        """The Boolean column that says which rows are doubtful; none where none can be."""
        # One for all doubts: each takes 0.1 s of processor time on 10 M rows.
        return [DOUBT] if self.suspects or self.cells or self.short is not None else []

    @property
    def found(self) -> list[str]:
        """The Boolean columns that say for which rows a lookup found something."""
        return [helpers.found(name) for name in self.lookups]


class SecondLook(NamedTuple):
    """What a second look at a table shows: values that cannot be read or are not settled, lines that may be short."""

    bad: Mapping[str, int]
    """Column -> how many of its values cannot be read."""
    unsettled: tuple[str, ...]
    """Columns that may show something that their sample did not."""
    may_be_short: bool
    headers: bool = False
    """Rows repeat the header, and `where` does not leave them out."""


class View(NamedTuple):
    """A table prepared for rules: every row, the typed columns, hidden helpers.

    With `as_came`, its keys are not trimmed. The columns `padded` say in which rows the keys of a lookup have to be.
    """

    name: str
    spec: Source
    table: Table
    frame: pl.LazyFrame
    schema: Dtypes
    doubts: Doubts
    reads: Reads
    context: Context
    as_came: bool = False
    padded: Sequence[str] = ()
    answers: Mapping[Asked, pl.Expr] = MappingProxyType({})
    """Whether a condition on a column holds, for those that a lookup answers."""
    made: Callable[[Table], View] | None = None
    """How it was made of its table."""

    def over(self, rows: pl.LazyFrame) -> View:
        """The same view of other rows of the table, as they came."""
        assert self.made is not None, "lookups are read whole"
        return self.made(self.table._replace(frame=rows))

    def of_kept(self, rows: pl.LazyFrame) -> View:
        """The view of rows that have been through `sort_out`: typed, and nothing leaves one of them out."""
        return self._replace(
            frame=rows,
            spec=self.spec.model_copy(update={"where": {}}),
            table=self.table._replace(has_repeats=False),
            doubts=Doubts((), None),
            as_came=False,
            padded=(),
        )

    @property
    def without_rows(self) -> View:
        """The same view of a table that is somewhere else."""
        return self._replace(frame=rowless(self.frame), table=self.table.without_rows)

    def where(self, conditions: Conditions) -> pl.Expr:
        """Whether all of these conditions on columns hold in a row; never null."""
        return pl.all_horizontal(
            self.answers[name, c] if (name, c) in self.answers else holds(name, self.schema[name], c, self.context)
            for name, c in conditions.items()
        )

    def kept(self) -> pl.LazyFrame:
        """The rows that no reason leaves out."""
        return self._marked().filter(KEPT)

    def every_row(self) -> pl.LazyFrame:
        """All rows, with `KEPT`; a row that is left out has the reason in place of its key.

        So grouping by key also counts the reasons. Counting them in a second look at the same rows costs 0.15 of 2 s on
        10 M rows, and a fifth of the memory.
        """
        frame, reasons = self._marked(), self._reasons()
        if self.as_came or self.padded:
            frame = self._with_padded(frame)
            # Before all others: a lookup may bring the key itself.
            reasons = {PADDED: pl.col(PADDED), **reasons}
        key: Then | ChainedThen = pl.when(KEPT).then(KEY)
        for reason, holds_ in reasons.items():
            key = key.when(holds_).then(pl.lit(left_out_key(reason)))
        return frame.with_columns(key.alias(KEY))

    def _with_padded(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The marked frame with `PADDED`: whether a key of the row has to be trimmed.

        The table's own key is only tested in rows that are left out: of the others, `counts` tests the groups.
        """
        if self.padded:
            frame = frame.with_columns(pl.any_horizontal(self.padded).alias(PADDED))
            frame = frame.with_columns(pl.col(KEPT) & ~pl.col(PADDED))
        if not self.as_came:
            return frame
        frame = frame.with_columns(pl.when(~pl.col(KEPT)).then(KEY).alias(LEFT_OUT))
        again = [pl.col(PADDED)] if self.padded else []
        return frame.with_columns(pl.any_horizontal(needs_care(pl.col(LEFT_OUT)), *again).alias(PADDED))

    def rows(self, columns: Iterable[str]) -> pl.LazyFrame:
        """`every_row` with these columns and those of the doubts, for `sort_out`."""
        rows = self.every_row().select(*dict.fromkeys([KEY, KEPT, *columns]), *self.doubts.columns, *self.doubts.found)
        if not self.spec.where:
            return rows
        # Few rows may be kept: of the others, only their number goes on.
        return pl.concat([rows.filter(KEPT), self.left_out(rows)], how="diagonal_relaxed")

    def left_out(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Those of `rows` that are left out, as one row for each reason.

        It has their `COUNT`, whether one is doubtful, and for how many a lookup found something.
        """
        others = rows.filter(~pl.col(KEPT)).group_by(KEY)
        doubts = (pl.col(self.doubts.columns).any(), pl.col(self.doubts.found).sum())
        return others.agg(pl.len().alias(COUNT), pl.col(KEPT).any(), *doubts)

    def sort_out(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Those of the collected `rows` that are kept, and the counts of all."""
        counts = self.counts(rows)
        kept = rows if kept_rows(counts) == len(rows) else rows.filter(KEPT)
        return kept.drop(KEPT, COUNT, *self.doubts.columns, *self.doubts.found, strict=False), counts

    def counts(self, collected: pl.DataFrame) -> pl.DataFrame:
        """One row of counts: all rows, those left out for each reason, those for which a lookup found something.

        It also says whether there are doubts, and padded keys, and has the last day of all events that are kept as
        `LATEST`. `collected` is what `rows` gives, or the groups of
        `every_row` by key, with the `COUNT` and doubts of each.
        """
        reasons = {left_out_key(reason): reason for reason in (*self._reasons(), PADDED)}
        left_out = dict.fromkeys(reasons.values(), 0)
        rows = pl.col(COUNT).fill_null(1).sum() if COUNT in collected.columns else pl.len()
        is_left_out = ~pl.col(KEPT) if KEPT in collected.columns else pl.col(KEY).is_in(list(reasons))
        others = collected.filter(is_left_out)
        for key, count in others.group_by(KEY).agg(rows).rows():
            left_out[reasons[key]] = count
        doubts: dict[str, Any] = {name: collected[name].any() for name in self.doubts.columns}
        doubts |= {name: collected[name].sum() for name in self.doubts.found}
        if LATEST in collected.columns:
            doubts[LATEST] = collected.filter(~is_left_out)[LATEST].max()
        padded = bool(left_out.pop(PADDED)) or (self.as_came and collected.select(needs_care(pl.col(KEY)).any()).item())
        return pl.DataFrame([{"rows": collected.select(rows).item(), **left_out, **doubts, PADDED: padded}])

    def second_look(self) -> SecondLook:
        """What is doubtful about the rows, in a pass of its own."""
        bad, unsettled = {}, {}
        for name in self.doubts.suspects:
            as_type, money = self.reads.type_of(self.table, name)
            moment = name in self.reads.moments
            if (test := self.table.unsettled(name, type=as_type, money=money, moment=moment)) is not None:
                unsettled[name] = test
            if (test := self.table.bad(name, type=as_type, money=money)) is not None:
                bad[name] = test
        short = [] if self.doubts.short is None else [self.doubts.short.any().alias(DOUBT)]
        tests = [test.sum().alias(name) for name, test in bad.items()]
        tests += [test.any().alias(helpers.suspect(name)) for name, test in unsettled.items()]
        looks, frame = [*tests, *short], self.table.frame
        named = [name for name in self.doubts.suspects if name in self.table.headers]
        # Comparing whole lines reads all columns: those that are looked at anyway come first.
        header = [names_itself({name: name for name in named}, self.table.headers).any().alias(HEADER)] if named else []
        row = frame.select(*looks, *header).collect().row(0, named=True) if looks else {}
        again, headers = self.table.repeats_header(), False
        if row.get(HEADER) and again is not None and not frame.filter(again).head(1).collect().is_empty():
            headers = self._keeps_headers(named)
            row = row if headers else frame.filter(~again).select(looks).collect().row(0, named=True)
        cells = [
            misshapen(pl.col(helpers.cell(name)), how).sum().alias(name) for name, how in self.doubts.cells.items()
        ]
        wrong_cells = self.frame.select(cells).collect().row(0, named=True) if cells else {}
        return SecondLook(
            bad={name: count for name, count in {**{n: row[n] for n in bad}, **wrong_cells}.items() if count},
            unsettled=tuple(name for name in unsettled if row[helpers.suspect(name)]),
            may_be_short=bool(row.get(DOUBT)),
            headers=headers,
        )

    def _keeps_headers(self, named: Sequence[str]) -> bool:
        """Whether a row that repeats the header, as these columns say, is one that `where` does not leave out."""
        there = self.frame.collect_schema()
        came = {name: helpers.as_it_came(name) for name in named if helpers.as_it_came(name) in there}
        rows = self.frame.filter(names_itself(came, self.table.headers)) if came else self.frame
        rows = rows.filter(self.where(self.spec.where)) if self.spec.where else rows
        return not rows.head(1).collect().is_empty()

    def _marked(self) -> pl.LazyFrame:
        keep = [pl.col(KEY) != ""]
        if self.table.has_repeats:
            keep.append(~pl.col(REPEATED))
        if isinstance(self.spec, Events):
            keep.append(pl.col(TIME) <= self.context.as_of)
        if self.spec.where:
            keep.append(self.where(self.spec.where))
        return self.frame.with_columns(pl.all_horizontal(keep).fill_null(False).alias(KEPT))

    def _reasons(self) -> dict[str, pl.Expr]:
        """Why rows are not kept; the first reason that holds counts."""
        reasons = {NO_KEY: pl.col(KEY).is_null() | (pl.col(KEY) == "")}
        if self.table.has_repeats:
            reasons[REPEATED_ROW] = pl.col(REPEATED)
        if isinstance(self.spec, Events):
            reasons[NO_TIME] = pl.col(TIME).is_null()
            reasons[AFTER_AS_OF] = (pl.col(TIME) > self.context.as_of).fill_null(False)
        if self.spec.where:
            reasons[WHERE] = ~self.where(self.spec.where)
        return reasons


def kept_rows(counts: pl.DataFrame) -> int:
    """How many rows no reason leaves out."""
    left_out = [name for name in counts.columns if name != "rows" and not is_hidden(name)]
    return int(counts["rows"].item()) - sum(int(counts[name].item() or 0) for name in left_out)


def all_hold(conditions: Conditions, schema: Dtypes, context: Context) -> pl.Expr:
    """Whether all of these conditions on columns hold; never null."""
    return pl.all_horizontal([holds(name, schema[name], c, context) for name, c in conditions.items()])
