"""`segkit schema`."""

from __future__ import annotations

from pathlib import Path

import click

from segkit.cli import options
from segkit.io.write import FORMATS


@click.command("schema")
@click.option(
    "-o", "--output", metavar="FILE|-", type=click.Path(), default="-", help="Write it here; default: standard output."
)
@options.talk
def command(output: str) -> int:
    """JSON Schema of the rule file, for editors.

    Begin a rule file with `#:schema ./segkit.schema.json` to have it completed and checked while you type.
    """
    from segkit.rules.schema.json_schema import schema_text

    text = schema_text(FORMATS)
    if output == "-":
        click.echo(text, nl=not text.endswith("\n"))
        return 0
    from segkit.io.publish.folder import publish_file

    with publish_file(Path(output)) as target:
        target.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    return 0
