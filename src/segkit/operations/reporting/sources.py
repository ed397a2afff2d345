"""What was read and what was said about it; paths are told without their folders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from segkit.operations.delivery.manifest import Manifest, Told
from segkit.operations.reporting.few_in_words import without_few
from segkit.operations.reporting.hiding import shown
from segkit.reports import FileRead, Message, TableRead

_FOLDERS = re.compile(r"(?<![\w/:.%-])(?:~|\.{1,2}|[A-Za-z]:)?(?:[/\\][^\s`/\\:,]+)*[/\\](?=[^\s`/\\:,]+)")
"""The folders of a path that is whole, or begins at home or in this folder."""


def name_of(path: str) -> str:
    """The last part of a path or address: a file, or a table of a database."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1] or path


class Names:
    """The paths that a run knows, so that texts can be told without their folders."""

    def __init__(self, manifest: Manifest) -> None:
        rules = manifest.rules
        told = [*manifest.warnings, *manifest.notes]
        paths = {*(one.path for one in manifest.inputs), *(one.path for one in told if one.path)}
        if rules and rules.relative_path:
            paths.add(rules.relative_path)
        folders = {path[: -len(name_of(path))] for path in paths}
        self._folders = sorted(filter(None, folders), key=lambda folder: (-len(folder), folder))

    def without_folders(self, text: str) -> str:
        """The text, with the names of files alone."""
        for folder in self._folders:
            text = text.replace(folder, "")
        return _FOLDERS.sub("", text)


def tables(manifest: Manifest, fewest: int) -> Iterator[TableRead]:
    """The tables in their order, and the rows that were left out of each."""
    names = Names(manifest)
    for one in manifest.tables:
        left_out = {reason: shown(rows, fewest) for reason, rows in one.left_out.items() if rows}
        yield TableRead(names.without_folders(one.name), one.rows, left_out)


def files(manifest: Manifest) -> Iterator[FileRead]:
    """The files that were read."""
    names = Names(manifest)
    for one in manifest.inputs:
        yield FileRead(names.without_folders(one.table), name_of(one.path), one.bytes, one.sha256)


def messages(manifest: Manifest, fewest: int) -> Iterator[Message]:
    """Warnings first, then notes; none tells how many a few are."""
    names = Names(manifest)
    for one in (*manifest.warnings, *manifest.notes):
        hint = names.without_folders(one.hint) if one.hint else None
        yield Message(one.severity, _place(one) + without_few(names.without_folders(one.message), fewest), hint)


def _place(one: Told) -> str:
    if one.path is None:
        return ""
    return ":".join(str(part) for part in (PurePath(name_of(one.path)), one.line) if part is not None) + ": "
