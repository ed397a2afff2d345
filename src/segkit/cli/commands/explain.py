"""`segkit explain`."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click

from segkit.cli import completion, options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal


@click.command("explain")
@options.rules
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@click.option("--segment", metavar="NAME", shell_complete=completion.segments, help="Only this segment.")
@options.as_of
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal,
    rules: Path,
    *,
    keys: tuple[str, ...],
    segment: str | None,
    as_of: dt.date | None,
    as_json: bool,
) -> int:
    """Why customers are, or are not, in each segment: what is wanted, what there is, which gate stopped them.

    Without a key, the funnel of each segment: how many customers satisfy each criterion, and how many are left then.
    """
    from segkit.operations.explain import explain

    with stages(terminal) as stage:
        personal = sys.stderr.isatty()
        result = explain(rules, keys, segment=segment, as_of=as_of, personal=personal, progress=stage)
    if not terminal.quiet:
        terminal.diagnose((*result.warnings, *result.notes))
    if as_json:
        from segkit.report.as_json import explain_json

        click.echo(explain_json(result))
    else:
        from segkit.report.text.explain import explain_text
        from segkit.report.text.screen import show_on

        show_on(sys.stdout, explain_text(result), color=terminal.colored(sys.stdout))
    if not result.unknown:
        return 0
    from segkit.diagnostics import Diagnostic

    keys_of_nobody = ", ".join(f"`{key}`" for key in result.unknown)
    terminal.diagnose([Diagnostic(f"no customer has the key {keys_of_nobody}", hint=result.hint)])
    return 3
