"""Columns that the names of folders add to the files below them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from segkit.diagnostics import Diagnostic, Severity
from segkit.io.read.opened import Opened
from segkit.io.read.problems import check_names, problem
from segkit.io.read.values.column import Column
from segkit.io.read.values.infer import Given, infer


def with_folders(opened: Opened, folders: Mapping[str, str | None]) -> Opened:
    """The file with these columns before its own, as texts: `0042` stays so. A column of its own wins."""
    new = {name: value for name, value in folders.items() if name not in opened.names}
    check_names(opened.label, new)
    told = tuple(_told(name) for name in folders if name not in new)
    if not new:
        return opened._replace(told=(*opened.told, *told))
    return opened._replace(
        frame=added(opened.frame, new),
        names=(*new, *opened.names),
        folders=new,
        lines=None,  # none of them has these columns
        told=(*opened.told, *told),
    )


def added(frame: pl.LazyFrame, folders: Mapping[str, str | None]) -> pl.LazyFrame:
    """The frame with a column for each folder."""
    return frame.with_columns(pl.lit(value, pl.String).alias(name) for name, value in folders.items())


def _told(name: str) -> Diagnostic:
    message = (
        f"`{name}` is a column of the files, and what folders such as `{name}=...` above them say: the files count"
    )
    return Diagnostic(message, hint="rename the column in one of the two", severity=Severity.WARNING)


def require_same_folders(parts: Sequence[Opened]) -> None:
    """`DataError` where folders say in one file what a column of its own says in another."""
    first, *others = parts
    for part in others:
        if apart := [*(part.folders.keys() ^ first.folders.keys())]:
            one, other = (part, first) if apart[0] in first.folders else (first, part)
            message = f"`{one.label}` has a column `{apart[0]}`, and of `{other.label}` the folder says what that is"
            raise problem(part.label, message, hint="all files of a source have the same columns")


def of_folders(folders: Sequence[Mapping[str, str | None]], given: Given) -> tuple[pl.DataFrame, dict[str, Column]]:
    """The values of some files, and the columns: text, unless the source gives a type, or the column is its time."""
    names = list(folders[0])
    rows = pl.DataFrame([[one[name] for one in folders] for name in names], schema=dict.fromkeys(names, pl.String))
    return rows, infer(rows, names, given._replace(types=with_types(given.types, names, given.time_columns)))


def with_types(types: Mapping[str, str], names: Collection[str], times: Collection[str]) -> dict[str, str]:
    """The types that are given, and text for other columns of folders, but for times."""
    return {**{name: "text" for name in names if name not in times}, **types}
