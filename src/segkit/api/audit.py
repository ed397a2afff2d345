"""`segkit.audit`: what `segkit audit` finds, from Python."""

from __future__ import annotations

import datetime as dt
import os
from functools import cached_property
from typing import cast

import polars as pl

from segkit.api.options import require_day, require_known
from segkit.api.tables import Table, lazy
from segkit.audits import AuditResult
from segkit.diagnostics import Severity
from segkit.errors import RuleError
from segkit.operations.auditing.audit import Kind
from segkit.operations.auditing.audit import audit as audit_tables
from segkit.operations.auditing.outputs import findings_of
from segkit.rules.model.base import Duration, parse_duration
from segkit.words import plural


class Audit:
    """What `segkit.audit` gives: how each column is read, and what is odd.

    `result` is all of it as data, of which `--json` is made. Of personal columns no value is here, only how they look.
    """

    def __init__(self, result: AuditResult) -> None:
        self.result = result

    def __repr__(self) -> str:
        tables = ", ".join(table.name for table in self.result.tables)
        graves = [(self.result.number(one), str(one)) for one in (Severity.ERROR, Severity.WARNING, Severity.NOTE)]
        told = ", ".join(plural(number, word) for number, word in graves if number) or "nothing odd"
        return f"<segkit.Audit {tables}: {told}>"

    @cached_property
    def findings(self) -> pl.DataFrame:
        """One row a finding: `table`, `column`, `kind`, `severity`, `rows`, `values`, `message`."""
        return findings_of(self.result)

    @cached_property
    def columns(self) -> pl.DataFrame:
        """One row a column of a table: how it is read, how many values are there, and what is said of it."""
        texts, numbers = ["name", "read_as", "personal"], ["filled", "missing", "distinct", "invalid"]
        rows = [
            [table.name, *(getattr(one, name) for name in (*texts, *numbers)), one.notes]
            for table in self.result.tables
            for one in table.columns
        ]
        schema = {name: pl.String() for name in ("table", "column", *texts[1:])} | dict.fromkeys(numbers, pl.Int64())
        return pl.DataFrame(rows, {**schema, "notes": pl.List(pl.String())}, orient="row")


def audit(
    *tables: Table,
    key: str | None = None,
    kind: str | None = None,
    as_of: dt.date | None = None,
    obsolete: str | None = None,
) -> Audit:
    """What is in files or frames, or in the sources of a rule file: gaps, doubles, values that cannot be right.

    The options are those of the command. Nothing is printed or written. Raises `RuleError` and `DataError`.
    """
    require_day(as_of)
    require_known("kind", kind, (None, "customers", "events"))
    if not tables:
        raise RuleError.of("there is nothing to audit", hint="give a path or a frame")
    frames: dict[str, pl.LazyFrame] = {}
    data = [_path(table, f"frame://data{number or ''}", frames) for number, table in enumerate(tables)]
    known = cast("Kind | None", kind)
    return Audit(audit_tables(data, key=key, kind=known, as_of=as_of, obsolete=_length(obsolete), frames=frames))


def _path(table: Table, address: str, frames: dict[str, pl.LazyFrame]) -> str:
    if isinstance(table, str | os.PathLike):
        return os.fspath(table)
    frames[address] = lazy(table, address)
    return address


def _length(obsolete: str | None) -> Duration | None:
    try:
        return None if obsolete is None else parse_duration(obsolete)
    except ValueError as error:
        message = f"`obsolete` is `{obsolete}`, and no length of time"
        raise RuleError.of(message, hint='such as "30 days"') from error
