"""Frames to files: one sink a format, to be run together by `write`.

Polars is imported when a sink is made, so that the command line can list the formats without it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from glob import escape
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, NamedTuple, TypeAlias

from segkit.errors import DataError, RuleError, require_extra

if TYPE_CHECKING:
    import polars as pl

Target: TypeAlias = Path | IO[bytes]
Sink: TypeAlias = "pl.LazyFrame | Callable[[], None]"
"""A lazy sink of Polars; or what writes row after row, where Polars has none."""

STDOUT = "-"
"""The target that stands for standard output."""

ROWS_IN_GROUP = 131_072
"""Rows of a Parquet row group and of an Arrow batch: stated, so that the bytes do not depend on the machine."""


class TextStyle(NamedTuple):
    """How text formats look; `separators` is column -> what joins its list, where it is not `|`.

    A workbook has the name of its sheet, and the day of which it is.
    """

    delimiter: str | None = None
    decimal: str = "."
    bom: bool = False
    escape_formulas: bool = False
    separators: Mapping[str, str] = MappingProxyType({})
    sheet: str = "Sheet1"
    day: dt.date | None = None


class Format(NamedTuple):
    """How lists are written, and how the keys of a list that was written are read again."""

    extension: str
    sink: Callable[[pl.LazyFrame, Target, TextStyle], Sink]
    """Makes a sink of a frame, a target and a style."""
    keys: Callable[[Path, Sequence[str], str], pl.LazyFrame]
    """Scans a file for its first columns, that of the keys before all; it takes their names, and the delimiter."""
    is_text: bool = True
    """It may go to a terminal."""
    cells: bool = False
    """Values are what a spreadsheet takes: it joins what is in a list, and may run formulas."""
    runs_formulas: bool = True
    """Of such cells: a text that looks like a formula becomes one, where nothing escapes it."""
    extra: str | None = None
    """What has to be installed for it, and the module that tells whether it is."""
    module: str | None = None
    also: tuple[str, ...] = ()
    """Other extensions of a file that is written in this format."""


def _csv(frame: pl.LazyFrame, target: Target, style: TextStyle) -> pl.LazyFrame:
    return _delimited(frame, target, style, style.delimiter or ",")


def _tsv(frame: pl.LazyFrame, target: Target, style: TextStyle) -> pl.LazyFrame:
    return _delimited(frame, target, style, "\t")


def _delimited(frame: pl.LazyFrame, target: Target, style: TextStyle, separator: str) -> pl.LazyFrame:
    from segkit.io.write.cells import rendered, without_nul

    columns = rendered(frame.collect_schema(), style)
    return without_nul(frame.select(columns)).sink_csv(
        target, separator=separator, include_bom=style.bom, float_scientific=False, lazy=True
    )


def _csv_keys(path: Path, names: Sequence[str], delimiter: str) -> pl.LazyFrame:
    import polars as pl

    return pl.scan_csv(path, separator=delimiter, infer_schema=False, glob=False)


def _tsv_keys(path: Path, names: Sequence[str], delimiter: str) -> pl.LazyFrame:
    return _csv_keys(path, names, "\t")


def _ndjson(frame: pl.LazyFrame, target: Target, style: TextStyle) -> pl.LazyFrame:
    # Polars writes a Decimal as text and 5 as 5.0, so the lines are made here and written as a file of one column.
    from segkit.io.write.cells import json_lines

    line = json_lines(frame.collect_schema())
    return frame.select(line).sink_csv(target, include_header=False, quote_style="never", lazy=True)


def _ndjson_keys(path: Path, names: Sequence[str], delimiter: str) -> pl.LazyFrame:
    import polars as pl

    schema = pl.Schema(dict.fromkeys(names, pl.String))
    return pl.scan_ndjson(escape(str(path)), schema=schema) if path.stat().st_size else pl.LazyFrame(schema=schema)


def _parquet(frame: pl.LazyFrame, target: Target, style: TextStyle) -> pl.LazyFrame:
    return frame.sink_parquet(target, compression="zstd", row_group_size=ROWS_IN_GROUP, lazy=True)


def _parquet_keys(path: Path, names: Sequence[str], delimiter: str) -> pl.LazyFrame:
    import polars as pl

    return pl.scan_parquet(path, glob=False)


def _arrow(frame: pl.LazyFrame, target: Target, style: TextStyle) -> pl.LazyFrame:
    from polars import CompatLevel

    # The oldest level has text that every Arrow reader knows; views are younger than many readers.
    oldest = CompatLevel.oldest()
    frame = frame.map_batches(_without_idle_masks, streamable=True, validate_output_schema=False)
    return frame.sink_ipc(target, compat_level=oldest, record_batch_size=ROWS_IN_GROUP, lazy=True)


def _arrow_keys(path: Path, names: Sequence[str], delimiter: str) -> pl.LazyFrame:
    import polars as pl

    return pl.scan_ipc(escape(str(path)))


def _without_idle_masks(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows, without masks of missing values in columns where no value is missing.

    Whether Polars keeps such a mask depends on the number of threads, and an Arrow file would show it; slices drop it.
    """
    import polars as pl

    return pl.concat([rows.head(1), rows.slice(1)], rechunk=False)


def _xlsx(frame: pl.LazyFrame, target: Target, style: TextStyle) -> Sink:
    return partial(_write_xlsx, frame, target, style)


def _write_xlsx(frame: pl.LazyFrame, target: Target, style: TextStyle) -> None:
    from segkit.io.write.workbook import sheet_names, workbook

    with workbook(target, style.day) as book:
        book.add_table(sheet_names([style.sheet])[0], frame, style.separators)


def _xlsx_keys(path: Path, names: Sequence[str], delimiter: str) -> pl.LazyFrame:
    import fastexcel

    try:
        sheet = fastexcel.read_excel(path.read_bytes()).load_sheet(0, dtypes="string", use_columns=[*range(len(names))])
    except fastexcel.FastExcelError as error:
        hint = "restore it, or compare another run"
        raise DataError.of(f"`{path}` is not the workbook that segkit has written", hint=hint) from error
    keys: pl.DataFrame = sheet.to_polars()
    return keys.lazy()


FORMATS: dict[str, Format] = {
    "csv": Format("csv", _csv, _csv_keys, cells=True, also=("", "txt")),
    "tsv": Format("tsv", _tsv, _tsv_keys, cells=True),
    "parquet": Format("parquet", _parquet, _parquet_keys, is_text=False),
    "ndjson": Format("ndjson", _ndjson, _ndjson_keys),
    "arrow": Format("arrow", _arrow, _arrow_keys, is_text=False),
    "xlsx": Format(
        "xlsx",
        _xlsx,
        _xlsx_keys,
        is_text=False,
        cells=True,
        runs_formulas=False,
        extra="excel",
        module="xlsxwriter",
    ),
}
"""Name of the format -> how it is written, and read again."""


def sink(frame: pl.LazyFrame, target: Target, format: str, style: TextStyle | None = None) -> Sink:
    """The sink of a frame: rows in its order, columns as they stand, in a format of `FORMATS`."""
    return FORMATS[format].sink(frame, target, style or TextStyle())


def write(sinks: Iterable[Sink], *, together: bool = True) -> None:
    """Write all of these: those of Polars together, or, if rows are on disk, one by one; then the others one by one.

    Together, they share one copy of all rows in memory.
    """
    import polars as pl

    all_ = list(sinks)
    lazy = [one for one in all_ if isinstance(one, pl.LazyFrame)]
    for some in [lazy] if together else [[one] for one in lazy]:
        pl.collect_all(some)
    for one in all_:
        if not isinstance(one, pl.LazyFrame):
            one()


def require_installed(format: str) -> None:
    """`RuleError` where a format needs an extra that is not installed."""
    extra, module = FORMATS[format].extra, FORMATS[format].module
    if extra is not None and module is not None:
        require_extra(extra, module, f"`{format}` is written")


def keys_of(path: Path, names: Sequence[str], delimiter: str) -> pl.LazyFrame:
    """The rows of a list that was written, with its first columns, of these names; the keys stand in the first.

    `DataError` where no format has its extension.
    """
    extension = path.suffix.removeprefix(".")
    format_ = next((f for f in FORMATS.values() if f.extension == extension), None)
    if format_ is None:
        hint = "another version of segkit has written it: compare runs of this one"
        raise DataError.of(f"`{path}`: segkit does not read this format", hint=hint)
    return format_.keys(path, names, delimiter)


def format_of(path: Path) -> str:
    """The format that a file's extension asks for; `RuleError` where segkit does not write it."""
    extension = path.suffix.removeprefix(".").lower()
    for name, format_ in FORMATS.items():
        if extension in (format_.extension, *format_.also):
            require_installed(name)
            return name
    raise RuleError.of(f"`{path}`: segkit does not write this format", hint=f"the formats are {', '.join(FORMATS)}")


def require_no_terminal(format: str, stdout: IO[bytes]) -> None:
    """`RuleError` where rows of a binary format would go to a terminal."""
    if not FORMATS[format].is_text and stdout.isatty():
        hint = "send it on, with `> FILE` or `| PROGRAM`; `--format csv` writes text"
        raise RuleError.of(f"`{format}` is no text, and standard output is a terminal", hint=hint)
