"""What the XML of an OpenDocument sheet says, and no reader does: lengths of time, breaks, CDATA, hidden rows."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import IO, NamedTuple
from xml.parsers.expat import ParserCreate

from segkit.io.read.kinds.excel.cells import Cell, Merged, name_of

_PIECE = 1 << 18
_SIGNS = re.compile(
    rb"time-value=|line-break|text:tab|<!\[CDATA\[|visibility=|number-(?:row|column)s-spanned="
    rb"|<table:table-cell[^>]*>\s*<table:table[ >]"
)
_OVERLAP = 2000
_IN_SHEET = frozenset({"table:table-cell", "table:covered-table-cell"})


_BREAKS = {"text:line-break": "\n", "text:tab": "\t"}


class Seen(NamedTuple):
    """What was found in a sheet; columns count from the first one that has a value, from 0."""

    lengths: tuple[Cell, ...] = ()
    """As they are written: `PT30H00M00S`."""
    texts: tuple[Cell, ...] = ()
    """Texts in whose lines there is a break, a tab or CDATA."""
    hidden: frozenset[int] = frozenset()
    merged: tuple[Merged, ...] = ()
    has_tables_in_cells: bool = False
    """The reader ends at the first of them."""


def look(path: Path, sheet: str, rows: int) -> Seen:
    """The cells of a sheet in its first rows, one pass over the XML of all, where there is something to see."""
    pass_ = _Pass(sheet, rows)
    with zipfile.ZipFile(path) as package:
        with package.open("content.xml") as xml:
            has_signs = _has_signs(xml)
        if not has_signs:
            return Seen()
        with package.open("content.xml") as xml:
            pass_.read(xml)
    first = min(pass_.columns, default=0)
    lengths, texts = (
        tuple(cell._replace(column=cell.column - first) for cell in found) for found in (pass_.lengths, pass_.texts)
    )
    merged = tuple(one._replace(columns=(one.columns[0] - first, one.columns[1] - first)) for one in pass_.merged)
    return Seen(
        lengths=lengths,
        texts=texts,
        hidden=frozenset(pass_.hidden),
        merged=merged,
        has_tables_in_cells=pass_.has_tables_in_cells,
    )


def _has_signs(xml: IO[bytes]) -> bool:
    """Whether the bytes have any of what is looked for: ten times as fast as a pass."""
    rest = b""
    while piece := xml.read(_PIECE):
        piece = rest + piece
        if _SIGNS.search(piece):
            return True
        rest = piece[-_OVERLAP:]
    return False


class _Pass:
    """The state of a pass. Rows and cells may be repeated; notes beside a cell, and drawings, are none of its text."""

    def __init__(self, sheet: str, rows: int) -> None:
        self.sheet = sheet
        self.rows = rows
        self.lengths: list[Cell] = []
        self.texts: list[Cell] = []
        self.hidden: set[int] = set()
        self.merged: list[Merged] = []
        self.columns: set[int] = set()
        self.has_tables_in_cells = False
        self.tables = 0
        """How many tables the place is in, from the one of the sheet."""
        self.row = self.column = 0
        self.repeated = self.repeated_row = 1
        self.beside = 0
        """How many elements the place is in that are beside the text."""
        self.lines: list[str] = []
        self.in_line = self.is_text = self.has_more = False

    def read(self, xml: IO[bytes]) -> None:
        parser = ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler, parser.StartCdataSectionHandler = self._text, self._start_cdata
        while piece := xml.read(_PIECE):
            parser.Parse(piece, False)
        parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table" and (self.tables or attributes.get("table:name") == self.sheet):
            self.tables += 1
            self.has_tables_in_cells = self.has_tables_in_cells or self.tables > 1
        elif self.tables != 1:
            return
        elif name in _IN_SHEET:
            self._start_cell(attributes)
        elif name == "table:table-row":
            self.row, self.column = self.row + 1, 0
            self.repeated_row = int(attributes.get("table:number-rows-repeated", 1))
            if attributes.get("table:visibility", "visible") != "visible":
                self.hidden.update(self._rows())
        elif name == "office:annotation" or name.startswith("draw:"):
            self.beside += 1
        elif self.is_text and not self.beside:
            self._start_text(name, attributes)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self.repeated = int(attributes.get("table:number-columns-repeated", 1))
        kind = attributes.get("office:value-type")
        if kind is not None:
            self.columns.add(self.column)
        if kind == "time" and "office:time-value" in attributes:
            self.lengths += self._cells(attributes["office:time-value"])
        width, height = (int(attributes.get(f"table:number-{what}-spanned", 1)) for what in ("columns", "rows"))
        if (width > 1 or height > 1) and self.row <= self.rows:
            last_row, last = self.row + height - 1, self.column + width - 1
            name = f"{name_of(self.column + 1)}{self.row}:{name_of(last + 1)}{last_row}"
            self.merged.append(Merged(name, self.row, last_row, (self.column, last)))
        self.is_text = kind == "string" and "office:string-value" not in attributes
        self.lines, self.has_more = [], False

    def _start_text(self, name: str, attributes: dict[str, str]) -> None:
        if name == "text:p":
            self.lines.append("")
            self.in_line = True
        elif name == "text:s":
            self._text(" " * int(attributes.get("text:c", 1)))
        elif name in _BREAKS:
            self._text(_BREAKS[name])
            self.has_more = True

    def _start_cdata(self) -> None:
        self.has_more = self.has_more or (self.in_line and not self.beside)

    def _text(self, text: str) -> None:
        if self.in_line and not self.beside:
            self.lines[-1] += text

    def _end(self, name: str) -> None:
        if name == "table:table" and self.tables:
            self.tables -= 1
        elif self.tables != 1:
            return
        elif name in _IN_SHEET:
            if self.is_text and self.has_more:
                self.texts += self._cells("\n".join(self.lines))
            self.column += self.repeated
            self.is_text = False
        elif name == "table:table-row":
            self.row += self.repeated_row - 1
        elif name == "office:annotation" or name.startswith("draw:"):
            self.beside -= 1
        elif name == "text:p" and not self.beside:
            self.in_line = False

    def _rows(self) -> range:
        """The rows at the place that are within those that were asked for."""
        return range(self.row, min(self.row + self.repeated_row, self.rows + 1))

    def _cells(self, text: str) -> list[Cell]:
        columns = range(self.column, self.column + self.repeated)
        return [Cell(row, column, text) for row in self._rows() for column in columns]
