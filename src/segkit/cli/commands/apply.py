"""`segkit apply`."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from segkit.cli import options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal
from segkit.cli.types import FORMAT, KEY_VALUE
from segkit.engines.registry import ENGINES, LOCAL, Asked, Resources

if TYPE_CHECKING:
    from segkit.operations.reporting.after import ReportOf
    from segkit.results.apply import ApplyResult


@click.command("apply")
@options.rules
@click.option("-o", "--output", metavar="DIR|-", type=click.Path(), help="Write here instead; - is standard output.")
@click.option("--format", "format_", type=FORMAT, help="Format of the outputs.")
@options.select
@options.as_of
@options.customers
@options.events
@options.dry_run
@options.previous
@options.accept_changes
@options.replace
@options.save_cutoffs
@options.report
@options.no_wait
@options.memory("apply")
@click.option("--buckets", type=click.IntRange(1, 1_000), metavar="N", help="Compute the customers in so many buckets.")
@click.option(
    "--engine",
    type=click.Choice([*ENGINES]),
    default=LOCAL,
    show_default=True,
    help="What computes the customers: this machine, or a cluster.",
)
@click.option(
    "--master",
    metavar="URL",
    help="Of a cluster, such as spark://HOST:7077 or sc://HOST:15002; default: the variable SPARK_REMOTE.",
)
@click.option(
    "--engine-option",
    type=KEY_VALUE,
    multiple=True,
    callback=options.pairs,
    help="A setting of the engine, such as spark.executor.memory=4g; repeatable.",
)
@click.option(
    "--work",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder for what lies on disk in between; all machines of a cluster see it.",
)
@options.cache
@options.log
@click.option("--summary", type=click.Choice(["table", "json", "none"]), help="What to print; default: table.")
@click.option("--json", "summary", flag_value="json", help="Short for --summary json.")
@options.fail_on
@options.talk
@click.pass_obj
def command(
    terminal: Terminal,
    rules: Path,
    *,
    output: str | None,
    format_: str | None,
    select: tuple[str, ...],
    as_of: dt.date | None,
    customers: str | None,
    events: Mapping[str, str],
    dry_run: bool,
    previous: str | None,
    accept_changes: bool,
    replace: bool,
    save_cutoffs: str | None,
    report: str | None,
    no_wait: bool,
    memory: int | None,
    buckets: int | None,
    engine: str,
    master: str | None,
    engine_option: Mapping[str, str],
    work: Path | None,
    cache: str | None,
    summary: str | None,
    fail_on: str,
) -> int:
    """Run a rule file: one labelled output a segment, and a summary of who is in it and why others are not.

    With `-o -` the rows go to standard output, with their label, and the summary to standard error.
    """
    from segkit.operations.apply import apply

    page = _page(report) if report is not None else None
    if terminal.log:
        terminal.log.rules = str(rules)

    def published(result: ApplyResult) -> None:
        terminal.published = result.directory
        if terminal.log:
            terminal.log.result = result

    with stages(terminal) as stage:
        result = apply(
            rules,
            output=output,
            format=format_,
            select=select,
            as_of=as_of,
            customers=customers,
            events=events,
            dry_run=dry_run,
            previous=previous,
            accept_changes=accept_changes,
            replace=replace,
            save_cutoffs=save_cutoffs,
            report=page,
            fail_on=fail_on,
            wait=not no_wait,
            stdout=sys.stdout.buffer,
            progress=stage,
            notes=terminal.note,
            on_published=published,
            resources=Resources(
                memory=memory,
                buckets=buckets,
                engine=Asked(engine, master, engine_option),
                work=work,
                cache=cache,
            ),
        )
    if terminal.log:
        terminal.log.result = result
    to_stdout = output == "-" and not dry_run
    show(result, terminal, summary, sys.stderr if to_stdout else sys.stdout)
    return 0


def _page(path: str) -> ReportOf:
    from segkit.cli.commands.report import page
    from segkit.operations.reporting.after import ReportOf

    return ReportOf(path, page())


def show(result: ApplyResult, terminal: Terminal, summary: str | None, stream: TextIO) -> None:
    """Print the summary that was asked for, or the table where none was; with `-q`, only one that was asked for."""
    summary = summary or ("none" if terminal.quiet else "table")
    if summary == "json":
        from segkit.report.as_json.apply import apply_json

        if not terminal.quiet:
            terminal.diagnose(result.warnings)
        click.echo(apply_json(result), file=stream)
        return
    if terminal.verbose or summary == "table":
        from segkit.report.text.apply import apply_summary
        from segkit.report.text.detected import detected
        from segkit.report.text.screen import show_on  # with Rich: 0.03 s

        if terminal.verbose:
            show_on(sys.stderr, detected(result.tables), color=terminal.colored(sys.stderr))
        if summary == "table":
            show_on(stream, apply_summary(result), color=terminal.colored(stream))
    if summary == "none" and not terminal.quiet:
        terminal.diagnose((*result.warnings, *result.notes))
