"""How small a difference could be seen after a run, as text."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from segkit.experiments import Detectable, Kind, PlannedSegment, PlanResult
from segkit.report.text.measuring.evaluate import indented
from segkit.report.text.tables import numeric, plain_table, spaced, titled
from segkit.words import count, plural


def plan_summary(result: PlanResult) -> RenderableType:
    """By metric, what the customers of each segment did, and what could be seen of its arms."""
    customers = plural(result.customers, "customer")
    head = f"{customers} on {result.as_of}, events before: {result.start} until {result.until}"
    tables = [titled(metric, _of_metric(result, metric, kind)) for metric, kind in result.metrics.items()]
    foot = (
        "Detectable: the least difference from those of the first arm, in points or in\n"
        f"what each did, that is seen in 80 of 100 runs, at a level of {100 * result.level:g} %"
    )
    return spaced([Text(head, style="bold"), *tables, Text(foot, style="dim")])


def _of_metric(result: PlanResult, metric: str, kind: Kind) -> Table:
    table = plain_table()
    table.add_column("Segment", overflow="fold", min_width=10)
    numeric(table, "Customers", "Did it", "Share %" if kind == "share" else "Each", "Detectable", "In percent")
    for segment in result.segments:
        table.add_row(Text(segment.name, style="bold"), count(segment.customers), *_before(segment, metric, kind))
        found = {one.arm: one for one in segment.comparisons if one.metric == metric}
        for arm, customers in segment.arms.items():
            seen = _seen(found[arm], kind) if arm in found else ()
            table.add_row(indented(arm), count(customers), "", "", *seen)
    return table


def _before(segment: PlannedSegment, metric: str, kind: Kind) -> Iterator[str]:
    did = next((one for one in segment.figures if one.metric == metric), None)
    yield "-" if did is None else count(did.customers)
    if did is None or not segment.customers:
        yield "-"
    elif kind == "share" or did.total is None:
        yield f"{100 * did.customers / segment.customers:.2f}"
    else:
        yield f"{float(did.total) / segment.customers:,.2f}"


def _seen(one: Detectable, kind: Kind) -> Iterator[str]:
    """The difference in points, or in what each did; nothing of arms of which nothing would be said."""
    if one.too_few or one.detectable is None:
        yield from ("too few" if one.too_few else "-", "")
        return
    yield f"{one.detectable * (100 if kind == 'share' else 1):,.2f}"
    yield "-" if one.relative is None else f"{one.relative:,.0f}"
