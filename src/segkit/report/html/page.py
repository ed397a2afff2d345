"""A report of a run as one HTML page that nothing outside of it is needed for: no script, no address, no clock.

Sections are templates, pictures are made of plain data; all that comes from a run is escaped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from segkit.errors import require_extra
from segkit.report.html.flow import flow_picture
from segkit.report.html.heat import heated
from segkit.report.html.histogram import histogram_picture
from segkit.report.html.upset import upset_picture
from segkit.report.html.words import (
    HIDDEN,
    amount,
    change,
    cut,
    head_line,
    in_words,
    per_cent,
    readable,
    rounded_down,
    signed,
    tiles,
)
from segkit.report.numbers import sparks
from segkit.report.text.discovering.words import in_words as condition_in_words
from segkit.reports import RunReport
from segkit.results.terms import HELD_OUT, REASONS
from segkit.words import count, plural

if TYPE_CHECKING:
    import jinja2

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load for the page: nothing, but for the styles in it."""
LONGEST = 200
"""Letters of what was found that stand in a cell."""
SECTIONS: dict[str, tuple[str, Callable[[RunReport], object]]] = {
    "segments": ("Segments", lambda report: report.segments),
    "ledger": ("From matched to written", lambda report: report.segments),
    "overlap": ("Overlap", lambda report: report.overlap),
    "rfm": ("Recency and frequency", lambda report: report.rfm),
    "flow": ("Who moved", lambda report: report.flows),
    "grades": ("Stages and grades", lambda report: report.grades),
    "mavr": ("Four questions", lambda report: report.answers),
    "evaluation": ("Did it work", lambda report: report.evaluation),
    "basket": ("Bought together", lambda report: report.baskets),
    "lookalike": ("Who resembles members", lambda report: report.lookalikes),
    "cluster": ("Personas", lambda report: report.clusters),
    "history": ("History", lambda report: report.past and report.past.segments),
    "source": ("What was read", lambda report: True),
}
"""Section, which is the name of its template -> its heading, and whether a report has it."""


def require_jinja() -> None:
    """`RuleError` where the extra is not installed."""
    require_extra("report", "jinja2", "a report is drawn")


def sections_of(report: RunReport) -> tuple[str, ...]:
    """The sections that the page has, in their order."""
    return tuple(name for name, (_, has) in SECTIONS.items() if has(report))


def page(report: RunReport) -> bytes:
    """The page; the same report gives the same bytes."""
    names = sections_of(report)
    template = _environment().get_template("page.html.j2")
    text: str = template.render(
        report=report,
        policy=POLICY,
        sections={name: SECTIONS[name][0] for name in names},
        headings={name: heading for name, (heading, _) in SECTIONS.items()},
        head=head_line(report),
        tiles=tiles(report),
        reasons={reason: _called(reason, report) for reason in _reasons(report)},
        columns=list(dict.fromkeys(column for line in report.segments for column in line.figures)),
    )
    return text.encode()


def _reasons(report: RunReport) -> list[str]:
    """The reasons for which somebody was not written."""
    lines = [line for line in report.segments if line.write]
    return [reason for reason in REASONS if any(line.excluded[reason] != 0 for line in lines)]


def _called(reason: str, report: RunReport) -> str:
    """What the column of a reason is called; the control group is held out of every list."""
    with_control = reason == HELD_OUT and report.totals.control != 0
    return "held out, control group" if with_control else in_words(reason)


def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.PackageLoader("segkit.report.html"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=readable,
    )
    environment.filters |= {
        "amount": amount,
        "change": change,
        "clipped": lambda text: cut(text, LONGEST),
        "condition": condition_in_words,
        "count": count,
        "per_cent": per_cent,
        "rounded_down": rounded_down,
        "signed": signed,
        "words": in_words,
        "sparks": lambda values: sparks(values, 24),
    }
    environment.globals |= {
        "HIDDEN": HIDDEN,
        "flow_picture": flow_picture,
        "heated": heated,
        "histogram_picture": histogram_picture,
        "plural": plural,
        "upset_picture": upset_picture,
    }
    return environment
