"""Opening a source: its files found and understood, its columns named and typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from itertools import groupby
from pathlib import Path
from types import MappingProxyType

import polars as pl

from segkit.diagnostics import Diagnostic
from segkit.errors import DataError
from segkit.io.read import second_look
from segkit.io.read.files import origins, unpack
from segkit.io.read.folders.added import added, of_folders, require_same_folders, with_folders, with_types
from segkit.io.read.folders.asked import Keeps, asked_for, told
from segkit.io.read.kinds import delimited
from segkit.io.read.kinds.lake.past import moment_of
from segkit.io.read.kinds.mixed import unmixed
from segkit.io.read.label import Label, Origin
from segkit.io.read.opened import Opened
from segkit.io.read.problems import expands, problem
from segkit.io.read.registry import KINDS, Kind
from segkit.io.read.repeats import FILE, filled_down, repeats
from segkit.io.read.table import Table
from segkit.io.read.text.delimited import scan
from segkit.io.read.text.kept import Cache, Seen, drop
from segkit.io.read.values import dates, sample
from segkit.io.read.values.column import NUMERIC, Column
from segkit.io.read.values.infer import Given, infer, typed
from segkit.io.read.workspace import Workspace
from segkit.rules.model.sources import Events, Source
from segkit.words import listed, nearest


def open_table(
    ws: Workspace,
    name: str,
    spec: Source,
    *,
    base: Path,
    timezone: str,
    time_columns: Collection[str] = (),
    keeps: Keeps | None = None,
) -> Table:
    """Open the files of a source, find out how they are written, and infer the types of their columns.

    Files in folders that `where` leaves out, as far as `keeps` can tell, are not opened.

    DataError for missing, empty, binary or damaged files, ragged lines, and names that do not exist.
    The lines of large files are not yet checked: see `Table.check_lines`.
    """
    if spec.at is not None:
        spec = spec.model_copy(update={"at": moment_of(spec.at, timezone)})
    parts = _parts(ws, name, spec, base, Given(timezone=timezone, types=spec.types, time_columns=time_columns), keeps)
    require_same_folders(parts)
    _check_same_columns(parts)
    _check_names(name, spec, parts[0])
    names = [*parts[0].names]
    try:
        parts, decimals = unmixed(parts, spec)
    except pl.exceptions.PolarsError as error:
        if explained := second_look.explain(parts):
            raise explained from error
        raise
    frame = _joined(parts, names, spec)
    given = _given(spec, parts, timezone, time_columns)._replace(decimals=decimals)
    columns, whole = _columns(parts, frame.select(names), given)
    has_repeats = isinstance(spec, Events) and spec.duplicates in ("drop", "error", "last_file")
    if isinstance(spec, Events) and has_repeats:
        frame = repeats(frame, names, spec.id, str(spec.duplicates))
    return Table(
        name=name,
        labels=tuple(part.label for part in parts),
        frame=frame,
        columns=MappingProxyType(columns),
        detected=_detected(parts, columns, spec),
        parts=parts,
        given=given,
        whole=whole,
        has_repeats=has_repeats,
    )


def explain_failure(tables: Iterable[Table]) -> DataError | None:
    """The error behind a read that failed in Polars, from a second, slow look at the files; None if none is found."""
    return second_look.explain(part for table in tables for part in table.parts)


def require_unchanged(ws: Workspace) -> None:
    """`DataError` where an object of a bucket, which is read in parts, is another one than it was at first."""
    if ws.objects:
        from segkit.io.read.buckets import found  # loaded already

        found.require_unchanged(ws)


def require_kept(ws: Workspace, digest: Callable[[Path], str]) -> None:
    """`DataError` where a file is another one than the cache says, whose length, times and inode are the same.

    Its entry is removed. Whoever publishes asks, since the manifest has the digests.
    """
    cache = _cache(ws)
    for entry, (path, before) in cache.used.items() if cache else ():
        if digest(path) != before:
            drop(entry)
            message = f"`{path}` has changed since it was put into the cache, and its times do not show it"
            raise DataError(Diagnostic(message, hint="run this again: its copy there is removed"))


def _parts(ws: Workspace, name: str, spec: Source, base: Path, given: Given, keeps: Keeps | None) -> tuple[Opened, ...]:
    """The files of a source that it asks for, or the frame of the caller that its path stands for."""
    if isinstance(spec.path, str) and spec.path in ws.frames:
        opened = KINDS["frame"].open(ws, spec, Label(spec.path), ws.copy_of(spec.path))
        return (_renamed(opened._replace(kind="frame"), spec),)
    found = origins(ws, spec.path, base)
    if keeps is None or not (found[0].folders and spec.where):
        return tuple(_open(ws, origin, spec) for origin in found)
    given = given._replace(date_formats=spec.date_format or {}, null_values=spec.null_values)
    first = _open(ws, asked_for(found, spec, given, keeps, spec.where)[0], spec)
    asked = asked_for(found, spec, given, keeps, first.folders)  # not by columns that the files have themselves
    parts = tuple(first if one.path == first.content else _open(ws, one, spec) for one in asked)
    if len(asked) == len(found):
        return parts
    return (parts[0]._replace(told=(*parts[0].told, told(name, found, asked))), *parts[1:])


def _open(ws: Workspace, origin: Origin, spec: Source) -> Opened:
    label, path = origin.label, origin.path
    cache = _cache(ws)
    if cache is None or origin.kind or ws.has(path) or not path.is_file():
        kind, opened = _read(ws, origin, spec)
    else:
        how = {**{key: getattr(spec, key) for key in delimited.KEYS}, "label": str(label)}
        seen, text = Seen.of(path), cache.find(path, how)
        if text is not None:
            ws.on_open(path)
            kind, opened = "text", delimited.opened(text, path)
        else:
            young = seen.is_young  # as it is before it is read
            kind, opened = _read(ws, origin, spec)
            if opened.text and opened.text.large and not young:
                is_copy = ws.has(opened.text.source)
                text = cache.keep(path, how, seen, opened.text, is_copy=is_copy)
                opened = opened._replace(text=text, frame=scan([text]), lines=None)
    told = [*origin.told, *opened.told]
    if origin.charset and opened.text:
        from segkit.io.read.web import doubted  # loaded already, since a server has given it

        told += doubted(origin, opened.text.detected.get("encoding"))
    opened = opened._replace(kind=kind, told=tuple(told))
    # The digest is that of the file itself, where it is more than a pipe.
    opened = opened._replace(content=path) if path.is_file() and not origin.kind else opened
    return _renamed(with_folders(opened, origin.folders) if origin.folders else opened, spec)


def _cache(ws: Workspace) -> Cache | None:
    asked = ws.cache_in
    if asked is None:
        return None

    def begun() -> Cache:
        cache = Cache(asked.folder, asked.version)
        ws.at_end.append(cache.end)
        return cache

    return ws.once(Cache, begun)


def _read(ws: Workspace, origin: Origin, spec: Source) -> tuple[str, Opened]:
    """The kind of a file, and what it becomes."""
    with ws.filling():
        unpacked, kind = (origin.path, origin.kind) if origin.kind else unpack(ws, origin.label, origin.path)
        return kind, _opened_as(KINDS[kind], ws, spec, origin.label, unpacked)


def _opened_as(kind: Kind, ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    try:
        return kind.open(ws, spec, label, path)
    except ImportError as error:
        if kind.extra is None:
            raise
        hint = f'install it: `pip install "segkit-cli[{kind.extra}]"`'
        raise problem(label, f"`{label.name}` is {kind.words}, which an extra of segkit reads", hint=hint) from error


def _renamed(opened: Opened, spec: Source) -> Opened:
    """The file with the names that the source gives to its columns, and with fields filled from above."""
    new_names = _renaming(opened.label, opened.names, spec.rename)
    names = tuple(new_names.get(name, name) for name in opened.names)
    frame = opened.frame.rename(new_names)
    mixed = {new_names.get(name, name): flag for name, flag in opened.mixed.items()}
    if isinstance(spec, Events) and spec.fill_down and spec.id in names:
        frame = filled_down(frame, str(spec.id), spec.fill_down, mixed)
    types = {new_names.get(name, name): kind for name, kind in opened.types.items()}
    folders = {new_names.get(name, name): value for name, value in opened.folders.items()}
    return opened._replace(frame=frame, names=names, types=types, mixed=mixed, folders=folders)


def _renaming(label: Label, old: tuple[str, ...], rename: dict[str, str]) -> dict[str, str]:
    """Old name -> new name; DataError for old names that are not there and new ones that are taken."""
    problems = []
    for new, was in rename.items():
        if was not in old:
            problems.append(_unknown(f"`rename` names column `{was}`, which `{label.name}` does not have", was, old))
        elif expands(new):
            problems.append(Diagnostic(f"`rename` gives column `{was}` the name `{new}`, which cannot be a name"))
        elif new in old and new not in rename.values():
            message = f"`rename` gives column `{was}` the name `{new}`, which another column of `{label.name}` has"
            problems.append(Diagnostic(message, hint=f"rename `{new}` too, or choose another name for `{was}`"))
    if problems:
        raise DataError(*problems)
    return {was: new for new, was in rename.items()}


def _check_names(name: str, spec: Source, part: Opened) -> None:
    unknown = [
        _unknown(
            f"`types` of `{name}` names column `{column}`, which `{part.label.name}` does not have", column, part.names
        )
        for column in spec.types
        if column not in part.names
    ]
    unknown += [
        _unknown(
            f"`fill_down` of `{name}` names column `{column}`, which `{part.label.name}` does not have",
            column,
            part.names,
        )
        for column in (spec.fill_down if isinstance(spec, Events) else ())
        if column not in part.names
    ]
    unknown += [
        _unknown(
            f"`date_format` of `{name}` names column `{column}`, which `{part.label.name}` does not have",
            column,
            part.names,
        )
        for column in spec.date_format or {}
        if column and column not in part.names
    ]
    if unknown:
        raise DataError(*unknown)


def _unknown(message: str, name: str, names: Collection[str]) -> Diagnostic:
    return Diagnostic(message, hint=nearest(name, names) or f"its columns: {listed(names, ',')}")


def _check_same_columns(parts: tuple[Opened, ...]) -> None:
    first = parts[0]
    if first.text is not None and any(part.text is None for part in parts):
        raise problem(first.label, "a source cannot join delimited text with other formats")
    for part in parts[1:]:
        lacks = [name for name in first.names if name not in part.names]
        extra = [name for name in part.names if name not in first.names]
        if lacks or extra:
            found = [f"{verb} {listed(names, ',')}" for verb, names in (("lacks", lacks), ("also has", extra)) if names]
            message = f"`{part.label.name}` {' and '.join(found)}, unlike `{first.label}`"
            raise problem(part.label, message, hint="all files of a source have the same columns")


def _joined(parts: tuple[Opened, ...], names: list[str], spec: Source) -> pl.LazyFrame:
    """The rows of all files; one scan for each run of files that are written alike, unless files are told apart."""
    by_file = isinstance(spec, Events) and (spec.fill_down or spec.duplicates == "last_file")
    if parts[0].text is None or by_file:
        alike = len({tuple(part.frame.collect_schema().items()) for part in parts}) == 1
        frames = [part.frame.select(names) for part in parts]
        if by_file:
            frames = [frame.with_columns(pl.lit(number, pl.UInt32).alias(FILE)) for number, frame in enumerate(frames)]
        if not alike:
            _check_types(parts, frames)
        return pl.concat(frames, how="vertical" if alike else "vertical_relaxed")
    frames = []
    for _, run_of_files in groupby(parts, key=lambda part: (part.text and part.text.layout(), part.folders)):
        run = list(run_of_files)
        texts = [part.text for part in run if part.text]
        new_names = dict(zip(texts[0].names, run[0].own_names, strict=True))
        frames.append(added(scan(texts).rename(new_names), run[0].folders).select(names))
    return pl.concat(frames) if len(frames) > 1 else frames[0]


def _check_types(parts: tuple[Opened, ...], frames: list[pl.LazyFrame]) -> None:
    """DataError where a column has types of which nothing makes one, such as times of two zones."""
    first, *others = (frame.collect_schema() for frame in frames)
    for part, schema in zip(parts[1:], others, strict=True):
        for name, dtype in schema.items():
            both = [pl.LazyFrame(schema={name: one}) for one in (first[name], dtype)]
            try:
                pl.concat(both, how="vertical_relaxed").collect_schema()
            except pl.exceptions.PolarsError as error:
                message = f"column `{name}` is {dtype} in `{part.label.name}`, and {first[name]} in `{parts[0].label}`"
                raise problem(part.label, message, hint="give it one type in all files of the source") from error


def _given(spec: Source, parts: tuple[Opened, ...], timezone: str, time_columns: Collection[str]) -> Given:
    decimal = spec.decimal or {",": ".", ".": ","}.get(spec.thousands or "")
    formats = dict(spec.date_format or {})
    for layout in dict.fromkeys(layout for of_column in formats.values() for layout in of_column):
        _check_date_format(layout)
    return Given(
        timezone=timezone,
        delimiter=parts[0].text.delimiter if parts[0].text else ",",
        types=with_types({**parts[0].types, **spec.types}, parts[0].folders, time_columns),
        date_formats=formats,
        decimal=decimal,
        thousands=spec.thousands,
        null_values=spec.null_values,
        true_values=spec.true_values,
        false_values=spec.false_values,
        percent=spec.percent,
        headers=spec.rename,
        time_columns=frozenset(time_columns),
        money_columns=frozenset({spec.amount} if isinstance(spec, Events) and spec.amount else ()),
    )


def _check_date_format(layout: str) -> None:
    """DataError unless a date that is written in the format reads back with its year."""
    if layout in dates.NUMERIC or layout == "%s":
        return
    written = pl.Series([dt.datetime(2024, 3, 31)]).dt.replace_time_zone("UTC")
    try:
        back = written.dt.strftime(layout).str.to_datetime(layout, strict=False)
    except pl.exceptions.PolarsError:
        back = written.clear()
    if back.dt.year().to_list() != [2024]:
        raise DataError(Diagnostic(f"`{layout}` is no date format", hint='an example is `date_format = "%d/%m/%Y"`'))


def _columns(parts: tuple[Opened, ...], frame: pl.LazyFrame, given: Given) -> tuple[dict[str, Column], bool]:
    """The columns in order, and whether all rows were looked at."""
    schema = frame.collect_schema()
    folders = [part.folders for part in parts]
    text_names = [name for name, dtype in schema.items() if dtype == pl.String and name not in folders[0]]
    if parts[0].text:
        rows, whole = sample.of_text([(part.text, part.own_names) for part in parts if part.text])
    else:
        try:
            rows, whole = sample.of_typed(frame, text_names)
        except pl.exceptions.PolarsError as error:
            if explained := second_look.explain(parts):
                raise explained from error
            raise
    inferred = infer(rows, text_names, given, whole=whole)
    if folders[0]:
        inferred |= of_folders(folders, given)[1]
    return {name: inferred.get(name) or typed(name, dtype, given) for name, dtype in schema.items()}, whole


def _detected(parts: tuple[Opened, ...], columns: dict[str, Column], spec: Source) -> dict[str, str]:
    detected: dict[str, list[str]] = {}
    for part in parts:
        for what, found in part.detected.items():
            detected.setdefault(what, []).append(found)
    numbers = [c for c in columns.values() if c.is_text and c.type in NUMERIC]
    if spec.decimal is None and any(column.number.decimal == "," for column in numbers):
        detected["decimal"] = [","]
    return {what: ", ".join(dict.fromkeys(found)) for what, found in detected.items()}
