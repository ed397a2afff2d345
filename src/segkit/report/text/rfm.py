"""An RFM analysis as text: segments, thresholds, and the R x F grid."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from segkit.report.numbers import money, percent, rounded, seconds
from segkit.report.text.detected import guessed, left_out
from segkit.report.text.drawn.bars import Bar
from segkit.report.text.drawn.heat import Heat
from segkit.report.text.screen import told
from segkit.report.text.tables import numeric, plain_table, spaced
from segkit.report.text.thresholds import threshold_tables
from segkit.results.rfm import RfmResult
from segkit.words import count


def rfm_summary(result: RfmResult) -> RenderableType:
    """Everything that an RFM analysis has to say."""
    return spaced(
        [
            _headline(result),
            guessed(result.guesses, rows_are_orders=result.rows_are_orders),
            segments(result),
            *threshold_tables(result.thresholds),
            grid(result),
            left_out(result.tables),
            *map(told, (*result.warnings, *result.notes)),
            _closing(result),
        ]
    )


def _headline(result: RfmResult) -> Text:
    text = f"{count(result.customers)} customers, {count(result.events)} events on {result.as_of}"
    how = f"{result.bins} bins, {result.method}, ties {result.ties}, map {result.map}"
    return Text.assemble((text, "bold"), f"\n{how}")


def segments(result: RfmResult) -> RenderableType:
    """A line a segment: customers, revenue, their shares, and the medians of the three values."""
    table = plain_table()
    table.add_column("Segment", no_wrap=True)
    numeric(table, "Customers", "Share", "Revenue", "Share", "R", "F", "M")
    table.add_column(no_wrap=True)
    most = max((s.share for s in result.segments), default=0.0)
    richest = max((s.revenue for s in result.segments), default=0)
    dearest = max((s.monetary for s in result.segments), default=0.0)
    for s in result.segments:
        table.add_row(
            Text(s.name, style="bold"),
            count(s.customers),
            percent(s.share),
            money(s.revenue, richest),
            percent(s.revenue_share),
            rounded(s.recency_days),
            rounded(s.frequency),
            money(s.monetary, dearest, large=1_000),
            Bar(s.share, most, short=0, long=16),
        )
    return Group(table, Text("R, F, M: medians of days since the last event, events, and money", style="dim"))


def grid(result: RfmResult) -> RenderableType:
    """Customers by recency and frequency score, shaded by how many there are."""
    return Group(Text("Customers by R and F score", style="bold"), Heat(result.grid, result.bins))


def _closing(result: RfmResult) -> Text:
    written = {
        "One row a customer in": result.path,
        "Cutoffs in": result.cutoffs,
        "Chart in": result.chart,
    }
    lines = [f"{what} {path}" for what, path in written.items() if path is not None] or ["Done"]
    return Text("\n".join(lines) + f" ({seconds(result.elapsed_seconds)})", style="green")
