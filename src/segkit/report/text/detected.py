"""The tables of a run: how they were read, and which rows did not count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from segkit.report.text.tables import numeric
from segkit.results.parts import TableCounts
from segkit.words import count


def guessed(guesses: Mapping[str, str], *, rows_are_orders: bool) -> RenderableType | None:
    """Which column was guessed for which option; where no column says which rows belong together, that, too."""
    if not guesses and not rows_are_orders:
        return None
    table = Table.grid(padding=(0, 1))
    for option, column in guesses.items():
        table.add_row(f"{option}:", Text(column, style="bold"), "(guessed)")
    each = Text("each row counts as an order; --id COL names a column that rows of one order share", style="dim")
    return Group(table, each) if rows_are_orders else table


def left_out(tables: Sequence[TableCounts]) -> RenderableType | None:
    """Rows of the input that did not count, with the reason; nothing where all of them did."""
    lines = Table.grid(padding=(0, 2))
    lines.add_column(overflow="fold")
    numeric(lines, "")
    for table in tables:
        reasons = {reason: number for reason, number in table.left_out.items() if number}
        if reasons:
            lines.add_row(Text(f"Rows of {table.name}", style="bold"), count(table.rows))
        for reason, number in reasons.items():
            lines.add_row(f"  left out: {words(reason)}", count(number))
    return lines if lines.row_count else None


def detected(tables: Sequence[TableCounts]) -> RenderableType:
    """How each table was read: what `-v` adds."""
    lines = Table.grid(padding=(0, 2))
    lines.add_column(overflow="fold")
    lines.add_column(overflow="fold")
    for table in tables:
        lines.add_row(Text(table.name, style="bold"), f"{count(table.rows)} rows")
        for path in table.paths:
            lines.add_row("", path)
        for name, value in table.detected.items():
            lines.add_row("", f"{name if name.startswith('column ') else words(name)}: {value}")
    return lines


def words(name: str) -> str:
    """`frequency_cap` as `frequency cap`."""
    return name.replace("_", " ")
