"""What came of a run, as text."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from segkit.experiments import ARMS, CONVERSION, SPEND, ArmResult, Comparison, EvaluateResult, SegmentOutcome
from segkit.report.text.tables import numeric, plain_table, spaced
from segkit.words import count, plural


def evaluate_summary(result: EvaluateResult) -> RenderableType:
    """The arms of each segment, each beside the first one, and what the differences come to."""
    customers = plural(result.customers, "customer")
    head = Text(f"{customers} on {result.as_of}, orders from {result.start} until {result.until}", style="bold")
    return spaced([head, _arms(result), Text("\n".join(_totals(result))), Text(_foot(result), style="dim")])


def _arms(result: EvaluateResult) -> RenderableType:
    table = plain_table()
    table.add_column("Segment", overflow="fold", min_width=10)
    numeric(table, "Customers", "Buyers", "Conv. %", "Differs by", "Each", "Differs by")
    for segment in result.segments:
        table.add_row(Text(segment.name, style="bold"))
        for arm in segment.arms:
            table.add_row(f"  {_name(arm.name)}", *_cells(segment, arm))
    return table


def _cells(segment: SegmentOutcome, arm: ArmResult) -> Iterator[str]:
    of = {one.metric: one for one in segment.comparisons if one.arm == arm.name}
    yield count(arm.customers)
    yield count(arm.buyers)
    yield "-" if arm.conversion is None else f"{100 * arm.conversion:.2f}"
    yield _bounds(of.get(CONVERSION), 100)
    yield "-" if arm.per_customer is None else f"{arm.per_customer:,.2f}"
    yield _bounds(of.get(SPEND), 1)


def _bounds(one: Comparison | None, times: float) -> str:
    """The interval, with three digits or so of each bound, and whether there is a difference."""
    if one is None:
        return ""
    if one.low is None or one.high is None:
        return "- "
    low, high = times * one.low, times * one.high
    digits = max(0, 2 - sum(max(-low, high) >= limit for limit in (10, 100)))
    return f"{low:+,.{digits}f} to {high:+,.{digits}f}{'*' if one.significant else ' '}"


def _totals(result: EvaluateResult) -> Iterator[str]:
    """What all customers of an arm have brought in by being in it."""
    for segment in result.segments:
        found = [
            f"{_name(one.arm)} {one.total:,.0f} ({one.total_low:,.0f} to {one.total_high:,.0f})"
            for one in segment.comparisons
            if one.metric == SPEND and one.total is not None and one.total_low is not None
        ]
        if found:
            yield f"{segment.name}: {' · '.join(found)} beyond {_name(segment.arms[0].name)}"


def _foot(result: EvaluateResult) -> str:
    family = f", {result.compared} comparisons counted" if result.compared > 1 else ""
    return (
        f"Differs by: from the first line of the segment, in points and in money a\n"
        f"customer; {100 * result.level:g} % intervals, one at a time. * hardly chance{family}"
    )


def _name(arm: str) -> str:
    return ARMS.get(arm, arm)
