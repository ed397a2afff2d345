"""An audit: a table of the columns of each file, and lines about its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from segkit.audits import AuditedColumn, AuditedConsent, AuditedTable, AuditFinding, AuditResult, Shown
from segkit.diagnostics import Severity
from segkit.report.numbers import percent, share
from segkit.report.text.tables import plain_table, spaced
from segkit.words import count, plural

WIDEST_NAME, NAMES_SHARE = 20, 4
"""In a column for names: characters on narrow screens, and which part of wide ones."""
LEAST_GROUPED = 10_000
"""Below, a number may be a year."""
TITLES = {
    "no-rows": "Rows", "no-key": "Key", "key-missing": "Key", "key-repeated": "Key", "equal-rows": "Equal",
    "equal-but-key": "Equal", "obsolete": "Freshness", "alone": "Alone", "required": "[audit]",
    "unique": "[audit]", "max-missing": "[audit]",
}  # fmt: skip
"""Kinds of findings about rows -> what their line begins with; the others stand beside their column."""
DELIMITERS = {",": "comma", ";": "semicolon", "|": "bar"}
STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: ""}


def audit_text(result: AuditResult) -> RenderableType:
    """The files, one after the other, and how many findings there are."""
    of_tables = [part for table in result.tables for part in (_table(table), _lines(table, result.findings))]
    return spaced([*of_tables, Text(_foot(result))])


def _foot(result: AuditResult) -> str:
    graves = [(result.number(one), str(one)) for one in (Severity.ERROR, Severity.WARNING, Severity.NOTE)]
    told = ", ".join(plural(number, word) for number, word in graves if number) or "nothing odd was found"
    mails = any(column.read_as == "e-mail" for table in result.tables for column in table.columns)
    return f"{told}; e-mail addresses are checked by {result.addresses}" if mails else told


def _table(table: AuditedTable) -> RenderableType:
    how = ", ".join([plural(table.rows, "row"), plural(len(table.columns), "column"), *map(_how, table.detected)])
    how = f"{how}, {table.kind}"
    others = [path for path in table.paths if not table.name.startswith(path)]
    names = f"{table.name} ({', '.join(others)})" if others else table.name
    return Group(Text.assemble((names, "bold"), f": {how}"), _Columns(table))


class _Columns(NamedTuple):
    """The columns of a table; names may take as much of the screen as is left by the rest."""

    of: AuditedTable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = plain_table()
        widest = max(WIDEST_NAME, options.max_width // NAMES_SHARE)
        columns.add_column("Column", overflow="fold", max_width=widest)
        columns.add_column("Read as", no_wrap=True)
        for name in ("Filled", "Distinct", "Invalid"):
            columns.add_column(name, justify="right", no_wrap=True)
        columns.add_column("Notes", overflow="fold", ratio=1)
        for column in self.of.columns:
            columns.add_row(*_row(column, self.of.rows))
        yield columns


def _how(detected: str) -> str:
    """`UTF-8`, `comma`."""
    what, _, how = detected.partition(" ")
    if what == "encoding":
        return how.upper() if how.startswith("utf") else how
    return DELIMITERS.get(how, how) if what == "delimiter" else detected


def _row(column: AuditedColumn, rows: int) -> list[str]:
    filled = percent(share(column.filled, rows))
    invalid = count(column.invalid) if column.invalid else "-"
    return [column.name, column.read_as, filled, count(column.distinct), invalid, "; ".join(_notes(column))]


def _notes(column: AuditedColumn) -> Iterator[str]:
    yield from column.notes
    if column.lowest != column.highest:
        yield f"{_short(column.lowest)} to {_short(column.highest)}"
    if column.shape and column.personal and not column.invalid:
        yield f"like `{column.shape}`"


def _short(value: Shown | None) -> str:
    """A number in few characters, a day, or the year of a birth."""
    if isinstance(value, int) and abs(value) >= LEAST_GROUPED:
        return count(value)
    return f"{value + 0.0:,.10g}" if isinstance(value, float) else str(value)


def _consent(one: AuditedConsent) -> str:
    told = f"{one.column}: {percent(share(one.permitted, one.said))} agree"
    if one.without_address:
        return f"{told}, {count(one.without_address)} of them without a valid address in {one.address}"
    return told


def _lines(table: AuditedTable, findings: Sequence[AuditFinding]) -> RenderableType | None:
    lines = Table.grid(padding=(0, 2), expand=True)
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold", ratio=1)
    for of_column in table.consent:
        style = STYLES[Severity.WARNING] if of_column.without_address else ""
        lines.add_row(Text("Consent", style="bold"), Text(_consent(of_column), style=style))
    for one in findings:
        if one.table == table.name and one.kind in TITLES:
            named = one.column and one.kind in ("obsolete", "key-missing", "key-repeated")
            told = f"{one.column}: {one.message}" if named else one.message
            lines.add_row(Text(TITLES[one.kind], style="bold"), Text(told, style=STYLES[one.severity]))
    return lines if lines.row_count else None
