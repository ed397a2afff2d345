"""What the XML of a sheet says of its cells, and no reader does: errors, formulas without a value, merged cells."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, NamedTuple
from xml.parsers.expat import ParserCreate

_PIECE = 1 << 20
_MERGED = re.compile(rb"""mergeCell [^>]*?ref=["']([A-Z]+)(\d+):([A-Z]+)(\d+)["']""")
_SIGNS = re.compile(rb"""\bt=["']e["']|<f[\s/>]|<row\s[^>]*?\bhidden=["'](?:1|true)|<\w+:worksheet""")
"""An error, a formula or a hidden row; or a prefix, with which tags have other names."""
_HINTS = (b't="e"', b"t='e'", b"<f", b"hidden=", b":worksheet")
"""What a piece of XML with one of the signs has for certain, and what is found ten times as fast."""


class Cell(NamedTuple):
    """A cell by its row and column, both from 1, and what it holds."""

    row: int
    column: int
    text: str = ""


class Merged(NamedTuple):
    """Cells that are one: their first and last row and column, from 1."""

    name: str
    first: int
    last: int
    columns: tuple[int, int]


class Cells(NamedTuple):
    """What was found below the header of a sheet."""

    first_column: int = 1
    """The first column of the sheet that has a value, from 1: it is the first one that a reader gives."""
    errors: tuple[Cell, ...] = ()
    not_computed: tuple[Cell, ...] = ()
    """Formulas without a stored value."""
    zeros: tuple[Cell, ...] = ()
    """Formulas whose stored value is 0."""
    computed: frozenset[int] = frozenset()
    """The columns in which some formula has another stored value."""
    numbers: tuple[Cell, ...] = ()
    """The numbers of the columns that were asked for."""
    lengths: tuple[Cell, ...] = ()
    """Lengths of time, as numbers of days."""
    hidden: frozenset[int] = frozenset()
    """Rows that nobody sees."""
    twice: tuple[Cell, ...] = ()
    """Cells that come again, or in a row that does: a reader takes one of their values."""


class Kinds(NamedTuple):
    """How many cells have a value of each kind; days are numbers."""

    texts: int = 0
    booleans: int = 0
    numbers: int = 0


class Glance(NamedTuple):
    """What a search of the bytes tells: whether the cells have to be looked at, which are merged, and of what kinds."""

    has_signs: bool = True
    merged: tuple[Merged, ...] = ()
    kinds: Kinds = Kinds()


def glance(path: Path, part: str) -> Glance:
    """Whether a sheet has errors, formulas or hidden rows, merged cells, and its kinds: ten times as fast as `look`."""
    has_signs, merged, rest = False, dict[Merged, None](), b""
    texts = inline = booleans = values = 0
    with zipfile.ZipFile(path) as package, package.open(part) as xml:
        while more := xml.read(_PIECE):
            piece = rest + more
            if piece.startswith((b"\xff\xfe", b"\xfe\xff")):
                return Glance()  # UTF-16: only a parser reads it
            whole = piece.rfind(b">") + 1
            piece, rest = piece[:whole], piece[whole:]
            if not has_signs and any(hint in piece for hint in _HINTS):
                has_signs = _SIGNS.search(piece) is not None
            if b"mergeCell" in piece:
                found = ([group.decode() for group in match.groups()] for match in _MERGED.finditer(piece))
                merged |= {
                    Merged(f"{a}{b}:{c}{d}", int(b), int(d), (_number(a), _number(c))): None for a, b, c, d in found
                }
            inline += piece.count(b't="inlineStr"')
            texts += piece.count(b't="s')  # a shared one, or `str`
            booleans += piece.count(b't="b"')
            values += piece.count(b"</v>")
    return Glance(has_signs, tuple(merged), Kinds(texts + inline, booleans, values - texts - booleans))


def look(
    path: Path, part: str, header: int, asked: Collection[int], *, of_lengths: frozenset[str] = frozenset()
) -> Cells:
    """The cells of a sheet below the row of its header, one pass over its XML.

    `asked` are columns, counted from the first one with a value, whose numbers are wanted too; `of_lengths` are the
    styles of cells that show a length of time.
    """
    pass_ = _pass(path, part, _Pass(header, {1 + column for column in asked}, of_lengths))
    first = min(pass_.columns, default=1)
    if asked and first > 1:
        pass_ = _pass(path, part, _Pass(header, {first + column for column in asked}, of_lengths))
    return Cells(
        first_column=first,
        errors=tuple(pass_.errors),
        not_computed=tuple(pass_.not_computed),
        zeros=tuple(pass_.zeros),
        computed=frozenset(pass_.computed),
        numbers=tuple(pass_.numbers),
        lengths=tuple(pass_.lengths),
        hidden=frozenset(pass_.hidden),
        twice=tuple(pass_.twice),
    )


def _pass(path: Path, part: str, pass_: _Pass) -> _Pass:
    with zipfile.ZipFile(path) as package, package.open(part) as xml:
        pass_.read(xml)
    return pass_


class _Pass:
    """The state of a pass: handlers for elements, and what they have gathered.

    The reference of a row or a cell may be left out: then it follows the one before it.
    """

    def __init__(self, header: int, asked: Collection[int], of_lengths: frozenset[str]) -> None:
        self.header = header
        self.asked = asked
        self.of_lengths = of_lengths
        self.errors: list[Cell] = []
        self.not_computed: list[Cell] = []
        self.zeros: list[Cell] = []
        self.computed: set[int] = set()
        self.numbers: list[Cell] = []
        self.lengths: list[Cell] = []
        self.hidden: set[int] = set()
        self.columns: set[int] = set()
        self.twice: list[Cell] = []
        self.filled_rows: set[int] = set()
        self.filled_in_row: set[int] = set()

    def read(self, xml: IO[bytes]) -> None:
        parser = ParserCreate()
        parser.buffer_text = True
        numbers: dict[str, int] = {}
        row = column = 0
        kind, value = "n", ""
        formula = reading = inline = is_length = is_stored = False
        prefix = ""

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal row, column, kind, value, formula, reading, inline, is_length, is_stored, prefix
            name = name.removeprefix(prefix) if prefix else name
            if name == "c":
                letters = attributes.get("r", "").rstrip("0123456789")
                column = (
                    (numbers.get(letters) or numbers.setdefault(letters, _number(letters))) if letters else column + 1
                )
                kind, value, formula, inline, is_stored = attributes.get("t", "n"), "", False, False, False
                is_length = attributes.get("s") in self.of_lengths
            elif name == "v":
                reading = is_stored = True
            elif name == "f":
                formula = True
            elif name == "row":
                row, column = int(attributes.get("r", row + 1)), 0
                self.filled_in_row.clear()
                if attributes.get("hidden") in ("1", "true"):
                    self.hidden.add(row)
            elif name == "is":
                inline = True
            elif name.endswith(":worksheet"):
                prefix = name.removesuffix("worksheet")

        def end(name: str) -> None:
            nonlocal reading
            name = name.removeprefix(prefix) if prefix else name
            if name == "v":
                reading = False
            elif name == "c":
                if value or inline or kind == "str":
                    self._fill(row, column)
                if row > self.header and (formula or kind == "e" or column in self.asked):
                    is_empty_text = inline or (is_stored and kind == "str")  # of ="", which has a value all the same
                    self._note(Cell(row, column, value), kind, formula=formula, stored=bool(value) or is_empty_text)
                if is_length and row > self.header and value and kind == "n":
                    self.lengths.append(Cell(row, column, value))

        def text(piece: str) -> None:
            nonlocal value
            if reading:
                value += piece

        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
        while piece := xml.read(_PIECE):
            parser.Parse(piece, False)
        parser.Parse(b"", True)

    def _fill(self, row: int, column: int) -> None:
        if column in self.filled_in_row or (not self.filled_in_row and row in self.filled_rows):
            self.twice.append(Cell(row, column))
        self.columns.add(column)
        self.filled_in_row.add(column)
        self.filled_rows.add(row)

    def _note(self, cell: Cell, kind: str, *, formula: bool, stored: bool) -> None:
        if kind == "e" and stored:
            self.errors.append(cell)
        elif kind == "n" and cell.text and cell.column in self.asked:
            self.numbers.append(cell)
        if not formula:
            return
        if not stored:
            self.not_computed.append(cell)
        elif kind == "n" and _is_zero(cell.text):
            self.zeros.append(cell)
        elif cell.text:
            self.computed.add(cell.column)


def _is_zero(number: str) -> bool:
    """Whether it is 0, which other programs write as `0.0`."""
    return not number.strip(" +-0.")


def name_of(column: int) -> str:
    """The letters of a column: 1 is A, 27 is AA."""
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(65 + letter) + letters
    return letters


def _number(letters: str) -> int:
    """The number of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number
