"""A table as rules see it: its key, the columns that rules read with their types, what is joined and derived."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet

import polars as pl

from segkit import codes
from segkit.columns.helpers import (
    AMOUNT,
    DOUBT,
    ID,
    KEY,
    MATCH,
    ROW,
    SHORT,
    TIME,
    as_it_came,
    cell,
    is_hidden,
    lookup_key,
    suspect,
    text_of,
)
from segkit.columns.money import as_money
from segkit.columns.tables.joined import Joined
from segkit.columns.tables.lists import FORMS, misshapen, values_of
from segkit.columns.tables.view import Doubts, Reads, View
from segkit.criteria.context import Context
from segkit.criteria.kinds import Dtypes
from segkit.criteria.readings import field_text, is_field_text, moment
from segkit.criteria.sql.expressions import usable_sql
from segkit.criteria.sql.parse import SqlProblem, sql_columns
from segkit.io.read import ColumnType, Table
from segkit.io.read.values import moments
from segkit.io.read.values.column import NUMERIC
from segkit.io.read.values.numbers import is_money
from segkit.io.read.values.texts import normal_key, trimmed
from segkit.rules.findings import Finding
from segkit.rules.model.sources import Customers, Events, Lookup, Source
from segkit.rules.order import in_order


class Refused(Exception):
    """The view cannot be made; the paths of `findings` lead to the faults from the path of the source."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__()
        self.findings = findings


def _read(
    frame: pl.LazyFrame,
    table: Table,
    reads: Reads,
    key: str | None = None,
    *,
    as_came: AbstractSet[str] = frozenset(),
) -> tuple[pl.LazyFrame, Doubts]:
    """The frame with typed columns and keys for the rules, and what asks for a second look at it.

    The columns of `frame` are still as they came. Keys in `as_came` are not trimmed. A value that cannot be read is
    missing in the typed column and present in the one that came: comparing the two is nearly free, testing each value
    is not (0.4 s on 10 M rows). This runs before lookups are joined, so that the columns that came need not go through
    the join (0.4 s of processor time).
    """
    exprs: list[pl.Expr] = []
    suspects: dict[str, pl.Expr] = {}
    for name in sorted((reads.values & table.columns.keys()) - {key}):
        as_type, money = reads.type_of(table, name)
        unsettled = table.unsettled(name, type=as_type, money=money, moment=name in reads.moments)
        flag = table.suspect(name, type=as_type, money=money)
        flags = [test.fill_null(value=False) for test in (unsettled, flag) if test is not None]
        if flags:
            exprs.append(pl.any_horizontal(flags).alias(suspect(name)))
            suspects[name] = pl.col(suspect(name))
        if table.columns[name].padded and table.reads_as_text(name, as_type):
            exprs.append(pl.col(name).alias(as_it_came(name)))  # so it goes out, trimmed it is compared
        if name in reads.as_came and table.is_plain_text(name, as_type):
            continue
        exprs.append(table.value(name, type=as_type, money=money, trusting=True).alias(name))
        if table.bad(name, type=as_type, money=money) is None:
            continue
        exprs.append(pl.col(name).alias(as_it_came(name)))
        unread = pl.col(name).is_null() & pl.col(as_it_came(name)).is_not_null()
        suspects[name] = suspects[name] | unread if flags else unread
    exprs += further_readings(table, reads, key)
    for name in sorted(reads.keys & table.columns.keys()):
        of_row = pl.col(name) if name in as_came else table.key(name)
        exprs.append(of_row.alias(text_of(name)))
    short = _may_be_short(table, suspects.keys()) if _reads_all(table, reads) else None
    doubts = list(suspects.values())
    if short is not None:
        exprs.append(short.alias(SHORT))
        doubts.append(pl.col(SHORT))
    frame = frame.with_columns(exprs)
    if doubts:
        frame = frame.with_columns(pl.any_horizontal(doubts).alias(DOUBT))
    return frame, Doubts(tuple(suspects), short)


def further_readings(table: Table, reads: Reads, key: str | None = None) -> list[pl.Expr]:
    """The texts of fields that are read as numbers, and the timestamps of dates, that SQL asks for."""
    exprs = []
    for name in sorted(reads.fields & table.columns.keys()):
        as_type, money = reads.type_of(table, name)
        if name == key:
            exprs.append(table.key(name).alias(field_text(name)))
        elif (as_type or table.columns[name].type) in (*NUMERIC, ColumnType.BOOLEAN):
            there = table.value(name, type=as_type, money=money).is_not_null()
            text = table.value(name, type=ColumnType.TEXT).str.strip_chars()
            exprs.append(pl.when(there).then(text).alias(field_text(name)))
    for name in sorted(reads.moments & table.columns.keys()):
        column = table.columns[name]
        if column.type is ColumnType.DATE and moments.has_time(column):
            exprs.append(moments.read(column).alias(moment(name)))
    return exprs


def _found(frame: pl.LazyFrame, doubts: Doubts, lookups: Sequence[Joined]) -> tuple[pl.LazyFrame, Doubts]:
    """The frame, which says of each row and lookup whether it has the key, and the doubts with the lookups' names."""
    found = [pl.col(lookup.found).fill_null(False) for lookup in lookups]
    return frame.with_columns(found), doubts._replace(lookups=tuple(lookup.name for lookup in lookups))


def _reads_all(table: Table, reads: Reads) -> bool:
    """Whether every column of a large text is read, to check its lines.

    That is the cheapest check where only a few columns are not needed and the last one always has a value.
    """
    read = {*reads.values, *reads.keys, *reads.others}
    names = table.columns.keys()
    if not table.large or 2 * len(names - read) > len(names) or not names <= table.frame.collect_schema().keys():
        return False
    # Of customers that are made of events, the last column of the file may be none.
    return all(name in names and not table.columns[name].gaps for name in _lasts(table))


def _lasts(table: Table) -> set[str]:
    """The last column of each file."""
    return {part.names[-1] for part in table.parts}


def _may_be_short(table: Table, suspects: AbstractSet[str]) -> pl.Expr:
    """Whether the last column of a row is missing.

    A row without any value lacks the last one, too. Asking for such rows changes no result, but names every column, so
    that all are read; those of `suspects` are read anyway.
    """
    lasts = _lasts(table)
    named = [name for name in table.columns if name in lasts or name not in suspects]
    nothing = pl.all_horizontal(pl.col(name).is_null() for name in named)
    return pl.any_horizontal(*(pl.col(name).is_null() for name in sorted(lasts)), nothing)


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
    order = {name: {adders.get(n, n) for n in wanted} for name, wanted in needs.items()}
    wrong: list[Finding] = []
    skipped: set[str] = set()
    for step in in_order(order):
        if order[step] & skipped:
            skipped.add(step)
        elif step in by_name:
            frame = by_name[step].join(frame, in_order=in_order_)
        else:
            try:
                frame = _derived(frame, step, spec.derive[step], reads, context)
            except SqlProblem as problem:
                wrong.append(Finding(("derive", step), str(problem), problem.hint, code=codes.BAD_SQL))
                skipped.add(step)
    if wrong:
        raise Refused(wrong)
    return frame


def _derived(frame: pl.LazyFrame, name: str, text: str, reads: Reads, context: Context) -> pl.LazyFrame:
    value = usable_sql(text, frame.collect_schema(), context.as_of)
    frame = frame.with_columns(value.alias(name))
    if name in reads.keys:
        frame = frame.with_columns(as_key(pl.col(name), frame.collect_schema()[name]).alias(text_of(name)))
    return frame


def _with_key(frame: pl.LazyFrame, table: Table, name: str, alias: str) -> pl.LazyFrame:
    """The frame, its columns still as they came, with the key `alias` if `name` is a column of the file."""
    return table.with_key(frame, name, alias) if name in table.columns else frame


def _with_computed_key(frame: pl.LazyFrame, table: Table, name: str, alias: str) -> pl.LazyFrame:
    """The frame with the key `alias` if `name` is derived or looked up."""
    if name in table.columns:
        return frame
    return frame.with_columns(as_key(pl.col(name), frame.collect_schema()[name]).alias(alias))


def as_key(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A computed value as the text of a key; whole numbers without a fraction."""
    if dtype.is_float() or dtype.is_decimal():
        whole = value.cast(pl.Int64, strict=False)
        return pl.when(value == whole).then(whole.cast(pl.String)).otherwise(value.cast(pl.String))
    return trimmed(value.cast(pl.String)).replace("", None)


def customer_view(
    spec: Customers,
    table: Table,
    reads: Reads,
    lookups: Sequence[Joined],
    context: Context,
    late: AbstractSet[str],
) -> View:
    """The view of the customer file, without the derived columns in `late`.

    Columns that no rule reads stay as they came.
    """
    frame = _with_key(table.frame, table, spec.key, KEY)
    # Of the columns that lookups and lists are joined by, nobody looks afterwards whether they had to be cleaned.
    frame, doubts = _read(frame, table._replace(care=True), reads, spec.key)
    frame = _completed(frame, spec, reads, lookups, context, in_order_=True, late=late)
    frame, doubts = _found(frame, doubts, lookups)
    frame = _with_computed_key(frame, table, spec.key, KEY).with_columns(pl.col(KEY).alias(spec.key))
    if spec.normalise_keys:
        frame = frame.with_columns(normal_key(pl.col(KEY), spec.normalise_keys).alias(MATCH))
    schema = frame.collect_schema()
    frame, doubts = _split(frame, doubts, {n: how for n, how in spec.lists.items() if schema.get(n) == pl.String})
    arrays = {name for name, how in spec.lists.items() if how in FORMS}
    known = frame.collect_schema()
    texts = {text_of(name): pl.String() for name in reads.keys & table.columns.keys()}
    padded = [name for name, column in table.columns.items() if column.is_text and column.padded]
    came = [name for name in padded if known.get(name) == pl.String] + sorted(arrays)
    texts |= {as_it_came(name): pl.String() for name in came if as_it_came(name) in known}
    texts |= {name: pl.String() for name in schema if is_field_text(name) or name == MATCH}
    return View(
        name="customers",
        spec=spec,
        table=table,
        frame=frame,
        schema={**_visible(frame), **texts},
        doubts=doubts,
        reads=reads,
        context=context,
    )


def _split(frame: pl.LazyFrame, doubts: Doubts, lists: Mapping[str, str]) -> tuple[pl.LazyFrame, Doubts]:
    """The frame with lists in place of cells that hold several values; cells that are no such arrays are doubtful."""
    frame = frame.with_columns(pl.col(name).alias(cell(name)) for name in lists)
    frame = frame.with_columns(values_of(pl.col(name), how).alias(name) for name, how in lists.items())
    shaped = {name: how for name, how in lists.items() if how in FORMS}
    if shaped:
        known = frame.collect_schema()
        frame = frame.with_columns(
            pl.col(cell(name)).alias(as_it_came(name)) for name in shaped if as_it_came(name) not in known
        )
        before = [pl.col(name) for name in doubts.columns]
        wrong = [misshapen(pl.col(cell(name)), how) for name, how in shaped.items()]
        frame = frame.with_columns(pl.any_horizontal(*before, *wrong).alias(DOUBT))
    return frame, doubts._replace(cells=shaped)


def event_view(
    name: str, spec: Events, key: str, table: Table, reads: Reads, lookups: Sequence[Joined], context: Context,
    *, in_order: bool, came: Collection[str] = (), forms: Collection[str] = (),
) -> View:  # fmt: skip
    """The view of an event table: key, day, id and amount under hidden names, and the columns that rules read.

    `in_order` adds the position of the row in the file, for who asks which event came first. Of the columns `came`, and
    of the time, the view also has what came. `KEY` is in these `forms`.
    """
    table = table._replace(care=True) if forms else table
    # Trimming a key takes 0.5 s of processor time on 10 M rows, so only keys that a lookup lacks are tried trimmed.
    untrimmed = {name for name in reads.keys & table.columns.keys() if table.keys_as_came(name)}
    frame = table.with_key(table.frame, key, KEY, or_empty=True) if key in table.columns else table.frame
    if in_order:
        frame = frame.with_row_index(ROW)
    frame = frame.with_columns(
        pl.col(n).alias(as_it_came(n)) for n in sorted({spec.time, *came} & table.columns.keys())
    )
    if spec.id:
        frame = _with_key(frame, table, spec.id, ID)
    exact = spec.amount is not None and spec.amount in table.columns and is_money(table.columns[spec.amount].dtype)
    if spec.amount and exact:
        # Decimals of the file are added up as they are, which saves a cast of each.
        frame = frame.with_columns(pl.col(spec.amount).alias(AMOUNT))
    frame, doubts = _read(frame, table, reads, key, as_came=untrimmed)
    frame = _completed(frame, spec, reads, lookups, context, in_order_=False)
    frame, doubts = _found(frame, doubts, lookups)
    frame = frame.with_columns(pl.col(spec.time).alias(TIME))
    if spec.amount and not exact:
        dtype = frame.collect_schema().get(spec.amount, pl.Null())
        frame = frame.with_columns(as_money(pl.col(spec.amount), dtype).alias(AMOUNT))
    if spec.id:
        frame = _with_computed_key(frame, table, spec.id, ID)
    frame = _with_computed_key(frame, table, key, KEY).with_columns(pl.col(KEY).alias(key))
    if forms:
        frame = frame.with_columns(normal_key(pl.col(KEY), forms).alias(KEY))
    # Whoever groups by keys looks whether they had to be cleaned, unless they are.
    as_came = key in table.columns and table.columns[key].is_text and not table.care
    padded = []
    for lookup in lookups:
        if untrimmed & lookup.on.keys():
            frame = lookup.with_padded(frame)
            padded.append(lookup.padded)
    # A key that a lookup brings is trimmed by now, so its answers are left out; other columns are as they were.
    answers = {asked: answer for lookup in lookups for asked, answer in lookup.answers().items() if asked[0] != key}
    return View(
        name=name,
        spec=spec,
        table=table,
        frame=frame,
        schema=_visible(frame),
        doubts=doubts,
        reads=reads,
        context=context,
        as_came=as_came,
        padded=padded,
        answers=answers,
    )


def lookup_view(name: str, spec: Lookup, table: Table, reads: Reads, context: Context) -> View:
    """The view of reference data: the columns asked for, and the text of its keys under hidden names."""
    table = table._replace(care=True)
    keys = [table.key(there).alias(lookup_key(there)) for there in spec.on.values()]
    frame, doubts = _read(table.frame.with_columns(keys), table, reads)
    for column, separator in spec.explode.items():
        target = lookup_key(column)
        parts = pl.col(target).str.split(separator).list.eval(pl.element().str.strip_chars().replace("", None))
        frame = frame.with_columns(parts).explode(target)
    frame = frame.with_columns(pl.concat_str([lookup_key(n) for n in spec.on.values()], separator="\x1f").alias(KEY))
    frame = _completed(frame, spec, reads, (), context, in_order_=True)
    return View(
        name=name,
        spec=spec,
        table=table,
        frame=frame,
        schema=_visible(frame),
        doubts=doubts,
        reads=reads,
        context=context,
    )


def _visible(frame: pl.LazyFrame) -> Dtypes:
    return {name: dtype for name, dtype in frame.collect_schema().items() if not is_hidden(name)}
