"""`segkit cache`."""

from __future__ import annotations

from pathlib import Path

import click

from segkit.cli import options
from segkit.cli.terminal import Terminal


@click.command("cache")
@click.argument("what", type=click.Choice(["clear"]), metavar="clear")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@options.talk
@click.pass_obj
def command(terminal: Terminal, *, what: str, folder: Path | None) -> int:
    """Remove what runs keep of large texts (`--cache`).

    DIR is the folder of the cache; default: that of `[cache]` in `segments.toml`.
    """
    from segkit.operations.cache import clear

    terminal.say(clear(folder))
    return 0
