"""`segkit rfm`."""

from __future__ import annotations

import datetime as dt
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from segkit.cli import options, orders
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal

if TYPE_CHECKING:
    from segkit.operations.rfm import Chart


@click.command("rfm")
@click.argument("data", type=click.Path(), nargs=-1, required=True)
@options.key
@options.time
@options.amount
@options.id_
@options.where
@options.sheet
@options.as_of
@click.option("--bins", type=click.IntRange(2, 10), help="How many scores there are; 5 by default.")
@click.option(
    "--method",
    type=click.Choice(["quantile", "nested"]),
    help="Quantiles over all customers (the default), or nested: of F within each R score, of M within these.",
)
@click.option(
    "--ties",
    type=click.Choice(["low", "high", "split"]),
    help="The score of equal values: that of the lowest (the default) or the highest of them, or split by key.",
)
@click.option("--cutoffs", metavar="FILE", type=click.Path(), help="Score with the cutoffs that were saved here.")
@click.option(
    "--map",
    "map_",
    type=click.Choice(["standard", "rf"]),
    default="standard",
    show_default=True,
    help="From scores to segments: 11 by R, F and M, or 10 by R and F.",
)
@click.option(
    "-o", "--output", metavar="FILE|-", type=click.Path(), help="Write one row a customer here; - is standard output."
)
@click.option(
    "--save-cutoffs", metavar="FILE", type=click.Path(), help="Write the cutoffs here, to score later days with them."
)
@click.option("--chart", metavar="FILE", type=click.Path(), help="Draw the R x F grid and the segments: .svg or .png.")
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
    as_of: dt.date | None,
    bins: int | None,
    method: str | None,
    ties: str | None,
    cutoffs: str | None,
    map_: str,
    output: str | None,
    save_cutoffs: str | None,
    chart: str | None,
    as_json: bool,
) -> int:
    """RFM table of an orders file: how recently, how often and for how much each customer bought.

    DATA is a file or glob of orders, or several, read as one table, or a customer file with recency, frequency and
    monetary columns; - is standard input. What --key, --time, --amount and --id do not say is guessed from names and
    types, and the guess is shown.
    """
    from segkit.operations.rfm import rfm

    picture = _chart(chart) if chart is not None else None
    with stages(terminal) as stage:
        result = rfm(
            data,
            key=key,
            time=time,
            amount=amount,
            id=id_,
            where=where,
            sheet=sheet,
            as_of=as_of,
            bins=bins,
            method=method,
            ties=ties,
            cutoffs=cutoffs,
            map=map_,
            output=output,
            save_cutoffs=save_cutoffs,
            chart=picture,
            stdout=sys.stdout.buffer,
            progress=stage,
        )
    from segkit.report.as_json.rfm import rfm_json
    from segkit.report.text.rfm import rfm_summary

    stream = sys.stderr if output == "-" else sys.stdout
    orders.show(result, terminal, stream, as_json=rfm_json if as_json else None, as_text=rfm_summary)
    return 0


def _chart(path: str) -> Chart:
    """The chart to draw; `RuleError` where it cannot be drawn in this format, or with what is installed."""
    from segkit.operations.rfm import Chart
    from segkit.report.chart import check_chart, drawn

    check_chart(path)
    return Chart(path, partial(drawn, path=path))
