"""Results as HTML, for notebooks: counts alone, no value of a customer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from segkit.report.numbers import percent
from segkit.results import ApplyResult, SegmentResult
from segkit.words import count, plural

_RIGHT = ' style="text-align: right"'


def segments_html(result: ApplyResult) -> str:
    """The segments of a run as a small table. It brings no colours of its own, so it is read in light and dark."""
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
