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


def refuse_foreign(path: Path) -> None:
    """`DataError` where a folder is a table of a kind that is not read."""
    if kind := _foreign(path):
        message = f"`{path.name}` is a table of {kind}, which is not read"
        raise problem(Label(str(path)), message, hint="write a copy of it as a Delta table, or as Parquet")


def refuse_parts(files: Iterable[Path]) -> None:
    """`DataError` where a file is a part of a table: its rows may be deleted, or come twice, as the table says."""
    tables: dict[Path, Path | None] = {}
    for file in files:
        table = _table_of(file.parent.absolute(), tables) or _table_of(file.parent.resolve(), tables)
        if table is None or not (file.suffix.lower() == ".parquet" or _LOG in file.parts):
            continue
        if is_table(table):
            message = f"`{file.name}` is a file of the Delta table `{table}`, whose log says which rows count"
            raise problem(Label(str(file)), message, hint=f'name the table: `path = "{table}"`')
        message = f"`{file.name}` is a file of `{table}`, a table of {_foreign(table)}, which says which rows count"
        raise problem(Label(str(file)), message, hint="write a copy of it as a Delta table, or as Parquet")


def _table_of(folder: Path, known: dict[Path, Path | None]) -> Path | None:
    """The table that has the files of a folder, if any; `known` are those of folders that were looked at."""
    if folder not in known:
        above = folder.parent
        own = folder if is_table(folder) or _foreign(folder) else None
        known[folder] = own or (None if above == folder else _table_of(above, known))
    return known[folder]


def _foreign(folder: Path) -> str | None:
    """The kind of a table that is not read: files in its folder may be those of earlier versions."""
    if (folder / ".hoodie").is_dir():
        return "Hudi"
    return "Iceberg" if any((folder / "metadata").glob("*.metadata.json")) else None
