"""The files that a rule file is made for: opened, put together to tables, named."""

from __future__ import annotations

import glob
import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from segkit.errors import DataError, RuleError
from segkit.io.read import Table, Workspace, open_table
from segkit.operations.orders_file.columns import open_data
from segkit.rules.model.sources import Customers
from segkit.rules.tables import CUSTOMERS


class Files(NamedTuple):
    """A table of some files, as they were named."""

    named: tuple[str, ...]
    table: Table


def open_customers(ws: Workspace, path: str, rename: dict[str, str] | None = None) -> Table:
    """The table of a customer file; `rename` gives some of its columns other names."""
    _refuse_standard_input(path)
    return open_table(
        ws, CUSTOMERS, Customers(path=path, key="", rename=rename or {}), base=Path(), timezone="UTC"
    )


def open_events(ws: Workspace, paths: Sequence[str]) -> list[Files]:
    """The tables of some files with events: files with the same columns are one."""
    tables: dict[frozenset[str], tuple[str, ...]] = {}
    for path in paths:
        _refuse_standard_input(path)
        columns = frozenset(open_data(ws, [path]).columns)
        tables[columns] = (*tables.get(columns, ()), path)
    return [Files(named, open_data(ws, named)) for named in tables.values()]


def _refuse_standard_input(path: str) -> None:
    if path == "-":
        raise RuleError.of("a rule file names files, and standard input is none", hint="name the file")


def refuse_empty(table: Table) -> None:
    """`DataError` for a file without a row, of which nothing can be said."""
    if table.frame.limit(1).collect().is_empty():
        raise DataError.of(f"`{table.labels[0].path}` has no rows", hint="name a file that has some")


def names_of(tables: Iterable[Files]) -> list[str]:
    """A name for each table: what its files have in common, in letters that a rule file takes."""
    names: list[str] = []
    for files in tables:
        name = _name(files.named)
        names.append(free(name if name != CUSTOMERS else "events", names))
    return names


def _name(paths: Sequence[str]) -> str:
    stems = [re.sub(r"(\.[A-Za-z]+)+$", "", Path(path).name) for path in paths]
    common = os.path.commonprefix(stems)
    return slug(re.sub(r"[*?\[].*|[\W_\d]+$", "", common), "_") or "events"


def slug(text: str, mark: str = "-") -> str:
    """The text in the letters that names of segments and tables take; empty where it has none of them."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", mark, plain).strip(mark)[:40].strip(mark)


def free(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it where it is taken."""
    names = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    return next(one for one in names if one not in taken)


def as_seen_from(path: str, folder: Path) -> str:
    """The path relative to a folder; whole where they have nothing in common but the root."""
    base, parent = os.path.realpath(folder), os.path.dirname(path)  # noqa: PTH120 (globs are no paths)
    if not glob.has_magic(parent):
        path = str(Path(os.path.realpath(parent or "."), Path(path).name))
    whole = os.path.abspath(path)  # noqa: PTH100 (nor may `..` in globs be followed)
    alone = os.path.commonpath([base, whole]) == os.path.sep
    return whole if alone else os.path.relpath(whole, base)
