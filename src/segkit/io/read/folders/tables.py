"""Folders that are tables of a lake, whose files are not theirs alone to read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from segkit.errors import DataError
from segkit.io.read.label import Label
from segkit.io.read.problems import problem

LOG = "_delta_log"
"""The folder of a Delta table in which its log is."""
HUDI, METADATA, ICEBERG = ".hoodie", "metadata", ".metadata.json"
"""The folder by which a table of Hudi is known; that of one of Iceberg, and how the names of the files there end."""


def is_table(path: Path) -> bool:
    """Whether a folder is a Delta table."""
    return (path / LOG).is_dir()


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
        if table and may_be_part(file):
            raise part_of(Label(str(file)), str(table), "Delta" if is_table(table) else str(_foreign(table)))


def _table_of(folder: Path, known: dict[Path, Path | None]) -> Path | None:
    """The table that has the files of a folder, if any; `known` are those of folders that were looked at."""
    if folder not in known:
        above = folder.parent
        own = folder if is_table(folder) or _foreign(folder) else None
        known[folder] = own or (None if above == folder else _table_of(above, known))
    return known[folder]


def _foreign(folder: Path) -> str | None:
    """The kind of a table that is not read: files in its folder may be those of earlier versions."""
    if (folder / HUDI).is_dir():
        return "Hudi"
    return "Iceberg" if any((folder / METADATA).glob(f"*{ICEBERG}")) else None


def may_be_part(file: PurePath) -> bool:
    """Whether a file below a table is one of its own."""
    return file.suffix.lower() == ".parquet" or LOG in file.parts


def told_by(file: PurePath) -> tuple[PurePath, str] | None:
    """The folder and the kind of the table whose log a file is of; None for other files."""
    for number, part in enumerate(file.parts):
        if part in (LOG, HUDI):
            return PurePath(*file.parts[:number]), "Delta" if part == LOG else "Hudi"
    of_iceberg = file.name.endswith(ICEBERG) and file.parent.name == METADATA
    return (file.parent.parent, "Iceberg") if of_iceberg else None


def part_of(label: Label, table: str, kind: str) -> DataError:
    """The error for a file that is a part of a table."""
    if kind == "Delta":
        message = f"`{label.name}` is a file of the Delta table `{table}`, whose log says which rows count"
        return problem(label, message, hint=f'name the table: `path = "{table}"`')
    message = f"`{label.name}` is a file of `{table}`, a table of {kind}, which says which rows count"
    return problem(label, message, hint="write a copy of it as a Delta table, or as Parquet")
