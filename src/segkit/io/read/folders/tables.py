"""Folders that are tables of a lake, whose files are not theirs alone to read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from segkit.io.read.label import Label
from segkit.io.read.problems import problem

_LOG = "_delta_log"


def is_table(path: Path) -> bool:
    """Whether a folder is a Delta table."""
    return (path / _LOG).is_dir()


def refuse_parts(files: Iterable[Path]) -> None:
    """`DataError` where a file is a part of a Delta table: its rows may be deleted, or come twice, as the log says."""
    tables: dict[Path, Path | None] = {}
    for file in files:
        folder = file.parent
        if folder not in tables:
            tables[folder] = next((one for one in (folder, *folder.absolute().parents) if is_table(one)), None)
        table = tables[folder]
        if table and (file.suffix.lower() == ".parquet" or _LOG in file.parts):
            message = f"`{file.name}` is a file of the Delta table `{table}`, whose log says which rows count"
            raise problem(Label(str(file)), message, hint=f'name the table: `path = "{table}"`')
