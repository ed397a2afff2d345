"""Dates and timestamps that come as text: ISO, year first, day first, month first, compact."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from segkit.io.read.values.column import Column, DateStyle
from segkit.io.read.values.texts import trimmed

_TIME = (
    r"(?:T|\s+)((?:[01]?[0-9]|2[0-4]):[0-5][0-9])(:[0-6][0-9])?(?:[.,][0-9]+)?(?:\s*[AaPp]\.?[Mm]\.?)?"
    r"(?:\s*(Z|UTC|[+-][0-9][0-9]:?[0-9][0-9]|[+-][0-9][0-9]))?"
)
_MARK = r"[-/.]"
SHAPES = {
    "ymd": rf"^([0-9]{{4}}){_MARK}([0-9]{{1,2}}){_MARK}([0-9]{{1,2}})(?:{_TIME})?$",
    "dmy": rf"^([0-9]{{1,2}}){_MARK}([0-9]{{1,2}}){_MARK}([0-9]{{4}})(?:{_TIME})?$",
    "compact": r"^(?:1[89]|20|21)[0-9][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])$",
}
LIKE = rf"^[0-9]{{1,4}}{_MARK}[0-9]{{1,2}}{_MARK}[0-9]"
"""What all dates but compact ones match, and little else."""
SHAPES["mdy"] = SHAPES["ambiguous"] = SHAPES["dmy"]
_TO_ISO = {"ymd": "${1}-${2}-${3}", "dmy": "${3}-${2}-${1}", "mdy": "${3}-${1}-${2}", "ambiguous": "${3}-${2}-${1}"}
_ZONED = r":[0-9][0-9].*(?:Z|UTC|[+-][0-9][0-9]:?[0-9][0-9]|[+-][0-9][0-9])$"
_FIRST_PAST_12 = rf"^(?:1[3-9]|[23][0-9]){_MARK}"
_SECOND_PAST_12 = rf"^[0-9]{{1,2}}{_MARK}(?:1[3-9]|[23][0-9]){_MARK}"
_SIMPLE = re.compile(
    r"^\d+(?P<mark>[-/.])\d+(?P<second_mark>[-/.])\d+"
    r"(?:(?P<gap>[T ])(?P<hour>\d\d?:\d\d)(?P<second>:\d\d)?(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?$"
)
_EARLIEST = dt.date(1000, 1, 1)
_TIME_DIRECTIVE = re.compile(r"%-?[HIklMSTRrpfsXcv+.3-9:zZ]")
FORMATS = {"compact": "%Y%m%d", "ymd": "%Y{0}%m{0}%d", "dmy": "%d{0}%m{0}%Y", "mdy": "%m{0}%d{0}%Y"}


def read(column: Column) -> pl.Expr:
    """The text as Date; timestamps give their day, zoned ones their day in the column's time zone."""
    style = column.date
    raw = pl.col(column.name)
    text = trimmed(raw) if column.padded else raw
    if style.order == "compact":
        return text.str.to_date("%Y%m%d", strict=False)
    if style.format is not None:
        day = by_format(text, style.format, column.timezone)
    else:
        day = _by_shape(text, style, column.timezone)
    # `%Y` reads the year of 1/18/15 as 15.
    return pl.when(day >= _EARLIEST).then(day)


def by_format(text: pl.Expr, layout: str, timezone: str) -> pl.Expr:
    """Dates written in one strptime format."""
    if "%z" in layout or "%:z" in layout or "%#z" in layout or "%+" in layout:
        moment = text.str.to_datetime(layout, time_unit="us", strict=False)
        return moment.dt.convert_time_zone(timezone).dt.date()
    if _TIME_DIRECTIVE.search(layout):
        return text.str.to_datetime(layout, time_unit="us", strict=False).dt.date()
    return text.str.to_date(layout, strict=False)


def _by_shape(text: pl.Expr, style: DateStyle, timezone: str) -> pl.Expr:
    pattern = SHAPES[style.order]
    iso = text.str.replace(pattern, _TO_ISO[style.order])
    if not style.zoned:
        return iso.str.to_date("%Y-%m-%d", strict=False)
    zoned = pl.when(text.str.contains(_ZONED)).then(text)
    moment = zoned.str.replace(pattern, _TO_ISO[style.order] + "T${4}${5}|${6}")
    moment = moment.str.replace(r"T([0-9]+:[0-9]+)\|", "T${1}:00|").str.replace(r"\|(?:Z|UTC)$", "|+00:00")
    moment = moment.str.replace(r"\|([+-][0-9][0-9])$", "|${1}:00")
    day = by_format(moment, "%Y-%m-%dT%H:%M:%S|%z", timezone)
    return day.fill_null(pl.when(zoned.is_null()).then(iso).str.to_date("%Y-%m-%d", strict=False))


def evidence(text: pl.Expr) -> dict[str, pl.Expr]:
    """Counts and examples by which `settle` decides, over texts that are trimmed and not missing."""
    year_first, year_last = text.str.contains(SHAPES["ymd"]), text.str.contains(SHAPES["dmy"])
    parts = pl.when(year_last).then(text)
    first, second = (parts.str.extract(rf"^0?([0-9]+){_MARK}0?([0-9]+)", i) for i in (1, 2))
    return {
        "ymd": year_first.sum(),
        "dmy": year_last.sum(),
        "first_past_12": parts.str.contains(_FIRST_PAST_12).sum(),
        "second_past_12": parts.str.contains(_SECOND_PAST_12).sum(),
        "zoned": text.str.contains(_ZONED).sum(),
        "either": text.filter(first != second).first(),
        "example": text.filter(year_first | year_last).first(),
        "layouts": text.filter(year_first | year_last).str.replace_all(r"[0-9]+", "0").n_unique(),
    }


def settle(counts: Mapping[str, Any], *, whole: bool = True) -> DateStyle:
    """The order most of the values have; day or month first is what a part over 12 says.

    Where all dates read alike both ways (01/01/2015), they are day first if these are the whole column, not a sample.
    """
    ymd, dmy = counts.get("ymd", 0), counts.get("dmy", 0)
    if counts["compact"] > max(ymd, dmy):
        return DateStyle("compact", FORMATS["compact"])
    if not ymd and not dmy:
        return DateStyle()
    order = "ymd"
    if dmy > ymd:
        day, month = counts["first_past_12"], counts["second_past_12"]
        alike = whole and counts["either"] is None
        half_each = day > 0 and day == month  # some values cannot be read, and are told
        order = "dmy" if day > month or alike or half_each else "mdy" if month > day else "ambiguous"
    uniform = counts["layouts"] == 1 and not counts["padded"] and order != "ambiguous"
    layout = layout_of(counts["example"], order) if uniform else None
    return DateStyle(order, layout, zoned=bool(counts["zoned"]), example=counts["either"] or "")


def layout_of(example: str, order: str) -> str | None:
    """The strptime format of a value, or None where it has none that is simple."""
    found = _SIMPLE.match(example)
    if found is None or found["mark"] != found["second_mark"]:
        return None
    parts = {"hour": "%H:%M", "second": ":%S", "fraction": "%.f", "zone": "%#z"}
    time = "".join(layout for part, layout in parts.items() if found[part])
    return FORMATS[order].format(found["mark"]) + (found["gap"] or "") + time


def readings(example: str) -> list[str]:
    """How a value reads day first and month first, in words."""
    first, second, year = re.split(_MARK, example.split(maxsplit=1)[0].split("T", maxsplit=1)[0])
    return [f"{int(day)} {dt.date(2000, int(month), 1):%B} {year}" for day, month in ((first, second), (second, first))]
