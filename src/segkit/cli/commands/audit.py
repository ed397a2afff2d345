"""`segkit audit`."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING

import click

from segkit.cli import options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal
from segkit.cli.types import LENGTH
from segkit.diagnostics import Severity
from segkit.io.write import STDOUT

if TYPE_CHECKING:
    from segkit.operations.auditing.audit import Kind
    from segkit.rules.model.base import Duration


@click.command("audit")
@click.argument("data", metavar="FILE...|RULES", type=click.Path(), nargs=-1, required=True)
@click.option("--key", metavar="COL", help="The column that tells whose a row is; guessed where not given.")
@click.option("--kind", type=click.Choice(["customers", "events"]), help="What the rows are; guessed where not given.")
@options.sheet
@options.as_of
@click.option("--obsolete", type=LENGTH, help="Who was not seen for so long is told as old; default: 3 years.")
@click.option(
    "-o", "--output", metavar="FILE|-", type=click.Path(), help="Write one row a finding here; - is standard output."
)
@click.option(
    "--rows",
    metavar="FILE",
    type=click.Path(),
    help="Write the rows found, for repair: with their values, so that only you can read the file.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["warning", "error"]),
    default="error",
    show_default=True,
    help="Exit 1 when there is one of these; an error is a promise of `[audit]` that does not hold.",
)
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal,
    data: tuple[str, ...],
    *,
    key: str | None,
    kind: Kind | None,
    sheet: str | None,
    as_of: dt.date | None,
    obsolete: Duration | None,
    output: str | None,
    rows: str | None,
    fail_on: str,
    as_json: bool,
) -> int:
    """What is in the files, before anyone believes a segment: gaps, doubles, values that cannot be right.

    Each FILE, or glob of files with the same columns, is a table; - is standard input. RULES is a rule file (.toml):
    its sources. Nothing is changed, and of personal columns no value is shown but in --rows: only how values look.
    """
    from segkit.operations.auditing.audit import audit

    with stages(terminal) as stage:
        result = audit(
            data,
            key=key,
            kind=kind,
            sheet=sheet,
            as_of=as_of,
            obsolete=obsolete,
            output=output,
            rows=rows,
            stdout=sys.stdout.buffer,
            progress=stage,
        )
    stream = sys.stderr if output == STDOUT else sys.stdout
    if as_json:
        from segkit.report.audit_as_json import audit_json

        click.echo(audit_json(result), file=stream)
    elif not terminal.quiet:
        from segkit.report.text.measuring.audit import audit_text
        from segkit.report.text.screen import show_on

        show_on(stream, audit_text(result), color=terminal.colored(stream))
    for path in (output, rows):
        if path not in (None, STDOUT):
            terminal.say(f"written: {path}")
    fails = {Severity.ERROR, Severity.WARNING} if fail_on == "warning" else {Severity.ERROR}
    grave = [one.told for one in result.findings if one.severity in fails]
    if terminal.quiet and not as_json:
        terminal.diagnose(grave)  # what the exit code is for: nothing else was said
    return 1 if grave else 0
