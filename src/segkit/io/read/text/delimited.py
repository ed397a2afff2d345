"""Delimited text: its encoding, delimiter and header; afterwards it is UTF-8 that Polars scans."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError
from segkit.io.read.problems import check_names, problem, shown
from segkit.io.read.text.encoding import HEAD, as_utf8
from segkit.io.read.workspace import Workspace
from segkit.rules.model.sources import Source

DELIMITERS = (",", ";", "\t", "|")
UNPAIRED = "the quotation marks of this line do not pair up"
UNPAIRED_HINT = 'mend them, or give `quote = ""` if they mean nothing in this file'
_NAMES = {",": ",", ";": ";", "\t": "tab", "|": "|", " ": "runs of spaces"}
CHECKED_AT_ONCE = 32_000_000
"""Bytes of text whose lines are checked when it is opened (0.03 s); larger files are checked beside the run."""
csv.field_size_limit(1 << 26)  # the default, 128 kB, is less than some fields hold


class TextFile(NamedTuple):
    """One file of delimited text, as UTF-8."""

    path: Path
    """The file that the rule file names, for messages."""
    source: Path
    """The UTF-8 text: the file itself, or its copy, line for line, in the workspace."""
    delimiter: str
    quote: str | None
    names: tuple[str, ...]
    """The trimmed header."""
    quoted: bool
    """It has quotation marks."""
    detected: Mapping[str, str]

    @property
    def large(self) -> bool:
        """Its lines are checked beside the run, not when it is opened."""
        return self.source.stat().st_size > CHECKED_AT_ONCE

    def layout(self) -> tuple[object, ...]:
        """What files must share to be scanned as one."""
        return self.delimiter, self.quote, self.names

    def records(self, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
        """The line and the fields of each record after the header, blank lines left out; slow.

        DataError where quotation marks leave no way to split a record; `strict` refuses text after a closing one.
        """
        with self.source.open(encoding="utf-8-sig", newline="\n") as lines:
            reader = csv_reader(lines, self.delimiter, self.quote, strict=strict)
            line, header = 1, True
            try:
                for fields in reader:
                    blank = len(fields) < 2 and not "".join(fields).strip()
                    if not blank and not header:
                        yield line, fields
                    header = header and blank
                    line = reader.line_num + 1
            except csv.Error as error:
                raise problem(self.path, UNPAIRED, line=line, hint=UNPAIRED_HINT) from error


def csv_reader(lines: Iterator[str] | io.TextIOBase, delimiter: str, quote: str | None, *, strict: bool = False) -> Any:
    """The standard library's reader; it counts lines, which Polars does not."""
    if quote is None:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=strict)


def scan(files: list[TextFile]) -> pl.LazyFrame:
    """All columns as text, null where empty; the files have one layout."""
    first = files[0]
    return pl.scan_csv(
        [file.source for file in files],
        separator=first.delimiter,
        quote_char=first.quote,
        new_columns=list(first.names),
        infer_schema=False,
        glob=False,
    )


def open_text(ws: Workspace, path: Path, plain: Path, spec: Source) -> TextFile:
    """Find encoding, delimiter and header; DataError for what is empty, binary or badly encoded."""
    detected: dict[str, str] = {}
    quote = '"' if spec.quote is None else spec.quote or None
    source, quoted = as_utf8(ws, path, plain, spec.encoding, quote or "", detected)
    head = _head(source)
    if not head.strip():
        raise problem(path, f"`{path.name}` is empty: it has only blank lines")
    _check_single(path, "quote", quote)
    delimiter = spec.delimiter
    if delimiter is None:
        delimiter = _find_delimiter(head, quote, "\t" if ".tsv" in path.suffixes else ",")
        detected["delimiter"] = _NAMES[delimiter]
    if delimiter == " ":
        source, delimiter, quote, quoted = _without_runs(ws, source), "\t", None, False
        head = _head(source)
    _check_single(path, "delimiter", delimiter)
    return TextFile(
        path=path,
        source=source,
        delimiter=delimiter,
        quote=quote,
        names=_header(path, head, delimiter, quote),
        quoted=quoted,
        detected=detected,
    )


def _check_single(path: Path, what: str, mark: str | None) -> None:
    if mark is not None and len(mark.encode()) != 1:
        raise problem(path, f"the {what} `{mark}` is not one ASCII character")


def _head(source: Path) -> str:
    """The first lines; long enough for one of them at least."""
    with source.open("rb") as file:
        head = file.read(HEAD)
        while b"\n" not in head.strip() and (more := file.read(HEAD)):
            head += more
        whole = not file.read(1)
    if not whole:
        head = head[: head.rfind(b"\n") + 1]
    return head.decode("utf-8-sig", errors="ignore")


def _rows(head: str, delimiter: str, quote: str | None) -> list[list[str]]:
    try:
        return [row for row in csv_reader(io.StringIO(head, newline="\n"), delimiter, quote) if row]
    except csv.Error:
        return []


def _find_delimiter(head: str, quote: str | None, default: str) -> str:
    """The one that splits most lines into as many fields as the header."""
    best, best_score = default, (0.0, 0)
    for delimiter in DELIMITERS:
        widths = [len(row) for row in _rows(head, delimiter, quote)]
        if not widths or widths[0] < 2:
            continue
        score = (round(widths.count(widths[0]) / len(widths), 1), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    if best_score == (0.0, 0) and _is_aligned(head):
        return " "
    return best


def _is_aligned(head: str) -> bool:
    """Columns aligned with runs of spaces: as many words in each line, and spaces in a row in most."""
    lines = [line for line in head.splitlines() if line.strip()]
    widths = Counter(len(line.split()) for line in lines)
    runs = sum(re.search(r"^ +\S|\S  +\S", line) is not None for line in lines)
    return len(lines[0].split()) > 1 and widths[len(lines[0].split())] >= 0.95 * len(lines) and runs >= len(lines) / 2


def _without_runs(ws: Workspace, source: Path) -> Path:
    copy = ws.new_file(".csv")
    with source.open(encoding="utf-8-sig", newline="\n") as text, copy.open("w", encoding="utf-8", newline="") as out:
        out.writelines("\t".join(line.split()) + "\n" for line in text)
    return copy


def _header(path: Path, head: str, delimiter: str, quote: str | None) -> tuple[str, ...]:
    rows = _rows(head, delimiter, quote)
    if not rows:
        raise problem(
            path, f"the header of `{path.name}` cannot be read", hint="is a quotation mark left open?", line=1
        )
    names = tuple(name.strip() or f"column_{position}" for position, name in enumerate(rows[0], 1))
    check_names(path, names, line=1)
    positions: dict[str, list[int]] = {}
    for position, name in enumerate(names, 1):
        positions.setdefault(name, []).append(position)
    twice = [
        Diagnostic(
            f"columns {' and '.join(map(str, places))} are both named `{name}`",
            SourceLocation(shown(path), 1),
            "give each column a name of its own in the file",
        )
        for name, places in positions.items()
        if len(places) > 1
    ]
    if twice:
        raise DataError(*twice)
    return names
