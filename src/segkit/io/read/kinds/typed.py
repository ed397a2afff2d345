"""Sources that bring their own types: Parquet, Arrow IPC, JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from segkit.io.read.problems import check_names, problem

_NAMES = {"parquet": "Parquet", "ipc": "Arrow IPC", "ipc_stream": "Arrow IPC", "ndjson": "NDJSON", "json": "JSON"}


_JSON = "each line is one object of JSON in UTF-8: convert other encodings, as with `iconv -f cp1252 -t utf-8`"


def open_typed(path: Path, plain: Path, kind: str) -> pl.LazyFrame:
    """The columns with their types; categories and columns of nulls are text."""
    try:
        frame = READERS[kind](plain)
        schema = frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        message = f"`{path.name}` is not a readable {_NAMES[kind]} file: {reason}"
        hint = _JSON if kind in ("ndjson", "json") else "export or copy it again"
        raise problem(path, message, hint=hint) from error
    if not schema:
        raise problem(path, f"`{path.name}` is empty: it has no columns")
    check_names(path, schema)
    as_text = (pl.Categorical, pl.Enum, pl.Null)
    return frame.with_columns(pl.col(n).cast(pl.String) for n, dtype in schema.items() if isinstance(dtype, as_text))


def _ndjson(path: Path) -> pl.LazyFrame:
    return pl.scan_ndjson(path, infer_schema_length=None)  # all rows: a later one may bring a key or another type


def _json(path: Path) -> pl.LazyFrame:
    with path.open("rb") as file:
        array = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    return pl.read_json(path, infer_schema_length=None).lazy() if array else _ndjson(path)


READERS: dict[str, Callable[[Path], pl.LazyFrame]] = {
    "parquet": lambda path: pl.scan_parquet(path, glob=False),
    "ipc": pl.scan_ipc,
    "ipc_stream": lambda path: pl.read_ipc_stream(path).lazy(),
    "ndjson": _ndjson,
    "json": _json,
}
"""Kind of file -> how it is scanned."""
