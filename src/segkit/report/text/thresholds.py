"""The cuts in force, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table

from segkit.report.numbers import shortened
from segkit.report.text.tables import numeric, plain_table, titled
from segkit.report.thresholds import cuts, sign
from segkit.results import Threshold

SCORED = ("recency_days", "frequency", "monetary")


def threshold_tables(thresholds: Sequence[Threshold]) -> Iterator[RenderableType]:
    """What a value must be for each RFM score above 1, and for the top or bottom percent of other columns."""
    scored = [t for t in thresholds if t.column in SCORED and not t.within]
    others = [t for t in thresholds if t.column not in SCORED]
    if scored:
        table = plain_table()
        table.add_column("Score")
        numeric(table, *(t.column for t in scored))
        columns = [cuts(t) for t in scored]
        for row in range(max(len(column) for column in columns)):
            table.add_row(f"{row + 2}", *(column[row] if row < len(column) else "" for column in columns))
        yield table
    for column in SCORED:
        if groups := [t for t in thresholds if t.column == column and t.within]:
            yield _nested(groups)
    if others:
        lines = Table.grid(padding=(0, 2))
        for threshold in others:
            lines.add_row(f"Threshold of {threshold.column}", ", ".join(cuts(threshold)))
        yield lines


def _nested(groups: Sequence[Threshold]) -> RenderableType:
    """Where the scores begin in each group of customers that are cut among themselves, the best group first."""
    first, column = groups[0], groups[0].column
    scores = {name: name[0].upper() for name in first.within}
    table = plain_table()
    for letter in scores.values():
        table.add_column(letter, no_wrap=True)
    for score in range(2, 2 + max(len(t.values) for t in groups)):
        table.add_column(f"{column[0].upper()}{score}", justify="right", overflow="fold")
    for threshold in sorted(groups, key=lambda t: tuple(t.within.values()), reverse=True):
        values = [shortened(value) for value in sorted(threshold.values, reverse=first.falls)]
        table.add_row(*map(str, threshold.within.values()), *values)
    return titled(f"{column}, within {' and '.join(scores.values())}: {sign(first)}", table)
