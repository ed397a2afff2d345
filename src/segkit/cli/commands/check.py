"""`segkit check`."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click
from click.core import ParameterSource

from segkit import __version__
from segkit.cli import options
from segkit.cli.terminal import Terminal
from segkit.diagnostics import Severity
from segkit.results.check import CheckResult


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
@options.as_of
@options.memory("check")
@options.cache
@options.fail_on
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "github", "sarif"]),
    help="How to say it: for people (text, the default), as one JSON object, as workflow commands of GitHub Actions, "
    "as SARIF 2.1.0.",
)
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal,
    rules: Path,
    *,
    data: bool,
    relations: bool,
    against: Path | None,
    as_of: dt.date | None,
    memory: int | None,
    cache: str | None,
    fail_on: str,
    format_: str | None,
    as_json: bool,
) -> int:
    """Show everything wrong with a rule file, with line and column."""
    from segkit.addresses import without_secrets
    from segkit.errors import RuleError
    from segkit.operations.check import check

    if as_json and format_ not in (None, "json"):
        raise click.UsageError(f"`--json` is `--format json`, and `--format {format_}` is another one")
    given = click.get_current_context().get_parameter_source("memory")
    if given is ParameterSource.COMMANDLINE and not data:
        raise click.UsageError("`--memory` is for `--data`: without data, there is nothing to compute")
    form = "json" if as_json else format_ or "text"
    try:
        result = check(
            rules,
            data=data,
            relations=relations,
            against=against,
            as_of=as_of,
            memory=memory,
            cache=cache,
            notes=terminal.note,
        )
    except RuleError as error:
        if form == "text":
            raise
        # Whoever reads this reads standard output, whatever is wrong with the file.
        _show(CheckResult(without_secrets(str(rules)), tuple(error.diagnostics)), form, terminal)
        return error.exit_code
    _show(result, form, terminal)
    severities = {d.severity for d in result.diagnostics}
    return int(Severity.ERROR in severities or (fail_on == "warning" and Severity.WARNING in severities))


def _show(result: CheckResult, format_: str, terminal: Terminal) -> None:
    match format_:
        case "json":
            from segkit.report.as_json.check import check_json

            click.echo(check_json(result))
        case "sarif":
            from segkit.report.annotations.sarif import check_sarif

            click.echo(check_sarif(result, __version__))
        case "github":
            from segkit.report.annotations.github import check_github
            from segkit.report.text.check import check_text

            if result.diagnostics:
                click.echo(check_github(result))
            terminal.say(check_text(result))
        case _:
            from segkit.report.text.check import check_text, known_text, named

            terminal.diagnose(result.diagnostics, sys.stdout, name=named)
            for line in known_text(result):
                click.echo(line)
            if result.mavr and not terminal.quiet:
                from segkit.report.text.checking.mavr import segments_text
                from segkit.report.text.screen import show_on  # with Rich: 0.03 s

                tables = segments_text(result)
                gap = [""] if result.diagnostics else []
                show_on(sys.stdout, *gap, tables, color=terminal.colored(sys.stdout))
            terminal.say(check_text(result))
