"""The cuts in force, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from segkit.report.numbers import shortened
from segkit.report.text.tables import numeric, plain_table, titled
from segkit.report.thresholds import cuts, sign
from segkit.results.parts import Threshold
from segkit.words import plural

LONGEST = 30
"""The most letters of a value that makes a group."""
MOST_CUTS = 9
"""The most cuts that are shown side by side: those of deciles."""


def threshold_tables(thresholds: Sequence[Threshold]) -> Iterator[RenderableType]:
    """What a value must be for each RFM score above 1, and for the top or bottom percent of other columns."""
    for name in dict.fromkeys(t.rfm for t in thresholds if t.rfm is not None):
        yield from _of_rfm([t for t in thresholds if t.rfm == name])
    others = [t for t in thresholds if t.rfm is None]
    if of_all := [t for t in others if not t.groups]:
        lines = Table.grid(padding=(0, 2))
        for threshold in of_all:
            lines.add_row(_title(threshold), _values(threshold))
        yield lines
    for column in dict.fromkeys(t.column for t in others if t.groups):
        yield _by_group([t for t in others if t.column == column])


def _of_rfm(thresholds: Sequence[Threshold]) -> Iterator[RenderableType]:
    """The cuts of one RFM table: those of all customers side by side, then those within groups."""
    if scored := [t for t in thresholds if not t.groups]:
        table = plain_table()
        table.add_column("Score")
        numeric(table, *(t.column for t in scored))
        columns = [cuts(t) for t in scored]
        for row in range(max(len(column) for column in columns)):
            table.add_row(f"{row + 2}", *(column[row] if row < len(column) else "" for column in columns))
        yield table
    for column in dict.fromkeys(t.column for t in thresholds if t.groups):
        yield _nested([t for t in thresholds if t.column == column])


def _title(threshold: Threshold) -> str:
    return threshold.column if threshold.mean else f"Threshold of {threshold.column}"


def _values(threshold: Threshold) -> str:
    """The cuts; of many, the first and the last one."""
    values = [*map(shortened, threshold.values)] if threshold.mean else cuts(threshold)
    if len(values) > MOST_CUTS:
        return f"{values[0]} … {values[-1]}"
    return ", ".join(values)


def _by_group(groups: Sequence[Threshold]) -> RenderableType:
    """The cuts of each group that is shown, a line each, and how many are not."""
    first, shown = groups[0], [t for t in groups if t.within]
    if not shown:
        return Text(f"{_title(first)} ({plural(first.groups, 'group')}, none shown)")
    table = plain_table()
    for name in first.within:
        table.add_column(name)
    table.add_column("", overflow="fold")
    for threshold in shown:
        table.add_row(*map(_name, threshold.within.values()), _values(threshold))
    return titled(_title(first) + _more(first, shown), table)


def _more(first: Threshold, shown: Sequence[Threshold]) -> str:
    rest = first.groups - len(shown)
    return f" ({plural(rest, 'smaller group')} not shown)" if rest else ""


def _name(value: int | str | None) -> str:
    """A value that makes a group, on one short line: it comes from the data, and may be anything."""
    text = "missing" if value is None else "".join(c if c.isprintable() else " " for c in str(value))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _nested(groups: Sequence[Threshold]) -> RenderableType:
    """Where the scores begin in each group of customers that are cut among themselves, the best group first."""
    first, column, shown = groups[0], groups[0].column, [t for t in groups if t.within]
    if not shown:
        return Text(f"{column} ({plural(first.groups, 'group')}, none shown)")
    scores = "RF"[: len(first.within)]  # what they are nested in
    table = plain_table()
    for letter in scores:
        table.add_column(letter, no_wrap=True)
    for score in range(2, 2 + max(len(t.values) for t in shown)):
        table.add_column(f"{'RFM'[len(scores)]}{score}", justify="right", overflow="fold")
    for threshold in sorted(shown, key=lambda t: tuple(t.within.values()), reverse=True):
        values = [shortened(value) for value in sorted(threshold.values, reverse=first.falls)]
        table.add_row(*map(str, threshold.within.values()), *values)
    return titled(f"{column}, within {' and '.join(scores)}: {sign(first)}{_more(first, shown)}", table)
