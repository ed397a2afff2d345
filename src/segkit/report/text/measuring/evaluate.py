"""What came of a run, as text."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from segkit.experiments import ARMS, CONVERSION, SPEND, ArmResult, Comparison, Cost, EvaluateResult, SegmentOutcome
from segkit.report.text.detected import guessed
from segkit.report.text.tables import numeric, plain_table, spaced, titled
from segkit.words import count, plural


def evaluate_summary(result: EvaluateResult) -> RenderableType:
    """The arms of each segment, each beside the first one, and what the differences come to."""
    totals = Text("\n".join(_totals(result)))
    head = (_head(result), guessed(result.guesses, rows_are_orders=False))
    return spaced([*head, *_tables(result), totals if totals else None, Text(_foot(result), style="dim")])


def _head(result: EvaluateResult) -> RenderableType:
    customers = plural(result.customers, "customer")
    if result.start is None:
        return Text(f"{customers} on {result.as_of}", style="bold")
    what = "orders" if {*result.metrics} <= {CONVERSION, SPEND} else "events"
    if len(result.runs) > 1:
        runs = f"{plural(len(result.runs), 'run')} from {result.runs[0]} to {result.runs[-1]}"
        return Text(f"{runs}, {what} from {result.start} until {result.until}", style="bold")
    return Text(f"{customers} on {result.as_of}, {what} from {result.start} until {result.until}", style="bold")


def _tables(result: EvaluateResult) -> list[RenderableType]:
    """One table of who bought and what was spent; one for each metric where there are others."""
    if {*result.metrics} <= {CONVERSION, SPEND}:
        return [_of_orders(result)]
    return [titled(metric, _of_metric(result, metric)) for metric in result.metrics]


def _of_orders(result: EvaluateResult) -> Table:
    table = plain_table()
    table.add_column("Segment", overflow="fold", min_width=10)
    numeric(table, "Customers", "Buyers", "Conv. %", "Differs by", "Each", "Differs by")
    _wrap(table, "Differs by")
    for segment in result.segments:
        table.add_row(Text(segment.name, style="bold"))
        for arm in segment.arms:
            share, mean = arm.share(CONVERSION), arm.mean(SPEND)
            of = _compared(segment, arm)
            table.add_row(
                indented(arm.name),
                count(arm.customers),
                "-" if arm.buyers is None else count(arm.buyers),
                "-" if share is None else f"{100 * share:.2f}",
                _bounds(of.get(CONVERSION), 100),
                "-" if mean is None else f"{mean:,.2f}",
                _bounds(of.get(SPEND), 1),
            )
    return table


def _of_metric(result: EvaluateResult, metric: str) -> Table:
    is_share = result.metrics[metric] == "share"
    table = plain_table()
    table.add_column("Segment", overflow="fold", min_width=10)
    numeric(table, "Customers", "Did it", "Share %" if is_share else "Each", "Differs by", "In percent")
    _wrap(table, "Differs by", "In percent")
    for segment in result.segments:
        table.add_row(Text(segment.name, style="bold"))
        for arm in segment.arms:
            did, of = arm.figure(metric), _compared(segment, arm).get(metric)
            each = arm.share(metric) if is_share else arm.mean(metric)
            table.add_row(
                indented(arm.name),
                count(arm.customers),
                "-" if did is None else count(did.customers),
                "-" if each is None else f"{each * (100 if is_share else 1):,.2f}",
                _bounds(of, 100 if is_share else 1),
                _relative(of),
            )
    return table


def _wrap(table: Table, *names: str) -> None:
    """Let these columns go on below themselves where the screen is too narrow: half a bound is another one."""
    for column in table.columns:
        if column.header in names:
            column.no_wrap = False


def _compared(segment: SegmentOutcome, arm: ArmResult) -> dict[str, Comparison]:
    return {one.metric: one for one in segment.comparisons if one.arm == arm.name}


def _bounds(one: Comparison | None, times: float) -> str:
    """The interval, with three digits or so of each bound, and whether there is a difference."""
    if one is None:
        return ""
    if one.low is None or one.high is None:
        return "- "
    return _between(times * one.low, times * one.high) + ("*" if one.significant else " ")


def _between(low: float, high: float) -> str:
    digits = max(0, 2 - sum(max(-low, high) >= limit for limit in (10, 100)))
    return f"{low:+,.{digits}f} to {high:+,.{digits}f}"


def _relative(one: Comparison | None) -> str:
    if one is None:
        return ""
    low, high = one.relative_low, one.relative_high
    return "-" if low is None or high is None else _between(low, high)


def _totals(result: EvaluateResult) -> Iterator[str]:
    """What all customers of an arm have brought in by being in it, and what is left of that."""
    for segment in result.segments:
        for metric in (metric for metric, kind in result.metrics.items() if kind == "mean"):
            what = segment.name if metric == SPEND else f"{segment.name}, {metric}"
            known = [one for one in segment.comparisons if one.metric == metric and not one.too_few]
            found = [
                f"{name_of(one.arm)} {_range(one.total, one.total_low, one.total_high)}"
                for one in known
                if one.total is not None and one.total_low is not None and one.total_high is not None
            ]
            left = [f"{name_of(one.arm)} {_range(*one.after_cost)}" for one in known if one.after_cost]
            if found:
                yield f"{what}: {' · '.join(found)} beyond {name_of(known[0].against)}"
            if left and result.cost:
                yield f"{what}, after {_cost(result.cost)}: {' · '.join(left)}"

    for one in result.in_all:
        what = "all segments" if one.metric == SPEND else f"all segments, {one.metric}"
        yield f"{what}: {_range(one.total, one.low, one.high)} beyond those held out"


def _range(middle: float, low: float, high: float) -> str:
    return f"{middle:,.0f} ({low:,.0f} to {high:,.0f})"


def _cost(cost: Cost) -> str:
    return f"{cost.per_contact} a contact, with a margin of {cost.margin_percent} %"


def _foot(result: EvaluateResult) -> str:
    family = f", {result.compared} comparisons counted" if result.compared > 1 else ""
    only_money = {*result.metrics} <= {CONVERSION, SPEND}
    means = "and in money a\ncustomer" if only_money else "or in what\neach did"
    level = f"{100 * result.level:g} % intervals, one at a time"
    return f"Differs by: from the first line of the segment, in points {means}; {level}. * hardly chance{family}"


def indented(arm: str) -> RenderableType:
    """The name of an arm in a table, below that of its segment; a long one goes on below itself."""
    return Padding(Text(name_of(arm)), (0, 0, 0, 2))


def name_of(arm: str) -> str:
    """How an arm is called."""
    return ARMS.get(arm, arm)
