"""Findings become diagnostics: with their place in the rule file, or about a table."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from segkit import codes
from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.errors import RuleError
from segkit.io.read import Table
from segkit.rules.findings import Finding
from segkit.rules.text.loader import Loaded


def placed(loaded: Loaded, finding: Finding) -> Diagnostic:
    """The finding with its place in the rule file."""
    return loaded.source.placed(finding)


def refuse(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The warnings among these; `RuleError` where there are errors."""
    problems = list(diagnostics)
    if any(d.severity is Severity.ERROR for d in problems):
        raise RuleError(*(d for d in problems if d.severity is Severity.ERROR))
    return problems


def place_of(table: Table, column: str, value: str) -> SourceLocation:
    """The file, and the line or the row of a sheet, where a column first has this value; slow."""
    for part in table.parts:
        if part.text and column in part.own_names:
            place = part.own_names.index(column)
            for line, fields in part.text.records():
                if place < len(fields) and fields[place].strip().lower() == value.strip().lower():
                    return SourceLocation(part.label.path, line)
        if part.numbers is not None and column in part.names:
            first = part.frame.select(pl.col(column).cast(pl.String).str.strip_chars() == value).collect().to_series()
            if (row := first.arg_max()) is not None and first[row]:
                return part.place(part.numbers[row])
    return table.place


def about_table(message: str, table: Table, hint: str | None = None) -> Diagnostic:
    """A warning about the files of a table."""
    return Diagnostic(message, table.place, hint, Severity.WARNING, codes.DOUBTFUL_DATA)
