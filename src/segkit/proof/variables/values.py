"""Values that stand for all others: each constant that is asked for, what lies between, below and above them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

from segkit.rules.model.base import Duration
from segkit.rules.model.conditions import Condition

ONE_DAY = dt.timedelta(days=1)
LARGEST = Decimal(10) ** 17
DECIMALS = 12


def operands(condition: Condition) -> Iterator[tuple[str, Any]]:
    """Each operator with each single value that it compares with."""
    for operator, operand in condition.operators():
        for value in operand if isinstance(operand, tuple) else (operand,):
            yield operator, value


def numbers_of(conditions: Iterable[Condition]) -> set[Decimal]:
    """The numbers that conditions compare with."""
    values = (value for condition in conditions for _, value in operands(condition))
    return {Decimal(v) for v in values if isinstance(v, (int, Decimal)) and not isinstance(v, bool)}


def days_of(conditions: Iterable[Condition], as_of: dt.date) -> set[dt.date]:
    """The days that conditions compare with."""
    found = set()
    for condition in conditions:
        for operator, value in operands(condition):
            if isinstance(value, dt.date):
                found.add(value)
            elif isinstance(value, Duration) and operator != "anniversary_within":
                found |= {value.before(as_of), value.after(as_of), as_of}
    return found


def numbers(constants: Iterable[Decimal], *, whole: bool, least: Decimal | None = None) -> list[Decimal] | None:
    """Numbers that stand for all; None where a float column could not tell the constants from each other."""
    known = sorted({*constants, *([least] if least is not None else [])}) or [Decimal(0)]
    if any(abs(n) > LARGEST or n != round(n, DECIMALS) for n in known):
        return None
    if len(set(map(float, known))) < len(known):
        return None
    if whole:
        found = {Decimal(int(n // 1) + step) for n in known for step in (-1, 0, 1)} | {-(-n // 1) for n in known}
    else:
        found = {*known, known[0] - 1, known[-1] + 1, *((a + b) / 2 for a, b in pairwise(known))}
    return sorted(n for n in found if least is None or n >= least)


def days(constants: Iterable[dt.date]) -> list[dt.date] | None:
    """Days that stand for all; None where the calendar ends too early for them."""
    known = set(constants)
    if any(not dt.date(2, 1, 1) < day < dt.date(9998, 1, 1) for day in known):
        return None
    around = {day + n * ONE_DAY for day in known for n in (-1, 0, 1, 2)}
    return sorted({dt.date(1, 1, 1), dt.date(9999, 12, 31), *around})


def days_before(years: Iterable[Decimal], as_of: dt.date) -> set[dt.date]:
    """The days from which these numbers of full years, and those beside them, begin to be full."""
    whole = {int(n // 1) + step for n in years for step in (-1, 0, 1, 2)}
    lengths = ((n, Duration(abs(n), "year")) for n in whole)
    return {length.before(as_of) if n >= 0 else length.after(as_of) for n, length in lengths}


def days_ago(numbers: Iterable[Decimal], as_of: dt.date) -> set[dt.date]:
    """The days that lie these numbers of days, and those beside them, before `as_of`."""
    whole = {int(n // 1) + step for n in numbers for step in (-1, 0, 1, 2)}
    return {Duration(abs(n), "day").before(as_of) if n >= 0 else Duration(-n, "day").after(as_of) for n in whole}
