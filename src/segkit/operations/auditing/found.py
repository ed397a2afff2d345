"""A table that was looked at, and something odd in it with the rows that have it."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import polars as pl

from segkit.audits import AuditFinding, Shown
from segkit.diagnostics import Severity
from segkit.operations.auditing.figures import Figures, Sheet
from segkit.rules.model.base import Duration


class Found(NamedTuple):
    """Something odd, and whether a row has it; None where that is no matter of rows, or nothing to repair."""

    finding: AuditFinding
    flag: pl.Expr | None


class Looked(NamedTuple):
    """A table, what was counted of it, and how it is judged."""

    sheet: Sheet
    figures: Figures
    kind: str
    key: str | None
    as_of: dt.date
    obsolete: Duration

    @property
    def rows(self) -> int:
        return self.figures.number("rows")

    @property
    def old(self) -> dt.date:
        """The day before which somebody was last there too long ago."""
        return self.obsolete.before(self.as_of)

    @property
    def equal_rows(self) -> int:
        return self.rows - self.figures.number("different")

    @property
    def equal_but_key(self) -> int | None:
        """The rows without those that differ in more than the key; None where none is a customer's."""
        different = self.figures.of("different but key")
        return None if different is None or self.kind != "customers" or self.key is None else self.rows - int(different)

    def found(
        self,
        kind: str,
        column: str | None,
        severity: Severity,
        rows: int,
        message: str,
        *,
        values: tuple[Shown, ...] = (),
        flag: pl.Expr | None = None,
        for_repair: bool = True,
    ) -> Found:
        """Something odd in this table."""
        finding = AuditFinding(
            table=self.sheet.table.name,
            kind=kind,
            column=column,
            severity=severity,
            rows=rows,
            values=values,
            message=message,
        )
        return Found(finding, flag if for_repair else None)
