"""`segkit diff`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from segkit.cli import completion, options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal
from segkit.io.write import STDOUT

FILE = click.Path()


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--segment",
    metavar="NAME",
    multiple=True,
    shell_complete=completion.segments_of_runs,
    help="Compare this segment only; repeatable.",
)
@click.option(
    "--entered", metavar="FILE|-", type=FILE, help="Write who entered which segment here; - is standard output."
)
@click.option("--left", metavar="FILE|-", type=FILE, help="Write who left which segment here.")
@click.option(
    "--moved", metavar="FILE|-", type=FILE, help="Write who moved from where to where here; for exclusive runs."
)
@click.option("--exit-code", is_flag=True, help="Exit 1 when there are differences, 0 when there are none.")
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal,
    old: Path,
    new: Path,
    *,
    segment: tuple[str, ...],
    entered: str | None,
    left: str | None,
    moved: str | None,
    exit_code: bool,
    as_json: bool,
) -> int:
    """Compare two runs: who entered, left and stayed in each segment, and who moved.

    OLD and NEW are directories that `segkit apply` has written, `latest` among them, or their manifest.json.
    """
    from segkit.operations.diff import diff

    with stages(terminal) as stage:
        lists = {"entered": entered, "left": left, "moved": moved}
        result = diff(old, new, segments=segment, **lists, stdout=sys.stdout.buffer, progress=stage)
    stream = sys.stderr if STDOUT in lists.values() else sys.stdout
    if as_json:
        from segkit.report.as_json.history import diff_json

        click.echo(diff_json(result), file=stream)
    elif not terminal.quiet:
        from segkit.report.text.diff import diff_summary
        from segkit.report.text.screen import show_on

        show_on(stream, diff_summary(result), color=terminal.colored(stream))
    return int(exit_code and result.differs)
