"""Which formats read a date that none of the usual ways reads: for hints, never to read by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

import polars as pl

_DAYS = (
    *(
        parts.replace(" ", mark)
        for mark, parts in product("./- ", ("%d %m %Y", "%m %d %Y", "%Y %m %d", "%d %m %y", "%m %d %y"))
    ),
    *(parts.replace(" ", mark) for mark, parts in product("./- ", ("%d %b %Y", "%d %b %y"))),
    "%b %d %Y", "%b %d, %Y", "%b %d, %y", "%d%b%Y", "%d%b%y", "%d%m%Y", "%m%d%Y", "%Y%m%d", "%d%m%y", "%y%m%d",
    "%A, %d %B %Y", "%A, %B %d, %Y", "%a, %d %b %Y",
)  # fmt: skip
_TIMES = (
    "", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p", " %I.%M.%S%.f %p", ":%H:%M:%S",
    " %H.%M", " %Hh%M", "%H%M%S", " %H%M", " %H:%M:%S %z", "T%H:%M:%S%z",
)  # fmt: skip
_MONTH = re.compile(
    r"[0-9]{4}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{4}|[A-Za-z]{3,9}\.?[ -][0-9]{2,4}|[0-9]{4}[ -]?Q[1-4]"
)


def fitting(values: Sequence[str]) -> list[str]:
    """The formats, two at most, that read all of these values as days between 1900 and 2100, each as others."""
    texts = pl.Series(list(dict.fromkeys(values)), dtype=pl.String)
    found: dict[tuple[object, ...], str] = {}
    for day, time in product(_DAYS, _TIMES) if len(texts) else ():
        layout = f"{day}{time}"
        if layout.count(" ") > min(value.count(" ") for value in values):
            continue  # a space in a format stands for no space, too
        read = texts.str.to_datetime(layout, strict=False, time_unit="us", time_zone="UTC" if "%z" in time else None)
        if read.dt.year().is_between(1900, 2100).fill_null(value=False).all():
            found.setdefault(tuple(read.to_list()), layout)
    return list(found.values())[:2]


def format_hint(column: str, values: Sequence[str]) -> str:
    """What to give for a column, as a rule file names it, with such values, that should be dates."""
    if values and all(_MONTH.fullmatch(value) for value in values):
        return "its values are months, which are no days: derive one, such as `DATE(CONCAT(month, '-01'))`"
    formats = [f'`date_format = {{ {column} = "{layout}" }}`' for layout in fitting(values) or ["%d.%m.%y"]]
    return f"say how it is written: {' or '.join(formats)}{'' if fitting(values) else ', or the like'}"
