"""The files that a rule file is made for: opened, put together to tables, named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from segkit.errors import DataError
from segkit.io.read import Table, Workspace, open_table
from segkit.operations.orders_file.columns import open_data
from segkit.operations.orders_file.source import name_of, source_of
from segkit.operations.orders_file.unnamed import refuse_unnamed
from segkit.operations.starting.known.names import free, slug
from segkit.rules.model.sources import Customers
from segkit.rules.tables import CUSTOMERS


class Files(NamedTuple):
    """A table of some files, as they were named."""

    named: tuple[str, ...]
    table: Table


def open_customers(ws: Workspace, path: str, rename: dict[str, str] | None = None) -> Table:
    """The table of a customer file; `rename` gives some of its columns other names."""
    refuse_unnamed(path)
    spec = Customers(**source_of([path]).model_dump(include={"path", "table"}), key="", rename=rename or {})
    return open_table(ws, CUSTOMERS, spec, base=Path(), timezone="UTC")


def open_events(ws: Workspace, paths: Sequence[str]) -> list[Files]:
    """The tables of some files with events: files with the same columns are one."""
    tables: dict[frozenset[str], tuple[str, ...]] = {}
    for path in paths:
        refuse_unnamed(path)
        columns = frozenset(open_data(ws, [path]).columns)
        tables[columns] = (*tables.get(columns, ()), path)
    return [Files(named, open_data(ws, named)) for named in tables.values()]


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
    stems = [re.sub(r"(\.[A-Za-z]+)+$", "", Path(name_of(path)).name) for path in paths]
    common = os.path.commonprefix(stems)  # noqa: RUF071 (names, not paths)
    return slug(re.sub(r"[*?\[].*|[\W_\d]+$", "", common), "_") or "events"
