"""A table as rules see it: its key, the columns that rules read with their types, what is joined and derived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import polars as pl

from segkit.columns.hidden import AMOUNT, ID, KEPT, KEY, ROW, TIME, hidden, is_hidden
from segkit.criteria.conditions import Context, holds
from segkit.criteria.kinds import Kind, Schema
from segkit.criteria.sql import parse_sql, sql_columns
from segkit.io.numbers import from_float
from segkit.io.read import ColumnType, Table
from segkit.rules.conditions import Conditions
from segkit.rules.findings import Path
from segkit.rules.order import in_order
from segkit.rules.sources import Customers, Events, Lookup, Source

MONEY = pl.Decimal(38, 10)
PADDED = hidden("padded")
NO_KEY, NO_TIME, AFTER_AS_OF, WHERE = "no_key", "no_time", "after_as_of", "where"


TYPE_OF_KIND: Mapping[Kind, ColumnType] = {
    "number": ColumnType.NUMBER,
    "date": ColumnType.DATE,
    "boolean": ColumnType.BOOLEAN,
}


class Refused(Exception):
    """A view that cannot be made: why, and the path below that of its source."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Reads:
    """What rules read of one table: these columns as typed values, of these some as they came if they are text (for
    nobody asks whether they are blank), some as text, some as exact money, and some as the text of a key.
    """

    values: AbstractSet[str] = frozenset()
    as_came: AbstractSet[str] = frozenset()
    text: AbstractSet[str] = frozenset()
    money: AbstractSet[str] = frozenset()
    keys: AbstractSet[str] = frozenset()
    others: AbstractSet[str] = frozenset()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    """What rules ask for, for columns without any value to tell their type."""

    def type_of(self, table: Table, name: str) -> tuple[ColumnType | None, bool]:
        """As which type (none: its own), and whether as money, a column of `table` is read."""
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
            self.values & chosen,
            self.as_came & chosen,
            self.text & chosen,
            self.money & chosen,
            self.keys & chosen,
            self.others & chosen,
            {name: kind for name, kind in self.kinds.items() if name in chosen},
        )


@dataclass(frozen=True)
class View:
    """A table prepared for rules: every row, the typed columns, hidden helpers.

    `suspects` count the values that may be unreadable, by column. `left_out` gives the rows that
    are not kept: reason -> expression, one reason a row, the first that holds.
    """

    name: str
    spec: Source
    table: Table
    frame: pl.LazyFrame
    schema: Schema
    suspects: Mapping[str, pl.Expr]
    reads: Reads
    context: Context

    @property
    def left_out(self) -> dict[str, pl.Expr]:
        """Which rows are not kept, by reason; at most one reason holds for a row."""
        reasons: dict[str, pl.Expr] = {}
        for reason, holds_ in self._reasons().items():
            earlier = list(reasons.values())
            reasons[reason] = holds_ & ~pl.any_horizontal(earlier) if earlier else holds_
        return reasons

    def _reasons(self) -> dict[str, pl.Expr]:
        reasons = {NO_KEY: pl.col(KEY).is_null() | (pl.col(KEY) == "")}
        if isinstance(self.spec, Events):
            reasons[NO_TIME] = pl.col(TIME).is_null()
            reasons[AFTER_AS_OF] = (pl.col(TIME) > self.context.as_of).fill_null(False)
        if self.spec.where:
            reasons[WHERE] = ~all_hold(self.spec.where, self.schema, self.context)
        return reasons

    def kept(self) -> pl.LazyFrame:
        """The rows that no reason leaves out.

        The column is made here, not asked for as a condition, so that Polars sees in this and in `counts` one and the
        same table, and parses it once: 0.1 to 0.7 of 4.6 s on 10 M rows of CSV.
        """
        return self._marked().filter(KEPT)

    def _marked(self) -> pl.LazyFrame:
        keep = [pl.col(KEY) != ""]
        if isinstance(self.spec, Events):
            keep.append(pl.col(TIME) <= self.context.as_of)
        if self.spec.where:
            keep.append(all_hold(self.spec.where, self.schema, self.context))
        return self.frame.with_columns(pl.all_horizontal(keep).fill_null(False).alias(KEPT))

    def bad_values(self, columns: Iterable[str]) -> dict[str, int]:
        """How many values of these columns cannot be read: the second look, in a pass of its own."""
        tests = []
        for name in columns:
            as_type, money = self.reads.type_of(self.table, name)
            bad = self.table.bad(name, type=as_type, money=money)
            assert bad is not None, "only such columns are suspect"
            tests.append(bad.sum().alias(name))
        counts = self.table.frame.select(tests).collect().row(0, named=True)
        return {name: count for name, count in counts.items() if count}

    def counts(self) -> pl.LazyFrame:
        """One row: the number of rows, of rows left out by reason, and of suspect values by column."""
        every = self.table.columns if self.reads_all else ()
        padded = _any_padded(pl.col(KEY).filter(~pl.col(KEPT))).alias(PADDED)
        *earlier, last = ((reason, expr.sum()) for reason, expr in self.left_out.items())
        rest = pl.len() - pl.col(KEPT).sum() - sum(count for _, count in earlier)  # cheaper than its own test
        return self._marked().select(
            pl.len().alias("rows"),
            *(count.alias(reason) for reason, count in earlier),
            rest.alias(last[0]),
            *([padded] if isinstance(self.spec, Events) else []),
            *(expr.alias(hidden("suspects", name)) for name, expr in self.suspects.items()),
            *(pl.col(name).null_count().alias(hidden("nulls", name)) for name in every),
        )

    @property
    def reads_all(self) -> bool:
        """Whether every column of a large text is read: where only a few are not needed, that is the cheapest check
        of its lines.
        """
        read = {*self.reads.values, *self.reads.keys, *self.reads.others}
        names = self.table.columns.keys()
        return self.table.large and 2 * len(names - read) <= len(names) and names <= self.frame.collect_schema().keys()

    def may_be_short(self, counts: pl.DataFrame) -> bool:
        """Whether `counts` leave open that a line lacks fields: its last one is missing then."""
        lasts = {part.names[-1] for part in self.table.parts}
        return self.reads_all and any(counts[hidden("nulls", name)].item() for name in lasts)


def _any_padded(keys: pl.Expr) -> pl.Expr:
    """Whether one of these keys has to be trimmed; those of the rows that are kept are looked at once grouped."""
    return (keys.str.strip_chars() != keys).any()


def all_hold(conditions: Conditions, schema: Schema, context: Context) -> pl.Expr:
    """Whether all of these conditions on columns hold; never null."""
    return pl.all_horizontal([holds(name, schema[name], c, context) for name, c in conditions.items()])


def as_money(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A number as an exact decimal; missing where it is not finite or too large."""
    return from_float(value.cast(pl.Float64)) if dtype.is_float() else value.cast(MONEY, strict=False)


def _is_exact(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.Decimal) and dtype.scale <= MONEY.scale


@dataclass(frozen=True)
class Joined:
    """A lookup, read into memory: its rows, one for each key, and the columns it adds."""

    name: str
    frame: pl.DataFrame
    on: Mapping[str, str]
    adds: Sequence[str]

    def join(self, frame: pl.LazyFrame, *, in_order: bool) -> pl.LazyFrame:
        """`frame` with the lookup's columns; missing where no key matches."""
        left = [hidden("key", name) for name in self.on]
        right = [hidden("on", name) for name in self.on.values()]
        return frame.join(
            self.frame.lazy(), left_on=left, right_on=right, how="left", maintain_order="left" if in_order else None
        )


def _read(table: Table, reads: Reads, key: str | None = None) -> tuple[list[pl.Expr], dict[str, pl.Expr]]:
    """The typed columns that rules read, and for each how many values a second look must be taken at.

    A value that cannot be read is missing in the typed column and there in the one that came; comparing the two
    counts of missing values is nearly free, testing each value is not (0.4 s on 10 M rows).
    """
    exprs, suspects = [], {}
    for name in sorted((reads.values & table.columns.keys()) - {key}):
        as_type, money = reads.type_of(table, name)
        if name in reads.as_came and table.is_plain_text(name, as_type):
            continue
        exprs.append(table.value(name, type=as_type, money=money).alias(name))
        if table.bad(name, type=as_type, money=money) is None:
            continue
        exprs.append(pl.col(name).alias(hidden("raw", name)))
        suspects[name] = pl.col(name).null_count() - pl.col(hidden("raw", name)).null_count()
        flag = table.suspect(name, type=as_type, money=money)
        if flag is not None:
            exprs.append(flag.alias(hidden("suspect", name)))
            suspects[name] += pl.col(hidden("suspect", name)).sum()
    exprs += [table.key(name).alias(hidden("key", name)) for name in sorted(reads.keys & table.columns.keys())]
    return exprs, suspects


def _completed(
    frame: pl.LazyFrame,
    spec: Source,
    reads: Reads,
    lookups: Sequence[Joined],
    context: Context,
    *,
    in_order_: bool,
    late: AbstractSet[str] = frozenset(),
) -> pl.LazyFrame:
    """The frame with lookups joined and columns derived, each after what it needs."""
    by_name = {f"[lookup.{lookup.name}]": lookup for lookup in lookups}  # a column may have the lookup's own name
    adders = {column: name for name, lookup in by_name.items() for column in lookup.adds}
    needs: dict[str, set[str]] = {name: set(lookup.on) for name, lookup in by_name.items()}
    needs |= {name: set(sql_columns(text)) for name, text in spec.derive.items() if name not in late}
    for step in in_order({name: {adders.get(n, n) for n in wanted} for name, wanted in needs.items()}):
        if step in by_name:
            frame = by_name[step].join(frame, in_order=in_order_)
        else:
            frame = _derived(frame, step, spec.derive[step], reads, context)
    return frame


def _derived(frame: pl.LazyFrame, name: str, text: str, reads: Reads, context: Context) -> pl.LazyFrame:
    frame = frame.with_columns(parse_sql(text, context.as_of).alias(name))
    try:
        frame.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise Refused(("derive", name), f"cannot compute `{name}`: {str(error).strip().splitlines()[0]}") from error
    if name in reads.keys:
        frame = frame.with_columns(as_key(pl.col(name), frame.collect_schema()[name]).alias(hidden("key", name)))
    return frame


def _with_key(frame: pl.LazyFrame, table: Table, name: str, alias: str) -> pl.LazyFrame:
    """The frame, its columns still as they came, with a key of the file."""
    return table.with_key(frame, name, alias) if name in table.columns else frame


def _with_computed_key(frame: pl.LazyFrame, table: Table, name: str, alias: str) -> pl.LazyFrame:
    """The frame with a key that is derived or looked up."""
    if name in table.columns:
        return frame
    return frame.with_columns(as_key(pl.col(name), frame.collect_schema()[name]).alias(alias))


def as_key(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A computed value as the text of a key; whole numbers without a fraction."""
    if dtype.is_float() or dtype.is_decimal():
        whole = value.cast(pl.Int64, strict=False)
        return pl.when(value == whole).then(whole.cast(pl.String)).otherwise(value.cast(pl.String))
    return value.cast(pl.String).str.strip_chars().replace("", None)


def customer_view(
    spec: Customers,
    table: Table,
    reads: Reads,
    lookups: Sequence[Joined],
    context: Context,
    late: AbstractSet[str],
) -> View:
    """The customer file: columns as they came, but for those that rules read; not yet the `late` derived ones."""
    values, suspects = _read(table, reads, spec.key)
    frame = _with_key(table.frame, table, spec.key, KEY).with_columns(values)
    frame = _completed(frame, spec, reads, lookups, context, in_order_=True, late=late)
    frame = _with_computed_key(frame, table, spec.key, KEY).with_columns(pl.col(KEY).alias(spec.key))
    schema = frame.collect_schema()
    for name, separator in spec.lists.items():
        if schema[name] != pl.String:
            continue  # the check of types says so
        parts = pl.col(name).str.split(separator).list.eval(pl.element().str.strip_chars())
        filled = parts.list.eval(pl.element().filter(pl.element() != ""))
        frame = frame.with_columns(pl.when(filled.list.len() > 0).then(filled).alias(name))
    texts = {hidden("key", name): pl.String() for name in reads.keys & table.columns.keys()}
    return View("customers", spec, table, frame, {**_visible(frame), **texts}, suspects, reads, context)


def event_view(
    name: str, spec: Events, key: str, table: Table, reads: Reads, lookups: Sequence[Joined], context: Context,
    *, in_order: bool,
) -> View:  # fmt: skip
    """An event table: key, day, id and amount under hidden names, and the columns that rules read.

    `in_order` adds the position of the row in the file, for measures that ask which event came first.
    """
    values, suspects = _read(table, reads, key)
    frame = table.with_key(table.frame, key, KEY, or_empty=True) if key in table.columns else table.frame
    if in_order:
        frame = frame.with_row_index(ROW)
    if spec.id:
        frame = _with_key(frame, table, spec.id, ID)
    exact = spec.amount in table.columns and _is_exact(table.columns[spec.amount].dtype)
    if spec.amount and exact:
        # Decimals of the file are added up as they are, which saves a cast of each.
        frame = frame.with_columns(pl.col(spec.amount).alias(AMOUNT))
    frame = frame.with_columns(values)
    frame = _completed(frame, spec, reads, lookups, context, in_order_=False)
    frame = frame.with_columns(pl.col(spec.time).alias(TIME))
    if spec.amount and not exact:
        dtype = frame.collect_schema().get(spec.amount, pl.Null())
        frame = frame.with_columns(as_money(pl.col(spec.amount), dtype).alias(AMOUNT))
    if spec.id:
        frame = _with_computed_key(frame, table, spec.id, ID)
    frame = _with_computed_key(frame, table, key, KEY).with_columns(pl.col(KEY).alias(key))
    return View(name, spec, table, frame, _visible(frame), suspects, reads, context)


def lookup_view(name: str, spec: Lookup, table: Table, reads: Reads, context: Context) -> View:
    """Reference data: the columns asked for, and the text of its keys under hidden names."""
    values, suspects = _read(table, reads)
    keys = [table.key(there).alias(hidden("on", there)) for there in spec.on.values()]
    frame = table.frame.with_columns(*values, *keys)
    for column, separator in spec.explode.items():
        target = hidden("on", column)
        parts = pl.col(target).str.split(separator).list.eval(pl.element().str.strip_chars().replace("", None))
        frame = frame.with_columns(parts).explode(target)
    frame = frame.with_columns(pl.concat_str([hidden("on", n) for n in spec.on.values()], separator="\x1f").alias(KEY))
    frame = _completed(frame, spec, reads, (), context, in_order_=True)
    return View(name, spec, table, frame, _visible(frame), suspects, reads, context)


def _visible(frame: pl.LazyFrame) -> Schema:
    return {name: dtype for name, dtype in frame.collect_schema().items() if not is_hidden(name)}
