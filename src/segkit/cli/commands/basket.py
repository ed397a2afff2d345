"""`segkit basket`."""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from segkit.cli import options, orders
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal
from segkit.cli.types import EXACT

if TYPE_CHECKING:
    from segkit.discoveries.basket import By, Sort


@click.command("basket")
@options.events_or_rules
@click.option("--item", metavar="COL", help="What was bought, such as the product; guessed where not given.")
@options.key
@options.time
@options.id_
@options.where
@options.sheet
@options.event_table
@click.option(
    "--by",
    type=click.Choice(["order", "customer"]),
    help="What a basket is; default: an order, where rows say of which one they are.",
)
@click.option(
    "--support",
    type=EXACT,
    default="1",
    show_default=True,
    help="Only what is in so many percent of the baskets, or more.",
)
@click.option(
    "--min-count", metavar="N", type=click.IntRange(min=1), help="The same as a number of baskets, in its place."
)
@click.option(
    "--confidence",
    type=EXACT,
    default="25",
    show_default=True,
    help="Of the baskets with the left side, so many percent have the right one.",
)
@click.option(
    "--lift",
    type=EXACT,
    default="1",
    show_default=True,
    help="That is so many times the share among all baskets.",
)
@click.option(
    "--max-length",
    metavar="N",
    type=click.IntRange(min=2, max=10),
    default=3,
    show_default=True,
    help="Most items of a rule, both sides together.",
)
@click.option(
    "--sort",
    type=click.Choice(["lift", "confidence", "support"]),
    default="lift",
    show_default=True,
    help="Which rules come first.",
)
@click.option(
    "--top",
    metavar="N",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Show so many rules, and save so many segments at most.",
)
@options.as_of
@click.option(
    "--save-rules",
    metavar="FILE.toml",
    type=click.Path(),
    help="Write a rule file here: who to offer what, a segment for each right side.",
)
@click.option(
    "-o", "--output", metavar="FILE|-", type=click.Path(), help="Write one row a rule here; - is standard output."
)
@options.as_json
@options.talk
@click.pass_context
def command(
    ctx: click.Context,
    data: tuple[str, ...],
    *,
    item: str | None,
    key: str | None,
    time: str | None,
    id_: str | None,
    where: str | None,
    sheet: str | None,
    events: str | None,
    by: By | None,
    support: Decimal,
    min_count: int | None,
    confidence: Decimal,
    lift: Decimal,
    max_length: int,
    sort: Sort,
    top: int,
    as_of: dt.date | None,
    save_rules: str | None,
    output: str | None,
    as_json: bool,
) -> int:
    """What is bought together, and who lacks it: rules such as "bread and ham, so butter", counted exactly.

    EVENTS is a file or glob of order lines, or several, read as one table; - is standard input. What --item, --key,
    --time and --id do not say is guessed from names and types, and the guess is shown. RULES is a rule file (.toml):
    its customers, and one of its event tables.
    """
    if min_count is not None and ctx.get_parameter_source("support") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--support and --min-count say the same thing in two ways; give one of them.", ctx)
    from segkit.discoveries.basket import Least
    from segkit.operations.discovering.basket.basket import basket

    terminal = ctx.ensure_object(Terminal)
    with stages(terminal) as stage:
        result = basket(
            data,
            key=key,
            time=time,
            id=id_,
            item=item,
            where=where,
            sheet=sheet,
            events=events,
            by=by,
            least=Least(support=support, confidence=confidence, lift=lift, length=max_length, baskets=min_count),
            sort=sort,
            top=top,
            as_of=as_of,
            save_rules=save_rules,
            output=output,
            stdout=sys.stdout.buffer,
            progress=stage,
        )
    from segkit.report.discovered_as_json.basket import basket_json
    from segkit.report.text.discovering.basket import basket_summary

    stream = sys.stderr if output == "-" else sys.stdout
    orders.show(result, terminal, stream, as_json=basket_json if as_json else None, as_text=basket_summary)
    return 0
