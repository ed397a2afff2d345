"""Dates and timestamps that come as text: year first, day first, month first, compact, with a month's name."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from segkit.io.read.values.column import Column, DateStyle
from segkit.io.read.values.texts import trimmed
from segkit.io.read.values.vocabulary.months import MONTHS

_ZONE = r"(?:Z|z|UTC|GMT|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)"
_TIME = (
    r"(?:T|,?\s+)(?:(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-6][0-9])?(?:[.,][0-9]+)?(?:\s*[AaPp]\.?[Mm]\.?)?"
    rf"|24:00(?::00(?:[.,]0+)?)?)(?:\s*{_ZONE})?"
)
_MARK = r"[-/.]"
_NAME = r"[A-Za-zÀ-ÿ]{3,10}\.?"
_GAP = r"[\s./-]+(?:de\s+|del\s+)?"
SHAPES = {
    "ymd": rf"^([0-9]{{4}}){_MARK}([0-9]{{1,2}}){_MARK}([0-9]{{1,2}})(?:{_TIME})?$",
    "dmy": rf"^([0-9]{{1,2}}){_MARK}([0-9]{{1,2}}){_MARK}([0-9]{{4}})(?:{_TIME})?$",
    "compact": r"^(?:1[89]|20|21)[0-9][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])$",
    "named": rf"^([0-9]{{1,2}})(?:st|nd|rd|th|er|º|\.)?{_GAP}({_NAME}){_GAP}([0-9]{{4}})(?:{_TIME})?$",
    "month_named": rf"^({_NAME})\s+([0-9]{{1,2}})(?:st|nd|rd|th)?,?\s+([0-9]{{4}})(?:{_TIME})?$",
}
SHAPES["mdy"] = SHAPES["ambiguous"] = SHAPES["dmy"]
LIKE = (
    rf"^[0-9]{{1,4}}{_MARK}[0-9]{{1,2}}{_MARK}[0-9]|^[0-9]{{1,2}}[^0-9,;]{{2,5}}[^0-9,;]{{1,12}}[0-9]{{4}}"
    rf"|^{_NAME}\s+[0-9]{{1,2}}\D{{1,4}}[0-9]{{4}}"
)
"""What all dates but compact ones match, and little else."""
_YEAR_MONTH_DAY = {
    "ymd": (1, 2, 3), "dmy": (3, 2, 1), "ambiguous": (3, 2, 1), "mdy": (3, 1, 2),
    "named": (3, 2, 1), "month_named": (3, 1, 2),
}  # fmt: skip
NAMED = ("named", "month_named")
ZONED = rf":[0-9][0-9].*{_ZONE}$"
_MIDNIGHT = r"[T\s]24:00"
_FIRST_PAST_12 = rf"^(?:1[3-9]|[23][0-9]){_MARK}"
_SECOND_PAST_12 = rf"^[0-9]{{1,2}}{_MARK}(?:1[3-9]|[23][0-9]){_MARK}"
_SIMPLE = re.compile(
    r"^\d+(?P<mark>[-/.])\d+(?P<second_mark>[-/.])\d+"
    r"(?:(?P<gap>[T ])(?P<hour>\d\d?:\d\d)(?P<second>:\d\d)?(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?$"
)
_AROUND_MONTH = (
    rf"(?i)^(?P<before>.*?)(?P<name>{'|'.join(sorted(MONTHS, key=len, reverse=True))})\.?(?P<after>[^A-Za-zÀ-ÿ].*|)$"
)
_ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EARLIEST = dt.date(1000, 1, 1)
_TIME_DIRECTIVE = re.compile(r"%-?[HIklMSTRrpfsXcv+.3-9:zZ]")
_OFFSET_DIRECTIVE = re.compile(r"%(?::|#)?z|%\+")
FORMATS = {"compact": "%Y%m%d", "ymd": "%Y{0}%m{0}%d", "dmy": "%d{0}%m{0}%Y", "mdy": "%m{0}%d{0}%Y"}
SERIALS = {"epoch": 1_000_000, "epoch_ms": 1_000}
"""Formats that are counts since 1970, in UTC: microseconds of one."""
EXCEL = "excel"
"""The format that is days since the end of 1899."""
NUMERIC = (*SERIALS, EXCEL)
_EXCEL_DAY_0 = dt.date(1899, 12, 30)


def may_have_time(layout: str) -> bool:
    """Whether a format has a time of day."""
    return layout in NUMERIC or layout == "%s" or _TIME_DIRECTIVE.search(layout) is not None


def read(column: Column) -> pl.Expr:
    """The text as Date; timestamps give their day, zoned ones their day in the column's time zone."""
    style = column.date
    raw = pl.col(column.name)
    text = trimmed(raw) if column.padded else raw
    if style.given:
        # What two formats read as two days is no date.
        clear = pl.when(~conflict(text, style.formats, column.timezone)).then(text) if style.formats[1:] else text
        day = by_formats(clear, style.formats, column.timezone)
    elif style.order == "compact":
        return text.str.to_date("%Y%m%d", strict=False)
    elif style.format is not None:
        day = by_format(text, style.format, column.timezone)
    else:
        day = _by_shape(text, style.order, column.timezone)
    # `%Y` reads the year of 1/18/15 as 15.
    return pl.when(day >= EARLIEST).then(day)


def by_formats(text: pl.Expr, formats: Sequence[str], timezone: str) -> pl.Expr:
    """Dates written in one of several formats, which are tried in their order."""
    read = (by_format(text, layout, timezone) for layout in formats)
    return pl.coalesce(pl.when(day >= EARLIEST).then(day) for day in read)


def conflict(text: pl.Expr, formats: Sequence[str], timezone: str) -> pl.Expr:
    """Where two of the formats read a value as two days."""
    read = (by_format(text, layout, timezone) for layout in formats)
    days = [pl.when(day >= EARLIEST).then(day) for day in read]  # `%Y` reads 24 as a year, too
    pairs = [(a != b).fill_null(value=False) for i, a in enumerate(days) for b in days[i + 1 :]]
    return pl.any_horizontal(pairs) if pairs else pl.lit(value=False)


def moment_by_format(text: pl.Expr, layout: str, timezone: str) -> pl.Expr:
    """Timestamps written in one format: zoned in `timezone`, others as they stand in it."""
    text = in_english(text, layout)
    if layout in SERIALS or layout == "%s":
        return _instant(text.cast(pl.Float64, strict=False), "epoch" if layout == "%s" else layout, timezone)
    if layout == EXCEL:
        days = text.cast(pl.Float64, strict=False)
        naive = pl.lit(_EXCEL_DAY_0).cast(pl.Datetime("us")) + pl.duration(microseconds=(days * 86_400e6).round(0))
        return in_zone(pl.when(days.is_between(1, 2_958_465)).then(naive), timezone)
    if _OFFSET_DIRECTIVE.search(layout):
        return text.str.to_datetime(layout, time_unit="us", strict=False).dt.convert_time_zone(timezone)
    if "%Z" in layout:
        return _utc(text, layout).dt.convert_time_zone(timezone)
    return in_zone(text.str.to_datetime(layout, time_unit="us", strict=False), timezone)


def in_zone(naive: pl.Expr, timezone: str) -> pl.Expr:
    """A time without a zone as one of `timezone`; of the hour that its clocks leave out in spring, the next one."""
    moment, later = (
        time.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
        for time in (naive, naive + pl.duration(hours=1))
    )
    return moment.fill_null(later)


def in_english(text: pl.Expr, layout: str) -> pl.Expr:
    """The text with its month in English, where the format has the name of a month, and no weekday beside it."""
    if not re.search("%[bBh]", layout) or re.search("%[aA]", layout):
        return text
    parts = text.str.extract_groups(_AROUND_MONTH)
    known = {word: _ENGLISH[month - 1] for word, month in MONTHS.items()}
    name = parts.struct.field("name").str.to_lowercase()
    english = name.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.String)
    return pl.concat_str(parts.struct.field("before"), english, parts.struct.field("after"))


def by_format(text: pl.Expr, layout: str, timezone: str) -> pl.Expr:
    """Dates written in one strptime format, with names of months in any language that dates are read in, or serials."""
    text = in_english(text, layout)
    if layout in NUMERIC:
        return from_serial(text.cast(pl.Float64, strict=False), layout, timezone)
    if layout == "%s":
        return from_serial(text.cast(pl.Float64, strict=False), "epoch", timezone)
    if _OFFSET_DIRECTIVE.search(layout):
        moment = text.str.to_datetime(layout, time_unit="us", strict=False)
        return moment.dt.convert_time_zone(timezone).dt.date()
    if "%Z" in layout:
        return _utc(text, layout).dt.convert_time_zone(timezone).dt.date()
    if _TIME_DIRECTIVE.search(layout):
        return text.str.to_datetime(layout, time_unit="us", strict=False).dt.date()
    return text.str.to_date(layout, strict=False)


def _utc(text: pl.Expr, layout: str) -> pl.Expr:
    """Timestamps with the name of their zone, which Polars throws away: so only those in UTC are read."""
    utc = pl.when(text.str.contains(r"(?i)\b(?:UTC|GMT|Z)\b|[0-9]Z")).then(text)
    return utc.str.to_datetime(layout, time_unit="us", strict=False).dt.replace_time_zone("UTC")


def _instant(number: pl.Expr, layout: str, timezone: str) -> pl.Expr:
    """The moment of a count since 1970."""
    in_range = pl.when(number.abs() < 253_402_300_800 * 1_000_000 / SERIALS[layout]).then(number)
    moment = (in_range * SERIALS[layout]).cast(pl.Int64).cast(pl.Datetime("us"))
    return moment.dt.replace_time_zone("UTC").dt.convert_time_zone(timezone)


def from_serial(number: pl.Expr, layout: str, timezone: str) -> pl.Expr:
    """The day of a count of seconds, milliseconds or days."""
    if layout == EXCEL:
        return pl.when(number.is_between(1, 2_958_465)).then(pl.lit(_EXCEL_DAY_0) + pl.duration(days=number.floor()))
    return _instant(number, layout, timezone).dt.date()


def _by_shape(text: pl.Expr, order: str, timezone: str) -> pl.Expr:
    """Dates whose times vary: with zones, 24:00, a.m. and p.m. or without."""
    day = day_of(text, order)
    next_day = text.str.contains(_MIDNIGHT)
    zoned = pl.when(text.str.contains(ZONED)).then(text)
    moment = (local_time(zoned, day_of(zoned, order)) - offset(zoned)).dt.replace_time_zone("UTC")
    day = pl.when(next_day).then(day + pl.duration(days=1)).otherwise(day)
    return moment.dt.convert_time_zone(timezone).dt.date().fill_null(pl.when(zoned.is_null()).then(day))


def day_of(text: pl.Expr, order: str) -> pl.Expr:
    """The day that is written, in no zone."""
    pattern, (year, month, day) = SHAPES[order], _YEAR_MONTH_DAY[order]
    if order not in NAMED:
        return text.str.replace(pattern, f"${{{year}}}-${{{month}}}-${{{day}}}").str.to_date("%Y-%m-%d", strict=False)
    name = text.str.extract(pattern, month).str.strip_suffix(".").str.to_lowercase()
    number = name.replace_strict(list(MONTHS), list(MONTHS.values()), default=None, return_dtype=pl.Int8)
    written = pl.concat_str(text.str.extract(pattern, year), number, text.str.extract(pattern, day), separator="-")
    return written.str.to_date("%Y-%m-%d", strict=False)


def local_time(text: pl.Expr, day: pl.Expr) -> pl.Expr:
    """The moment as clocks on the wall showed it."""
    hour, minute, second = (
        text.str.extract(pattern).cast(pl.Int64, strict=False).fill_null(0)
        for pattern in (r"([0-9]{1,2}):[0-9]{2}", r":([0-9]{2})", r":[0-9]{2}:([0-9]{2})")
    )
    fraction = text.str.extract(r":[0-9]{2}[.,]([0-9]{1,6})").str.pad_end(6, "0").cast(pl.Int64).fill_null(0)
    afternoon = text.str.contains(r"[Pp]\.?[Mm]\.?")
    half = text.str.contains(r"[0-9]\s*[AaPp]\.?[Mm]\.?")
    hour = pl.when(half).then(hour % 12 + 12 * afternoon.cast(pl.Int64)).otherwise(hour)
    return day.cast(pl.Datetime("us")) + pl.duration(hours=hour, minutes=minute, seconds=second, microseconds=fraction)


def offset(text: pl.Expr) -> pl.Expr:
    """How far the clocks of the zone are before UTC."""
    sign = pl.when(text.str.contains(r"-[0-9]{2}:?(?:[0-9]{2})?$")).then(-1).otherwise(1)
    hours = text.str.extract(r":[0-9]{2}.*[+-]([0-9]{2}):?(?:[0-9]{2})?$").cast(pl.Int64, strict=False).fill_null(0)
    minutes = text.str.extract(r":[0-9]{2}.*[+-][0-9]{2}:?([0-9]{2})$").cast(pl.Int64, strict=False).fill_null(0)
    return pl.duration(minutes=sign * (hours * 60 + minutes))


def evidence(text: pl.Expr) -> dict[str, pl.Expr]:
    """Counts and examples by which `settle` decides, over texts that are trimmed and not missing."""
    year_first, year_last = text.str.contains(SHAPES["ymd"]), text.str.contains(SHAPES["dmy"])
    parts = pl.when(year_last).then(text)
    first, second = (parts.str.extract(rf"^0?([0-9]+){_MARK}0?([0-9]+)", i) for i in (1, 2))
    return {
        "ymd": year_first.sum(),
        "dmy": year_last.sum(),
        "named": day_of(text, "named").is_not_null().sum(),
        "month_named": day_of(text, "month_named").is_not_null().sum(),
        "first_past_12": parts.str.contains(_FIRST_PAST_12).sum(),
        "second_past_12": parts.str.contains(_SECOND_PAST_12).sum(),
        "zoned": text.str.contains(ZONED).sum(),
        "midnight": text.str.contains(_MIDNIGHT).sum(),
        "either": text.filter(first != second).first(),
        "example": text.filter(year_first | year_last).first(),
        "layouts": text.filter(year_first | year_last).str.replace_all(r"[0-9]+", "0").n_unique(),
    }


def settle(counts: Mapping[str, Any], *, whole: bool = True) -> DateStyle:
    """The order most of the values have; day or month first is what a part over 12 says.

    Where all dates read alike both ways (01/01/2015), they are day first if these are the whole column, not a sample.
    """
    ymd, dmy = counts.get("ymd", 0), counts.get("dmy", 0)
    named = max(NAMED, key=lambda order: counts.get(order, 0))
    if counts["compact"] > max(ymd, dmy):
        return DateStyle("compact", FORMATS["compact"])
    if counts.get(named, 0) > max(ymd, dmy):
        return DateStyle(named, zoned=bool(counts["zoned"]))
    if not ymd and not dmy:
        return DateStyle()
    order = "ymd"
    if dmy > ymd:
        day, month = counts["first_past_12"], counts["second_past_12"]
        alike = whole and counts["either"] is None
        half_each = day > 0 and day == month  # some values cannot be read, and are told
        order = "dmy" if day > month or alike or half_each else "mdy" if month > day else "ambiguous"
    uniform = counts["layouts"] == 1 and not counts["padded"] and order != "ambiguous" and not counts["midnight"]
    layout = layout_of(counts["example"], order) if uniform else None
    return DateStyle(order, layout, example=counts["either"] or "", zoned=bool(counts["zoned"]))


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
