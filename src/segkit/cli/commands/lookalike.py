"""`segkit lookalike`."""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from segkit.cli import completion, options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal


def _percent(ctx: click.Context, param: click.Parameter, value: str) -> Decimal:
    """An exact share above 0, up to 100."""
    try:
        percent = Decimal(value)
        is_share = 0 < percent <= 100
    except InvalidOperation:  # no number, or one that is none, such as nan
        is_share = False
    if not is_share:
        raise click.BadParameter(f"'{value}' is not a share in percent, such as 10", ctx, param)
    return percent


@click.command("lookalike")
@options.rules
@click.option(
    "--seed-segment",
    metavar="NAME",
    required=True,
    shell_complete=completion.segments,
    help="The segment of the rule file whose members are to be resembled.",
)
@click.option(
    "--prospects",
    metavar="PATH",
    type=click.Path(),
    help="Score the rows of this file, which has some of the columns; default: the customers who are not members.",
)
@click.option(
    "--columns",
    metavar="COL,COL",
    callback=options.names,
    help="Ask about these columns alone, as in age,region; default: all that do not say who is a member.",
)
@click.option(
    "--top-percent",
    metavar="PERCENT",
    default="10",
    callback=_percent,
    show_default=True,
    help="How many of the prospects the segment of the saved rules has; ties at the edge are in.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Another number draws other thirds to measure by.",
)
@options.as_of
@click.option(
    "--save-rules", metavar="FILE", type=click.Path(), help="Write the rule file that `segkit apply` runs here."
)
@click.option(
    "-o",
    "--output",
    metavar="FILE|-",
    type=click.Path(),
    help="Write the points of all prospects here; - is standard output.",
)
@options.no_wait
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal,
    rules: Path,
    *,
    seed_segment: str,
    prospects: str | None,
    columns: tuple[str, ...],
    top_percent: Decimal,
    seed: int,
    as_of: dt.date | None,
    save_rules: str | None,
    output: str | None,
    no_wait: bool,
    as_json: bool,
) -> int:
    """Who resembles the members of a segment: a card of points that people read and `segkit apply` counts.

    The card asks for what prospects have, too: columns made of events, consent, the criteria of the segment and
    personal data are left out, which is said.
    """
    from segkit.operations.discovering.lookalike.lookalike import lookalike

    with stages(terminal) as stage:
        result = lookalike(
            rules,
            seed_segment,
            prospects=prospects,
            columns=columns,
            top_percent=top_percent,
            seed=seed,
            as_of=as_of,
            output=output,
            save_rules=save_rules,
            stdout=sys.stdout.buffer,
            wait=not no_wait,
            progress=stage,
        )
    stream = sys.stderr if output == "-" else sys.stdout
    if as_json:
        if not terminal.quiet:
            terminal.diagnose(result.warnings)
        from segkit.report.discovered_as_json.lookalike import lookalike_json

        click.echo(lookalike_json(result), file=stream)
    elif not terminal.quiet:
        from segkit.report.text.discovering.lookalike import lookalike_summary
        from segkit.report.text.screen import show_on

        show_on(stream, lookalike_summary(result), color=terminal.colored(stream))
    return 0
