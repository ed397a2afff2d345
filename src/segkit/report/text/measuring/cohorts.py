"""An analysis of cohorts as text: a line a cohort, shaded by how many come back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from segkit.report.numbers import seconds, short
from segkit.report.text.detected import guessed, left_out
from segkit.report.text.drawn.heat import legend, marks_on, shaded, step_of
from segkit.report.text.screen import told
from segkit.report.text.tables import spaced
from segkit.results.cohorts import Cohort, CohortCell, CohortsResult
from segkit.words import count, plural

MOST_COHORTS = 60
"""Lines that people still overlook: five years of months."""
TITLES = {
    "percent": "Percent of each cohort with an event",
    "customers": "Customers of each cohort with an event",
    "revenue": "Revenue of each cohort",
}


def cohorts_summary(result: CohortsResult) -> RenderableType:
    """Everything that an analysis of cohorts has to say."""
    return spaced(
        [
            _headline(result),
            guessed(result.guesses, rows_are_orders=result.rows_are_orders),
            triangle(result),
            left_out(result.tables),
            *map(told, (*result.warnings, *result.notes)),
            _closing(result),
        ]
    )


def _headline(result: CohortsResult) -> Text:
    text = f"{plural(result.customers, 'customer')}, {plural(result.events, 'event')} on {result.as_of}"
    lines = [f"{plural(len(result.cohorts), 'cohort')} by {result.by}"]
    lines[0] += f", events of {result.table}" if result.table else ""
    lines[0] += f", segment {result.segment}" if result.segment else ""
    if result.without_events:
        lines.append(f"{plural(result.without_events, 'customer')} without an event, so in no cohort")
    return Text.assemble((text, "bold"), "\n", "\n".join(lines))


def triangle(result: CohortsResult) -> RenderableType | None:
    """A line a cohort, a column for each period since its first; nothing where there is no cohort."""
    if not result.cohorts:
        return None
    title = f"{TITLES[result.show]}, by {result.by}s since the first event"
    return Group(Text(title, style="bold"), Triangle(result))


class Triangle(NamedTuple):
    """The cells of the newest cohorts, in as many periods as the screen has room for, and what is left out."""

    result: CohortsResult

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        cohorts, show = self.result.cohorts[-MOST_COHORTS:], self.result.show
        marks = marks_on(console, options)
        label, sizes = len(cohorts[0].name) + 1, [] if show == "customers" else [count(c.customers) for c in cohorts]
        size = max(map(len, ("Size", *sizes))) + 1 if sizes else 0
        widths = _widths(cohorts, show, options.max_width - label - size)
        # The first period is the cohort itself: beside it, all others would have the shade of few.
        most = max((_whole(cell, c, show) for c in cohorts for cell in c.cells[1 : len(widths)]), default=0)
        heads = [f"{period}  ".rjust(width) for period, width in enumerate(widths)]
        yield Text("Cohort".ljust(label) + ("Size ".rjust(size) if sizes else "") + "".join(heads), style="bold")
        yield Text(("-" if options.ascii_only else "─") * (label + size + sum(widths)))
        for place, cohort in enumerate(cohorts):
            of_cohort = Text(f"{sizes[place]} ".rjust(size)) if sizes else Text()
            cells = [
                shaded(
                    _text(cell, cohort, show),
                    step_of(max(_whole(cell, cohort, show), 0), most) if cell.period else 0,
                    marks,
                    width,
                    end="*" if cell.open else " ",
                    none="" if _is_something(cell, show) else "dim",
                )
                for cell, width in zip(cohort.cells, widths, strict=False)
            ]
            yield Text.assemble((cohort.name.ljust(label), "bold"), of_cohort, *cells)
        if most:
            scale = Text.assemble(*legend(most, marks))
            scale.rstrip()
            indent = min(label + size, options.max_width - len(scale))
            yield Text.assemble(" " * max(indent, 0), scale)
        yield from self._notes(cohorts, len(widths))

    def _notes(self, cohorts: Sequence[Cohort], periods: int) -> Iterator[Text]:
        """What the marks mean, and what is left out."""
        result = self.result
        longest, older = max(len(cohort.cells) for cohort in result.cohorts), len(result.cohorts) - MOST_COHORTS
        if any(cell.open for cohort in cohorts for cell in cohort.cells[:periods]):
            yield Text(f"* {result.open_period} is not over on {result.as_of}", style="dim")
        missing = []
        if longest > periods:
            last = f" to {longest - 1}" if longest - 1 > periods else ""
            missing.append(f"{result.by}{'s' if last else ''} {periods}{last}")
        if older > 0:
            missing.append(plural(older, "older cohort"))
        if missing:
            ways = (
                "-o FILE or --json has all" if longest <= periods else "-o FILE or --json has all, a wider screen more"
            )
            yield Text(f"Not shown: {' and '.join(missing)}; {ways}", style="dim")


def _widths(cohorts: Sequence[Cohort], show: str, room: int) -> list[int]:
    """The width of each column that there is room for: its longest text, the mark of its shade, and a space."""
    widths: list[int] = []
    for period in range(max(len(cohort.cells) for cohort in cohorts)):
        texts = [_text(c.cells[period], c, show) for c in cohorts if period < len(c.cells)]
        width = max(map(len, (*texts, str(period)))) + 2
        if widths and sum(widths) + width > room:
            break
        widths.append(width)
    return widths


def _whole(cell: CohortCell, cohort: Cohort, show: str) -> int:
    """The figure as a whole number, as it is shown and shaded; something is not 0."""
    if show == "customers":
        return cell.customers
    if show == "revenue":
        value = round(cell.revenue or 0)
        return value or (1 if cell.revenue and cell.revenue > 0 else 0)
    half_up = (200 * cell.customers + cohort.customers) // (2 * cohort.customers)
    return max(half_up, 1) if cell.customers else 0


def _text(cell: CohortCell, cohort: Cohort, show: str) -> str:
    whole = _whole(cell, cohort, show)
    if show != "percent":
        return count(whole) if show == "customers" else short(whole)
    if 0 < 200 * cell.customers < cohort.customers:
        return "<1"
    return ">99" if whole == 100 and cell.customers < cohort.customers else str(whole)


def _is_something(cell: CohortCell, show: str) -> bool:
    return bool(cell.revenue if show == "revenue" else cell.customers)


def _closing(result: CohortsResult) -> Text:
    done = f"One row a cohort in {result.path}" if result.path is not None else "Done"
    return Text(f"{done} ({seconds(result.elapsed_seconds)})", style="green")
