"""What a run keeps beside its lists, so that it can be questioned later: its rules, and how its columns were read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from segkit.columns.tables.view import View
from segkit.io.read.values.column import NUMERIC, Column, ColumnType, DateStyle
from segkit.operations.delivery.manifest import TypeOf
from segkit.operations.delivery.runs import RUN_FOLDER
from segkit.rules.text.included import Included
from segkit.rules.text.loader import Loaded

RULES_FILE = f"{RUN_FOLDER}/rules.toml"
"""The text of the rule file, before variables are replaced."""


def included(loaded: Loaded) -> dict[str, Included]:
    """The files that stand in the rule file by their names, under the names of their copies."""
    files = {file.written: file for file in loaded.source.included.values()}
    return {f"{RUN_FOLDER}/included.{number}.toml": file for number, file in enumerate(files.values(), 1)}


def kept_names(loaded: Loaded) -> list[str]:
    """The names of all that is kept of the rules."""
    return [RULES_FILE, *included(loaded)]


def keep_rules(loaded: Loaded, folder: Path) -> None:
    """Write the rule file and the files in it into a folder of a run, as they were read."""
    (folder / RUN_FOLDER).mkdir(exist_ok=True)
    texts = {RULES_FILE: loaded.source.text, **{name: file.text for name, file in included(loaded).items()}}
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())


def folder_from(directory: Path, loaded: Loaded) -> str:
    """The folder from which the paths in the rule file count, seen from the output directory.

    From a bucket, no folder is seen: it is the whole path.
    """
    folder = loaded.source.directory
    if loaded.stand_in:
        return folder.absolute().as_posix()
    try:
        return Path(os.path.relpath(folder, directory)).as_posix()
    except ValueError:  # another drive
        return str(folder.absolute())


def types_of(view: View) -> Mapping[str, TypeOf]:
    """How the columns of a text were read, where rules look at their values."""
    read = sorted(view.reads.values & view.table.columns.keys())
    columns = {name: view.table.columns[name] for name in read}
    types = {name: view.reads.type_of(view.table, name)[0] or column.type for name, column in columns.items()}
    return {name: _type_of(column, types[name]) for name, column in columns.items() if column.is_text}


def read_as(column: Column, kept: TypeOf) -> Column:
    """A column of a text, of which a sample is known, as a run has read it that knew all of its values."""
    kind = ColumnType(kept.type)
    # What the sample has not shown counts, too: any number and any date of this kind.
    number = column.number._replace(
        decimal=kept.decimal or ".", thousands=kept.thousands, percent=kept.percent, plain=False, long=True
    )
    date = column.date
    if kept.order is not None and not date.given:
        date = DateStyle(order=kept.order, format=kept.formats[0] if kept.formats else None, zoned=date.zoned)
    return column._replace(type=kind, mixed=False, blank=False, padded=True, settled=True, number=number, date=date)


def _type_of(column: Column, kind: ColumnType) -> TypeOf:
    if kind in NUMERIC:
        style = column.number
        return TypeOf(type=kind, decimal=style.decimal, thousands=style.thousands, percent=style.percent)
    if kind is ColumnType.DATE:
        formats = column.date.formats or ((column.date.format,) if column.date.format else ())
        return TypeOf(type=kind, order=column.date.order, formats=formats)
    return TypeOf(type=kind)
