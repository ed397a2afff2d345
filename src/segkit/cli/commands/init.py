"""`segkit init`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from segkit.cli import options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal


@click.command("init")
@click.argument("directories", metavar="[DIR]", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--template",
    type=click.Choice(["shop", "subscription", "leads"]),
    help="Rules and made-up data for a shop (the default), a subscription service, B2B leads.",
)
@click.option(
    "--customers",
    metavar="FILE",
    type=click.Path(),
    help="Make the rules for this customer file, or table, such as sqlite:shop.db#customers.",
)
@click.option(
    "--events",
    metavar="FILE",
    multiple=True,
    type=click.Path(),
    help="Make them for this file or glob of events, such as orders; repeatable: files with the same columns are one "
    "table.",
)
@click.option("--force", is_flag=True, help="Write over files that are there.")
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal,
    directories: tuple[Path, ...],
    *,
    template: str | None,
    customers: str | None,
    events: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> int:
    """Write a first rule file, DIR/segments.toml, which runs as it is: for files of yours, or with data made up.

    Of your files, all rows are read: the key, the days and the money are guessed from names, types and values, and the
    guesses are shown. Nothing personal is written into the rule file.
    """
    from segkit.operations.starting.init import init

    if template is not None and (customers or events):
        raise click.UsageError("`--template` brings data of its own: take it out, or `--customers` and `--events`")
    if len(directories) > 1:
        given = ", ".join(f"'{one}'" for one in directories)
        message = f"one DIR, not {given}: repeat `--events`, or put a pattern such as `orders-*.csv` in quotation marks"
        raise click.UsageError(message)
    with stages(terminal) as stage:
        result = init(
            directories[0] if directories else Path(),
            template=template or "shop",
            customers=customers,
            events=events,
            force=force,
            progress=stage,
        )
    if as_json:
        from segkit.report.as_json.init import init_json

        click.echo(init_json(result))
    elif not terminal.quiet:
        from segkit.report.text.of_rules.init import init_text, next_text
        from segkit.report.text.screen import show_on

        if result.template is None:
            show_on(sys.stdout, init_text(result), "", color=terminal.colored(sys.stdout))
        click.echo(next_text(result))
    if not terminal.quiet:
        terminal.diagnose((*result.warnings, *result.notes))
    return 0
