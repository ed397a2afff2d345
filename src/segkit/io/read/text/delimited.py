"""Delimited text: its encoding, delimiter, quotation marks and header; afterwards it is UTF-8 that Polars scans."""

from __future__ import annotations

import csv
import io
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError
from segkit.io.read.label import Label
from segkit.io.read.problems import check_names, problem
from segkit.io.read.text.encoding import HEAD, as_utf8
from segkit.io.read.text.layout import lines_of_table
from segkit.io.read.text.quotes import Dialect, Suspect, look_at_quotes, rewritten, some_field_begins
from segkit.io.read.text.ranges import Lines
from segkit.io.read.workspace import Workspace
from segkit.rules.model.sources import Source
from segkit.words import plural

DELIMITERS = (",", ";", "\t", "|")
UNPAIRED = "the quotation marks of this line do not pair up"
UNPAIRED_HINT = 'mend them, or give `quote = ""` if they mean nothing in this file'
ESCAPED_HINT = 'the file writes a mark inside a field as `\\"`: give `escape = "\\\\"`'
OPEN = "a quoted field begins before this line and ends after it, but the line reads as a record of its own"
OPEN_HINT = 'a quotation mark is left open above: mend it, or give `quote = ""` if marks mean nothing in this file'
_NAMES = {",": ",", ";": ";", "\t": "tab", "|": "|", " ": "runs of spaces"}
CHECKED_AT_ONCE = 32_000_000
"""Bytes of text whose lines are checked when it is opened (0.03 s); larger files are checked beside the run."""
MOST_BELOW = 5
"""Lines below a table among which totals are looked for."""
MOST_ABOVE = 50
"""Lines above a table among which its header is looked for."""
_LOOKS = (r"[+-]?[\d.,]*\d", r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*", r"[^\d\s]*\d+[^\d\s]*")
"""A number, a date, a key with digits."""
csv.field_size_limit(1 << 26)  # the default, 128 kB, is less than some fields hold


class TextFile(NamedTuple):
    """One file of delimited text, as UTF-8."""

    label: Label
    """The file that the rule file names, for messages."""
    source: Path
    """The UTF-8 text: the file itself, or its copy in the workspace."""
    delimiter: str
    quote: str | None
    names: tuple[str, ...]
    """The trimmed header."""
    quoted: bool
    """It has quotation marks around fields."""
    detected: Mapping[str, str]
    has_header: bool = True
    """The first line of the text is the header."""
    dropped: tuple[int, ...] = ()
    """The numbers of the lines that a copy lacks."""
    rows: int | None = None
    """How many rows there are: as many must be read."""
    notes: tuple[Diagnostic, ...] = ()
    footer: tuple[tuple[int, str], ...] = ()
    """The lines that `skip_footer` leaves out, with their numbers."""
    large: bool = False
    """Its lines are checked beside the run, not when it is opened."""
    kept: Path | None = None
    """Its rows as Parquet, where they are kept."""

    @property
    def dialect(self) -> Dialect:
        """How the fields of the text are split."""
        return Dialect(self.delimiter, self.quote)

    def layout(self) -> tuple[object, ...]:
        """What files must share to be scanned as one."""
        return self.delimiter, self.quote, self.names, self.has_header, self.kept is None

    def lines(self) -> Lines:
        """The text as one that can be read in ranges."""
        read = partial(_scan_records, self.delimiter, self.quote, self.names)
        quote = self.quote if self.quoted else None
        return Lines(self.source.absolute(), self.rows or 0, read, has_header=self.has_header, quote=quote)

    def line(self, number: int) -> int:
        """The number in the file of a line of `source`."""
        before = [line - position for position, line in enumerate(self.dropped)]
        return number + bisect_right(before, number)

    def line_with(self, name: str) -> int | None:
        """The first line, below that of the header, with a field of this name, whatever the delimiter."""
        lines = _head(self.source).splitlines()[:MOST_ABOVE]
        fields = (re.split(r"[,;\t|]", line) for line in lines)
        place = next((n for n, of_line in enumerate(fields, 1) if name in [f.strip(" \"'") for f in of_line]), 1)
        return self.line(place) if place > 1 and self.has_header else None

    def line_that_splits(self) -> int | None:
        """The first line, below that of the header, of those that one delimiter splits alike."""
        lines = _head(self.source).splitlines()[:MOST_ABOVE]
        widths = [(mark, width) for mark in DELIMITERS for width in (line.count(mark) for line in lines) if width]
        if not widths or not self.has_header:
            return None
        (mark, width), often = Counter(widths).most_common(1)[0]
        place = next(number for number, line in enumerate(lines, 1) if line.count(mark) == width)
        return self.line(place) if often > 1 and place > 1 else None

    def last_records(self) -> list[tuple[int, list[str]]]:
        """The last lines with something in their fields, a few, the last one first; fewer where one is no record.

        Each with how many lines stand behind it, for `line_before_end`: to count those of the file takes a pass.
        """
        with self.source.open("rb") as text:
            size = text.seek(0, io.SEEK_END)
            text.seek(max(0, size - HEAD))
            lines = text.read().decode("utf-8", errors="ignore").split("\n")
        if not lines[-1]:
            lines.pop()
        found: list[tuple[int, list[str]]] = []
        for behind, text_of_line in enumerate(reversed(lines[1:])):
            fields = _fields_of(text_of_line, self.delimiter, self.quote)
            if len(fields) == 1 and len(fields[0]) == len(self.names) and any(f.strip() for f in fields[0]):
                found.append((behind, fields[0]))
            elif text_of_line.strip(f"{self.delimiter} \r\"'"):
                break
            if len(found) == MOST_BELOW:
                break
        return found

    def line_before_end(self, behind: int) -> int:
        """The number of the line behind which so many stand."""
        return self.line(_line_ends(self.source) + _is_open_ended(self.source) - behind)

    def looks(self) -> list[str | None]:
        """What the values of each column look like in the first rows; None where that tells nothing."""
        around = [row for _, (_, row) in zip(range(200), self.records(), strict=False) if len(row) == len(self.names)]
        return [_look_of([row[position] for row in around]) for position in range(len(self.names))]

    def rows_of_footer(self) -> Iterator[tuple[int, list[str]]]:
        """The lines that `skip_footer` leaves out and that read as rows."""
        looks = self.looks() if self.footer else []
        for line, text in self.footer:
            for fields in _fields_of(text, self.delimiter, self.quote):
                if len(fields) == len(self.names) and _fits(looks, fields):
                    yield line, fields

    def records(self, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
        """The line and the fields of each record after the header, blank lines left out; slow.

        DataError where quotation marks leave no way to split a record; `strict` refuses text after a closing one.
        """
        return records_of(self.source, self.dialect, self, strict=strict)


def records_of(source: Path, dialect: Dialect, file: TextFile, *, strict: bool) -> Iterator[tuple[int, list[str]]]:
    """The records of a text, split as `dialect` says, with the lines where they begin."""
    with source.open(encoding="utf-8-sig", newline="\n") as lines:
        reader = dialect.reader(lines, strict=strict)
        line, header = 1, file.has_header
        try:
            for fields in reader:
                blank = len(fields) < 2 and not "".join(fields).strip()
                if not blank and not header:
                    yield file.line(line), fields
                header = header and blank
                line = reader.line_num + 1
        except csv.Error as error:
            raise unpaired(file, line) from error


def unpaired(file: TextFile, line: int) -> DataError:
    """The error for a record, from this line of `source` on, whose quotation marks do not pair up."""
    with file.source.open(encoding="utf-8-sig", newline="\n") as lines:
        text = next((text for number, text in enumerate(lines, 1) if number == line), "")
    escaped = file.quote is not None and f"\\{file.quote}" in text
    return problem(file.label, UNPAIRED, line=file.line(line), hint=ESCAPED_HINT if escaped else UNPAIRED_HINT)


def scan(files: list[TextFile]) -> pl.LazyFrame:
    """All columns as text, null where empty; the files have one layout."""
    first = files[0]
    if first.kept:
        return pl.scan_parquet([file.kept for file in files if file.kept], glob=False)
    return _scan(
        [file.source for file in files], first.delimiter, first.quote, first.names, has_header=first.has_header
    )


def _scan(
    sources: list[Path] | bytes, delimiter: str, quote: str | None, names: Sequence[str], *, has_header: bool
) -> pl.LazyFrame:
    return pl.scan_csv(
        sources,
        separator=delimiter,
        quote_char=quote,
        has_header=has_header,
        new_columns=list(names),
        infer_schema=False,
        glob=False,
    )


def _scan_records(delimiter: str, quote: str | None, names: Sequence[str], records: bytes) -> pl.LazyFrame:
    """Some records of a text; those with more or fewer fields than it has columns as in the midst of it."""
    header = delimiter.join(next(mark for mark in "xyz" if mark not in (delimiter, quote)) for _ in names)
    return _scan(header.encode() + b"\n" + records, delimiter, quote, names, has_header=True)


def open_text(ws: Workspace, label: Label, plain: Path, spec: Source) -> TextFile:
    """Find encoding, layout and header; DataError for what is empty, binary, badly encoded or badly quoted."""
    quote = '"' if spec.quote is None else spec.quote or None
    text = as_utf8(ws, label, plain, spec.encoding or (), quote or "")
    lines = lines_of_table(ws, label, text.source, spec)
    detected = {} if spec.encoding else {"encoding": text.encoding}
    head = _head(lines.source)
    if not head.strip():
        raise problem(label, f"`{label.name}` is empty: it has only blank lines")
    _check_single(label, "quote", quote)
    _check_single(label, "escape", spec.escape)
    delimiter = spec.delimiter or lines.delimiter
    if delimiter is None:
        delimiter = _find_delimiter(head, quote, "\t" if ".tsv" in label.endings else ",")
        detected["delimiter"] = _NAMES[delimiter]
    source, quoted = lines.source, text.marked
    if delimiter == " ":
        source, delimiter, quote, quoted = _without_runs(ws, source), "\t", None, False
        head = _head(source)
    _check_single(label, "delimiter", delimiter)
    if spec.quote is None and _in_apostrophes(head, delimiter):
        quote, quoted = "'", True
        detected["quote"] = "'"
    file = TextFile(
        label=label,
        source=source,
        delimiter=delimiter,
        quote=quote,
        names=_names(label, head, delimiter, quote, spec),
        quoted=quoted,
        detected=detected,
        has_header=spec.header is None,
        dropped=lines.dropped,
        notes=text.notes,
        footer=lines.footer,
    )
    shaped = _shaped(ws, _quoted(ws, file, spec), spec)
    return shaped._replace(large=shaped.source.stat().st_size > CHECKED_AT_ONCE)


def _quoted(ws: Workspace, file: TextFile, spec: Source) -> TextFile:
    """The file with quotation marks that Polars reads as they are meant, and its number of rows."""
    if spec.escape is None and (file.quote is None or not file.quoted):
        return file._replace(quoted=False, rows=_rows(file, _line_ends(file.source)))
    dialect = Dialect(file.delimiter, file.quote, spec.escape)
    if spec.escape is None and file.quote is not None:
        quotes = look_at_quotes(file.source, file.delimiter, file.quote, len(file.names), _judge(file))
        if not quotes.loose:
            if quotes.suspect is not None:
                raise _open(file, quotes.suspect)
            return file._replace(rows=_rows(file, quotes.line_ends))
        begins, after_spaces = some_field_begins(file.source, file.delimiter, file.quote)
        if not begins and not after_spaces:
            unquoted = file._replace(quote=None, quoted=False)
            return unquoted._replace(rows=_rows(unquoted, _line_ends(file.source)))
        dialect = dialect._replace(spaces=after_spaces)
    copy = ws.new_file(".csv")
    _rewrite(file, dialect, copy)
    made = file._replace(source=copy, quote='"', quoted=True)
    return _quoted(ws, made, spec.model_copy(update={"escape": None}))


def _rewrite(file: TextFile, dialect: Dialect, copy: Path) -> None:
    """Write the copy that Polars reads; a line number of it is one of the file, since no line is left out."""
    line = 1

    def records(reader: Any) -> Iterator[list[str]]:
        nonlocal line
        for fields in reader:
            yield fields
            line = reader.line_num + 1

    with file.source.open(encoding="utf-8-sig", newline="\n") as lines:
        try:
            rewritten(records(dialect.reader(lines, strict=True)), copy, file.delimiter)
        except csv.Error as error:
            raise unpaired(file, line) from error


def _judge(file: TextFile) -> Callable[[Suspect], bool]:
    """Tells whether a line inside a quoted field reads as a record: its fields look as those of other rows do."""
    looks = cache(file.looks)

    def is_row(suspect: Suspect) -> bool:
        line = suspect.line.decode("utf-8", errors="replace")
        fields = next(csv.reader([line], delimiter=file.delimiter, quoting=csv.QUOTE_NONE), [])
        return len(fields) == len(file.names) and _fits(looks(), fields[: suspect.within])

    return is_row


def _fits(looks: Sequence[str | None], fields: Sequence[str]) -> bool:
    """Whether two of these first fields of a line, or more, look as those of other rows do, and none does not."""
    told = [re.fullmatch(look, field.strip()) for look, field in zip(looks, fields, strict=False) if look is not None]
    return len(told) > 1 and None not in told


def _open(file: TextFile, suspect: Suspect) -> DataError:
    """The error for a line inside a quoted field that reads as a record."""
    mark = (file.quote or "").encode()
    with file.source.open("rb") as lines:
        bare = suspect.line.replace(mark, b"")
        line = next(n for n, raw in enumerate(lines, 1) if raw.rstrip(b"\r\n").replace(mark, b"") == bare)
    return problem(file.label, OPEN, line=file.line(line), hint=OPEN_HINT)


def _look_of(values: Sequence[str]) -> str | None:
    """What nearly all values of a column look like; None where that tells nothing."""
    filled = [value.strip() for value in values if value.strip()]
    for look_ in _LOOKS if filled else ():
        if sum(re.fullmatch(look_, value) is not None for value in filled) >= 0.9 * len(filled):
            return look_
    return None


def _rows(file: TextFile, line_ends: int) -> int:
    """The rows of a text with so many line ends; the last line may lack its own."""
    return max(0, line_ends + _is_open_ended(file.source) - file.has_header)


def _line_ends(path: Path) -> int:
    """How many line feeds a text has, which Polars counts five times as fast as Python (0.25 s on 10 M rows)."""
    # One column, since this character is in no text, and no quotation marks: so each line is a row.
    lines = pl.scan_csv(
        path, separator="\x01", quote_char=None, has_header=False, schema={"line": pl.String}, glob=False
    )
    return int(lines.select(pl.len()).collect().item()) - _is_open_ended(path)


def _is_open_ended(path: Path) -> bool:
    """Whether the last line lacks its line feed."""
    with path.open("rb") as text:
        size = text.seek(0, io.SEEK_END)
        text.seek(max(0, size - 1))
        return size > 0 and text.read(1) != b"\n"


def _shaped(ws: Workspace, file: TextFile, spec: Source) -> TextFile:
    """The file with lines of the header's length, where `ragged` says what is done with others."""
    if spec.ragged == "error":
        return file
    width, copy, padded, cut = len(file.names), ws.new_file(".csv"), 0, 0

    def shaped() -> Iterator[list[str]]:
        nonlocal padded, cut
        with file.source.open(encoding="utf-8-sig", newline="\n") as lines:
            for fields in file.dialect.reader(lines, strict=True):
                if len(fields) < width and fields:
                    padded += 1
                elif len(fields) > width:
                    if spec.ragged == "pad" and any(field.strip() for field in fields[width:]):
                        yield fields  # what is too long is an error, with its line
                        continue
                    cut += 1
                yield [*fields[:width], *[""] * (width - len(fields))] if fields else []

    rewritten(shaped(), copy, file.delimiter)
    counts = {"padded": padded, "cut": cut}
    told = ", ".join(f"{plural(count, 'line')} {what}" for what, count in counts.items() if count)
    detected = {**file.detected, **({"lengths": told} if told else {})}
    made = file._replace(source=copy, detected=detected, quote='"', quoted=True)
    return _quoted(ws, made, spec.model_copy(update={"escape": None}))


def _check_single(label: Label, what: str, mark: str | None) -> None:
    if mark is not None and len(mark.encode()) != 1:
        raise problem(label, f"the {what} `{mark}` is not one ASCII character")


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


def _fields_of(head: str, delimiter: str, quote: str | None, *, spaces: bool = False) -> list[list[str]]:
    dialect = Dialect(delimiter, quote, spaces=spaces)
    try:
        return [row for row in dialect.reader(io.StringIO(head, newline="\n")) if row]
    except csv.Error:
        return []


def _has_spaces_before_marks(head: str, delimiter: str, quote: str | None) -> bool:
    """Names of the header are quoted, and stand behind spaces."""
    first = head.lstrip().partition("\n")[0]
    return quote is not None and re.search(rf"{re.escape(delimiter)} +{re.escape(quote)}", first) is not None


def _find_delimiter(head: str, quote: str | None, default: str) -> str:
    """The one that splits most lines into as many fields as the header."""
    best, best_score = default, (0.0, 0)
    for delimiter in DELIMITERS:
        widths = [len(row) for row in _fields_of(head, delimiter, quote)]
        if not widths or widths[0] < 2:
            continue
        score = (round(widths.count(widths[0]) / len(widths), 1), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    if best_score != (0.0, 0):
        return best
    return " " if _is_aligned(head) else _below_preamble(head, quote, default)


def _below_preamble(head: str, quote: str | None, default: str) -> str:
    """The delimiter where the first line is none of the table: the one that splits most lines alike.

    The default stays where it splits none: then there is one column.
    """
    if all(len(row) == 1 for row in _fields_of(head, default, quote)):
        return default

    def alike(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(row) for row in _fields_of(head, delimiter, quote) if len(row) > 1)
        return max(((count, width) for width, count in widths.items()), default=(0, 0))

    return max(DELIMITERS, key=alike)


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


def _in_apostrophes(head: str, delimiter: str) -> bool:
    """Every name of the header stands between apostrophes."""
    names = next(iter(_fields_of(head, delimiter, None)), [])
    return len(names) > 1 and all(re.fullmatch(r"\s*'.*'\s*", name) for name in names)


def _names(label: Label, head: str, delimiter: str, quote: str | None, spec: Source) -> tuple[str, ...]:
    """The names of the columns: of the header, or those that are given."""
    if spec.header is not None:
        names = tuple(name.strip() for name in spec.header)
        line = None
    else:
        rows = _fields_of(head, delimiter, quote, spaces=_has_spaces_before_marks(head, delimiter, quote))
        if not rows:
            hint = "is a quotation mark left open?"
            raise problem(label, f"the header of `{label.name}` cannot be read", hint=hint, line=1)
        names = tuple(name.strip() or f"column_{position}" for position, name in enumerate(rows[0], 1))
        line = 1 + (spec.skip_lines or 0)
    check_names(label, names, line=line)
    positions: dict[str, list[int]] = {}
    for position, name in enumerate(names, 1):
        positions.setdefault(name, []).append(position)
    twice = [
        Diagnostic(
            f"columns {' and '.join(map(str, places))} are both named `{name}`",
            SourceLocation(str(label), line),
            "give each column a name of its own in the file, or all of them with `header = [...]` and `skip_lines = 1`",
        )
        for name, places in positions.items()
        if len(places) > 1
    ]
    if twice:
        raise DataError(*twice)
    return names
