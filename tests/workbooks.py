"""Workbooks for tests, made by xlsxwriter; and what is not made that way, changed in the package."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import polars as pl


class Shown(NamedTuple):
    """A number or a day in a number format."""

    value: Any
    format: str


class Formula(NamedTuple):
    """A formula and the value that is stored with it."""

    text: str
    value: Any = 0


def day(year: int, month: int, of_month: int) -> Shown:
    return Shown(dt.date(year, month, of_month), "dd/mm/yyyy")


def moment(*parts: int) -> Shown:
    return Shown(dt.datetime(*parts), "yyyy-mm-dd hh:mm:ss")  # type: ignore[arg-type]


def workbook(
    sheets: Any,
    *,
    hidden: Sequence[str] = (),
    then: Callable[[Any], object] | None = None,
    **options: Any,
) -> bytes:
    """The bytes of a workbook: rows, or sheets by name; `then` is called with the first sheet."""
    import xlsxwriter

    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, **options}) as book:
        named: Mapping[str, Any] = sheets if isinstance(sheets, Mapping) else {"Sheet1": sheets}
        for name, rows in named.items():
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            elif not any(other not in hidden for other in list(named)[: list(named).index(name)]):
                sheet.activate()
                sheet.set_first_sheet()
            for row, values in enumerate(rows):
                for column, value in enumerate(values):
                    _write(book, sheet, row, column, value)
        if then:
            then(book.worksheets()[0])
    return content.getvalue()


def _write(book: Any, sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, Shown):
        shown = book.add_format({"num_format": value.format})
        is_number = isinstance(value.value, int | float)
        (sheet.write_number if is_number else sheet.write_datetime)(row, column, value.value, shown)
    elif isinstance(value, Formula):
        sheet.write_formula(row, column, value.text, None, value.value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, str):
        sheet.write_string(row, column, value)
    elif value is not None:
        sheet.write_number(row, column, value)


def changed(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with another text in one of its parts, which must differ."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            if name == part:
                assert change(text) != text
                text = change(text)
            new.writestr(name, text)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
"""The part with the cells of the first sheet."""


def ods(rows: Sequence[Sequence[str]]) -> bytes:
    """A spreadsheet of LibreOffice, all cells texts; an empty text is an empty cell."""

    def cell(value: str) -> str:
        if not value:
            return "<table:table-cell/>"
        lines = (f"<text:p>{escape(line).replace(' ', '<text:s/>')}</text:p>" for line in value.split("\n"))
        return f'<table:table-cell office:value-type="string">{"".join(lines)}</table:table-cell>'

    cells = [f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows]
    names = {n: f"urn:oasis:names:tc:opendocument:xmlns:{n}:1.0" for n in ("office", "table", "text")}
    spaces = " ".join(f'xmlns:{n}="{urn}"' for n, urn in names.items())
    body = f'<office:body><office:spreadsheet><table:table table:name="T">{"".join(cells)}</table:table>'
    content = f"<office:document-content {spaces}>{body}</office:spreadsheet></office:body></office:document-content>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", content)
        package.writestr("META-INF/manifest.xml", "<manifest/>")
    return out.getvalue()


def read_workbook(content: Path | bytes, sheet: int | str = 0) -> pl.DataFrame:
    """A sheet of a workbook, all columns with the types of their cells."""
    import fastexcel

    read = fastexcel.read_excel(content if isinstance(content, bytes) else content.read_bytes())
    frame: pl.DataFrame = read.load_sheet(sheet, schema_sample_rows=None).to_polars()
    return frame


def empty_workbook() -> bytes:
    """As much of a workbook as tells that it is one; made without the extra."""
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        relation = f'<Relationship Id="r1" Type="{kinds}/officeDocument" Target="xl/workbook.xml"/>'
        package.writestr("_rels/.rels", f"<Relationships>{relation}</Relationships>")
        package.writestr("xl/_rels/workbook.xml.rels", "<Relationships/>")
        package.writestr("xl/workbook.xml", f'<workbook xmlns="{main}"/>')
    return out.getvalue()
