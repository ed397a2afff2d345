"""Starting the engine that is asked for, and what keeps a run from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from segkit.engines.cluster import shown
from segkit.engines.engine import Engine
from segkit.engines.registry import CONNECT, LOCAL, MODULES, REMOTE, Asked, Resources
from segkit.errors import RuleError
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import sources_of


def require_fit(resources: Resources, rules: RuleFile, base: Path, *, to_stdout: bool) -> None:
    """RuleError where the engine cannot be had so, or cannot run these rules."""
    asked = resources.engine
    if asked.name == LOCAL:
        for option, value in (("--master", asked.master), ("--engine-option", asked.options)):
            if value:
                raise RuleError.of(f"`{option}` is for other engines than `{LOCAL}`", hint="add `--engine spark`")
        return
    engine = f"`--engine {asked.name}`"
    if not _master(asked):
        hint = f"such as `--master spark://HOST:7077`, or in the variable {REMOTE}"
        raise RuleError.of(f"{engine} needs a master", hint=hint)
    if resources.work is None:
        hint = "give `--work DIR`: rows are there in between, and gone afterwards"
        raise RuleError.of(f"{engine} needs a folder that all machines see", hint=hint)
    if to_stdout:
        hint = "write to a folder (`-o DIR`), or take the engine out"
        raise RuleError.of(f"{engine} writes files, and nothing to standard output", hint=hint)
    if pipe := next(_pipes(rules, base), None):
        hint = "write what comes through it to a file, and give its path"
        raise RuleError.of(f"{engine} reads files, and `{pipe}` can be read but once", hint=hint)


def started(asked: Asked, log: Path, progress: Callable[[str], None]) -> Engine | None:
    """The engine, of which a file has the log; None where this process is all that there is."""
    master = _master(asked)
    if asked.name == LOCAL or master is None:
        return None
    extra = "spark-connect" if master.startswith(CONNECT) else asked.name
    try:
        module = import_module(MODULES[extra])
    except ImportError as error:
        hint = f'install it, here and on all machines: `pip install "segkit-cli[{extra}]"`'
        message = f"`--engine {asked.name}` needs an extra of segkit, which is not installed"
        raise RuleError.of(message, hint=hint) from error
    progress(f"asking {shown(master)} for machines")
    engine: Engine = module.start(master, asked.options, log)
    return engine


def _master(asked: Asked) -> str | None:
    return asked.master or os.environ.get(REMOTE)


def _pipes(rules: RuleFile, base: Path) -> Iterator[str]:
    for _, source, _ in sources_of(rules):
        for path in (source.path,) if isinstance(source.path, str) else source.path:
            if path == "-" or (base / path).is_fifo():
                yield path
