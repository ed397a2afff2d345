"""`segkit columns`."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click

from segkit.cli import options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal


@click.command("columns")
@options.rules
@click.option(
    "--values", is_flag=True, help="Read all rows: how many have a value, and which; personal data is not shown."
)
@options.as_of
@options.as_json
@options.talk
@click.pass_obj
def command(terminal: Terminal, rules: Path, *, values: bool, as_of: dt.date | None, as_json: bool) -> int:
    """Show what conditions can be written on: each column of each table, its type, where it comes from, who uses it."""
    from segkit.operations.columns import columns

    with stages(terminal) as stage:
        result = columns(rules, values=values, as_of=as_of, progress=stage)
    if not terminal.quiet:
        terminal.diagnose(result.notes)
    if as_json:
        from segkit.report.as_json.columns import columns_json

        click.echo(columns_json(result))
    else:
        from segkit.report.text.of_rules.columns import columns_text
        from segkit.report.text.screen import show_on

        show_on(sys.stdout, columns_text(result), color=terminal.colored(sys.stdout))
    return 0
