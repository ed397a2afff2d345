"""`segkit check`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from segkit.cli import options
from segkit.cli.terminal import Terminal
from segkit.diagnostics import Severity


@click.command("check")
@options.rules
@click.option("--data", is_flag=True, help="Check against the real columns and values, too.")
@click.option("--relations", is_flag=True, help="Tell which segments are within others, or apart from them.")
@click.option(
    "--against",
    metavar="OLD",
    type=click.Path(path_type=Path),
    help="Tell what changed for each segment since this rule file.",
)
@options.fail_on
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal, rules: Path, *, data: bool, relations: bool, against: Path | None, fail_on: str, as_json: bool
) -> int:
    """Show everything wrong with a rule file, with line and column."""
    from segkit.operations.check import check

    result = check(rules, data=data, relations=relations, against=against)
    severities = {d.severity for d in result.diagnostics}
    if as_json:
        from segkit.report.as_json import check_json

        click.echo(check_json(result))
    else:
        from segkit.report.text.check import check_text, known_text

        terminal.diagnose(result.diagnostics, sys.stdout)
        for line in known_text(result):
            click.echo(line)
        terminal.say(check_text(result))
    return int(Severity.ERROR in severities or (fail_on == "warning" and Severity.WARNING in severities))
