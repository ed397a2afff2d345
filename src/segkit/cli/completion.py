"""What the shell offers after an option that takes a name: the segments and event tables of what is named before it.

Where that cannot be read, nothing is offered, and nothing said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem


def segments(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The segments of the rule file on the command line, each with its label."""
    tables = _tables(ctx, "segment")
    labels = {name: table.get("label") if isinstance(table, dict) else None for name, table in tables.items()}
    return _offered(labels, ctx.params.get(str(param.name)), incomplete)


def event_tables(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The event tables of the rule file on the command line, each with its path."""
    tables = _tables(ctx, "events")
    paths = {name: table.get("path") if isinstance(table, dict) else None for name, table in tables.items()}
    return _offered(paths, ctx.params.get(str(param.name)), incomplete)


def segments_of_runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The segments of the two runs on the command line."""
    names: dict[str, None] = {}
    for run in _words(ctx)[:2]:
        listed = _manifest(Path(run)).get("segments")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and isinstance(one.get("name"), str):
                names[one["name"]] = None
    return _offered(names, ctx.params.get(str(param.name)), incomplete)


def _offered(names: Mapping[str, Any], given: Any, incomplete: str) -> list[CompletionItem]:
    """The names that begin so and are not given yet, in the order of the file."""
    before: Iterable[str] = given if isinstance(given, (tuple, dict)) else ()
    return [
        CompletionItem(name, help=help_ if isinstance(help_, str) else None)
        for name, help_ in names.items()
        if name.startswith(incomplete) and name not in before
    ]


def _tables(ctx: click.Context, section: str) -> Mapping[str, Any]:
    """The tables of a section of the rule file: the text alone is looked at, whether it is valid or not."""
    import tomli  # 0.01 s, which `--help` does without

    path = _rule_file(ctx)
    try:
        data = tomli.loads(path.read_text(encoding="utf-8-sig")) if path else {}
    except (OSError, ValueError):
        return {}
    tables = data.get(section)
    return tables if isinstance(tables, dict) else {}


def _rule_file(ctx: click.Context) -> Path | None:
    """The rule file on the command line so far: the first word, or of files of data, the first that ends in `.toml`."""
    words = _words(ctx)
    if any(param.name == "rules" for param in ctx.command.params):
        words = words[:1]
    else:
        words = [word for word in words if word.endswith(".toml")][:1]
    return Path(words[0]) if words else None


def _words(ctx: click.Context) -> list[str]:
    """What stands on the command line beside options; an option without its value keeps click from sorting it."""
    sorted_ = [ctx.params.get(str(param.name)) for param in ctx.command.params if isinstance(param, click.Argument)]
    words = [value for one in sorted_ for value in (one if isinstance(one, tuple) else (one,)) if value is not None]
    return [str(word) for word in (*words, *ctx.args)]


def _manifest(run: Path) -> Mapping[str, Any]:
    import json

    try:
        data = json.loads((run if run.suffix == ".json" else run / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
