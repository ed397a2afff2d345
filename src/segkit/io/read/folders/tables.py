"""Folders that are tables of a lake, whose files are not theirs alone to read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from segkit.errors import DataError
from segkit.io.read.label import Label
from segkit.io.read.problems import problem

LOG = "_delta_log"
"""The folder of a Delta table in which its log is."""


def is_table(path: Path) -> bool:
    """Whether a folder is a Delta table."""
    return (path / LOG).is_dir()


def refuse_parts(files: Iterable[Path]) -> None:
    """`DataError` where a file is a part of a Delta table: its rows may be deleted, or come twice, as the log says."""
    tables: dict[Path, Path | None] = {}
    for file in files:
        folder = file.parent
        if folder not in tables:
            tables[folder] = next((one for one in (folder, *folder.absolute().parents) if is_table(one)), None)
        table = tables[folder]
        if table and may_be_part(file):
            raise part_of(Label(str(file)), str(table))


def may_be_part(file: PurePath) -> bool:
    """Whether a file below a Delta table is one of its own."""
    return file.suffix.lower() == ".parquet" or LOG in file.parts


def part_of(label: Label, table: str) -> DataError:
    """The error for a file that is a part of a Delta table."""
    message = f"`{label.name}` is a file of the Delta table `{table}`, whose log says which rows count"
    return problem(label, message, hint=f'name the table: `path = "{table}"`')
