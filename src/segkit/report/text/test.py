"""The tests of a rule file as text: each failure with what was expected, what there is, and the criteria behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from segkit.report.numbers import seconds
from segkit.report.text.explain import criteria_rows, outcome_text
from segkit.results.explain import Explained
from segkit.results.test import Difference, Verdict, Verdicts

INDENT = "     "
WORDS = {"segments": "", "not_segments": "not ", "written": "written: ", "stopped": ""}


def tests_text(result: Verdicts, *, verbose: bool = False) -> RenderableType:
    """The failures, with `verbose` also what has passed, and how many there are of both.

    A test that passes since its customer is left out is shown, too: it may say nothing of the segments.
    """
    shown = [verdict for verdict in result.verdicts if verbose or not verdict.passed or verdict.left_out]
    return Group(*(_verdict(verdict) for verdict in shown), _sum(result))


def _sum(result: Verdicts) -> Text:
    if not result.verdicts:
        return Text(f"{result.path} has no tests: `[[test]]` adds one")
    passed = len(result.verdicts) - result.failed
    failed = f", {result.failed} failed" if result.failed else ""
    style = "red" if result.failed else "green"
    return Text(f"{passed} passed{failed} ({seconds(result.elapsed_seconds)})", style=style)


def difference_lines(difference: Difference) -> tuple[str, str]:
    """What was expected, and what there is."""
    word = WORDS[difference.key]
    expected, found = (", ".join(names) for names in (difference.expected, difference.found))
    nothing = f"{word}none" if word else "no segment"
    if difference.key == "not_segments":
        return f"{word}{expected}", found
    return f"{word}{expected}" if expected else nothing, f"{word}{found}" if found else nothing


def _verdict(verdict: Verdict) -> RenderableType:
    head = Table.grid(padding=(0, 2), expand=True)
    head.add_column(no_wrap=True)
    head.add_column(ratio=1, overflow="fold")
    head.add_column(justify="right", no_wrap=True)
    mark = Text(".", style="green") if verdict.passed else Text("F", style="bold red")
    place = f"{Path(verdict.location.path).name}:{verdict.location.line}"
    head.add_row(mark, Text(verdict.name, style="" if verdict.passed else "bold"), Text(place, style="dim"))
    told = list(_told(verdict))
    labels = [*(label for label, _ in told), *(one.name for one in verdict.wrong)]
    width = max(map(len, labels), default=0)
    parts: list[RenderableType] = [head]
    if told:
        parts.append(_lines(told, width))
    for one in verdict.wrong:
        parts += _segment(one, width)
    return Group(*parts)


def _told(verdict: Verdict) -> Iterator[tuple[str, str]]:
    for difference in verdict.differences:
        expected, found = difference_lines(difference)
        yield "expected", expected
        yield "found", found
    if verdict.left_out:
        yield "left out", verdict.left_out
    if verdict.undecided:
        yield "undecided", ", ".join(verdict.undecided)
    if claims := [name for name in verdict.undecided_written if name not in verdict.undecided]:
        yield "undecided", f"written: {', '.join(claims)}"


def _lines(told: Sequence[tuple[str, str]], width: int) -> Table:
    table = Table.grid(padding=(0, 3), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for label, text in told:
        table.add_row(f"{INDENT}{label:<{width}}", Text(text))
    return table


def _segment(one: Explained, width: int) -> Iterator[RenderableType]:
    """The criteria of a segment that is not as expected, after what became of the customer where they hold."""
    told: set[str] = set()
    rows = [row for part in one.criteria.parts for row in criteria_rows(part, 0, told)]
    labels = [one.name]
    if one.matched or not rows:
        yield _lines([(labels.pop(), outcome_text(one))], width)
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_column(ratio=1, overflow="fold")
    table.add_column(justify="right", overflow="fold", max_width=30)
    for subject, wanted, actual in rows:
        label = labels.pop() if labels else ""
        table.add_row(f"{INDENT}{label:<{width + 1}}", subject, wanted, actual)
    if rows:
        yield table
