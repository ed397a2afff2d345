"""Which lines of a text are the table: not a preamble, a footer, comments, or the line `sep=;` of a spreadsheet."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from segkit.io.read.label import Label
from segkit.io.read.problems import problem
from segkit.io.read.workspace import Workspace
from segkit.rules.model.sources import Source

_BOM = b"\xef\xbb\xbf"
_SEPARATOR = re.compile(rb'(?:\xef\xbb\xbf)?"?sep=(.)"?\1*\r?\n', re.IGNORECASE)


class Lines(NamedTuple):
    """The lines of a table: the text itself, or a copy without those that are dropped."""

    source: Path
    dropped: tuple[int, ...] = ()
    """The numbers of the lines that the copy lacks."""
    delimiter: str | None = None
    """What the text itself says that it is separated by."""
    footer: tuple[tuple[int, str], ...] = ()
    """The lines that `skip_footer` leaves out, with their numbers."""


def lines_of_table(ws: Workspace, label: Label, source: Path, spec: Source) -> Lines:
    """The lines of the table in a text of UTF-8; DataError where none is left."""
    with source.open("rb") as file:
        start = file.readline()
    says = _SEPARATOR.fullmatch(start)
    blank_first = not start.removeprefix(_BOM).strip()
    before = spec.skip_lines or (1 if says else 0)
    delimiter = says[1].decode("latin-1") if says and spec.skip_lines is None else None
    if not (before or blank_first or spec.skip_footer or spec.comment):
        return Lines(source)
    copy = ws.new_file(".csv")
    dropped: list[int] = []
    footer: list[tuple[int, str]] = []
    with copy.open("wb") as out:
        out.writelines(_kept(source, before, spec.skip_footer or 0, (spec.comment or "").encode(), dropped, footer))
    if not copy.stat().st_size and not (before or spec.skip_footer or spec.comment):
        raise problem(label, f"`{label.name}` is empty: it has only blank lines")
    if not copy.stat().st_size:
        raise problem(label, f"`{label.name}` is empty but for the lines that are skipped", hint="see `skip_lines`")
    return Lines(copy, tuple(sorted(dropped)), delimiter, tuple(footer))


def _kept(
    source: Path, before: int, after: int, comment: bytes, dropped: list[int], footer: list[tuple[int, str]]
) -> Iterator[bytes]:
    """The lines that stay; the numbers of the others go to `dropped`, those at the end also to `footer`."""
    waiting: deque[tuple[int, bytes]] = deque()
    """The last lines so far: as many as the footer has, and blank ones behind these, which do not count."""
    filled, begun = 0, False
    with source.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            line = raw.removeprefix(_BOM) if number == 1 else raw
            blank = not line.strip()
            if number <= before or (blank and not begun) or (comment and line.startswith(comment)):
                dropped.append(number)
                continue
            begun = True
            if not after:
                yield line
                continue
            waiting.append((number, line))
            filled = filled if blank else len(waiting)
            while filled > after:
                filled -= 1
                yield waiting.popleft()[1]
    dropped.extend(number for number, _ in waiting)
    footer.extend((number, line.decode("utf-8", errors="replace")) for number, line in waiting if line.strip())
