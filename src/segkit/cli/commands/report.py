"""`segkit report`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segkit.cli import options
from segkit.cli.terminal import Terminal
from segkit.io.write import STDOUT

if TYPE_CHECKING:
    from segkit.operations.reporting.report import Page


@click.command("report")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE|-",
    type=click.Path(),
    default="report.html",
    show_default=True,
    help="Write the page here; - is standard output.",
)
@click.option("--title", metavar="TEXT", help="What stands above it; default: Segments.")
@click.option(
    "--previous",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="An earlier run: how much segments grew since, and who moved.",
)
@click.option(
    "--evaluation",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What `segkit evaluate RUN --json` has written: did it work?",
)
@click.option(
    "--discover",
    "discoveries",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="What `segkit basket`, `lookalike` or `cluster` has printed with --json; again for another one.",
)
@click.option(
    "--min-cell",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Show no number of fewer customers, nor one that would tell it.",
)
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal,
    run: Path,
    *,
    output: str,
    title: str | None,
    previous: Path | None,
    evaluation: Path | None,
    discoveries: tuple[Path, ...],
    min_cell: int,
    as_json: bool,
) -> int:
    """A run as one HTML page that anybody can open, print and forward.

    RUN is the folder where `segkit apply` writes. Nothing in the page is of a single customer; it needs no script and
    nothing from elsewhere.
    """
    drawn = page()
    from segkit.operations.reporting.report import Wanted, write_report

    wanted = Wanted(title, min_cell, previous, evaluation, discoveries)
    result = write_report(run, output, drawn, wanted, stdout=sys.stdout.buffer)
    stream = sys.stderr if output == STDOUT else sys.stdout
    if as_json:
        from segkit.report.as_json.report import report_json

        click.echo(report_json(result), file=stream)
    elif not terminal.quiet:
        from segkit.report.text.measuring.report import report_summary

        click.echo(report_summary(result), file=stream)
    return 0


def page() -> Page:
    """How a report is drawn; `RuleError` where what draws it is not installed."""
    from segkit.operations.reporting.report import Page
    from segkit.report.html.page import page as drawn
    from segkit.report.html.page import require_jinja, sections_of

    require_jinja()
    return Page(drawn, sections_of)
