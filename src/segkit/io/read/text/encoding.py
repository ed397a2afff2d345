"""Text files as UTF-8 with line feeds, which is all that Polars reads.

All bytes decide, never a sample. Where nothing is given, a text is UTF-8 if all of it is. A text that is UTF-8 for the
most part is damaged or put together of two, and an error. Any other is cp1252, which is told.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.io.read.label import Label
from segkit.io.read.problems import problem
from segkit.io.read.workspace import Workspace
from segkit.words import listed

HEAD = 1 << 16
CHUNK = 1 << 18
_BOMS = {  # the longer ones first: that of UTF-32 begins as that of UTF-16 does
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_UTF8 = ("utf-8", "utf-8-sig", "ascii")
_C1 = {0x81: "\x81", 0x8D: "\x8d", 0x8F: "\x8f", 0x90: "\x90", 0x9D: "\x9d"}
"""The bytes that cp1252 leaves undefined."""
_NOT_A_WORD = re.compile(r"[^\W\d_][³¹¿¤‚¸][^\W\d_]|[\x81\x8d\x8f\x90\x9d]|[^\x00-\x7f\W\d_]{3}")
"""What hardly stands in a text of cp1252: a sign inside a word, an undefined byte, three foreign letters in a row."""
_WORD = re.compile(r"\b\w*[^\x00-\x7f\W\d_]\w*\b")
_RARE = re.compile("[þðýÞÐÝ]")
_MANY = 0.1


class Looked(NamedTuple):
    """What one pass over a text tells."""

    invalid_line: int | None = None
    """The first line that is not UTF-8; the pass ends there."""
    marked: bool = False
    """The text has a certain character."""
    nul_line: int | None = None
    """The first line with a NUL byte, which no text has; the pass ends there."""
    line_feeds: bool = False
    """The text has line feeds."""
    returns: bool = False
    """The text has carriage returns."""


class Utf8(NamedTuple):
    """A text as UTF-8: the file itself, or its copy, line for line."""

    source: Path
    marked: bool
    """It has a certain character, such as a quotation mark."""
    encoding: str
    """What the file was written in."""
    notes: tuple[Diagnostic, ...] = ()
    """What to tell about the encoding that was found."""


def as_utf8(ws: Workspace, label: Label, plain: Path, given: Sequence[str], mark: str) -> Utf8:
    """The text of `plain` as UTF-8; DataError where it is none, or not in the encodings that are given.

    Of several, each line is read in the first that it fits.
    """
    for name in given:
        _require_encoding(label, name)
    with plain.open("rb") as file:
        start = file.read(HEAD)
    bom = next((name for first, name in _BOMS.items() if start.startswith(first)), None)
    if len(given) > 1:
        return _of_several(ws, label, plain, given, mark)
    if bom and not given:
        return _transcoded(ws, label, plain, bom, mark)
    if given and codecs.lookup(given[0]).name not in _UTF8:
        return _transcoded(ws, label, plain, given[0], mark)
    looked = look(plain, mark)
    _refuse_nul(label, looked)
    if looked.invalid_line is None:
        return Utf8(_with_line_feeds(ws, plain, looked), looked.marked, "utf-8")
    if given:
        hint = 'try `encoding = "cp1252"`'
        raise problem(label, f"`{label.name}` is not valid UTF-8", line=looked.invalid_line, hint=hint)
    _refuse_mixed(label, plain, looked.invalid_line)
    found = _transcoded(ws, label, plain, "cp1252", mark)
    return found._replace(notes=(_judged(label, found.source),))


def _require_encoding(label: Label, name: str) -> None:
    try:
        "".encode(name)  # `hex` is a codec too, but not one of text
    except LookupError as error:
        hint = "examples are `utf-8`, `cp1252`, `latin-1` and `utf-16`"
        raise problem(label, f"there is no encoding `{name}`", hint=hint) from error


def look(path: Path, mark: str = "") -> Looked:
    """Whether the text is UTF-8, has `mark`, and how its lines end; reads all of it, at 4 GB/s where it is ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    before, wanted = 0, mark.encode()
    marked = returns = line_feeds = False
    for chunk in _chunks(path):
        marked = marked or (bool(wanted) and wanted in chunk)
        returns = returns or b"\r" in chunk
        if b"\0" in chunk:
            return Looked(nul_line=_line_of(path, before + chunk.index(b"\0")))
        if not chunk.isascii() or decoder.getstate()[0]:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return Looked(invalid_line=_line_at(path, before), marked=marked)
        line_feeds = line_feeds or b"\n" in chunk
        before += len(chunk)
    cut = _line_at(path, before) if decoder.getstate()[0] else None
    return Looked(invalid_line=cut, marked=marked, line_feeds=line_feeds, returns=returns)


def _line_of(path: Path, position: int) -> int:
    """The line in which a byte stands."""
    line = 1
    for chunk in _chunks(path):
        line += chunk[: max(0, position)].count(b"\n")
        position -= len(chunk)
    return line


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


def _refuse_nul(label: Label, looked: Looked) -> None:
    if looked.nul_line is not None:
        hint = 'UTF-16 without a mark is read with `encoding = "utf-16-le"` or "utf-16-be"; else export the file again'
        raise problem(label, f"`{label.name}` is not text: it holds NUL bytes", line=looked.nul_line, hint=hint)


def _refuse_mixed(label: Label, plain: Path, line: int) -> None:
    """DataError where at least half of the letters beyond ASCII are UTF-8, and some bytes are not."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    letters = others = 0
    for chunk in _chunks(plain):
        text = re.sub(r"[\x00-\x7f]+", "", decoder.decode(chunk))
        bad = len(re.findall("[\udc80-\udcff]", text))
        letters, others = letters + len(text) - bad, others + bad
    if letters and letters >= others:
        message = f"`{label.name}` is UTF-8 but for some bytes: {others:,} of {letters + others:,} letters beyond ASCII"
        hint = 'mend them, or give `encoding = ["utf-8", "cp1252"]`: each line is read in the first that it fits'
        raise problem(label, message, line=line, hint=hint)


def _judged(label: Label, text: Path) -> Diagnostic:
    """The note that a text was taken for cp1252, a warning where that is unlikely."""
    words = rare = number = 0
    sample: tuple[int, str] | None = None
    odd: tuple[int, str] | None = None
    with text.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            if line.isascii():
                continue
            accented = _WORD.findall(line)
            words += len(accented)
            rare += sum(_RARE.search(word) is not None for word in accented)
            letter = re.search(r"[^\x00-\x7f]", line)
            sample = sample or (number, letter[0] if letter else "")
            if odd is None and (found := _NOT_A_WORD.search(line)):
                odd = number, next(c for c in found[0] if not c.isascii())
    if odd is None and rare > _MANY * words:
        odd = sample
    assert sample is not None, "a text that is not UTF-8 has letters beyond ASCII"
    line_number, letter_shown = odd or sample
    shown_as = f"`{letter_shown}`" if letter_shown.isprintable() else f"an undefined byte ({ord(letter_shown):#x})"
    message = f"`{label.name}` is not UTF-8, so it is read as cp1252: line {line_number} has {shown_as}"
    if odd:
        hint = (
            "is that right? if not, give its `encoding`: `cp1250` (Central Europe), `mac-roman`, `cp437`, `cp850` ..."
        )
        return Diagnostic(
            f"{message}, which is unlikely", SourceLocation(str(label), line_number), hint, Severity.WARNING
        )
    hint = 'if that letter is wrong, give its `encoding`; `encoding = "cp1252"` says that it is right'
    return Diagnostic(message, SourceLocation(str(label), line_number), hint, Severity.NOTE)


def _transcoded(ws: Workspace, label: Label, plain: Path, encoding: str, mark: str) -> Utf8:
    copy = ws.new_file(".csv")
    line, marked = 1, False
    decoder = codecs.getincrementaldecoder(encoding)(_CP1252 if codecs.lookup(encoding).name == "cp1252" else "strict")
    try:
        with copy.open("w", encoding="utf-8", newline="") as out:
            for chunk in _chunks(plain):
                text = decoder.decode(chunk)
                out.write(text)
                line += text.count("\n")
                marked = marked or (bool(mark) and mark in text)
            out.write(decoder.decode(b"", final=True))
    except UnicodeError as error:
        message = f"`{label.name}` cannot be read as {encoding}"
        hint = "give its `encoding`"
        if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
            hint = "its end may be cut off; without a mark at its begin, `encoding` ends in -le or -be"
        raise problem(label, message, line=line, hint=hint) from error
    return _checked(ws, label, copy, marked, encoding)


def _undefined(error: UnicodeError) -> tuple[str, int]:
    """cp1252 leaves five bytes undefined: they stay as they are."""
    assert isinstance(error, UnicodeDecodeError)
    return "".join(_C1[byte] for byte in error.object[error.start : error.end]), error.end


_CP1252 = "segkit-cp1252"
codecs.register_error(_CP1252, _undefined)


def _of_several(ws: Workspace, label: Label, plain: Path, encodings: Sequence[str], mark: str) -> Utf8:
    plain, copy = _with_lines(ws, plain), ws.new_file(".csv")
    wanted, marked = mark.encode(), False
    with plain.open("rb") as lines, copy.open("wb") as out:
        for number, line in enumerate(lines, 1):
            text = line if line.isascii() else _in_first(label, line, number, encodings)
            marked = marked or (bool(wanted) and wanted in text)
            out.write(text)
    return _checked(ws, label, copy, marked, ", ".join(encodings))


def _with_lines(ws: Workspace, plain: Path) -> Path:
    """The text itself, or a copy where its lines end with carriage returns alone, in whatever encoding."""
    feeds = returns = False
    for chunk in _chunks(plain):
        feeds, returns = feeds or b"\n" in chunk, returns or b"\r" in chunk
    return _with_line_feeds(ws, plain, Looked(line_feeds=feeds, returns=returns))


def _in_first(label: Label, line: bytes, number: int, encodings: Sequence[str]) -> bytes:
    for encoding in encodings:
        try:
            return line.decode(encoding).encode()
        except UnicodeError:
            continue
    raise problem(label, f"this line fits none of the encodings {listed(encodings)}", line=number)


def _checked(ws: Workspace, label: Label, copy: Path, marked: bool, encoding: str) -> Utf8:
    """The copy, with line feeds."""
    looked = look(copy)
    _refuse_nul(label, looked)
    return Utf8(_with_line_feeds(ws, copy, looked), marked, encoding)


def _with_line_feeds(ws: Workspace, text: Path, looked: Looked) -> Path:
    """The text itself, or a copy where its lines end with carriage returns alone."""
    if looked.line_feeds or not looked.returns:
        return text
    copy = ws.new_file(".csv")
    with copy.open("wb") as out:
        out.writelines(chunk.replace(b"\r", b"\n") for chunk in _chunks(text))
    return copy


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            yield chunk
