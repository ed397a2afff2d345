"""The files that are made of an orders file: what cannot be written is refused before anything is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import polars as pl

from segkit.errors import RuleError, WriteError
from segkit.io.publish.errors import require_local
from segkit.io.publish.folder import publish_file
from segkit.io.read import Workspace
from segkit.io.write import STDOUT, TextStyle, format_of, sink, write
from segkit.operations.evaluation.evaluate import Evaluated
from segkit.operations.lists.stream import to_stream


def refuse_targets(targets: Mapping[str, str | None]) -> None:
    """`RuleError` for what cannot be written: option -> path, of which `-o` writes rows."""
    for path in filter(None, targets.values()):
        require_local(path)
    given = [Path(path).resolve() for path in targets.values() if path is not None and path != STDOUT]
    if twice := next((path for path in given if given.count(path) > 1), None):
        raise RuleError.of(f"`{twice.name}` is named for two outputs", hint="give each a file of its own")
    if targets["-o"] is not None:
        format_of(Path(targets["-o"]))


def spare_inputs(evaluated: Evaluated, targets: Mapping[str, str | None]) -> None:
    """`WriteError` where an output would take the place of a file that was read."""
    read = {Path(read.label.path).resolve() for read in evaluated.inputs}
    for path in targets.values():
        if path not in (None, STDOUT) and Path(str(path)).resolve() in read:
            raise WriteError.of(f"`{path}` is an input: the output would take its place", hint="name another file")


def write_rows(rows: pl.LazyFrame, output: str, ws: Workspace, stdout: BinaryIO | None, day: dt.date) -> None:
    """Write rows of a day to a file, in the format of its extension, or as CSV to standard output."""
    if output != STDOUT:
        with publish_file(Path(output)) as target:
            write([sink(rows, target, format_of(Path(output)), TextStyle(day=day))])
        return
    assert stdout is not None, "rows for standard output need a stream"
    to_stream(rows, "csv", ws, stdout)
