"""Rows on their way to standard output."""

from __future__ import annotations

import shutil
from typing import BinaryIO

import polars as pl

from segkit.io.read import Workspace
from segkit.io.write import TextStyle, sink, write


def to_stream(
    rows: pl.LazyFrame, format_: str, ws: Workspace, stdout: BinaryIO, style: TextStyle | None = None
) -> None:
    """Write rows to standard output, by way of a file, since a sink may seek."""
    path = ws.new_file(".rows")
    with ws.filling():
        write([sink(rows, path, format_, style)])
    with path.open("rb") as file:
        shutil.copyfileobj(file, stdout)
    stdout.flush()
