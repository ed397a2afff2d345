"""Who was in which group of a test, and what the file says that they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError, RuleError
from segkit.io.read import ColumnType, Table, Workspace, explain_failure
from segkit.io.read.values.column import NUMERIC
from segkit.io.read.values.numbers import both_readings
from segkit.operations.measuring.arms import ARM, SEGMENT, Arms
from segkit.operations.measuring.metrics import Measure
from segkit.words import count, listed, nearest, plural

MOST_GROUPS = 50
"""A column with more values than these says something else of a customer than his group."""


class Draw(NamedTuple):
    """What the command says of a test: the columns of its file, the group that the others are compared with.

    `expected` has the weight of each group in the draw; nothing where nobody says. Without `key`, each row is a
    customer.
    """

    group: str
    control: str
    key: str | None = None
    expected: Mapping[str, Fraction] = {}


class Groups(NamedTuple):
    """The customers of a test, a row each: `KEY`, `SEGMENT`, `ARM`, and the columns of the `measures`.

    `left_out` says how many rows of the file are none of them, by reason.
    """

    rows: pl.DataFrame
    arms: Arms
    measures: Sequence[Measure]
    left_out: Mapping[str, int]
    warnings: tuple[Diagnostic, ...]


def groups_of(table: Table, draw: Draw, columns: Sequence[str], ws: Workspace) -> Groups:
    """The groups of a file, and of its `columns` what each customer did.

    Raises `DataError` where a column is not there, or holds no such values, and `RuleError` where a group is not there.
    """
    asked = [("--group", draw.group), *([("--key", draw.key)] if draw.key else [])]
    asked += [("--metric", column) for column in columns]
    if unknown := [one for one in asked if one[1] not in table.columns]:
        raise DataError(*(_no_column(table, option, name) for option, name in unknown))
    measures = [Measure(name, f"did-{place}", f"value-{place}") for place, name in enumerate(columns)]
    table, rows = _read(table._replace(care=True), draw, measures, ws)
    _require_readable(table, rows, columns)
    kept, left_out = _kept(rows, draw, columns)
    _require_once(table, kept, draw, columns)
    arms = _arms(table, kept, draw)
    told = [*_of_rows(left_out), *_missing(kept, measures)]
    did = ((pl.col(str(one.value)) != 0).cast(pl.Int64).alias(one.did) for one in measures)
    kept = kept.with_columns(pl.lit(arms.segment).alias(SEGMENT), *did)
    kinds = [_with_kind(one, table, kept) for one in measures]
    return Groups(kept, arms, kinds, left_out, tuple(told))


def _read(table: Table, draw: Draw, measures: Sequence[Measure], ws: Workspace) -> tuple[Table, pl.DataFrame]:
    """The table with types that all of its rows settle, and of each row the key, the group and the values."""
    columns = [one.name for one in measures]
    try:
        table = table.settle(columns)
        key = table.key(draw.key) if draw.key else pl.lit(None, pl.String)
        values = [_value(table, one) for one in measures]
        asked = [key.alias(KEY), table.key(draw.group).alias(ARM), *values, *_unreadable(table, columns)]
        table.check_lines(ws, all_read=False)
        rows = table.frame.select(asked).collect(engine="streaming")
        ws.verify()
    except pl.exceptions.PolarsError as error:
        if explained := explain_failure([table]):
            raise explained from error
        raise
    return table, rows


def _no_column(table: Table, option: str, name: str) -> Diagnostic:
    message = f"`{table.labels[0].path}` has no column `{name}`, which `{option}` names"
    return Diagnostic(message, hint=table.one_column_hint() or nearest(name, table.columns, "columns"))


def _is_number(table: Table, name: str) -> bool:
    """Whether the column has numbers; others have words for true and false."""
    return table.columns[name].type in NUMERIC


def _value(table: Table, measure: Measure) -> pl.Expr:
    """The number of a column, exact; true is 1."""
    if _is_number(table, measure.name):
        return table.value(measure.name, money=True).alias(str(measure.value))
    return table.value(measure.name, type=ColumnType.BOOLEAN).cast(pl.Int64).alias(str(measure.value))


def _unreadable(table: Table, columns: Sequence[str]) -> list[pl.Expr]:
    found = []
    for place, name in enumerate(columns):
        number = _is_number(table, name)
        bad = table.bad(name, money=True) if number else table.bad(name, type=ColumnType.BOOLEAN)
        found += [] if bad is None else [bad.alias(f"bad-{place}")]
    return found


def _require_readable(table: Table, rows: pl.DataFrame, columns: Sequence[str]) -> None:
    """DataError for values that are neither numbers nor true or false, and for numbers that read both ways."""
    for place, name in enumerate(columns):
        if _is_number(table, name) and (text := table.columns[name].number.guessed):
            decimal, grouped = both_readings(text)
            message = f"`{text}` in column `{name}` is {decimal} or {grouped}: no value settles which"
            raise DataError(Diagnostic(message, table.place, "write the numbers with a point before two decimals"))
        if f"bad-{place}" in rows.columns and (bad := int(rows[f"bad-{place}"].sum())):
            message = f"`--metric {name}` asks for numbers, or for true and false: {count(bad)} values are not"
            raise DataError(Diagnostic(message, table.place, "mend them in the file, or name another column"))


def _kept(rows: pl.DataFrame, draw: Draw, columns: Sequence[str]) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows of customers in one group, and how many others there are, by reason."""
    left_out = {"no_group": rows[ARM].null_count()}
    rows = rows.filter(pl.col(ARM).is_not_null())
    if draw.key:
        left_out["no_key"] = rows[KEY].null_count()
        rows = rows.filter(pl.col(KEY).is_not_null())
        in_one = rows.group_by(KEY).agg(pl.col(ARM).n_unique()).filter(pl.col(ARM) == 1)
        alone = rows.join(in_one, on=KEY, how="semi", maintain_order="left")
        left_out["several_groups"] = len(rows) - len(alone)
        rows = alone if columns else alone.unique(KEY, keep="first", maintain_order=True)
        left_out["repeated"] = len(alone) - len(rows)
    return rows, left_out


def _require_once(table: Table, rows: pl.DataFrame, draw: Draw, columns: Sequence[str]) -> None:
    """DataError where a customer stands on several rows, so that nobody knows which of them says what he did."""
    if draw.key and columns and (more := len(rows) - rows[KEY].n_unique()):
        message = f"{plural(more, 'row')} with a `{draw.key}` that another row has, too"
        hint = "metrics are columns of customers: keep one row for each, or leave `--key` out where each row is one"
        raise DataError(Diagnostic(message, table.place, hint))


def _arms(table: Table, rows: pl.DataFrame, draw: Draw) -> Arms:
    """The groups, the control group first, and the share of each; equal ones where nobody says."""
    names = sorted(rows[ARM].unique().to_list())
    if not 2 <= len(names) <= MOST_GROUPS:
        hint = "name the column that says in which group a customer was"
        raise RuleError.of(f"`--group`: `{draw.group}` has {plural(len(names), 'different value')}", hint=hint)
    shown = listed(names)
    if draw.control not in names:
        hint = nearest(draw.control, names) or f"the groups are {shown}"
        raise RuleError.of(f"`--control`: no customer is in a group `{draw.control}` of `{draw.group}`", hint=hint)
    ordered = [draw.control, *(name for name in names if name != draw.control)]
    if draw.expected and (odd := sorted({*draw.expected} ^ {*names})):
        what = "does not say how many were drawn for" if odd[0] in names else "names a group without customers:"
        raise RuleError.of(f"`--expected` {what} `{odd[0]}`", hint=f"the groups are {shown}")
    total = sum(draw.expected.values())
    shares = {name: draw.expected[name] / total if total else Fraction(1, len(names)) for name in ordered}
    return Arms(Path(table.labels[0].name).stem, shares)


def _with_kind(measure: Measure, table: Table, rows: pl.DataFrame) -> Measure:
    """The metric as a share where its column has nothing but true and false, or 1 and 0."""
    is_share = not _is_number(table, measure.name) or rows[str(measure.value)].is_in([0, 1]).all()
    return measure._replace(value=None) if is_share else measure


_LOST = {
    "no_group": "no group",
    "no_key": "no key",
    "several_groups": "a customer who is in another group, too",
}


def _of_rows(left_out: Mapping[str, int]) -> list[Diagnostic]:
    hint = "they count in no group; where a draw has lost some, do not trust its figures"
    lost = {f"with {why}": left_out.get(reason, 0) for reason, why in _LOST.items()}
    told = [(f"left out: {plural(number, 'row')} {why}", hint) for why, number in lost.items() if number]
    if again := left_out.get("repeated", 0):
        told.append((f"left out: {plural(again, 'row')} of a customer who has one before", "each customer counts once"))
    return [Diagnostic(message, hint=hint, severity=Severity.WARNING) for message, hint in told]


def _missing(rows: pl.DataFrame, measures: Sequence[Measure]) -> list[Diagnostic]:
    empty = {one.name: rows[str(one.value)].null_count() for one in measures}
    hint = "a customer without a value counts as 0"
    return [
        Diagnostic(f"`{name}` is empty for {count(number)} of them", hint=hint, severity=Severity.WARNING)
        for name, number in empty.items()
        if number
    ]
