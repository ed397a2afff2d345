"""Standard input can be read once: by the rule file, or by one source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segkit import codes
from segkit.diagnostics import Diagnostic
from segkit.rules import walk
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import sources_of
from segkit.rules.text.loader import STDIN, Loaded

DASH = "-"
HINT = "give one of them as a file, or as `<(COMMAND)`"


def check_standard_input(loaded: Loaded) -> list[Diagnostic]:
    """An error for each reader of standard input but the first."""
    # A table that has its path from another one by `like` reads the same rows: it is no second reader.
    readers = [(name, path) for name, path in _readers(loaded.rules) if path not in loaded.source.origins]
    if loaded.source.path == STDIN:
        return [_twice(loaded, reader, "which holds the rule file") for reader in readers]
    first, *others = readers or [("", ())]
    said = f"as {first[0]} does at {loaded.source.at(*first[1])}" if others else ""
    return [_twice(loaded, reader, said) for reader in others]


def _twice(loaded: Loaded, reader: tuple[str, KeyPath], who: str) -> Diagnostic:
    name, path = reader
    message = f"{name} reads standard input, {who}: it can be read once"
    return loaded.source.placed(Finding(path, message, HINT, code=codes.CONTRADICTION))


def _readers(rules: RuleFile) -> Iterator[tuple[str, KeyPath]]:
    """What reads standard input, and where the rule file says so.

    Suppression lists and zones are read once for all who name them.
    """
    for _, source, path in sources_of(rules):
        if source.path == DASH:
            yield f"`[{'.'.join(map(str, path))}]`", (*path, "path")
    yield from list(_suppressed(rules))[:1]
    yield from list(_zones(rules))[:1]


def _suppressed(rules: RuleFile) -> Iterator[tuple[str, KeyPath]]:
    for path, _, permission in walk.permissions(rules):
        yield from (("`suppress`", (*path, "suppress", n)) for n in _dashes(permission.suppress))


def _zones(rules: RuleFile) -> Iterator[tuple[str, KeyPath]]:
    for path, block in walk.blocks(rules):
        names = [inside.path for inside in block.geographic.inside]
        yield from (("`inside`", (*path, "geographic", "inside", n)) for n in _dashes(names))


def _dashes(paths: Sequence[str]) -> list[int]:
    return [position for position, path in enumerate(paths) if path == DASH]
