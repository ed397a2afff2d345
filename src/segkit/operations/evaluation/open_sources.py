"""Opens the sources of a rule file."""

from __future__ import annotations

from collections.abc import Iterable

from segkit import __version__
from segkit.diagnostics import Diagnostic
from segkit.errors import DataError
from segkit.io.read import CacheIn, Label, Table, Workspace, open_table
from segkit.operations.evaluation.folders import kept_folders
from segkit.operations.evaluation.other_keys import other_keys
from segkit.operations.progress import Progress, silent
from segkit.rules import walk
from segkit.rules.model.sources import Source
from segkit.rules.tables import CUSTOMERS, lookup_table, suppression_table
from segkit.rules.text.loader import Loaded


def open_tables(loaded: Loaded, ws: Workspace, progress: Progress = silent) -> dict[str, Table]:
    """The tables by name: `customers`, event tables, `lookup.NAME`, `suppress.PATH`.

    Without a customer file, `customers` is the event table that has their keys; the plan makes customers of it.
    Raises `DataError` with all that cannot be opened.
    """
    rules = loaded.rules
    if rules.cache and not (ws.bounds and ws.bounds.engine):
        ws.cache_in = CacheIn(loaded.source.directory / rules.cache.directory, __version__)
    tables: dict[str, Table] = {}
    wrong: list[Diagnostic] = []

    def open_(name: str, spec: Source, time_columns: Iterable[str] = ()) -> None:
        progress(f"opening {Label(name)}")  # a suppression list is called by its path
        try:
            tables[name] = open_table(
                ws,
                name,
                spec,
                base=loaded.source.directory,
                timezone=rules.timezone,
                time_columns=tuple(time_columns),
                keeps=kept_folders,
            )
        except DataError as error:
            wrong.extend(error.diagnostics)

    if not rules.customers.from_:
        open_(CUSTOMERS, rules.customers)
    for name, events in rules.events.items():
        open_(name, events, [events.time])
    for name, lookup in rules.lookup.items():
        open_(lookup_table(name), lookup)
    for _, _, permission in walk.permissions(rules):
        for path in permission.suppress:
            if suppression_table(path) not in tables:
                open_(suppression_table(path), Source(path=path))
    ws.disconnect()
    wrong.extend(other_keys(loaded, tables))
    if wrong:
        raise DataError(*dict.fromkeys(wrong))
    if rules.customers.from_:
        tables[CUSTOMERS] = tables[rules.customers.from_]._replace(name=CUSTOMERS)
    return tables
