"""Cohorts in plain Python, one event after the other, written from the reference and not from segkit's code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple


class Event(NamedTuple):
    """A row of events: whose, when, of which order, for how much, and whether `where` keeps it."""

    key: str | None
    day: date | None
    id: str | None = None
    amount: Decimal | None = None
    kept: bool = True


def first_day(day: date, by: str) -> date:
    if by == "week":
        return day - timedelta(days=day.weekday())
    return date(day.year, day.month if by == "month" else 3 * ((day.month - 1) // 3) + 1, 1)


def name(day: date, by: str) -> str:
    if by == "week":
        return "{}-W{:02}".format(*day.isocalendar()[:2])
    return f"{day.year}-{day.month:02}" if by == "month" else f"{day.year}-Q{(day.month + 2) // 3}"


def periods(first: date, last: date, by: str) -> list[date]:
    """The first days of the periods from that of `first` to that of `last`."""
    found = [first_day(first, by)]
    while (following := first_day(found[-1] + timedelta(days={"week": 7, "month": 31, "quarter": 92}[by]), by)) <= last:
        found.append(following)
    return found


def cohorts(
    events: Iterable[Event], as_of: date, by: str, *, customers: set[str] | None = None, once: bool = False
) -> list[dict[str, Any]]:
    """The cohorts as JSON has them; of these customers, or of all that have events.

    With `once`, each row has the amount of its whole order, which counts on the first day of the order.
    """
    left = [e for e in events if e.key and e.day and e.day <= as_of and e.kept]
    left = [e for e in left if customers is None or e.key in customers]
    first: dict[str, date] = {}
    for event in sorted(left, key=lambda e: e.day or as_of):
        first.setdefault(str(event.key), event.day or as_of)
    is_over = first_day(as_of + timedelta(days=1), by) > as_of
    found = []
    for start in sorted({first_day(day, by) for day in first.values()}):
        members = {key for key, day in first.items() if first_day(day, by) == start}
        cells = []
        spans = periods(start, as_of, by)
        for number, begin in enumerate(spans):
            here = [e for e in left if e.key in members and first_day(e.day or as_of, by) == begin]
            active = {e.key for e in here}
            cells.append(
                {
                    "period": number,
                    "customers": len(active),
                    "percent": Decimal(str(round(100 * len(active) / len(members), 4))),
                    "revenue": _once(left, members, begin, by)
                    if once
                    else sum((e.amount or 0 for e in here), Decimal()),
                    "open": not is_over and number == len(spans) - 1,
                }
            )
        found.append({"cohort": name(start, by), "customers": len(members), "cells": cells})
    return found


def _once(events: list[Event], members: set[str], begin: date, by: str) -> Decimal:
    orders: dict[Any, list[Event]] = {}
    for place, event in enumerate(events):
        if event.key in members:
            orders.setdefault((event.key, event.id or place), []).append(event)
    total = Decimal()
    for lines in orders.values():
        if first_day(min(e.day for e in lines if e.day), by) == begin:
            total += max((e.amount for e in lines if e.amount is not None), default=Decimal())
    return total
