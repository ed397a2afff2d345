"""Text files as UTF-8 with line feeds, which is all that Polars reads."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import NamedTuple

from segkit.io.read.problems import problem
from segkit.io.read.workspace import Workspace

HEAD = 1 << 16
CHUNK = 1 << 18
_BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Looked(NamedTuple):
    """What one pass over a text tells."""

    invalid_line: int | None = None
    """The first line that is not UTF-8; the pass ends there."""
    marked: bool = False
    """The text has a certain character."""


def as_utf8(
    ws: Workspace, path: Path, plain: Path, given: str | None, mark: str, detected: dict[str, str]
) -> tuple[Path, bool]:
    """The file itself or its transcoded copy, line for line, and whether it has the character `mark`; the encoding goes
    to `detected` where none is given.

    The whole file decides, not its start: UTF-8 if all of it is, else cp1252.
    """
    with plain.open("rb") as file:
        start = file.read(HEAD)
    bom = next((name for first, name in _BOMS.items() if start.startswith(first)), None)
    looked = Looked() if given or bom else look(plain, mark)
    encoding = given or bom or ("utf-8" if looked.invalid_line is None else "cp1252")
    if "\0" in start.decode("latin-1") and not encoding.lower().startswith(("utf-16", "utf_16", "utf-32")):
        raise problem(path, f"`{path.name}` is not text: it holds NUL bytes", hint="UTF-16 text needs `encoding`")
    if given is None:
        detected["encoding"] = encoding
    try:
        "".encode(encoding)  # `hex` is a codec too, but not one of text
        name = codecs.lookup(encoding).name
    except LookupError as error:
        hint = "examples are `utf-8`, `cp1252`, `latin-1` and `utf-16`"
        raise problem(path, f"there is no encoding `{encoding}`", hint=hint) from error
    if name not in ("utf-8", "utf-8-sig", "ascii"):
        return _transcoded(ws, path, plain, encoding, mark)
    if given:
        looked = look(plain, mark)
    if looked.invalid_line is not None:
        hint = 'try `encoding = "cp1252"`'
        raise problem(path, f"`{path.name}` is not valid UTF-8", line=looked.invalid_line, hint=hint)
    return _newlines(ws, plain, start), looked.marked


def look(path: Path, mark: str = "") -> Looked:
    """Whether the text is UTF-8 and has `mark`; reads the whole file, at 5 GB/s where it is ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    before, marked, wanted = 0, False, mark.encode()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            marked = marked or (bool(wanted) and wanted in chunk)
            if not chunk.isascii() or decoder.getstate()[0]:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    return Looked(_line_at(path, before), marked)
            before += len(chunk)
    return Looked(_line_at(path, before) if decoder.getstate()[0] else None, marked)


def _line_at(path: Path, before: int) -> int:
    """The line of the first byte past `before` that is not UTF-8."""
    with path.open("rb") as file:
        lines = 1
        while file.tell() <= before + CHUNK and (line := file.readline()):
            try:
                line.decode()
            except UnicodeDecodeError:
                break
            lines += 1
    return lines


def _transcoded(ws: Workspace, path: Path, plain: Path, encoding: str, mark: str) -> tuple[Path, bool]:
    copy = ws.new_file(".csv")
    line, marked = 1, False
    try:
        with plain.open(encoding=encoding, newline="") as text, copy.open("w", encoding="utf-8", newline="") as out:
            while chunk := text.read(CHUNK):
                out.write(chunk)
                line += chunk.count("\n")
                marked = marked or (bool(mark) and mark in chunk)
    except UnicodeError as error:
        message = f"`{path.name}` cannot be read as {encoding}"
        raise problem(path, message, line=line, hint="give its `encoding`") from error
    return copy, marked


def _newlines(ws: Workspace, plain: Path, start: bytes) -> Path:
    """The file itself, or a copy with line feeds where lines end with carriage returns alone."""
    if b"\r" not in start or b"\n" in start:
        return plain
    copy = ws.new_file(".csv")
    with plain.open("rb") as text, copy.open("wb") as out:
        while chunk := text.read(CHUNK):
            out.write(chunk.replace(b"\r", b"\n"))
    return copy
