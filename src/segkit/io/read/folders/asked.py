"""Which folders a source asks for: those that its `where` leaves out are not read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

import polars as pl

from segkit.diagnostics import Diagnostic, Severity
from segkit.io.read.folders.added import of_folders
from segkit.io.read.label import Origin
from segkit.io.read.values import reading
from segkit.io.read.values.column import Column
from segkit.io.read.values.infer import Given
from segkit.rules.model.conditions import Conditions
from segkit.rules.model.sources import Source
from segkit.words import plural

Keeps: TypeAlias = Callable[[pl.DataFrame, Conditions], pl.Series]
"""Says of each row of some columns whether conditions on them hold; where they do not fit the columns, all do."""


def asked_for(
    origins: Sequence[Origin], spec: Source, given: Given, keeps: Keeps, names: Collection[str]
) -> Sequence[Origin]:
    """The files in folders for which `where` may hold, and the first of all where there is none.

    Only conditions on the columns `names` of folders are asked, which are in the words of the source. A value that
    cannot be read as the type of its column stays, so that it is told.
    """
    renamed = {was: new for new, was in spec.rename.items()}
    folders = [{renamed.get(name, name): value for name, value in one.folders.items()} for one in origins]
    conditions = {name: c for name, c in spec.where.items() if name in folders[0] and name in names}
    if not conditions:
        return origins
    rows, columns = of_folders(folders, given)
    values = rows.select(reading.value(columns[name], columns[name].type).alias(name) for name in conditions)
    stays = keeps(values, conditions) | rows.select(pl.any_horizontal(_bad(columns[n]) for n in conditions)).to_series()
    return [one for one, kept in zip(origins, stays, strict=True) if kept] or origins[:1]


def _bad(column: Column) -> pl.Expr:
    bad = reading.bad(column, column.type)
    return pl.lit(value=False) if bad is None else bad.fill_null(value=False)


def told(name: str, found: Sequence[Origin], asked: Sequence[Origin]) -> Diagnostic:
    """What there is to say of files that are not read."""
    left = len(found) - len(asked)
    message = f"{plural(left, 'file')} of {len(found)} of `{name}` are not read: `where` leaves out their folders"
    return Diagnostic(message, hint="their rows are not counted", severity=Severity.NOTE)
