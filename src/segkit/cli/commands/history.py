"""`segkit history`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

import click

from segkit.cli import completion, options
from segkit.cli.terminal import Terminal
from segkit.io.write import STDOUT


@click.command("history")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--segment",
    metavar="NAME",
    multiple=True,
    shell_complete=completion.segments_of_runs,
    help="Show this segment only; repeatable.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE|-",
    type=click.Path(),
    help="Write one row a segment and day here; - is standard output.",
)
@click.option("--moves", is_flag=True, help="Show who moved between the values of the columns of `track` instead.")
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal, directory: Path, *, segment: tuple[str, ...], output: str | None, moves: bool, as_json: bool
) -> int:
    """The segments over time: their sizes, how many stayed from run to run, and what they bought until the next one.

    DIR is where `segkit apply` writes with `[output] history = true`, or for --moves with `track`.
    """
    stream = sys.stderr if output == STDOUT else sys.stdout
    if moves:
        if segment:
            raise click.UsageError("--moves is of all customers, and --segment of the lines of the history.")
        _show_moves(terminal, directory, output, stream, as_json=as_json)
        return 0
    from segkit.operations.measuring.history import history_of

    result = history_of(directory, segments=segment, output=output, stdout=sys.stdout.buffer)
    if as_json:
        from segkit.report.as_json.history import history_json

        click.echo(history_json(result), file=stream)
    elif not terminal.quiet:
        from segkit.report.text.measuring.history import history_summary
        from segkit.report.text.screen import show_on

        show_on(stream, history_summary(result), color=terminal.colored(stream))
    return 0


def _show_moves(terminal: Terminal, directory: Path, output: str | None, stream: TextIO, *, as_json: bool) -> None:
    from segkit.operations.measuring.history import moves_of

    result = moves_of(directory, output=output, stdout=sys.stdout.buffer)
    if as_json:
        from segkit.report.as_json.history import moves_json

        click.echo(moves_json(result), file=stream)
    elif not terminal.quiet:
        from segkit.report.text.measuring.moves import moves_summary
        from segkit.report.text.screen import show_on

        show_on(stream, moves_summary(result), color=terminal.colored(stream))
