"""Which formats read a date that none of the usual ways reads: for hints, never to read by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import polars as pl

from segkit.io.read.values.dates import in_english

_DAYS = (
    *(
        parts.replace(" ", mark)
        for mark, parts in product("./- ", ("%d %m %Y", "%m %d %Y", "%Y %m %d", "%d %m %y", "%m %d %y", "%y %m %d"))
    ),
    *(parts.replace(" ", mark) for mark, parts in product("./- ", ("%d %b %Y", "%d %b %y", "%b %d %Y"))),
    "%b %d, %Y", "%b %d, %y", "%d%b%Y", "%d%b%y", "%d%m%Y", "%m%d%Y", "%Y%m%d", "%d%m%y", "%m%d%y", "%y%m%d",
    "%d. %B %y", "%d %B, %Y", "%B %d %y", "%d. %B %Y", "%A, %d %B %Y", "%A, %B %d, %Y", "%a, %d %b %Y",
)  # fmt: skip
_TIMES = (
    "", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p", " %I.%M.%S%.f %p", ":%H:%M:%S",
    " %H.%M", " %Hh%M", "%H%M%S", "T%H%M%S", " %H%M", " %H:%M:%S %z", "T%H:%M:%S%z", ":%H:%M:%S %z",
)  # fmt: skip
_OTHER_LAYOUTS = ("%a %b %d %H:%M:%S %Y", "%H:%M %d/%m/%Y", "%H:%M %m/%d/%Y", "%H:%M:%S %d.%m.%Y")
_MONTHS = (
    ("", "-01", "%Y-%m-%d"), ("", "/01", "%Y/%m/%d"), ("01.", "", "%d.%m.%Y"), ("01/", "", "%d/%m/%Y"),
    ("01-", "", "%d-%m-%Y"), ("01 ", "", "%d %b %Y"), ("01 ", "", "%d %B %Y"), ("01-", "", "%d-%b-%Y"),
    ("01 ", "", "%d %b %y"), ("01-", "", "%d-%b-%y"),
)  # fmt: skip
"""What makes a day of a month when it stands before or behind it, and the format of that day."""
MOST = 3
"""Formats that are named where several read all values."""


def fitting(values: Sequence[str]) -> list[str]:
    """The formats, three at most, that read all of these values as days between 1900 and 2100, each as others."""
    texts = pl.Series(list(dict.fromkeys(values)), dtype=pl.String)
    found: dict[tuple[object, ...], str] = {}
    spaces = min((value.count(" ") for value in values), default=0)
    layouts = [*(f"{day}{time}" for day, time in product(_DAYS, _TIMES)), *_OTHER_LAYOUTS]
    # A space in a format stands for no space, too.
    for layout in (layout for layout in layouts if layout.count(" ") <= spaces) if len(texts) else ():
        if (days := _read(texts, layout)) is not None:
            found.setdefault(days, layout)
    return list(found.values())[:MOST]


def _read(texts: pl.Series, layout: str, *, as_sql: bool = False) -> tuple[object, ...] | None:
    """The times that the texts are in this layout; None where one is none, or far from today.

    SQL knows the names of months in English alone.
    """
    english = texts if as_sql else pl.select(in_english(pl.lit(texts), layout)).to_series()
    read = english.str.to_datetime(layout, strict=False, time_unit="us", time_zone="UTC" if "%z" in layout else None)
    return tuple(read.to_list()) if read.dt.year().is_between(1900, 2100).fill_null(value=False).all() else None


def format_hint(column: str, values: Sequence[str], others: Sequence[str] = (), given: Sequence[str] = ()) -> str:
    """What to give for a column, as a rule file names it, with such values, that should be dates.

    `others` are values that are read as they should be, `given` the formats that the rule file has.
    """
    if layouts := [layout for layout in fitting([*others, *values]) if layout not in given]:
        return f"say how it is written: {' or '.join(_key(column, [layout]) for layout in layouts)}"
    if month := _of_months(column, values):
        return f"its values are months, which are no days: derive one, `{month}`"
    known = [*given] or fitting(others)[:1]
    more = [layout for layout in fitting(values) if layout not in known]
    if more and known:
        return f"say how both are written: {_key(column, [*known, more[0]])}"
    if known and fitting(values):
        return "two of its formats read it as two days: leave one of them out"
    return f"say how it is written: {_key(column, more[:1] or ['%d.%m.%y'])}{'' if more else ', or the like'}"


def _key(column: str, layouts: Sequence[str]) -> str:
    shown = ", ".join(f'"{layout}"' for layout in layouts)
    return f"`date_format = {{ {column} = {shown if len(layouts) == 1 else f'[{shown}]'} }}`"


def _of_months(column: str, values: Sequence[str]) -> str | None:
    """SQL for the first days of the months that these values are."""
    name = column if column.startswith('"') else f'"{column}"'
    for before, after, layout in _MONTHS if values else ():
        if _read(pl.Series([f"{before}{value}{after}" for value in values]), layout, as_sql=True) is not None:
            parts = ", ".join([*([f"'{before}'"] if before else []), name, *([f"'{after}'"] if after else [])])
            return f"DATE(CONCAT({parts}), '{layout}')"
    return None
