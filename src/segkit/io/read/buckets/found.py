"""What an address in a bucket names: objects that are read where they are, or copied into the workspace once."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from segkit.addresses import is_here
from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.errors import DataError
from segkit.io.cloud.address import Address, parsed
from segkit.io.cloud.at_once import at_once
from segkit.io.cloud.refused import Reason, Refused
from segkit.io.cloud.store import Bucket, Item, Object, open_bucket
from segkit.io.read.buckets.keys import fixed_part, matches
from segkit.io.read.folders.named import is_aside, values_of
from segkit.io.read.folders.tables import HUDI, ICEBERG, LOG, METADATA, may_be_part, part_of, told_by
from segkit.io.read.label import PACKED, Label, Origin
from segkit.io.read.problems import changed, problem
from segkit.io.read.workspace import Workspace
from segkit.words import nearest

_IN_PLACE = {".parquet": ("parquet", b"PAR1")} | dict.fromkeys((".arrow", ".feather", ".ipc"), ("ipc", b"ARROW1"))
"""Ending -> the kind of file that Polars reads in parts, and how it begins; all else is copied."""

_UNLISTED = "look at its name; the credentials may not list what lies beside it"


def in_bucket(ws: Workspace, text: str) -> tuple[Origin, ...]:
    """The objects that an address or a glob names, in the order of their keys, or the Delta table there.

    `DataError` where there is none, where the bucket does not give them, or not all of one.
    """
    with in_words_of_data(Label(text)):
        address = parsed(text)
        bucket = bucket_of(ws, address)
        if address.key and (item := bucket.head(address.key)):
            fixed = str(PurePosixPath(address.key).parent)
            _refuse_parts(bucket, [item], [], fixed)
            return _origins(ws, bucket, [item], fixed)
        if glob.has_magic(address.key):
            fixed = fixed_part(address.key)
            listed = bucket.list(fixed)
            items = _files(bucket, [one for one in listed if matches(one.key, address.key)])
            if not items:
                raise problem(Label(text), f"no object matches `{address}`", hint=_neighbours(bucket, address.key))
            _refuse_parts(bucket, items, listed, fixed)
            return _origins(ws, bucket, items, fixed)
        try:
            return _below(ws, bucket, address)
        except Refused as refused:
            if refused.reason is not Reason.FORBIDDEN:
                raise
            raise problem(Label(text), f"there is no object `{address}`", hint=_UNLISTED) from None


def bucket_of(ws: Workspace, address: Address) -> Bucket:
    """The bucket of an address, opened once a run."""

    def begun() -> Bucket:
        bucket = open_bucket(address)
        ws.explains.append(partial(_explained, ws, bucket))
        return bucket

    return ws.once((Bucket, address.root), begun)


def _explained(ws: Workspace, bucket: Bucket, error: BaseException) -> DataError | None:
    """The error behind one of Polars that comes while rows are read in a bucket; None where it is of something else."""
    text, root = str(error), bucket.address.root
    if "object-store error" not in text or bucket.address.bucket not in text:
        return None
    item = next((one.item for one in ws.objects.values() if one.address in text), None)
    refused = bucket.means(error, item.key if item else "")
    return problem(Label(str(bucket.address.at(item.key)) if item else root), refused.message, hint=refused.hint)


@contextmanager
def in_words_of_data(label: Label) -> Iterator[None]:
    """A `DataError` where a bucket refuses what is asked inside the block."""
    try:
        yield
    except Refused as refused:
        raise problem(label, refused.message, hint=refused.hint) from None


def _below(ws: Workspace, bucket: Bucket, address: Address) -> tuple[Origin, ...]:
    """The Delta table or the files in folders such as `day=2024-05-02` that lie below a key."""
    label, key = Label(str(address)), address.key
    if key and bucket.holds(f"{key}/{LOG}"):
        return (Origin(label, Path(str(address)), "delta", told=_told(bucket, label)),)
    items = _files(bucket, bucket.list(key))
    above = len(PurePosixPath(key).parts)
    inside = [(one, PurePosixPath(one.key).parts[above:]) for one in items]
    if any("=" in parts[0] and len(parts) > 1 for _, parts in inside):
        files = [one for one, parts in inside if not is_aside(parts)]
        _refuse_parts(bucket, files, items, key)
        return _origins(ws, bucket, files, key)
    if items:
        hint = f"name its files with a glob such as `{str(address).removesuffix('/')}/*.csv`"
        raise problem(label, f"`{address}` is a folder", hint=hint)
    raise problem(label, f"there is no object `{address}`", hint=_neighbours(bucket, key))


def _files(bucket: Bucket, items: Sequence[Item]) -> list[Item]:
    """All but the marks of folders: the key of one ends with a slash, which lists of the library lack."""
    there = at_once(lambda one: bool(one.size or bucket.head(one.key)), items)
    return [item for item, is_file in zip(items, there, strict=True) if is_file]


def _neighbours(bucket: Bucket, key: str) -> str:
    """What lies beside a key that is not there; where that may not be asked, to look at it."""
    parent = fixed_part(key)
    place = bucket.address.at(parent) if parent else bucket.address.root
    try:
        names = bucket.names(parent)
        there = names or bucket.holds(parent) if parent else True
    except Refused as refused:
        if refused.reason is Reason.KEY:
            return f"look at its name; {refused.message}"
        if refused.reason is not Reason.FORBIDDEN:
            raise
        return _UNLISTED
    near = nearest(PurePosixPath(key).name, names)
    if near:
        return near
    if not there:
        return f"nothing lies below `{place}`"
    shown = ", ".join(f"`{name}`" for name in names[:5]) + (", ..." if names[5:] else "")
    return f"`{place}` holds {shown}" if names else f"right below `{place}` lie only folders"


def _refuse_parts(bucket: Bucket, chosen: Sequence[Item], listed: Sequence[Item], fixed: str) -> None:
    """`DataError` where an object is a part of a table, as far as the credentials may list what lies above.

    `listed` is all that lies below `fixed`: of the tables there, the logs are seen.
    """
    files = [PurePosixPath(one.key) for one in chosen if may_be_part(PurePosixPath(one.key))]
    if not files:
        return
    tables = dict(filter(None, (told_by(PurePosixPath(one.key)) for one in listed)))
    with _unless_forbidden():
        for folder in dict.fromkeys((PurePosixPath(fixed), *PurePosixPath(fixed).parents)):
            if kind := _kind_of_table(bucket, f"{folder}/".removeprefix("./")):
                tables[folder] = kind
    for file in files:
        if table := next((one for one in file.parents if one in tables), None):
            raise part_of(Label(str(bucket.address.at(str(file)))), str(bucket.address.at(str(table))), tables[table])


def _kind_of_table(bucket: Bucket, folder: str) -> str | None:
    """The kind of the table whose files lie below a prefix, which ends with a slash; None where it is none."""
    if bucket.holds(f"{folder}{LOG}"):
        return "Delta"
    if bucket.holds(f"{folder}{HUDI}"):
        return "Hudi"
    return "Iceberg" if any(name.endswith(ICEBERG) for name in bucket.names(f"{folder}{METADATA}")) else None


@contextmanager
def _unless_forbidden() -> Iterator[None]:
    """Who may read an object may not always list what lies beside it."""
    try:
        yield
    except Refused as refused:
        if refused.reason is not Reason.FORBIDDEN:
            raise


def _origins(ws: Workspace, bucket: Bucket, items: Sequence[Item], fixed: str) -> tuple[Origin, ...]:
    """The objects, with what the names of the folders between them and `fixed` say."""
    labels = [Label(str(bucket.address.at(one.key))) for one in items]
    elsewhere = ws.bounds is not None and ws.bounds.engine is not None  # machines that may not be let in
    kinds: list[str | None] = [None] * len(items)
    if bucket.scans and not elsewhere:
        kinds = at_once(lambda one: _kind(bucket, *one), list(zip(labels, items, strict=True)))
    whole = [(label, item) for label, item, kind in zip(labels, items, kinds, strict=True) if not kind]
    _copy(ws, bucket, whole)
    found = []
    for label, item, kind in zip(labels, items, kinds, strict=True):
        origin = _in_place(ws, bucket, item, label, kind) if kind else ws.fetched[label.path]
        folders = values_of(label, PurePosixPath(item.key).relative_to(fixed or "."))
        found.append(origin._replace(folders=folders))
    return tuple(found)


def _kind(bucket: Bucket, label: Label, item: Item) -> str | None:
    """The kind of an object that is read where it is; None for all others, and for what only has the name of one."""
    if label.ending not in _IN_PLACE or label.endings[-1].lower() in PACKED or not item.size:
        return None
    kind, magic = _IN_PLACE[label.ending]
    return kind if bucket.start(item.key, min(item.size, len(magic))) == magic else None


def _in_place(ws: Workspace, bucket: Bucket, item: Item, label: Label, kind: str) -> Origin:
    """An object that is read where it is; a file stands for it that says which content it is."""
    if label.path not in ws.fetched:
        path = ws.new_file(".json")
        what = {"etag": item.etag, "size": item.size, "version": item.version}
        path.write_text(json.dumps({name: value for name, value in what.items() if value is not None}), "utf-8")
        ws.on_open(path)
        ws.objects[path] = Object(bucket, item)
        ws.fetched[label.path] = Origin(label, path, kind, told=_told(bucket, label))
    return ws.fetched[label.path]


def _copy(ws: Workspace, bucket: Bucket, objects: Sequence[tuple[Label, Item]]) -> None:
    """Copy objects into the workspace, each once a run."""
    new = [(label, item, ws.new_file("")) for label, item in objects if label.path not in ws.fetched]

    def copy(one: tuple[Label, Item, Path]) -> None:
        label, item, path = one
        with in_words_of_data(label):
            bucket.get_to(item.key, path)

    with ws.filling():
        at_once(copy, new)
    ws.fetched |= {label.path: Origin(label, path, told=_told(bucket, label)) for label, _, path in new}


def _told(bucket: Bucket, label: Label) -> tuple[Diagnostic, ...]:
    """A warning where it comes unencrypted from elsewhere."""
    parts = urlsplit(bucket.endpoint or "")
    if parts.scheme != "http" or is_here(parts.hostname or ""):
        return ()
    message = f"`{label}` comes unencrypted: whoever is on the way can read it, and change it"
    hint = "give the server as `https://` in `AWS_ENDPOINT_URL`"
    return (Diagnostic(message, SourceLocation(str(label)), hint, Severity.WARNING),)


def require_unchanged(ws: Workspace) -> None:
    """`DataError` where an object is another one than it was when it was opened, since parts of it were read later."""

    def require(found: Object) -> None:
        label = Label(found.address)
        with in_words_of_data(label):
            if not found.is_kept():
                raise changed(label)

    at_once(require, ws.objects.values())
