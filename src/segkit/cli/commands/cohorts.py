"""`segkit cohorts`."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING

import click

from segkit.cli import completion, options, orders
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal

if TYPE_CHECKING:
    from segkit.columns.features.cohorts.periods import By
    from segkit.operations.cohorts import Show


@click.command("cohorts")
@options.events_or_rules
@options.key
@options.time
@options.amount
@options.id_
@options.where
@options.sheet
@options.event_table
@click.option(
    "--segment",
    metavar="NAME",
    shell_complete=completion.segments,
    help="Only customers who match this segment of the rule file.",
)
@click.option(
    "--by",
    type=click.Choice(["week", "month", "quarter"]),
    default="month",
    show_default=True,
    help="What a period is; weeks are those of ISO 8601.",
)
@click.option(
    "--show",
    type=click.Choice(["customers", "percent", "revenue"]),
    default="percent",
    show_default=True,
    help="What stands in the cells; JSON has all three.",
)
@options.as_of
@click.option(
    "-o", "--output", metavar="FILE|-", type=click.Path(), help="Write one row a cohort here; - is standard output."
)
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal,
    data: tuple[str, ...],
    *,
    key: str | None,
    time: str | None,
    amount: str | None,
    id_: str | None,
    where: str | None,
    sheet: str | None,
    events: str | None,
    segment: str | None,
    by: By,
    show: Show,
    as_of: dt.date | None,
    output: str | None,
    as_json: bool,
) -> int:
    """Retention of cohorts: customers by the period of their first event, and who has one in each period since.

    EVENTS is a file or glob of events, or several, read as one table; - is standard input. What --key, --time, --amount
    and --id do not say is guessed from names and types, and the guess is shown. RULES is a rule file (.toml): its
    customers, and one of its event tables.
    """
    from segkit.operations.cohorts import cohorts

    with stages(terminal) as stage:
        result = cohorts(
            data,
            key=key,
            time=time,
            amount=amount,
            id=id_,
            where=where,
            sheet=sheet,
            events=events,
            segment=segment,
            by=by,
            show=show,
            as_of=as_of,
            output=output,
            stdout=sys.stdout.buffer,
            progress=stage,
        )
    from segkit.report.as_json.cohorts import cohorts_json
    from segkit.report.text.measuring.cohorts import cohorts_summary

    stream = sys.stderr if output == "-" else sys.stdout
    orders.show(result, terminal, stream, as_json=cohorts_json if as_json else None, as_text=cohorts_summary)
    return 0
