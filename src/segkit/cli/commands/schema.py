"""`segkit schema`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from segkit.cli import options
from segkit.cli.progress import stages
from segkit.cli.terminal import Terminal
from segkit.io.write import FORMATS

if TYPE_CHECKING:
    from segkit.rules.schema.json_schema import Schema


@click.command("schema")
@click.option(
    "-o", "--output", metavar="FILE|-", type=click.Path(), default="-", help="Write it here; default: standard output."
)
@click.option(
    "--for", "rules", metavar="RULES", type=click.Path(path_type=Path), help="With the names that this rule file has."
)
@options.talk
@click.pass_obj
def command(terminal: Terminal, *, output: str, rules: Path | None) -> int:
    """JSON Schema of the rule file, for editors.

    Begin a rule file with `#:schema ./segkit.schema.json` to have it completed and checked while you type.
    """
    from segkit.rules.schema.json_schema import json_schema, schema_text

    text = schema_text(json_schema(FORMATS) if rules is None else _schema_of(rules, terminal))
    if output == "-":
        click.echo(text, nl=not text.endswith("\n"))
        return 0
    from segkit.io.publish.folder import publish_file

    with publish_file(Path(output)) as target:
        target.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    return 0


def _schema_of(path: Path, terminal: Terminal) -> Schema:
    from segkit.operations.columns import columns_of
    from segkit.rules.schema.of_file import schema_of_file
    from segkit.rules.text.loader import load_rules

    with stages(terminal) as stage:
        loaded = load_rules(path, formats=FORMATS, needs_segments=False)
        known = columns_of(loaded, values=True, progress=stage)
    if not terminal.quiet:
        terminal.diagnose(known.notes)
    return schema_of_file(FORMATS, loaded.rules, known)
