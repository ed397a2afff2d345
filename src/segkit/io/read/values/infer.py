"""Which type the texts of a column have, from a sample or from all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from segkit.io.read.values import dates, numbers, texts
from segkit.io.read.values.column import NO_VALUE, NUMERIC, Column, ColumnType, DateStyle, NumberStyle
from segkit.io.read.values.texts import NULL_TEXTS
from segkit.io.read.values.vocabulary import booleans, currencies

ENOUGH = 0.9
"""A column has a type when this share of its values does."""

SOME = 0.1
"""A column that may be text is looked at closely for numbers when this share of its values starts like one."""

Frame: TypeAlias = pl.DataFrame | pl.LazyFrame
Counts: TypeAlias = dict[str, Any]
"""What was counted of a column -> how often; with a few examples."""

EXAMPLES = 30
"""Values of a column that are kept for hints."""
_NAME = re.compile(r"[^\W\d_]{2}")
_VALUE, _PADDED = "\x1fvalue", "\x1fpadded"

TYPES = {
    "text": ColumnType.TEXT,
    "number": ColumnType.NUMBER,
    "boolean": ColumnType.BOOLEAN,
    "date": ColumnType.DATE,
}


class Given(NamedTuple):
    """What the rule file says about reading values.

    `time_columns` may hold compact dates, `money_columns` any currency.
    """

    timezone: str = "UTC"
    delimiter: str = ","
    types: Mapping[str, str] = MappingProxyType({})
    date_formats: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """Column (empty: all others) -> the formats of its dates."""
    decimal: str | None = None
    decimals: Mapping[str, str] = MappingProxyType({})
    """Column -> its decimal mark, where typed numbers among its texts settle it."""
    thousands: str | None = None
    null_values: tuple[str, ...] | None = None
    time_columns: Collection[str] = ()
    money_columns: Collection[str] = ()
    true_values: tuple[str, ...] = ()
    false_values: tuple[str, ...] = ()
    percent: str | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    """Column -> its name in the file, where that is another."""


def infer(
    frame: Frame, names: Collection[str], given: Given, known: Collection[Column] = (), *, whole: bool = True
) -> dict[str, Column]:
    """The text columns `names` of the frame, each with the type that its values settle.

    `known` are the columns of the table as a sample has them: what they settled holds for these too. `whole` says
    that the frame has all rows.
    """
    if not names:
        return {}
    found = _evidence(frame, names, given)
    nulls = () if given.null_values == () else tuple(dict.fromkeys((*NULL_TEXTS, *(given.null_values or ()))))
    leaning = _leaning(found, known, given)
    return {name: _column(name, counts, nulls, leaning, given, whole=whole) for name, counts in found.items()}


def typed(name: str, dtype: pl.DataType, given: Given) -> Column:
    """A column whose source has types of its own."""
    kind, wanted = _type_of(dtype), given.types.get(name)
    forced = TYPES[wanted] if wanted else None
    if forced is ColumnType.NUMBER and kind is ColumnType.INTEGER:
        forced = ColumnType.INTEGER
    if forced is None and kind is ColumnType.INTEGER and name in given.time_columns:
        forced = ColumnType.DATE
    formats = given.date_formats.get(name) or (given.date_formats.get("", ()) if name in given.time_columns else ())
    numeric = tuple(layout for layout in formats if layout in dates.NUMERIC)
    if numeric and kind in NUMERIC:
        forced = ColumnType.DATE
    return Column(
        name=name,
        type=forced or kind,
        how=str(dtype),
        dtype=dtype,
        forced=wanted is not None,
        date=DateStyle(formats=numeric),
        true_values=given.true_values,
        false_values=given.false_values,
        timezone=given.timezone,
    )


def _type_of(dtype: pl.DataType) -> ColumnType:
    if dtype.is_integer():
        return ColumnType.INTEGER
    if dtype.is_numeric():
        return ColumnType.NUMBER
    if dtype == pl.Boolean:
        return ColumnType.BOOLEAN
    if dtype in (pl.Date, pl.Datetime):
        return ColumnType.DATE
    if isinstance(dtype, (pl.List, pl.Array)) and not dtype.inner.is_nested():
        return ColumnType.LIST
    if isinstance(dtype, (pl.Categorical, pl.Enum, pl.String, pl.Null)):
        return ColumnType.TEXT
    return ColumnType.OTHER


def _evidence(frame: Frame, names: Collection[str], given: Given) -> dict[str, Counts]:
    """What the values of each column look like, as counts by name: cheap looks first, for all columns."""
    found = _count(frame, names, given, lambda text: _first_look(text, given))
    dated = [name for name, counts in found.items() if counts["date_like"]]
    numeric = [name for name, counts in found.items() if _may_be_number(counts, given.types.get(name))]
    money = [name for name in numeric if name in given.money_columns or given.types.get(name) == "number"]
    of_numbers = partial(numbers.evidence, thousands=given.thousands)
    for looked_at, look in (
        (dated, dates.evidence),
        ([name for name in numeric if name not in money], of_numbers),
        (money, partial(of_numbers, currency=currencies.ANY)),
    ):
        for name, counts in _count(frame, looked_at, given, look).items():
            found[name] |= counts
    return found


def _first_look(text: pl.Expr, given: Given) -> dict[str, pl.Expr]:
    look = {
        "values": text.count(),
        "first": text.drop_nulls().head(EXAMPLES).implode(),
        "boolean": text.str.contains("(?i)^(?:true|false)$").sum(),
        "number_like": text.str.contains(numbers.LIKE).sum(),
        "date_like": text.str.contains(dates.LIKE).sum(),
        "compact": text.str.contains(dates.SHAPES["compact"]).sum(),
        "ticks": text.is_in(booleans.TICKS).sum(),
        **numbers.first_look(text),
    }
    if formats := given.date_formats.get(""):
        look["given"] = dates.by_formats(text, formats, given.timezone).is_not_null().sum()
    return look


def _may_be_number(counts: Counts, wanted: str | None) -> bool:
    some = counts["number_like"] > (0 if wanted == "number" else SOME * counts["values"])
    return some and counts["whole"] < counts["values"] and not _share(counts, "date_like")


def _count(
    frame: Frame, names: Collection[str], given: Given, look: Callable[[pl.Expr], dict[str, pl.Expr]]
) -> dict[str, Counts]:
    """What `look` says of each column's trimmed values, in one pass."""
    if not names:
        return {}
    no_value = [""] if given.null_values == () else ["", *NO_VALUE, *(given.null_values or ())]
    values = [
        pl.when(~text.is_in([*no_value, *_no_value_of(given.headers.get(name, name))])).then(value).alias(name + _VALUE)
        for name in names
        for text, value in [(texts.trimmed(pl.col(name)), _meant(pl.col(name), given))]
    ]
    padded = (texts.trimmed(pl.col(names)) != pl.col(names)).name.suffix(_PADDED)
    found: dict[str, Counts] = {name: {} for name in names}
    counts: dict[str, tuple[str, str]] = {}
    parts: list[pl.Expr] = []
    for name in names:
        raw = pl.col(name)
        looks = look(pl.col(name + _VALUE)) | {
            "padded": pl.col(name + _PADDED).sum(),
            "gaps": raw.is_null().any(),
        }
        for what, part in looks.items():
            counts[str(len(counts))] = name, what
            parts.append(part.alias(str(len(parts))))
    # Trimmed in a step of its own: dozens of looks would each do it again. A sample is too small for streaming.
    looked_at = frame.lazy().with_columns(*values, padded).select(parts)
    row = looked_at.collect(engine="streaming" if isinstance(frame, pl.LazyFrame) else "in-memory").row(0, named=True)
    for label, (name, what) in counts.items():
        found[name][what] = row[label]
    return found


def _no_value_of(name: str) -> list[str]:
    """The name of a column, which is none of its values: a header may come again. A number or `yes` may be one."""
    may_be_value = not _NAME.search(name) or name.lower() in (*booleans.TRUE, *booleans.FALSE, *booleans.TICKS)
    return [] if may_be_value else [name, name.lower(), name.upper(), name.title()]


def _meant(text: pl.Expr, given: Given) -> pl.Expr:
    trimmed = texts.trimmed(text)
    return trimmed.str.replace(numbers.PERCENT, "") if given.percent else trimmed


def _leaning(found: Mapping[str, Counts], known: Collection[Column], given: Given) -> str | None:
    """The decimal mark for columns that read both ways: given, or that of the other columns of texts."""
    texts_alone = [counts for name, counts in found.items() if name not in given.decimals]
    marks = {numbers.decimal_mark(c) for c in texts_alone if _share(c, "point") or _share(c, "comma")} - {None}
    settled = [
        c
        for c in known
        if c.name not in given.decimals and c.type is ColumnType.NUMBER and c.is_text and not c.number.guessed
    ]
    marks |= {c.number.decimal for c in settled if c.number.decided}
    return given.decimal or (marks.pop() if len(marks) == 1 else None)


def _share(counts: Counts, key: str) -> bool:
    return bool(counts["values"]) and counts[key] >= ENOUGH * counts["values"]


def _column(
    name: str, counts: Counts, nulls: tuple[str, ...], leaning: str | None, given: Given, *, whole: bool
) -> Column:
    # Where nothing settles `1,234`, the comma is decimal in files separated by `;`, as spreadsheets write them.
    wanted = given.types.get(name)
    known = given.decimals.get(name) or given.decimal or numbers.decimal_mark(counts) or leaning
    guess = (counts["either_example"] or "") if not known else ""
    decimal = known or ("," if given.delimiter == ";" and counts["either_comma"] else ".")
    any_code = wanted == "number" or name in given.money_columns
    number = numbers.settle(counts, decimal, given.thousands, guess)
    number = number._replace(any_code=any_code, percent=given.percent, plain=number.plain and not given.percent)
    number = number._replace(decided=number.decided or name in given.decimals)
    date, dated = _date_style(name, counts, given, wanted, whole=whole)
    kind, matching = _kind(name, counts, number, date, dated, given)
    if wanted:
        kind = TYPES[wanted]
    return Column(
        name=name,
        type=kind,
        mixed=kind is not ColumnType.TEXT and not wanted and matching < counts["values"],
        blank=not wanted and not counts["values"],
        gaps=bool(counts["gaps"]),
        how=_how(kind, number, date),
        forced=wanted is not None,
        number=number,
        date=date,
        padded=bool(counts["padded"]),
        nulls=nulls,
        given_nulls=bool(given.null_values),
        settled=whole,
        true_values=given.true_values,
        false_values=given.false_values,
        ticks=wanted == "boolean" and 0 < counts["values"] == counts["ticks"],
        examples=tuple(counts["first"] or ()),
        timezone=given.timezone,
    )


def _date_style(name: str, counts: Counts, given: Given, wanted: str | None, *, whole: bool) -> tuple[DateStyle, int]:
    """The style, and how many values have its shape."""
    style = dates.settle(counts, whole=whole)
    day_or_month_first = style.order in ("dmy", "mdy", "ambiguous")
    shaped = counts.get("dmy" if day_or_month_first else style.order, 0)
    if name in given.date_formats:
        return DateStyle(formats=given.date_formats[name]), counts["values"]
    formats = given.date_formats.get("", ())
    if not formats or (set(formats) & set(dates.NUMERIC) and name not in given.time_columns):
        return style, shaped
    if _share(counts, "given") or wanted == "date":
        return DateStyle(formats=formats), counts["given"]
    if counts["given"] and (day_or_month_first or name in given.time_columns):
        # Some are written so: those that are not are told, rather than all read another way.
        return DateStyle(formats=formats), max(counts["given"], shaped)
    return style, shaped


def _kind(
    name: str, counts: Counts, number: NumberStyle, date: DateStyle, dated: int, given: Given
) -> tuple[ColumnType, int]:
    """The type, and how many values have it."""
    values = counts["values"]
    enough = ENOUGH * values
    mark = "point" if number.decimal == "." else "comma"
    if not values:
        return ColumnType.TEXT, 0
    if counts["boolean"] >= enough:
        return ColumnType.BOOLEAN, counts["boolean"]
    if name in given.date_formats or (dated >= enough and (date.order != "compact" or name in given.time_columns)):
        return ColumnType.DATE, dated
    if counts[mark] >= enough and not counts["zero"]:
        whole = counts[f"whole_{mark}"] == counts[mark] and number.percent != "divide"
        return ColumnType.INTEGER if whole else ColumnType.NUMBER, counts[mark]
    return ColumnType.TEXT, values


def _how(kind: ColumnType, number: NumberStyle, date: DateStyle) -> str:
    if kind is ColumnType.DATE:
        return date.how
    if kind in NUMERIC and number.decimal == ",":
        return f"{kind}, decimal comma"
    return str(kind)
