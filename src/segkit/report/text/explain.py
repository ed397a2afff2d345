"""Why customers are in segments, as text: a criterion a line, with its mark, what is wanted, and what there is."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from segkit.report.text.tables import spaced
from segkit.results.explain import (
    Criterion,
    Explained,
    ExplainedCustomer,
    ExplainResult,
    Funnel,
    NearMisses,
    RulePoints,
    ScoreCounted,
)
from segkit.words import count, plural, readable

LEGEND = "+ holds   - does not   no value: nothing is known, so it does not hold"
MOST_RULES = 6
"""Of a score with more rules that gave points, the last line tells of the rest."""
OUTCOMES = {
    "written": "written",
    "not_written": "matches, never written",
    "holdout": "held out",
    "control": "held out by the control group",
    "consent": "matches, without consent",
    "suppressed": "matches, on a suppression list",
    "frequency_cap": "matches, contacted too often",
    "sample": "matches, not in the sample",
    "limit": "matches, beyond the limit",
    "changed-since-run": "changed since the run",
    "left-out-of-run": "matches, left out of the run",
    "undecided": "matches, undecided whether written",
}


def explain_text(result: ExplainResult) -> RenderableType:
    """Everything that an explanation has to say."""
    when = f"as of {result.as_of}" + (f", in the run `{result.run}`" if result.run else "")
    parts: list[RenderableType | None] = [_customer(customer, when) for customer in result.customers]
    if result.customers:
        parts.append(Text(LEGEND, style="dim"))
    if result.funnels:
        parts.append(Text(f"{count(result.funnels[0].customers)} customers on {result.as_of}", style="bold"))
        parts += [_funnel(funnel) for funnel in result.funnels]
    if result.near:
        parts.append(Text(f"as of {result.as_of}", style="bold"))
        parts += [_near(near) for near in result.near]
    return spaced(parts)


def _near(near: NearMisses) -> RenderableType:
    """How far customers are from a segment, then the conditions that keep most of them out, with the nearest."""
    label = f"  {near.label}" if near.label != near.name else ""
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(justify="right")
    table.add_column(ratio=1, overflow="fold")
    for one in near.conditions:
        if one.customers:
            table.add_row(f"  {count(one.customers)}", Text(f"fail only: {one.subject} {one.wanted}".rstrip()))
            for customer in one.nearest:
                table.add_row(
                    "",
                    Text(
                        f"  {customer.key}  {customer.actual or ('no value' if customer.missing else '')}".rstrip(),
                        style="dim",
                    ),
                )
    return Group(Text.assemble((near.name, "bold"), label), Text(f"  {_distances(near)}"), table)


def _distances(near: NearMisses) -> str:
    """How many customers are in, one condition away, two, and so on."""
    said = [f"members: {count(near.members)}"]
    for one in near.distances:
        if one.conditions is None:
            said.append(f"out whatever turns: {count(one.customers)}")
        elif one.conditions:
            about = "" if near.exact or one.conditions == 1 else "about "
            said.append(f"{about}{plural(one.conditions, 'condition')} away: {count(one.customers)}")
    return ", ".join(said)


def _customer(customer: ExplainedCustomer, when: str) -> RenderableType:
    told: set[str] = set()
    segments = [part for one in customer.segments for part in (Text(""), _segment(one, told))]
    return Group(Text(f"{readable(customer.key)}, {when}", style="bold"), *segments)


def _segment(one: Explained, told: set[str]) -> RenderableType:
    head = Table.grid(padding=(0, 2), expand=True)
    head.add_column(no_wrap=True)
    head.add_column(ratio=1)
    head.add_column(justify="right")
    label = one.label if one.label != one.name else ""
    head.add_row(Text(one.name, style="bold"), Text(label), Text(outcome_text(one), style="green" if one.file else ""))
    lines = Table.grid(padding=(0, 2), expand=True)
    lines.add_column()
    lines.add_column(ratio=1, overflow="fold")
    lines.add_column(justify="right", overflow="fold", max_width=30)
    for part in one.criteria.parts:
        for row in criteria_rows(part, 1, told):
            lines.add_row(*row)
    return Group(head, lines) if one.criteria.parts else head


def outcome_text(one: Explained) -> str:
    """What became of the customer, or how many of the criteria hold."""
    if one.outcome is None:
        parts = one.criteria.parts
        return f"{sum(part.held for part in parts)} of {len(parts)} hold"
    if one.outcome == "claimed":
        return f"matches, claimed by {one.claimed_by}"
    variant = f", variant {one.variant}" if one.variant is not None and one.outcome == "written" else ""
    return OUTCOMES[one.outcome] + variant + ("" if one.findable else ", no identifier")


def criteria_rows(criterion: Criterion, depth: int, told: set[str]) -> Iterator[tuple[Text, Text, Text]]:
    """A criterion, then its parts, each a level deeper; a block of one criterion is that criterion.

    Where it looks at a score of which was not `told` before, what has made the score comes after it.
    """
    if criterion.kind in ("all", "any") and len(criterion.parts) == 1:
        yield from criteria_rows(criterion.parts[0], depth, told)
        return
    mark = Text("  " * depth + ("+ " if criterion.held else "- "), style="green" if criterion.held else "red")
    style = "" if criterion.held else "bold"
    yield mark.append(criterion.subject, style="default"), Text(criterion.wanted), Text(_actual(criterion), style=style)
    for part in criterion.parts:
        yield from criteria_rows(part, depth + 1, told)
    for score in criterion.scores:
        if score.column not in told:
            told.add(score.column)
            indent = "  " * (depth + 2)
            yield from ((Text(indent + first), Text(rest), Text(points)) for first, rest, points in score_lines(score))


def score_lines(score: ScoreCounted) -> Iterator[tuple[str, str, str]]:
    """The rules that gave a customer points, or took some, the most first; then their sum, and what became of it."""
    rules = sorted(score.rules, key=lambda rule: abs(Decimal(rule.points)), reverse=True)
    shown = rules if len(rules) <= MOST_RULES else rules[: MOST_RULES - 1]
    for rule in shown:
        yield rule.subject, _with_actual(rule), _number(rule.points, "+")
    if more := rules[len(shown) :]:
        of_more = sum(rule.points for rule in more)
        yield "", f"and {plural(len(more), 'rule')} more", _number(of_more, "+")
    yield score.column, "; ".join(_ends(score)), _number(score.score)


def _with_actual(rule: RulePoints) -> str:
    """What a rule asks, and what there is, where that says more."""
    actual = readable(rule.actual) if rule.actual else ("no value" if rule.missing else "")
    return f"{rule.wanted}: {actual}" if actual and rule.wanted != f"is {actual}" else rule.wanted


def _ends(score: ScoreCounted) -> Iterator[str]:
    """That the points make it, or what of them is cut off; the grades that it gives."""
    if not score.rules:
        yield "no rule gives points"
    elif score.sum == score.score:
        yield "the sum"
    else:
        end = f"at most {_number(score.max_score)}" if score.sum > score.score else "at least 0"
        yield f"the sum is {_number(score.sum)}, the score {end}"
    if score.grades:
        yield ", ".join(f"{grade} from {_number(least)}" for grade, least in score.grades.items())


def _number(points: int | Decimal, sign: str = "-") -> str:
    text = f"{points:{sign}f}" if isinstance(points, Decimal) else f"{points:{sign}}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _actual(criterion: Criterion) -> str:
    if criterion.parts:
        held = sum(part.held for part in criterion.parts)
        return f"{held} of {len(criterion.parts)} hold"
    return readable(criterion.actual) if criterion.actual else ("no value" if criterion.missing else "")


def _funnel(funnel: Funnel) -> RenderableType:
    label = f"  {funnel.label}" if funnel.label != funnel.name else ""
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column()
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_row("", "", Text("satisfy", style="dim"), Text("left", style="dim"))
    for step in funnel.steps:
        table.add_row(f"  {step.subject}", step.wanted, count(step.satisfied), count(step.left))
    for reason, stopped, left in funnel.gates:
        table.add_row(f"  {reason.replace('_', ' ')}", "", f"-{count(stopped)}", count(left))
    end, number = ("written", funnel.written) if funnel.write else ("match", funnel.matched)
    table.add_row(f"  {end}", "", "", Text(count(number), style="bold"))
    return Group(Text.assemble((funnel.name, "bold"), label), table)
