"""The segments of a run over time, as text."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from segkit.histories import HistoryResult, SegmentHistory
from segkit.report.numbers import money, percent
from segkit.report.text.drawn.sparks import Sparks
from segkit.report.text.tables import numeric, plain_table, spaced
from segkit.words import count, plural


def history_summary(result: HistoryResult) -> RenderableType:
    """Each segment with its size over the runs, how many of it stayed, and what they bought until the next run."""
    table = plain_table()
    table.add_column("Segment", overflow="fold", min_width=10)
    table.add_column(plural(len(result.days), "run"), no_wrap=True)
    numeric(table, "First", "Last", "Stayed", "Buyers", "Conv.", "A member")
    for segment in result.segments:
        table.add_row(segment.name, Sparks(_sizes(segment, result)), *_cells(segment))
    return spaced([Text(_head(result), style="bold"), table, _changed(result)])


def _head(result: HistoryResult) -> str:
    if not result.days:
        return f"{result.path}: no segment was written yet"
    first, last = result.days[0], result.days[-1]
    return f"{result.path}, {first}" if first == last else f"{result.path}, {first} to {last}"


def _sizes(segment: SegmentHistory, result: HistoryResult) -> list[int | None]:
    sizes = {line.as_of: line.customers for line in segment.lines}
    return [sizes.get(day) for day in result.days]


def _cells(segment: SegmentHistory) -> list[str]:
    counts = (segment.first, segment.last)
    conversion = segment.conversion
    return [
        *("-" if size is None else count(size) for size in counts),
        percent(segment.stayed_percent) or "-",
        "-" if segment.buyers is None else count(segment.buyers),
        "-" if conversion is None else percent(100 * conversion),
        money(segment.per_customer) or "-",
    ]


def _changed(result: HistoryResult) -> Text | None:
    """The days on which a figure may be another one because the rules are."""
    if not result.rules_changed:
        return None
    days = [*result.rules_changed[-5:]]
    more = len(result.rules_changed) - len(days)
    before = f"{plural(more, 'day')} before, " if more else ""
    return Text(f"With another rule file than in the run before: {before}{', '.join(days)}", style="dim")
