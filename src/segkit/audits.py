"""What `segkit audit` finds in files: their columns, and what is odd in them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from segkit.diagnostics import Diagnostic, Severity, SourceLocation

Shown: TypeAlias = int | float | Decimal | dt.date | bool | str
"""A value that may be shown: none of a column with personal data, but the year of a birth, or a shape."""


class ValueRows(NamedTuple):
    """A value, and how many rows have it."""

    value: Shown
    rows: int


class AuditFinding(NamedTuple):
    """Something odd: its kind, in which column (None: in the rows as a whole), in how many rows, with which values.

    `message` says so in words. An error is a promise of `[audit]` that does not hold.
    """

    table: str
    kind: str
    column: str | None
    severity: Severity
    rows: int
    values: tuple[Shown, ...]
    message: str

    @property
    def told(self) -> Diagnostic:
        """The finding as one of a table, for whoever sees nothing else of it."""
        return Diagnostic(self.message, SourceLocation(self.table), severity=self.severity)


class AuditedColumn(NamedTuple):
    """How a column is read, and what stands there.

    `filled` and `missing` make the rows. `distinct` counts exact texts without white space around them. `placeholders`
    are filled, unless they are read as missing. `lowest` and `highest` are of numbers and days that may be shown;
    `shape` is the most frequent one where values may not.
    """

    name: str
    read_as: str
    filled: int
    missing: int
    distinct: int
    invalid: int
    placeholders: tuple[ValueRows, ...]
    lowest: Shown | None
    highest: Shown | None
    personal: str | None
    shape: str | None
    notes: tuple[str, ...]


class AuditedConsent(NamedTuple):
    """A column that says who may be written: how many rows say something, how many yes.

    `without_address` of these have no valid one in the column `address`; None where the file has no such column.
    """

    column: str
    said: int
    permitted: int
    address: str | None
    without_address: int | None


class AuditedTable(NamedTuple):
    """A file, or several that are read as one.

    `equal_rows` are the rows without the different ones; `equal_but_key` the same where the key does not count, None
    where there is none, and of events.
    """

    name: str
    paths: tuple[str, ...]
    detected: tuple[str, ...]
    kind: str
    key: str | None
    key_guessed: bool
    rows: int
    equal_rows: int
    equal_but_key: int | None
    columns: tuple[AuditedColumn, ...]
    consent: tuple[AuditedConsent, ...] = ()


class AuditResult(NamedTuple):
    """The tables, what was found in them, and how e-mail addresses were looked at."""

    as_of: dt.date
    tables: tuple[AuditedTable, ...]
    findings: tuple[AuditFinding, ...]
    addresses: str
    path: str | None = None
    rows_path: str | None = None

    def number(self, severity: Severity) -> int:
        """How many findings are as grave."""
        return sum(one.severity is severity for one in self.findings)
