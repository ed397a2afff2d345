"""The kinds of source: which files each one claims, which keys it takes, and how it is opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple, TypeAlias

from segkit.io.databases import duck, postgresql
from segkit.io.read.kinds import delimited, typed
from segkit.io.read.kinds.database import open as databases
from segkit.io.read.kinds.excel import open as excel
from segkit.io.read.kinds.excel.workbook import ENDINGS, OLE, ZIP
from segkit.io.read.kinds.lake import delta
from segkit.io.read.label import Label
from segkit.io.read.opened import Opened
from segkit.io.read.workspace import Workspace
from segkit.rules.model.sources import Source


class Claim(IntEnum):
    """How sure a kind is of a file: the surest one reads it."""

    NONE = 0
    ANY = 1
    """It takes what no other kind claims."""
    LOOKS = 2
    """There is no name to go by, but it begins so."""
    ENDING = 3
    """Its name ends so."""
    CONTENT = 4
    """It begins with bytes that no other kind begins with."""


Claims: TypeAlias = Callable[[Label, bytes], Claim]
"""Takes what a file is called and its first bytes; without any, it tells what the name alone says."""
Open: TypeAlias = Callable[[Workspace, Source, Label, Path], Opened]
"""Opens the unpacked file at a path as a section of the rule file says."""


class Kind(NamedTuple):
    """A kind of source: what messages call it, which files are of it, what opens them.

    `keys` are those of its section that not every kind takes; `extra` is what has to be installed for it.
    """

    words: str
    claims: Claims
    open: Open
    keys: frozenset[str] = frozenset()
    extra: str | None = None


def claimed(*endings: str, magic: bytes | None = None) -> Claims:
    """Claims files by the ending of their names, and by their first bytes."""

    def claims(label: Label, start: bytes) -> Claim:
        if magic is not None and start.startswith(magic):
            return Claim.CONTENT
        return Claim.ENDING if label.ending in endings else Claim.NONE

    return claims


_OBJECTS = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*[{\]]|\{\s*["}])')
"""How JSON begins: a list of objects, or an object."""


def _json(label: Label, start: bytes) -> Claim:
    if label.ending != ".json" and _OBJECTS.match(start):
        return Claim.LOOKS
    return claimed(".json")(label, start)


def _text(label: Label, start: bytes) -> Claim:
    return Claim.ENDING if label.ending in (".csv", ".tsv", ".txt") else Claim.ANY


def _excel(label: Label, start: bytes) -> Claim:
    """A text with the ending `.xls`, as many programs write it, is a text; a web page with it is none."""
    if start.startswith((ZIP, OLE)):
        return Claim.CONTENT
    if not start:
        return Claim.ENDING if label.ending in ENDINGS and label.ending != ".xls" else Claim.NONE
    is_page = start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    return Claim.ENDING if label.ending in ENDINGS and is_page else Claim.NONE


KINDS: dict[str, Kind] = {
    "parquet": Kind("Parquet", claimed(".parquet", magic=b"PAR1"), typed.open_parquet),
    "ipc": Kind("Arrow IPC", claimed(".arrow", ".feather", ".ipc", magic=b"ARROW1"), typed.open_ipc),
    "ipc_stream": Kind("Arrow IPC", claimed(magic=b"\xff\xff\xff\xff"), typed.open_ipc_stream),
    "ndjson": Kind("NDJSON", claimed(".ndjson", ".jsonl"), typed.open_ndjson),
    "json": Kind("JSON", _json, typed.open_json),
    "excel": Kind("an Excel workbook", _excel, excel.open_excel, excel.KEYS, extra="excel"),
    "text": Kind("delimited text", _text, delimited.open_delimited, delimited.KEYS),
    "postgresql": Kind("a database", claimed(), databases.open_postgresql, databases.KEYS, extra=postgresql.EXTRA),
    "sqlite": Kind("a database", claimed(), databases.open_sqlite, databases.KEYS),
    "duckdb": Kind("a database", claimed(), databases.open_duckdb, databases.KEYS, extra=duck.EXTRA),
    "delta": Kind("a Delta table", claimed(), delta.open_delta, delta.KEYS, extra="lake"),
    "frame": Kind("a frame", claimed(), typed.open_frame),
}
"""Name of the kind -> how it is told and read."""

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
SQLITE = b"SQLite format 3"

FOREIGN = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    SQLITE: "an SQLite database",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"FEA1": "a Feather file of version 1",
}
"""First bytes of files that are not tables -> what to call them."""

PAGES = (b"<!doctype html", b"<html")
"""How pages of the web begin, in small letters."""


def kind_of(label: Label, start: bytes) -> str:
    """The name of the kind that is surest of a file; of two, the first one."""
    return max(KINDS, key=lambda name: KINDS[name].claims(label, start))


def not_taken(kind: str, spec: Source) -> list[str]:
    """The keys of a section that are of other kinds of source than this one."""
    others = frozenset().union(*(other.keys for other in KINDS.values())) - KINDS[kind].keys
    return [key for key in type(spec).model_fields if key in others & spec.model_fields_set]


def kind_by_name(label: Label) -> str | None:
    """The name of the kind that the name of a file tells; None where only its content can."""
    name = kind_of(label, b"")
    return name if KINDS[name].claims(label, b"") >= Claim.ENDING else None
