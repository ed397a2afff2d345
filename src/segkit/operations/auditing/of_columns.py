"""What is odd in a column: blanks, words for nothing, values of another kind, far ones, days that pile up."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from segkit.audits import AuditedColumn, Shown, ValueRows
from segkit.diagnostics import Severity
from segkit.io.read.values.texts import trimmed
from segkit.operations.auditing.columns import Read, shape
from segkit.operations.auditing.figures import Counted, Figures, Sheet, counts_of, year
from segkit.operations.auditing.found import Found, Looked
from segkit.operations.auditing.placeholders import DAYS, NAMES, TICKS
from segkit.operations.personal.contents import DIGITS, kind_in
from segkit.operations.personal.kinds import LOOKS_SO, REACHES
from segkit.operations.personal.protected import ground, special_kind
from segkit.words import count, plural

FAR = 10
"""Interquartile ranges beyond the quartiles: with 3, long tails of plain counts would be told (158 of 9,240 leads)."""
STRAY = 0.001
"""The share of values up to which far ones are strays, and no tail."""
FEWEST_STRAYS = 3
LEAST_CARD = 10**13
OLDEST = 110
"""Years."""
PILE, LEAST_IN_PILE, DAYS_AROUND = 20, 5, 10
"""A day has so many times the rows of the mean day, and so many rows, of at least so many days."""
LONGEST_SHOWN = 30
VALUES = 5
"""How many values are told."""


def of_columns(looked: Looked) -> Iterator[Found]:
    """What is odd, column by column."""
    for read in looked.sheet.reads:
        for look in _LOOKS:
            yield from look(looked, read)


def strays_asked(sheet: Sheet, figures: Figures) -> Mapping[tuple[str, str], pl.Expr]:
    """What is asked of numbers in a second pass: how many are far away, and which; whether long ones are of cards."""
    asked = {}
    for read in sheet.reads:
        fence = _fence(figures, read)
        if fence and (figures.of("lowest", read.name) < fence[0] or figures.of("highest", read.name) > fence[1]):
            far = _is_far(sheet, read, fence)
            asked["far", read.name] = far.sum()
            asked["far values", read.name] = sheet.value(read).filter(far).unique().sort().head(VALUES).implode()
        if read.is_number and not read.personal and (figures.of("highest", read.name) or 0) >= LEAST_CARD:
            asked["kinds", read.name] = counts_of(kind_in(sheet.text(read).cast(pl.String)).drop_nulls())
    return asked


def _fence(figures: Figures, read: Read) -> tuple[float, float] | None:
    low, high = figures.of("first quartile", read.name), figures.of("third quartile", read.name)
    if not read.is_measured or read.personal or low is None or high is None or low == high:
        return None
    return low - FAR * (high - low), high + FAR * (high - low)


def _is_far(sheet: Sheet, read: Read, fence: tuple[float, float]) -> pl.Expr:
    value = sheet.value(read)
    return (value < fence[0]) | (value > fence[1])


def _of_nothing(looked: Looked, read: Read) -> Iterator[Found]:
    figures, rows = looked.figures, looked.rows
    if rows and not figures.number("filled", read.name):
        yield looked.found("empty", read.name, Severity.WARNING, rows, "empty")
    elif rows > 1 and figures.number("filled", read.name) == rows and figures.number("distinct", read.name) == 1:
        values = [one.value for one in figures.counts("values", read.name)] if _may_show(looked, read) else []
        shown = [str(value) for value in values if not is_long_number(value) and len(str(value)) <= LONGEST_SHOWN]
        message = f"constant: {shown[0]}" if shown else "constant"
        yield looked.found("constant", read.name, Severity.WARNING, rows, message, values=tuple(shown))


def _of_blanks(looked: Looked, read: Read) -> Iterator[Found]:
    if blank := looked.figures.number("blank", read.name):
        raw = pl.col(read.name)
        flag = raw.is_not_null() & looked.sheet.text(read).is_null() & trimmed(raw).eq("")
        message = f"{count(blank)} of white space alone"
        yield looked.found("blank", read.name, Severity.NOTE, blank, message, flag=flag)


def placeholders(looked: Looked, read: Read) -> list[Counted]:
    """Words that stand for nothing, with their rows."""
    found = {one.value: one.rows for one in looked.figures.counts("placeholders", read.name)}
    if read.personal == "name":
        found = {value: rows for value, rows in found.items() if str(value).lower() not in NAMES}
    others = looked.figures.number("distinct", read.name) > len(found) + 1
    return [Counted(value, rows) for value, rows in found.items() if others or value not in TICKS]


def _of_placeholders(looked: Looked, read: Read) -> Iterator[Found]:
    found = placeholders(looked, read)
    if not found:
        return
    rows, words = sum(one.rows for one in found), [str(one.value) for one in found]
    values = tuple(words if _may_show(looked, read) else [_shape_of(word) for word in words])
    message = ", ".join(f"`{value}` {count(one.rows)}" for value, one in zip(values, found, strict=True))
    if not _may_show(looked, read):
        message = f"{count(rows)} with words for nothing"
    flag = looked.sheet.text(read).is_in(words)
    yield looked.found("placeholder", read.name, Severity.NOTE, rows, message, values=values, flag=flag)


def _of_invalid(looked: Looked, read: Read) -> Iterator[Found]:
    invalid = looked.figures.number("invalid", read.name)
    wrong = looked.sheet.invalid(read)
    if invalid and wrong is not None:
        values = tuple(one.value for one in looked.figures.counts("shapes", read.name))
        message = f"no {_WORDS.get(read.read_as, read.read_as)}: `{values[0]}`" + (", …" if invalid > 1 else "")
        flag = looked.sheet.filled(read) & wrong
        yield looked.found("invalid", read.name, Severity.WARNING, invalid, message, values=values, flag=flag)


_WORDS = {"e-mail": "e-mail address", "phone": "phone number", "integer": "number", "boolean": "yes or no"}


def _is_unclear(looked: Looked, read: Read) -> bool:
    """Whether no value tells how days or numbers are to be read, such as 01/02/2024 and 1.234."""
    if read.read_as == "date":
        return looked.sheet.table.reads_both_ways(read.name, None)
    return read.is_number and read.column.is_text and bool(read.column.number.guessed)


def _of_unclear(looked: Looked, read: Read) -> Iterator[Found]:
    """Values that cannot be read for sure: none tells how, or days are not all in one layout."""
    filled, like = looked.figures.number("filled", read.name), looked.figures.number("like days", read.name)
    if _is_unclear(looked, read):
        whether = "the day or the month is first" if read.read_as == "date" else "a mark is decimal"
        yield looked.found("unclear", read.name, Severity.WARNING, filled, f"no value tells whether {whether}")
    elif like >= LOOKS_SO * max(filled, 1):
        message = f"{plural(like, 'value')} like days, in more than one layout or beside others"
        yield looked.found("mixed-dates", read.name, Severity.WARNING, like, message)


def _of_births(looked: Looked, read: Read) -> Iterator[Found]:
    if not read.of_birth:
        return
    first, last = looked.as_of.year - OLDEST, looked.as_of.year
    born = looked.figures.counts("years", read.name)
    years = {one.value: one.rows for one in born if not first <= one.value <= last}
    if rows := sum(years.values()):
        values = tuple(sorted(years)[:VALUES])
        told = ", ".join(map(str, values)) + (", …" if len(years) > VALUES else "")
        message = f"{count(rows)} born in {told}"
        flag = ~year(looked.sheet, read).is_between(first, last)
        yield looked.found("birth", read.name, Severity.WARNING, rows, message, values=values, flag=flag)


def _of_strays(looked: Looked, read: Read) -> Iterator[Found]:
    rows = looked.figures.number("far", read.name)
    fence = _fence(looked.figures, read)
    if not rows or fence is None or rows > max(FEWEST_STRAYS, STRAY * looked.figures.number("filled", read.name)):
        return
    values = tuple(looked.figures.of("far values", read.name) or ())
    shown = tuple(value for value in values if not is_long_number(value)) if _may_show(looked, read) else ()
    told = f": {', '.join(plain(value) for value in shown[:2])}{', …' if len(values) > 2 else ''}" if shown else ""
    message = f"{count(rows)} far from the others{told}"
    flag = _is_far(looked.sheet, read, fence)
    yield looked.found("extreme", read.name, Severity.NOTE, rows, message, values=shown, flag=flag)


def _of_piles(looked: Looked, read: Read) -> Iterator[Found]:
    """Days on which rows pile up, and days where calendars of programs begin or end, unless people were born then."""
    if read.read_as != "date":
        return
    days = looked.figures.counts("days", read.name)
    total = sum(one.rows for one in days)
    piles = [one for one in days if _is_pile(one, days, total) or (one.value in DAYS and not read.of_birth)]
    if not piles:
        return
    rows = sum(one.rows for one in piles)
    as_shown: Callable[[dt.date], Shown] = lambda day: day.year if read.of_birth else day  # noqa: E731
    values = tuple(dict.fromkeys(as_shown(one.value) for one in piles[:VALUES])) if _may_tell(looked, read) else ()
    told = ", ".join(map(str, values)) or "one day"
    message = f"{count(rows)} pile up in {told}" if read.of_birth else f"{count(rows)} of {told}"
    flag = looked.sheet.value(read).is_in([one.value for one in piles])
    yield looked.found("date-pile", read.name, Severity.WARNING, rows, message, values=values, flag=flag)


def _is_pile(one: Counted, days: Sequence[Counted], total: int) -> bool:
    return len(days) >= DAYS_AROUND and one.rows >= LEAST_IN_PILE and one.rows * len(days) > PILE * total


def _of_repeats(looked: Looked, read: Read) -> Iterator[Found]:
    twice = looked.figures.number("twice", read.name)
    if twice and looked.kind == "customers" and read.name != looked.key:
        message = f"{count(twice)} {'comes' if twice == 1 else 'come'} more than once"
        yield looked.found("repeated", read.name, Severity.NOTE, twice, message)


def _of_personal_texts(looked: Looked, read: Read) -> Iterator[Found]:
    """Values that reach somebody, or his money, in a column of others."""
    kinds = [one for one in looked.figures.counts("kinds", read.name) if one.value != DIGITS]
    rows = sum(one.rows for one in kinds)
    if rows and read.read_as not in REACHES and rows < LOOKS_SO * looked.figures.number("filled", read.name):
        message = ", ".join(f"{count(one.rows)} with {_IN_A_TEXT[one.value]}" for one in kinds)
        flag = kind_in(looked.sheet.text(read).cast(pl.String)).is_in([one.value for one in kinds])
        yield looked.found("personal-in-text", read.name, Severity.WARNING, rows, message, flag=flag)


_IN_A_TEXT = {
    "e-mail": "an e-mail address",
    "phone": "a phone number",
    "bank or card": "the number of an account or card",
}


_LOOKS = (
    _of_nothing,
    _of_blanks,
    _of_placeholders,
    _of_invalid,
    _of_unclear,
    _of_births,
    _of_strays,
    _of_piles,
    _of_repeats,
    _of_personal_texts,
)


def audited(looked: Looked, read: Read, findings: Sequence[Found]) -> AuditedColumn:
    """A column as it is told."""
    figures, name = looked.figures, read.name
    filled, may_show = figures.number("filled", name), _may_show(looked, read)
    low, high = figures.of("lowest", name), figures.of("highest", name)
    if read.read_as == "date" and (days := figures.counts("days", name)):
        low, high = min(one.value for one in days), max(one.value for one in days)
    if read.of_birth and low is not None:
        low, high = (day.year if isinstance(day, dt.date) else day for day in (low, high))
    sure = may_show and not _is_unclear(looked, read)
    shown = [value for value in (low, high) if (sure or read.of_birth) and not is_long_number(value)]
    words = placeholders(looked, read)
    return AuditedColumn(
        name=name,
        read_as=read.read_as or "empty",
        filled=filled,
        missing=looked.rows - filled,
        distinct=figures.number("distinct", name),
        invalid=figures.number("invalid", name),
        placeholders=tuple(ValueRows(w.value if may_show else _shape_of(w.value), w.rows) for w in words),
        lowest=low if low in shown else None,
        highest=high if high in shown else None,
        personal=read.personal,
        shape=None if may_show else read.shape,
        notes=tuple(_notes(looked, read, filled, findings)),
    )


def _notes(looked: Looked, read: Read, filled: int, findings: Sequence[Found]) -> Iterator[str]:
    if read.name == looked.key:
        yield "key" + (", unique" if filled and looked.figures.number("keys") == looked.rows else "")
    if read.personal:
        yield "personal" if read.read_as == read.personal else f"personal: {read.personal}"
    if kind := special_kind(read.name) or ground(read.name):
        yield f"protected: {kind}"
    missing = looked.rows - filled
    if 0 < missing < looked.rows:
        yield f"{count(missing)} missing"
    yield from (one.finding.message for one in findings if one.finding.column == read.name and _in_a_line(one))


def _in_a_line(one: Found) -> bool:
    """Whether it is told beside its column, and not below."""
    return one.finding.kind not in OF_ROWS


OF_ROWS = frozenset(
    {
        "no-rows", "no-key", "key-missing", "key-repeated", "equal-rows", "equal-but-key", "consent-without-address",
        "obsolete", "alone", "required", "unique", "max-missing",
    }
)  # fmt: skip
"""Kinds of findings that are told below the columns."""


def _may_show(looked: Looked, read: Read) -> bool:
    return not read.personal and read.name != looked.key and not looked.figures.counts("kinds", read.name)


def _may_tell(looked: Looked, read: Read) -> bool:
    return _may_show(looked, read) or read.of_birth


def is_long_number(value: Any) -> bool:
    """Whether a value is a whole number as long as those of phones, accounts and people."""
    return bool(re.fullmatch(r"-?[0-9]{9,}(\.0*)?", str(value).strip()))


def _shape_of(text: Any) -> str:
    return str(pl.select(shape(pl.lit(str(text)))).item())


def plain(value: Shown) -> str:
    """A value in a sentence."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return count(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)
