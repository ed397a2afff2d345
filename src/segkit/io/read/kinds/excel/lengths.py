"""Lengths of time, which readers take for days of 1900, or for nothing: as texts, `30:00:00` of thirty hours."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import polars as pl

from segkit.io.read.kinds.excel.cells import Cell

_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"|\\.')
_BUILT_IN = "46"
"""The number of the format `[h]:mm:ss`, which no workbook has to name."""
_DAY = 86_400_000
_WRITTEN = r"^(-?)P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$"
_MOMENT = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?$"


def shown(lengths: pl.Series) -> pl.Series:
    """Lengths of time as texts: hours, minutes and seconds, and what is left of a second if there is any."""
    all_ = lengths.dt.total_milliseconds()
    parts = pl.DataFrame({"all": all_, "rest": all_.abs()}).select(
        pl.when(pl.col("all") < 0).then(pl.lit("-")).otherwise(pl.lit(""))
        + pl.concat_str(
            [
                (pl.col("rest") // 3_600_000).cast(pl.String).str.zfill(2),
                (pl.col("rest") // 60_000 % 60).cast(pl.String).str.zfill(2),
                (pl.col("rest") // 1000 % 60).cast(pl.String).str.zfill(2),
            ],
            separator=":",
        )
        + pl.when(pl.col("rest") % 1000 == 0)
        .then(pl.lit(""))
        .otherwise("." + (pl.col("rest") % 1000).cast(pl.String).str.zfill(3))
    )
    return parts.to_series().alias(lengths.name)


def of_days(cells: Sequence[Cell]) -> list[Cell]:
    """Cells that hold numbers of days, with the text of each as a length of time."""
    days = pl.Series([cell.text for cell in cells], dtype=pl.String).str.strip_chars().cast(pl.Float64)
    texts = shown((days * _DAY).round().cast(pl.Int64).cast(pl.Duration("ms")))
    return [cell._replace(text=text) for cell, text in zip(cells, texts, strict=True)]


def of_written(cells: Sequence[Cell]) -> list[Cell]:
    """Cells of OpenDocument that hold lengths such as `PT30H00M00S`; any other text stays as it is."""
    written = pl.Series([cell.text for cell in cells], dtype=pl.String)
    parts = written.str.extract_groups(_WRITTEN).struct.unnest()
    days, hours, minutes, seconds = (pl.col(name).cast(pl.Float64).fill_null(0) for name in parts.columns[1:])
    size = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
    sign = pl.when(pl.col(parts.columns[0]) == "-").then(-1).otherwise(1)
    lengths = parts.select((size.round().cast(pl.Int64) * sign).cast(pl.Duration("ms"))).to_series()
    texts = shown(lengths).zip_with(parts.to_series(0).is_not_null(), written)
    return [cell._replace(text=text) for cell, text in zip(cells, texts, strict=True)]


def of_moments(texts: pl.Series, *, from_1904: bool) -> pl.Series:
    """Texts in which each moment, counted from the first day of a workbook, is a length of time.

    In a workbook that counts from 1900, that year has a 29th of February.
    """
    moments = texts.str.extract(f"({_MOMENT[1:-1]})").str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ms")
    if from_1904:
        lengths = moments - pl.date(1904, 1, 1)
    else:
        first = pl.when(moments < pl.date(1900, 3, 1)).then(pl.date(1899, 12, 31)).otherwise(pl.date(1899, 12, 30))
        lengths = moments - first
    found = pl.select(lengths.cast(pl.Duration("ms"))).to_series()
    return shown(found).zip_with(texts.str.contains(_MOMENT), texts)


def styles_of(path: Path, part: str) -> frozenset[str]:
    """The styles of cells, by their number, that show a length of time."""
    with zipfile.ZipFile(path) as package:
        root = ElementTree.fromstring(package.read(part))
    formats = {_BUILT_IN}
    for one in root.iterfind(".//{*}numFmt"):
        if _ELAPSED.search(_QUOTED.sub("", one.get("formatCode", ""))):
            formats.add(one.get("numFmtId", ""))
    styles = enumerate(root.iterfind("{*}cellXfs/{*}xf"))
    return frozenset(str(number) for number, style in styles if style.get("numFmtId") in formats)
