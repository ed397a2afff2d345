"""Keys of a source that files of its kind do not take, such as the delimiter of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segkit import codes
from segkit.addresses import database_of
from segkit.diagnostics import Diagnostic
from segkit.io.read import Label, Table
from segkit.io.read.registry import KINDS, kind_by_name, not_taken
from segkit.operations.evaluation.diagnose import placed
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.model.sources import Source
from segkit.rules.tables import sources_of
from segkit.rules.text.loader import Loaded


def other_keys_by_name(loaded: Loaded) -> Iterator[Diagnostic]:
    """An error for each such key, as far as the names of the files tell what they are."""
    for _, source, path in sources_of(loaded.rules):
        texts = (source.path,) if isinstance(source.path, str) else source.path
        told = [(kind, Label(text)) for text in texts if (kind := _kind_by_name(text))]
        yield from _other_keys(loaded, source, path, told)


def _kind_by_name(text: str) -> str | None:
    """The name of the kind that a path or the address of a database tells."""
    if database := database_of(text):
        return database.kind
    return kind_by_name(Label(text))


def other_keys(loaded: Loaded, tables: dict[str, Table]) -> Iterator[Diagnostic]:
    """An error for each such key of the tables, whose files are open."""
    for name, source, path in sources_of(loaded.rules):
        parts = tables[name].parts if name in tables else ()
        yield from _other_keys(loaded, source, path, [(part.kind, part.label) for part in parts])


def _other_keys(
    loaded: Loaded, source: Source, path: KeyPath, files: Sequence[tuple[str, Label]]
) -> Iterator[Diagnostic]:
    """The errors for the first file of each kind; keys that come from another table by `like` may stand."""
    first = dict(reversed(files))
    for kind, label in first.items():
        for key in not_taken(kind, source):
            if (*path, key) not in loaded.source.origins:
                owners = " or ".join(dict.fromkeys(other.words for other in KINDS.values() if key in other.keys))
                message = f"`{key}` does not go with `{label}`, which is read as {KINDS[kind].words}"
                yield placed(
                    loaded,
                    Finding((*path, key), message, f"take it out: it is a key of {owners}", code=codes.UNKNOWN_KEY),
                )
