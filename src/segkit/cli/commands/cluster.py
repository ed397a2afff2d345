"""`segkit cluster`."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click

from segkit.cli import options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal

MOST = 50
"""More personas nobody can tell apart."""


@click.command("cluster")
@options.rules
@click.option(
    "--columns", metavar="COL,COL", callback=options.names, help="The columns of numbers that personas are made of."
)
@click.option(
    "--k",
    metavar="N",
    type=click.IntRange(2, MOST),
    help="How many personas; default: the most of 3 to 8 that are stable, and none small.",
)
@click.option(
    "--leaves",
    metavar="N",
    type=click.IntRange(2, 8 * MOST),
    help="How many rules there are at most; default: two for each persona.",
)
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Another number begins the search elsewhere.",
)
@options.as_of
@click.option(
    "--save-rules", metavar="FILE", type=click.Path(), help="Write the rule file that `segkit apply` runs here."
)
@click.option(
    "-o",
    "--output",
    metavar="FILE|-",
    type=click.Path(),
    help="Write the persona of each customer here; - is standard output.",
)
@options.no_wait
@options.as_json
@options.talk
@click.pass_obj
def command(
    terminal: Terminal,
    rules: Path,
    *,
    columns: tuple[str, ...],
    k: int | None,
    leaves: int | None,
    seed: int,
    as_of: dt.date | None,
    save_rules: str | None,
    output: str | None,
    no_wait: bool,
    as_json: bool,
) -> int:
    """Personas: groups of customers who are alike in some columns, and rules that say who is in which.

    The groups are those of k-means; a decision tree makes rules of them, which people read and `segkit apply` runs.
    """
    from segkit.operations.discovering.cluster.cluster import cluster

    with stages(terminal) as stage:
        result = cluster(
            rules,
            columns,
            k=k,
            leaves=leaves,
            seed=seed,
            as_of=as_of,
            output=output,
            save_rules=save_rules,
            stdout=sys.stdout.buffer,
            wait=not no_wait,
            progress=stage,
        )
    stream = sys.stderr if output == "-" else sys.stdout
    if as_json:
        if not terminal.quiet:
            terminal.diagnose(result.warnings)
        from segkit.report.discovered_as_json.cluster import cluster_json

        click.echo(cluster_json(result), file=stream)
    elif not terminal.quiet:
        from segkit.report.text.discovering.cluster import cluster_summary
        from segkit.report.text.screen import show_on

        show_on(stream, cluster_summary(result), color=terminal.colored(stream))
    return 0
