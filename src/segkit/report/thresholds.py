"""The cuts in force, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table

from segkit.report.numbers import plain
from segkit.report.tables import numeric, plain_table
from segkit.results import Threshold

SCORED = ("recency_days", "frequency", "monetary")


def threshold_tables(thresholds: Sequence[Threshold]) -> Iterator[RenderableType]:
    """What a value must be for each RFM score above 1, and for the top or bottom percent of other columns."""
    scored = [t for t in thresholds if t.column in SCORED]
    others = [t for t in thresholds if t.column not in SCORED]
    if scored:
        table = plain_table()
        table.add_column("Score")
        numeric(table, *(t.column for t in scored))
        columns = [cuts(t) for t in scored]
        for row in range(max(len(column) for column in columns)):
            table.add_row(f"{row + 2}", *(column[row] if row < len(column) else "" for column in columns))
        yield table
    if others:
        lines = Table.grid(padding=(0, 2))
        for threshold in others:
            lines.add_row(f"Threshold of {threshold.column}", ", ".join(cuts(threshold)))
        yield lines


def cuts(threshold: Threshold) -> list[str]:
    """The condition of each score from 2 on: `> 3`, `>= 3`; recency falls as its score rises: `< 30`, `<= 30`."""
    sign = ("<" if threshold.falls else ">") + ("=" if threshold.inclusive else "")
    return [f"{sign} {plain(value)}" for value in sorted(threshold.values, reverse=threshold.falls)]
