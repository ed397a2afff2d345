"""The cuts in force, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table

from segkit.report.numbers import shortened
from segkit.report.text.tables import numeric, plain_table, titled
from segkit.report.thresholds import cuts, sign
from segkit.results import Threshold


def threshold_tables(thresholds: Sequence[Threshold]) -> Iterator[RenderableType]:
    """What a value must be for each RFM score above 1, and for the top or bottom percent of other columns."""
    for name in dict.fromkeys(t.rfm for t in thresholds if t.rfm is not None):
        yield from _of_rfm([t for t in thresholds if t.rfm == name])
    if others := [t for t in thresholds if t.rfm is None]:
        lines = Table.grid(padding=(0, 2))
        for threshold in others:
            lines.add_row(f"Threshold of {threshold.column}", ", ".join(cuts(threshold)))
        yield lines


def _of_rfm(thresholds: Sequence[Threshold]) -> Iterator[RenderableType]:
    """The cuts of one RFM table: those of all customers side by side, then those within groups."""
    if scored := [t for t in thresholds if not t.within]:
        table = plain_table()
        table.add_column("Score")
        numeric(table, *(t.column for t in scored))
        columns = [cuts(t) for t in scored]
        for row in range(max(len(column) for column in columns)):
            table.add_row(f"{row + 2}", *(column[row] if row < len(column) else "" for column in columns))
        yield table
    for column in dict.fromkeys(t.column for t in thresholds if t.within):
        yield _nested([t for t in thresholds if t.column == column])


def _nested(groups: Sequence[Threshold]) -> RenderableType:
    """Where the scores begin in each group of customers that are cut among themselves, the best group first."""
    first, column = groups[0], groups[0].column
    scores = "RF"[: len(first.within)]  # what they are nested in
    table = plain_table()
    for letter in scores:
        table.add_column(letter, no_wrap=True)
    for score in range(2, 2 + max(len(t.values) for t in groups)):
        table.add_column(f"{'RFM'[len(scores)]}{score}", justify="right", overflow="fold")
    for threshold in sorted(groups, key=lambda t: tuple(t.within.values()), reverse=True):
        values = [shortened(value) for value in sorted(threshold.values, reverse=first.falls)]
        table.add_row(*map(str, threshold.within.values()), *values)
    return titled(f"{column}, within {' and '.join(scores)}: {sign(first)}", table)
