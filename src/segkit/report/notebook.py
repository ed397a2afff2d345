"""Results as HTML, for notebooks. They bring no colours of their own, so they are read in light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from segkit.report.numbers import percent
from segkit.report.text.explain import outcome_text, score_lines
from segkit.results.apply import ApplyResult, SegmentResult
from segkit.results.explain import Criterion, ExplainedCustomer, ExplainResult, Funnel, NearMisses
from segkit.words import count, listed, plural

_RIGHT = ' style="text-align: right"'


def segments_html(result: ApplyResult) -> str:
    """The segments of a run as a small table: counts alone, no value of a customer."""
    head = "".join(_cells("th", ("Segment", ""), ("Matched", "Excluded", "Written", "Share")))
    rows = "".join(f"<tr>{''.join(_row(segment))}</tr>" for segment in result.segments)
    title = escape(f"{plural(result.customers, 'customer')} on {result.as_of}")
    told = f"<p>{escape(plural(len(result.warnings), 'warning'))}: see <code>warnings</code></p>"
    return (
        f"<table><caption>{title}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"{told if result.warnings else ''}"
    )


def _row(segment: SegmentResult) -> Iterator[str]:
    excluded = sum(segment.excluded.values())
    label = segment.label if segment.label != segment.name else ""
    yield from _cells(
        "td",
        (segment.name, label),
        (
            count(segment.matched),
            count(excluded) if excluded else "-",
            count(segment.written) if segment.write else "-",
            percent(segment.share) if segment.write else "",
        ),
    )


def _cells(tag: str, texts: Iterable[str], numbers: Iterable[str]) -> Iterator[str]:
    yield from (f'<{tag} style="text-align: left">{escape(text)}</{tag}>' for text in texts)
    yield from (f"<{tag}{_RIGHT}>{escape(number)}</{tag}>" for number in numbers)


def explained_html(result: ExplainResult) -> str:
    """An explanation as a table for each customer, or for each segment; it has the values that the criteria look at."""
    tables = [
        *(_table(f"{one.key}, as of {result.as_of}", _criteria(one)) for one in result.customers),
        *(_table(one.name, _steps(one)) for one in result.funnels),
        *(_table(one.name, _nearest(one)) for one in result.near),
    ]
    unknown = f"<p>no customer has the key {escape(listed(result.unknown, 'or'))}</p>" if result.unknown else ""
    return "".join(tables) + unknown


def _table(caption: str, rows: Iterable[str]) -> str:
    return f"<table><caption>{escape(caption)}</caption><tbody>{''.join(rows)}</tbody></table>"


def _line(texts: Iterable[str], last: str, *, depth: int = 0, tag: str = "td") -> str:
    """A row; a criterion within another one stands further to the right."""
    first, *more = _cells(tag, texts, [last])
    first = first.replace("text-align: left", f"text-align: left; padding-left: {2 * depth + 0.5}em", 1)
    return f"<tr>{first}{''.join(more)}</tr>"


def _criteria(customer: ExplainedCustomer) -> Iterator[str]:
    for one in customer.segments:
        label = one.label if one.label != one.name else ""
        yield _line((one.name, label), outcome_text(one), tag="th")
        for part in one.criteria.parts:
            yield from _criterion(part, 1)


def _criterion(criterion: Criterion, depth: int) -> Iterator[str]:
    mark = "+" if criterion.held else "-"
    actual = criterion.actual or ("no value" if criterion.missing else "")
    yield _line((f"{mark} {criterion.subject}", criterion.wanted), actual, depth=depth)
    for part in criterion.parts:
        yield from _criterion(part, depth + 1)
    for score in criterion.scores:
        yield from (_line((first, rest), points, depth=depth + 1) for first, rest, points in score_lines(score))


def _steps(funnel: Funnel) -> Iterator[str]:
    yield _line(("", "", "Satisfy"), "Left", tag="th")
    yield _line(("customers", "", ""), count(funnel.customers))
    for step in funnel.steps:
        yield _line((step.subject, step.wanted, count(step.satisfied)), count(step.left))
    for reason, stopped, left in funnel.gates:
        yield _line((reason.replace("_", " "), "", f"-{count(stopped)}"), count(left))


def _nearest(near: NearMisses) -> Iterator[str]:
    yield _line(("Fail only", ""), "Customers", tag="th")
    for one in near.conditions:
        yield _line((one.subject, one.wanted), count(one.customers))
        for customer in one.nearest:
            yield _line((customer.key, customer.actual or "no value"), "", depth=1)
