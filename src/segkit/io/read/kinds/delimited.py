"""Delimited text, as it is read: `io/read/text` finds out how it is written."""

from __future__ import annotations

from pathlib import Path

from segkit.errors import DataError
from segkit.io.read.label import Label
from segkit.io.read.opened import Opened, damaged, gone
from segkit.io.read.problems import problem
from segkit.io.read.text.delimited import TextFile, open_text, scan
from segkit.io.read.text.encoding import look
from segkit.io.read.text.kept import drop
from segkit.io.read.text.lines import ragged
from segkit.io.read.workspace import Workspace
from segkit.rules.model.sources import Source

KEYS = frozenset(
    {"delimiter", "quote", "encoding", "skip_lines", "skip_footer", "comment", "header", "ragged", "escape"}
)
"""The keys of a source that say how a text is written."""


def open_delimited(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of a text; those of a large one are checked later."""
    text = open_text(ws, label, path, spec)
    if not text.large and (error := ragged(text)):
        raise error
    return opened(text, path)


def opened(text: TextFile, path: Path) -> Opened:
    """The rows of a text that has been looked at."""
    return Opened(
        label=text.label,
        content=path,
        frame=scan([text]),
        names=text.names,
        text=text,
        has_lines=True,
        fault=_fault,
        lines=None if text.kept else text.lines,
    )


def _fault(opened: Opened) -> DataError | None:
    assert opened.text is not None
    if opened.text.kept and (error := _fault_of_copy(opened, opened.text.kept)):
        return error
    if not opened.text.source.exists():
        return gone(opened.label)
    line = look(opened.text.source).invalid_line
    if line is not None:
        return problem(opened.label, f"`{opened.label.name}` is not valid UTF-8", line=line)
    return ragged(opened.text)


def _fault_of_copy(opened: Opened, kept: Path) -> DataError | None:
    """The error for rows in the cache that cannot be read to their end; what is damaged is removed."""
    hint = "run this again: the copy is made anew"
    if not kept.exists():
        message = f"the copy of `{opened.label.name}` in the cache was removed while it was read"
        return problem(opened.label, message, hint=hint)
    if damaged(opened) is None:
        return None
    drop(kept.parent)
    return problem(opened.label, f"the copy of `{opened.label.name}` in the cache is damaged", hint=hint)
