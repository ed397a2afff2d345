"""Delta tables: the files and rows that their log names, at one version."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

import polars as pl

from segkit.errors import DataError
from segkit.io.read.kinds import typed
from segkit.io.read.kinds.lake.past import moment_of, version_at
from segkit.io.read.kinds.lake.place import Place, Scan, place_of
from segkit.io.read.kinds.objects import fault
from segkit.io.read.label import Label
from segkit.io.read.opened import Opened
from segkit.io.read.problems import problem
from segkit.io.read.workspace import Workspace
from segkit.rules.model.sources import Source
from segkit.rules.text.row_order import keys_of_order
from segkit.words import plural

KEYS = frozenset({"version", "at"})
"""The keys of a source that choose the past of a table."""

_UNDERSTOOD = frozenset({"deletionVectors", "timestampNtz", "columnMapping", "v2Checkpoint", "vacuumProtocolCheck"})
"""What a table may ask of its readers: of column mapping, only that it is not used."""
_READERS = (1, 2, 3)
_PART, _ROW = "partition.", "\x1frow"
"""Before the name of a partition, and the position of a row in its file."""
_MISREAD = "%#?"
"""Marks in a path of which the library makes another path."""


def open_delta(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of the version that a section asks for, or of the newest one.

    The files are those that the log names, and the values of partitions are those that it gives: what else lies in the
    folder is none of the table. Raises `DataError` for what cannot be read right, such as a table with column mapping.
    """
    for key, told in keys_of_order(spec):
        message = f"`{told}` goes by the order of the rows, and a Delta table has none"
        raise problem(label, message, hint=f"take out `{key}`, or write the rows in their order into a file")
    where = place_of(ws, label, path)
    table = _table(ws, spec, label, where)
    _require_readable(label, table)
    name = {"table": str(table.metadata().id), "version": str(table.version())}
    content = ws.new_file(".json")
    content.write_text(json.dumps(name), encoding="utf-8")
    ws.on_open(content)
    hint = "look at the table with what has written it"
    opened = typed.of_frame(label, content, "a readable Delta table", lambda: _rows(label, table, where), hint)
    return opened._replace(found=name, fault=partial(fault, where.refused))


def _table(ws: Workspace, spec: Source, label: Label, where: Place) -> Any:
    """The table at one version: all sections that ask for the newest one get the same."""
    if any(mark in where.name for mark in _MISREAD):
        hint = "rename the folder, or make a copy of the table elsewhere"
        raise problem(
            label, f"a Delta table cannot be read from a path with `%`, `#` or `?`: `{where.name}`", hint=hint
        )
    newest = ws.once((open_delta, where.name), lambda: _loaded(label, where, lambda: where.table().version()))
    version = spec.version if spec.version is not None else newest
    if spec.at is not None:
        history = _loaded(label, where, lambda: where.table(newest).history())
        version = version_at(label, history, moment_of(spec.at, "UTC"))
    if version > newest:
        raise problem(
            label, f"`{label.name}` has no version {version}: the newest is {newest}", hint="look at `version`"
        )
    try:
        return _loaded(label, where, lambda: where.table(version))
    except DataError as error:
        if version == newest:
            raise
        message = f"version {version} of `{label.name}` cannot be read any more: its log does not go back so far"
        raise problem(label, message, hint=f"the newest is {newest}; a later `version` or `at` may be there") from error


def _loaded(label: Label, where: Place, load: Callable[[], Any]) -> Any:
    """What the library gives; `DataError` in one line where the log cannot be read, whatever the library raises."""
    from deltalake.exceptions import DeltaError

    try:
        return load()
    except BaseException as error:
        if not isinstance(error, (DeltaError, OSError, ValueError, LookupError)) and not _is_panic(error):
            raise
        if refused := where.refused(label, error):
            raise refused from None
        reason = str(error).partition("\n")[0].removeprefix("Kernel error: ")
        hint = "look at the table with what has written it"
        raise problem(label, f"the log of `{label.name}` cannot be read: {reason}", hint=hint) from error


def _is_panic(error: BaseException) -> bool:
    """Whether Rust has panicked, which is no `Exception` in Python."""
    return type(error).__name__ == "PanicException"


def _require_readable(label: Label, table: Any) -> None:
    """`DataError` where rows would be read wrong: the table asks more of its readers than this one can."""
    protocol, mapping = table.protocol(), table.metadata().configuration.get("delta.columnMapping.mode", "none")
    more = sorted(set(protocol.reader_features or ()) - _UNDERSTOOD)
    hint = "write a copy of it without that, or export it as Parquet"
    if mapping != "none":
        raise problem(label, f"`{label.name}` is a Delta table with column mapping, which is not read", hint=hint)
    if more or protocol.min_reader_version not in _READERS:
        asked = ", ".join(f"`{feature}`" for feature in more) or f"version {protocol.min_reader_version}"
        raise problem(label, f"`{label.name}` asks of readers what is not known here: {asked}", hint=hint)


def _rows(label: Label, table: Any, where: Place) -> pl.LazyFrame:
    """The rows of all files, in the order of their paths.

    Polars' own reader of Delta tables takes the values of partitions from paths: of a path without them it makes
    missing values, and of a table below a folder such as `region=EU` an error.
    """
    schema, partitions = pl.Schema(table.schema()), list(table.metadata().partition_columns)
    in_files = {name: dtype for name, dtype in schema.items() if name not in partitions}
    files = pl.DataFrame(table.get_add_actions(flatten=True)).sort("path")
    places = _places(label, files["path"].to_list(), where)
    gone = _deleted(label, table, places)
    of_files = files.select(_PART + name for name in partitions).rows() if partitions else [()] * len(places)
    frames = []
    for of_partition, some in groupby(zip(of_files, places, strict=True), key=lambda file: file[0]):
        constants = [pl.lit(one, schema[name]).alias(name) for name, one in zip(partitions, of_partition, strict=True)]
        frames += [
            frame.with_columns(constants).select(schema.names()) for frame in _scans(some, where.scan(in_files), gone)
        ]
    return pl.concat(frames) if frames else pl.LazyFrame(schema=schema)


def _scans(files: Iterable[tuple[Any, str]], scan: Scan, gone: Mapping[str, pl.Series]) -> Iterator[pl.LazyFrame]:
    """The rows of some files, each file with deleted rows in a scan of its own."""
    for has_gone, some in groupby((place for _, place in files), key=gone.__contains__):
        if not has_gone:
            yield scan(list(some))
            continue
        for place in some:
            rows = scan([place]).with_row_index(_ROW)
            yield rows.filter(~pl.col(_ROW).is_in(gone[place].implode())).drop(_ROW)


def _places(label: Label, paths: Sequence[str], where: Place) -> list[str]:
    """The files, whose paths stand in the log as those of addresses do."""
    if elsewhere := [path for path in paths if "://" in path or path.startswith("/")]:
        message = f"{plural(len(elsewhere), 'file')} of `{label.name}` lie outside of its folder, as in a shallow clone"
        raise problem(label, message, hint="write a copy of the table with all of its files")
    places = [where.file(unquote(path)) for path in paths]
    if missing := where.missing(label, places):
        message = f"{plural(len(missing), 'file')} of this version of `{label.name}` are gone, as after a vacuum"
        raise problem(label, message, hint="choose a later `version` or `at`, or copy the table anew")
    return places


def _deleted(label: Label, table: Any, places: Sequence[str]) -> dict[str, pl.Series]:
    """The positions of deleted rows in files that hold some; these have names of their own."""
    if "deletionVectors" not in (table.protocol().reader_features or ()):
        return {}
    named = {PurePosixPath(place).name: place for place in places}
    found: dict[str, pl.Series] = {}
    for path, kept in pl.DataFrame(table.deletion_vectors()).select("filepath", "selection_vector").iter_rows():
        name = unquote(PurePosixPath(path).name)
        if name not in named or len(named) < len(places):
            raise problem(
                label, f"cannot tell in which file of `{label.name}` rows are deleted", hint="compact the table"
            )
        found[named[name]] = (~pl.Series(kept, dtype=pl.Boolean)).arg_true()
    return found
