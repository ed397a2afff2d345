"""Sources that bring their own types: Parquet, Arrow IPC, JSON, frames of a caller."""

from __future__ import annotations

import codecs
import json
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from glob import escape
from pathlib import Path
from typing import Any

import polars as pl

from segkit.errors import DataError
from segkit.io.read.kinds.mixed import NUMBER
from segkit.io.read.kinds.objects import of_object, scanned
from segkit.io.read.label import Label
from segkit.io.read.opened import Opened, damaged, gone
from segkit.io.read.problems import check_names, problem
from segkit.io.read.text.ranges import Lines
from segkit.io.read.workspace import Workspace
from segkit.rules.model.sources import Source

_AGAIN = "export or copy it again"
_COMPUTED = "compute it before, to see where that fails"
_ONCE = "name each key once: nothing tells which of its values is meant"
_JSON = "each line is one object of JSON in UTF-8: convert other encodings, as with `iconv -f cp1252 -t utf-8`"


def open_parquet(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of a Parquet file, which others may read from other folders."""
    place, what = path.absolute(), "a readable Parquet file"
    if there := ws.objects.get(path):
        return of_object(there, of_frame(label, path, what, lambda: scanned(label, there, pl.scan_parquet), _AGAIN))
    return of_frame(label, path, what, lambda: pl.scan_parquet(place, glob=False), _AGAIN)


def open_ipc(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of an Arrow IPC file."""
    what = "a readable Arrow IPC file"
    if there := ws.objects.get(path):
        return of_object(there, of_frame(label, path, what, lambda: scanned(label, there, pl.scan_ipc), _AGAIN))
    return of_frame(label, path, what, lambda: pl.scan_ipc(escape(str(path))), _AGAIN)


def open_ipc_stream(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of an Arrow IPC stream."""
    return of_frame(label, path, "a readable Arrow IPC file", lambda: pl.read_ipc_stream(path).lazy(), _AGAIN)


def open_ndjson(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of a file with an object of JSON in each line."""
    plain = _without_mark(ws, path)
    opened = _with_numbers(of_frame(label, plain, "a readable NDJSON file", lambda: _ndjson(plain), _JSON), plain)
    lines = None if opened.mixed else partial(_lines, plain, opened.frame)
    return opened._replace(has_lines=True, fault=partial(_fault_of_lines, plain), lines=lines)


def open_json(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of a file with an array of objects, or with an object in each line."""
    plain = _without_mark(ws, path)
    return _with_numbers(of_frame(label, plain, "a readable JSON file", lambda: _json(plain), _JSON), plain)


def open_frame(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of a frame of the caller; `path` is the copy of it that may be written."""
    frame = ws.frames[str(spec.path)]
    opened = of_frame(label, path, "a frame that can be computed", lambda: frame, _COMPUTED)
    for name, dtype in opened.frame.collect_schema().items():
        if dtype == pl.Object:
            hint = "give it a type that Arrow has, such as text"
            raise problem(label, f"column `{name}` of `{label.name}` holds objects of Python", hint=hint)
    return opened._replace(fault=_fault_of_frame)


def of_frame(label: Label, path: Path, what: str, scan: Callable[[], pl.LazyFrame], hint: str) -> Opened:
    """The columns with their types; categories and columns of nulls are text.

    A float of 32 bits is the number that its shortest digits say: 0.1, and not 0.10000000149.
    """
    try:
        frame = scan()
        schema = frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise problem(label, f"`{label.name}` is not {what}: {reason}", hint=hint) from error
    if not schema:
        raise problem(label, f"`{label.name}` is empty: it has no columns")
    check_names(label, schema)
    as_text = (pl.Categorical, pl.Enum, pl.Null)
    frame = frame.with_columns(pl.col(n).cast(pl.String) for n, dtype in schema.items() if isinstance(dtype, as_text))
    short = [name for name, dtype in schema.items() if dtype == pl.Float32]
    frame = frame.with_columns(pl.col(name).cast(pl.String).cast(pl.Float64) for name in short)
    return Opened(label=label, content=path, frame=frame, names=tuple(schema))


def _ndjson(path: Path) -> pl.LazyFrame:
    return pl.scan_ndjson(
        escape(str(path)), infer_schema_length=None
    )  # all rows: a later one may bring a key or another type


def _lines(path: Path, frame: pl.LazyFrame) -> Lines:
    """The file as one that can be read in ranges, with the types that its columns have by all lines."""
    rows = pl.scan_lines(escape(str(path))).select(pl.len()).collect(engine="streaming").item()
    return Lines(path.absolute(), rows, partial(pl.scan_ndjson, schema=frame.collect_schema()))


def _json(path: Path) -> pl.LazyFrame:
    return pl.read_json(path, infer_schema_length=None).lazy() if _is_array(path) else _ndjson(path)


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def _with_numbers(opened: Opened, path: Path) -> Opened:
    """The file with what says which of its texts are numbers in it, of which a reader of JSON makes texts."""
    texts = [name for name, dtype in opened.frame.collect_schema().items() if dtype == pl.String]
    mixed = {name: f"{NUMBER}{name}" for name in _may_have_numbers(path, texts)}
    if not mixed:
        return opened
    if _is_array(path):
        rows = json.loads(path.read_bytes())
        of_texts = {flag: [type(row.get(name)) in (int, float) for row in rows] for name, flag in mixed.items()}
        flags = pl.LazyFrame(of_texts)
    else:
        # A text is no number to this reader, even if it looks like one.
        numbers = pl.scan_ndjson(escape(str(path)), schema=dict.fromkeys(mixed, pl.Float64), ignore_errors=True)
        flags = numbers.select(pl.col(name).is_not_null().alias(flag) for name, flag in mixed.items())
    return opened._replace(frame=pl.concat([opened.frame, flags], how="horizontal"), mixed=mixed)


def _may_have_numbers(path: Path, names: Sequence[str]) -> list[str]:
    """The keys behind which a number stands somewhere; a search of the text takes a tenth of the time of reading it."""
    if not names:
        return []
    array = pl.LazyFrame({"line": [path.read_text("utf-8")]}) if _is_array(path) else None
    lines = pl.scan_lines(escape(str(path)), name="line") if array is None else array
    if not lines.select(_has_number(names).any()).collect(engine="streaming").item():
        return []
    looks = [_has_number([name]).any().alias(str(number)) for number, name in enumerate(names)]
    found = lines.select(looks).collect(engine="streaming").row(0)
    return [name for name, there in zip(names, found, strict=True) if there]


def _has_number(keys: Sequence[str]) -> pl.Expr:
    """Whether a number stands behind one of the keys, or behind one with a backslash where some may have such."""
    one = f'"(?:{"|".join(map(pl.escape_regex, keys))})"'
    if any("/" in key or json.dumps(key) != f'"{key}"' for key in keys):
        one = rf'(?:{one}|\\.[^"\\]*")'
    return pl.col("line").str.contains(rf"{one}\s*:\s*-?[0-9]")


def _without_mark(ws: Workspace, path: Path) -> Path:
    """The file, or a copy without the mark of UTF-8, which readers of JSON take for a value."""
    with path.open("rb") as data:
        if data.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            return path
        copy = ws.new_file("")
        with copy.open("wb") as out:
            shutil.copyfileobj(data, out, 1 << 20)
    return copy


def _fault_of_lines(path: Path, opened: Opened) -> DataError | None:
    """The error for the first line of the unpacked file that cannot be read, or for the file where that is none."""
    if not path.exists():
        return gone(opened.label)
    kinds: dict[str, type] = {}
    mixed: dict[str, int] = {}
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                pairs = json.loads(line if line.strip() else b"{}", object_pairs_hook=_Pairs)
            except ValueError:
                return problem(opened.label, "this line is not valid JSON", line=number)
            if not isinstance(pairs, _Pairs):
                return problem(opened.label, "this line is no object of JSON", line=number, hint=_JSON)
            names = [name for name, _ in pairs]
            if twice := next((name for name in names if names.count(name) > 1), None):
                return problem(opened.label, f"this line has the key `{twice}` twice", line=number, hint=_ONCE)
            for name, value in pairs:
                if isinstance(value, (bool, int, float)) and isinstance(value, bool) != (
                    kinds.setdefault(name, type(value)) is bool
                ):
                    mixed.setdefault(name, number)
    schema = _ndjson(path).collect_schema() if mixed else {}
    for name, number in mixed.items():
        if schema[name].is_numeric():
            message = (
                f"`{name}` is true or false in some lines, and a number in others: this is the first of the others"
            )
            return problem(opened.label, message, line=number, hint="make all of them numbers, or all true or false")
    return damaged(opened)


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON with all of its keys, also those that come twice."""


def _fault_of_frame(opened: Opened) -> DataError | None:
    """The error for a frame that fails when it is computed."""
    try:
        opened.frame.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0].partition(" values: ")[0]  # no values: they may be personal
        return problem(opened.label, f"`{opened.label.name}` cannot be computed: {reason}", hint=_COMPUTED)
    return None
