"""Frames to files: one lazy sink a format, to be run together by `pl.collect_all`.

Polars is imported when a sink is made, so that the command line can list the formats without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, NamedTuple, TypeAlias

from segkit.errors import RuleError

if TYPE_CHECKING:
    import polars as pl

Target: TypeAlias = Path | IO[bytes]

STDOUT = "-"
"""The target that stands for standard output."""

ROWS_IN_GROUP = 131_072
"""Rows of a Parquet row group and of an Arrow batch: stated, so that the bytes do not depend on the machine."""


class TextStyle(NamedTuple):
    """How text formats look; `separators` is column -> what joins its list, where it is not `|`."""

    delimiter: str | None = None
    decimal: str = "."
    bom: bool = False
    escape_formulas: bool = False
    separators: Mapping[str, str] = MappingProxyType({})


class Format(NamedTuple):
    """A file extension, what turns a frame, a target and a style into a lazy sink, what its values are.

    `binary` is no text; `cells` are texts without types, so that a list is written as a text.
    """

    extension: str
    sink: Callable[[pl.LazyFrame, Target, TextStyle], pl.LazyFrame]
    binary: bool = False
    cells: bool = False


def _csv(frame: pl.LazyFrame, target: Target, style: TextStyle) -> pl.LazyFrame:
    return _delimited(frame, target, style, style.delimiter or ",")


def _tsv(frame: pl.LazyFrame, target: Target, style: TextStyle) -> pl.LazyFrame:
    return _delimited(frame, target, style, "\t")


def _delimited(frame: pl.LazyFrame, target: Target, style: TextStyle, separator: str) -> pl.LazyFrame:
    from segkit.io.write.cells import rendered

    columns = rendered(frame.collect_schema(), style)
    return frame.select(columns).sink_csv(
        target, separator=separator, include_bom=style.bom, float_scientific=False, lazy=True
    )


def _ndjson(frame: pl.LazyFrame, target: Target, style: TextStyle) -> pl.LazyFrame:
    # Polars writes a Decimal as text and 5 as 5.0, so the lines are made here and written as a file of one column.
    from segkit.io.write.cells import json_lines

    line = json_lines(frame.collect_schema())
    return frame.select(line).sink_csv(target, include_header=False, quote_style="never", lazy=True)


def _parquet(frame: pl.LazyFrame, target: Target, style: TextStyle) -> pl.LazyFrame:
    return frame.sink_parquet(target, compression="zstd", row_group_size=ROWS_IN_GROUP, lazy=True)


def _arrow(frame: pl.LazyFrame, target: Target, style: TextStyle) -> pl.LazyFrame:
    from polars import CompatLevel

    # The oldest level has text that every Arrow reader knows; views are younger than many readers.
    oldest = CompatLevel.oldest()
    frame = frame.map_batches(_without_idle_masks, streamable=True, validate_output_schema=False)
    return frame.sink_ipc(target, compat_level=oldest, record_batch_size=ROWS_IN_GROUP, lazy=True)


def _without_idle_masks(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows, without masks of missing values in columns where no value is missing.

    Whether Polars keeps such a mask depends on the number of threads, and an Arrow file would show it; slices drop it.
    """
    import polars as pl

    return pl.concat([rows.head(1), rows.slice(1)], rechunk=False)


FORMATS: dict[str, Format] = {
    "csv": Format("csv", _csv, cells=True),
    "tsv": Format("tsv", _tsv, cells=True),
    "parquet": Format("parquet", _parquet, binary=True),
    "ndjson": Format("ndjson", _ndjson),
    "arrow": Format("arrow", _arrow, binary=True),
}
"""Name of the format -> how it is written."""


def sink(frame: pl.LazyFrame, target: Target, format: str, style: TextStyle | None = None) -> pl.LazyFrame:
    """The lazy sink of a frame: rows in its order, columns as they stand, in a format of `FORMATS`."""
    return FORMATS[format].sink(frame, target, style or TextStyle())


def format_of(path: Path, default: str = "csv") -> str:
    """The format that a file's extension asks for."""
    extension = path.suffix.removeprefix(".").lower()
    return next((name for name, f in FORMATS.items() if f.extension == extension), default)


def require_format(path: Path) -> None:
    """`RuleError` for a file with the extension of a format that segkit does not write."""
    if path.suffix.removeprefix(".").lower() not in {*FORMATS, "", "txt"}:
        hint = f"the formats are {', '.join(FORMATS)}"
        raise RuleError.of(f"`{path}`: segkit does not write this format", hint=hint)


def require_no_terminal(format: str, stdout: IO[bytes]) -> None:
    """`RuleError` where rows of a binary format would go to a terminal."""
    if FORMATS[format].binary and stdout.isatty():
        hint = "send it on, with `> FILE` or `| PROGRAM`; `--format csv` writes text"
        raise RuleError.of(f"`{format}` is no text, and standard output is a terminal", hint=hint)
