"""`segkit test`."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click

from segkit.cli import options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal
from segkit.cli.types import DATE


@click.command("test")
@options.rules
@click.option("--select", metavar="NAME", multiple=True, help="Run this test, or all that fit `NAME*`; repeatable.")
@click.option("--as-of", type=DATE, help='The day that is "now", for tests that do not say it.')
@click.option("--junit", metavar="FILE", type=click.Path(), help="Write the results here, too, as JUnit XML.")
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal,
    rules: Path,
    *,
    select: tuple[str, ...],
    as_of: dt.date | None,
    junit: str | None,
    as_json: bool,
) -> int:
    """Run the tests of a rule file, without its data: customers made up, and the segments that they must be in.

    Exit 1 when one fails, 2 when one asks what a test cannot tell.
    """
    from segkit.operations.test import test

    with stages(terminal) as stage:
        result = test(rules, select=select, as_of=as_of, progress=stage)
    if junit is not None:
        from segkit.io.publish.folder import publish_file
        from segkit.report.junit import junit_xml

        with publish_file(Path(junit)) as target:
            target.write_text(junit_xml(result), encoding="utf-8")
    if as_json:
        from segkit.report.as_json.test import test_json

        click.echo(test_json(result))
    elif result.failed or not terminal.quiet:
        from segkit.report.text.screen import show_on
        from segkit.report.text.test import tests_text

        show_on(sys.stdout, tests_text(result, verbose=terminal.verbose), color=terminal.colored(sys.stdout))
    return int(result.failed > 0)
