"""`segkit evaluate`."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segkit.cli import completion, options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal
from segkit.cli.types import DATE, LENGTH, NAME_PATH

if TYPE_CHECKING:
    from segkit.rules.model.base import Duration


@click.command("evaluate")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--events",
    type=NAME_PATH,
    multiple=True,
    callback=options.pairs,
    help="Read a table of events from here, such as orders=orders.csv; repeatable. Default: where the run read it.",
)
@click.option("--from", "start", type=DATE, help="The first day that counts; default: the day after the run.")
@click.option(
    "--within",
    type=LENGTH,
    help="For how long from that day events count; default: what `[evaluate]` of the run says, or 30 days.",
)
@click.option("--until", type=DATE, help="The last day that counts, in place of --within.")
@click.option(
    "--segment",
    metavar="NAME",
    multiple=True,
    shell_complete=completion.segments_of_runs,
    help="Show this segment only; repeatable. All are counted in what * says.",
)
@click.option(
    "--level",
    type=click.FloatRange(50, 99.9),
    metavar="PERCENT",
    help="The level of the intervals, in percent; default: what `[evaluate]` of the run says, or 95.",
)
@click.option(
    "--metric",
    metavar="NAME",
    multiple=True,
    help="Compare by this: conversion, spend (the default), or an `[evaluate.metric.NAME]` of the run; repeatable.",
)
@click.option(
    "-o", "--output", metavar="FILE|-", type=click.Path(), help="Write one row a comparison here; - is standard output."
)
@options.fail_on
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal,
    run: Path,
    *,
    events: Mapping[str, str],
    start: dt.date | None,
    within: Duration | None,
    until: dt.date | None,
    segment: tuple[str, ...],
    level: float | None,
    metric: tuple[str, ...],
    output: str | None,
    fail_on: str,
    as_json: bool,
) -> int:
    """What came of a run: whether those written bought more than those held out, and one variant more than another.

    RUN is a directory that `segkit apply` has written. All who were written count, whether they have read it or not.
    The rules of the run say how orders are read.
    """
    from segkit.operations.measuring.evaluate import evaluate_run
    from segkit.operations.measuring.settings import Given

    with stages(terminal) as stage:
        result = evaluate_run(
            run,
            events=events,
            given=Given(
                start=start,
                within=within,
                until=until,
                level=None if level is None else float(Decimal(str(level)) / 100),
                metrics=metric,
            ),
            segments=segment,
            output=output,
            fail_on=fail_on,
            stdout=sys.stdout.buffer,
            progress=stage,
        )
    stream = sys.stderr if output == "-" else sys.stdout
    if as_json:
        from segkit.report.as_json import evaluate_json

        if not terminal.quiet:
            terminal.diagnose(result.warnings)
        click.echo(evaluate_json(result), file=stream)
    elif not terminal.quiet:
        from segkit.report.text.measuring.evaluate import evaluate_summary
        from segkit.report.text.screen import show_on

        terminal.diagnose(result.warnings)
        show_on(stream, evaluate_summary(result), color=terminal.colored(stream))
    return 0
