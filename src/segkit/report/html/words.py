"""What a report says in words: its head, its tiles, and numbers as they stand in cells."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate
from math import floor
from unicodedata import east_asian_width

from segkit import words
from segkit.report.numbers import percent
from segkit.report.reasons import LEFT_OUT
from segkit.reports import LedgerLine, RunReport
from segkit.words import count, plural

_WORDS = {
    **LEFT_OUT,
    "reached": "all others",
    "no_key": "without a key",
    "no_time": "without a day",
    "after_as_of": "after the day of the run",
    "unknown_customer": "of unknown customers",
    "duplicate_key": "with a key twice",
    "where": "left out by `where`",
}
NOTHING, HIDDEN = "–", "…"
"""Stand where there is nothing, or nothing is known; and where something is known, and not shown."""


def in_words(name: str) -> str:
    """The name of a reason as people read it."""
    return _WORDS.get(name, name.replace("_", " "))


def amount(value: Decimal | float | None, none: str = NOTHING) -> str:
    """An amount: without decimals from 100 on, and where it has none."""
    if value is None:
        return none
    return f"{value:,.0f}" if abs(float(value)) >= 100 else f"{value:,.2f}".removesuffix(".00")


def large(value: Decimal) -> str:
    """An amount that fits in a tile: 24.9M, but 345,678."""
    for unit, letter in ((10**9, "bn"), (10**6, "M")):
        if abs(value) >= unit:
            return f"{value / unit:,.1f}{letter}"
    return amount(value)


def readable(value: object) -> object:
    """What is printed: a text without what no page may hold, and what would turn the text around it."""
    # A text that needs nothing stays as it is: one that is escaped already stays one that is.
    return words.readable(value) if isinstance(value, str) else value


def cut(text: str, most: int) -> str:
    """A text that takes the room of `most` letters; Chinese ones and emoji take that of two."""
    widths = list(accumulate(2 if east_asian_width(letter) in "FW" else 1 for letter in text))
    return text if not widths or widths[-1] <= most else text[: sum(width < most for width in widths)] + "…"


def per_cent(value: float | None, none: str = NOTHING) -> str:
    """A share."""
    return percent(value) or none


def rounded_down(value: float, digits: int) -> float:
    """The value with fewer digits: what is just below a bound does not look as if it reached it."""
    tens = 10.0**digits
    return floor(tens * value) / tens


def signed(value: int) -> str:
    """A change with its sign, or 0."""
    return "0" if not value else f"{'+' if value > 0 else '−'}{count(abs(value))}"


def change(value: float) -> str:
    """A difference with its sign and two decimals."""
    return f"{'−' if value < 0 else '+'}{abs(value):,.2f}"


def head_line(report: RunReport) -> str:
    """One sentence: who was written, what changed, what failed."""
    return f"{_who(report)}; {_changed(report)}; {_failed(report)}."


def _who(report: RunReport) -> str:
    all_of_them, lists = report.totals.customers, sum(line.write for line in report.segments)
    listed = report.totals.listed
    where = plural(lists, "segment")
    if listed is None:
        return f"Of {plural(all_of_them, 'customer')}, some are written, in {where}"
    return f"{count(listed)} of {plural(all_of_them, 'customer')} are written, in {where}"


def _changed(report: RunReport) -> str:
    grown = [
        (line, line.written - line.before)
        for line in report.segments
        if line.write and line.written is not None and line.before is not None
    ]
    if report.previous:
        return _most(report.previous, [pair for pair in grown if pair[1]])
    moved = [
        (line.moved.entered, line.moved.left)
        for line in report.segments
        if line.moved and line.moved.entered is not None and line.moved.left is not None
    ]
    if report.since and moved:
        came, gone = map(sum, zip(*moved, strict=True))
        return f"since {report.since}, list by list, {count(came)} entered and {count(gone)} left"
    return "no earlier run is compared"


def _most(since: str, grown: list[tuple[LedgerLine, int]]) -> str:
    if not grown:
        return f"since {since}, no segment grew or shrank"
    line, change = max(grown, key=lambda pair: abs(pair[1]))
    return f"since {since}, {line.name} changed most, by {signed(change)} to {count(line.written or 0)}"


def _failed(report: RunReport) -> str:
    """A run whose expectations were broken is not published, so that only warnings can be told."""
    warnings = sum(message.severity == "warning" for message in report.messages)
    return f"nothing failed, with {plural(warnings, 'warning')}" if warnings else "nothing failed"


def tiles(report: RunReport) -> list[tuple[str, str]]:
    """Number and word of the tiles."""
    return list(_tiles(report))


def _tiles(report: RunReport) -> Iterator[tuple[str, str]]:
    totals = report.totals
    told = {
        "customers": totals.customers,
        "match a segment": totals.matched,
        "are written": totals.listed,
        "in several lists": None if report.exclusive else totals.several,
        "held out": totals.held_out or None,
        "in the control group": totals.control or None,
    }
    for word, number in told.items():
        if number is not None:
            yield count(number), word
    spent = [group.revenue for table in report.rfm[:1] for group in table.segments]
    if spent and None not in spent and totals.customers:
        revenue = sum(filter(None, spent), Decimal())
        yield large(revenue), "revenue"
        yield amount(revenue / totals.customers), "revenue a customer"
