"""A workbook before its cells: what kind of file it is, its sheets, and which of them is read."""

from __future__ import annotations

import logging
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError, RuleError
from segkit.io.read.label import Label
from segkit.io.read.problems import problem
from segkit.words import listed, nearest

if TYPE_CHECKING:
    import fastexcel
    import polars as pl

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""First bytes of a workbook: of .xlsx, .xlsm, .ods and .xlsb; and of .xls, and of all that is encrypted."""
ENDINGS = (".xlsx", ".xlsm", ".xls", ".ods", ".xlsb")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_FIRST_RECORD = re.compile(rb"\x09\x08[\x08\x10]\x00\x00[\x05\x06]\x05\x00")
_DATE_MODE, _LAST_RECORD, _LARGEST_RECORD = 0x22, 0x0A, 8224
"""What is looked for in a .xls."""
_COLUMN = "__UNNAMED__"
"""How fastexcel names columns, before their number from the first one with a value, from 0."""
_AGAIN = "open it in Excel and save it once more, or copy it again"
_DECRYPT = "open it in Excel and save it without a password"


class Sheet(NamedTuple):
    """A sheet: its name, whether people see it, and in .xlsx the file in the package that has its cells.

    A chart has a tab as well, and no cells.
    """

    name: str
    visible: bool
    part: str | None = None
    has_cells: bool = True


class Typed(NamedTuple):
    """A sheet with types, and the columns of texts that hold lengths of time beside other values."""

    frame: pl.DataFrame
    mixed: Mapping[int, bool]
    """Number of a column, from 0 -> whether days are among the others."""


class Book(NamedTuple):
    """A workbook that is open."""

    label: Label
    path: Path
    reader: fastexcel.ExcelReader
    sheets: tuple[Sheet, ...]
    asks_to_compute: bool = False
    """What wrote it computed nothing, so that Excel shall: a stored 0 of a formula may be none."""
    from_1904: bool = False
    """Its days count from 1904."""
    styles: str | None = None
    """In .xlsx, the file in the package that says how cells look."""
    is_ods: bool = False

    def load_typed(self, sheet: str, **options: Any) -> Typed:
        """A sheet with the types of its cells.

        Columns of lengths of time and others, and of errors that the reader takes for no value, are texts.
        """
        from fastexcel import CalamineCellError, UnsupportedColumnTypeCombinationError

        mixed: dict[int, str] = {}
        while True:
            texts = {f"{_COLUMN}{number}": "string" for number in mixed}
            try:
                loaded = self.load(sheet, dtypes=texts, **options)
            except (UnsupportedColumnTypeCombinationError, CalamineCellError) as error:
                column = re.search(rf"{_COLUMN}(\d+)", str(error))
                has_xml = any(sheet.part for sheet in self.sheets)  # which tells lengths of time from days
                if column is None or int(column[1]) in mixed or (isinstance(error, CalamineCellError) and not has_xml):
                    raise _damaged(self.label, error) from error
                mixed[int(column[1])] = str(error).splitlines()[0]
            else:
                return Typed(loaded.to_polars(), {number: "DateTime" in kinds for number, kinds in mixed.items()})

    def load(self, sheet: str, *, header_row: int | None = None, **options: Any) -> fastexcel.ExcelSheet:
        """A sheet as fastexcel reads it, by rows that count from the first of the sheet; `DataError` for damage.

        Columns for which it finds no type are errors of fastexcel.
        """
        from fastexcel import CalamineCellError, FastExcelError, UnsupportedColumnTypeCombinationError

        try:
            loaded: fastexcel.ExcelSheet = self.reader.load_sheet(sheet, header_row=header_row, **options)
        except (UnsupportedColumnTypeCombinationError, CalamineCellError):
            raise
        except FastExcelError as error:
            raise _damaged(self.label, error) from error
        except BaseException as error:
            raise panic(self.label, error) from error
        return loaded


class _Package(NamedTuple):
    """What a package says: the sheets of a .xlsx, and what `Book` knows of it."""

    sheets: tuple[Sheet, ...] = ()
    asks_to_compute: bool = False
    from_1904: bool = False
    styles: str | None = None
    is_ods: bool = False


def open_book(label: Label, path: Path) -> Book:
    """The workbook in a file; `ImportError` without the extra.

    `DataError` for what is none, is damaged or encrypted.
    """
    with path.open("rb") as file:
        start = file.read(4)
    known = _Package()
    if start == ZIP:
        known = _package(label, path)
    elif start != OLE:
        hint = "open it in Excel and save it as .xlsx, or as CSV"
        raise problem(label, f"`{label.name}` is no workbook, whatever its name says", hint=hint)
    else:
        content = path.read_bytes()
        if _ENCRYPTED in content:
            raise _encrypted(label)
        known = _Package(from_1904=_says_1904(content))
    import fastexcel

    # It logs what it guesses; without a handler, Python writes that to the screen.
    logging.getLogger("fastexcel").addHandler(logging.NullHandler())
    try:
        reader = fastexcel.read_excel(path.read_bytes())  # by content: an ending may lie, and a pipe has none
        sheets = known.sheets or tuple(_sheet(reader, name) for name in reader.sheet_names)
    except fastexcel.FastExcelError as error:
        raise _damaged(label, error) from error
    except BaseException as error:
        raise panic(label, error) from error
    return Book(
        label=label,
        path=path,
        reader=reader,
        sheets=sheets,
        asks_to_compute=known.asks_to_compute,
        from_1904=known.from_1904,
        styles=known.styles,
        is_ods=known.is_ods,
    )


def _says_1904(content: bytes) -> bool:
    """Whether the first records of a .xls, each of which has a number and a length before it, say so."""
    start = _FIRST_RECORD.search(content)
    at = start.start() if start else len(content)
    while at + 4 <= len(content):
        number, size = struct.unpack_from("<HH", content, at)
        if number == _DATE_MODE:
            return content[at + 4 : at + 6] == b"\1\0"
        if number == _LAST_RECORD or size > _LARGEST_RECORD:
            break
        at += 4 + size
    return False


def panic(label: Label, error: BaseException) -> BaseException:
    """The error for a file on which the reader itself broke off, which is no `Exception`; others stay what they are."""
    if type(error).__name__ != "PanicException":
        return error
    return problem(label, f"`{label.name}` is damaged: its reader broke off", hint=_AGAIN)


def chosen(book: Book, wanted: str | int | None) -> Sheet:
    """The sheet that is read: the one asked for, by name or number from 1, or the only one that is visible.

    `RuleError` where there are several, which says what they are; `DataError` where there is no such sheet of cells.
    """
    label = book.label
    if wanted is not None:
        sheet = _wanted(book, wanted)
        if not sheet.has_cells:
            message = (
                f"sheet {book.sheets.index(sheet) + 1} of `{label.name}`, `{sheet.name}`, is a chart: it has no cells"
            )
            raise problem(label, message, hint=nearest("", _of_cells(book), "sheets"))
        return sheet
    visible = [sheet for sheet in book.sheets if sheet.visible and sheet.has_cells]
    if len(visible) == 1:
        return visible[0]
    if not visible:
        raise problem(label, f"`{label.name}` has no visible sheet", hint="name one: `sheet = ...`")
    message = f"`{label.name}` has {len(visible)} sheets: {listed([s.name for s in visible[:20]], ',')}"
    if len(visible) > 20:
        message += ", ..."
    name = visible[0].name.replace("\\", "\\\\").replace('"', '\\"')
    raise RuleError(Diagnostic(message, SourceLocation(str(label)), f'say which: `sheet = "{name}"`'))


def _wanted(book: Book, wanted: str | int) -> Sheet:
    """The sheet of a name, or of a number that counts all tabs from 1; `DataError` where there is none."""
    label = book.label
    if isinstance(wanted, int):
        if wanted <= len(book.sheets):
            return book.sheets[wanted - 1]
        message = f"`{label.name}` has no sheet {wanted}: it has {len(book.sheets)}"
        raise problem(label, message, hint=nearest("", _of_cells(book), "sheets"))
    same = [sheet for sheet in book.sheets if sheet.name.casefold() == wanted.casefold()]
    if same:
        return same[0]
    if wanted.isdecimal() and 0 < int(wanted) <= len(book.sheets):  # of an option, which has texts alone
        return book.sheets[int(wanted) - 1]
    raise problem(label, f"`{label.name}` has no sheet `{wanted}`", hint=nearest(wanted, _of_cells(book), "sheets"))


def _of_cells(book: Book) -> list[str]:
    """The names of the sheets that have cells."""
    return [sheet.name for sheet in book.sheets if sheet.has_cells]


def _sheet(reader: fastexcel.ExcelReader, name: str) -> Sheet:
    return Sheet(name, reader.load_sheet(name, header_row=None, n_rows=1).visible == "visible")


def _encrypted(label: Label) -> DataError:
    return problem(label, f"`{label.name}` is encrypted with a password", hint=_DECRYPT)


def _damaged(label: Label, error: Exception) -> DataError:
    reason = re.sub(r"^(?:[\w/]+ error: )+", "", str(error).splitlines()[0])
    if "assword" in reason:
        return _encrypted(label)
    if reason.startswith("calamine cell error: "):
        of_cell = reason.rpartition(" ")[2]
        hint = "mend its formula, or save it as .xlsx"
        return problem(label, f"`{label.name}` has a cell with the error `{of_cell}`", hint=hint)
    if "Cannot detect file format" in reason:
        return problem(label, f"`{label.name}` looks like an Office document, not a table", hint="save it as .xlsx")
    return problem(label, f"`{label.name}` is damaged: {reason}", hint=_AGAIN)


@contextmanager
def reading(label: Label) -> Iterator[None]:
    """Turn what is wrong with the package of a workbook, read inside the block, into a `DataError`."""
    wrong = (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, ExpatError, OSError, EOFError, KeyError)
    try:
        yield
    except (*wrong, NotImplementedError, RuntimeError) as error:
        raise problem(label, f"`{label.name}` is damaged: {error}", hint=_AGAIN) from error


def _package(label: Label, path: Path) -> _Package:
    """What a ZIP says of itself, without the sheets where its parts are no XML of Excel; `DataError` for other ZIPs."""
    with reading(label), zipfile.ZipFile(path) as package:
        names = set(package.namelist())
        if "mimetype" in names and b"opendocument.spreadsheet" in package.read("mimetype"):
            if "META-INF/manifest.xml" in names and b"encryption-data" in package.read("META-INF/manifest.xml"):
                raise _encrypted(label)
            return _Package(is_ods=True)
        if "_rels/.rels" in names:
            book = next((t for k, t in _relations(package, "_rels/.rels").values() if k == "officeDocument"), "")
            if book.endswith(".bin"):
                return _Package()
            if book in names and (found := _of_book(package, book)):
                return found
    hint = "unpack it, and name the file in it; or save it as CSV, Parquet or .xlsx"
    raise problem(label, f"`{label.name}` looks like a ZIP archive, not a table", hint=hint)


def _relations(package: zipfile.ZipFile, path: str) -> dict[str, tuple[str, str]]:
    """The relations that a part has: id -> their kind, and the part that each names."""
    folder = PurePosixPath(path).parent.parent
    found = {}
    for one in ElementTree.fromstring(package.read(path)):
        target = one.get("Target", "")
        kind = one.get("Type", "").rpartition("/")[2]
        found[one.get("Id", "")] = (kind, target[1:] if target.startswith("/") else str(folder / target))
    return found


def _of_book(package: zipfile.ZipFile, path: str) -> _Package | None:
    """The sheets of a workbook in the order of its tabs; None for another kind of document."""
    root = ElementTree.fromstring(package.read(path))
    if not root.tag.endswith("}workbook"):
        return None
    part = PurePosixPath(path)
    parts = _relations(package, str(part.parent / "_rels" / f"{part.name}.rels"))
    sheets, asks, from_1904 = [], False, False
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        if name == "sheet":
            relation = next((value for key, value in element.items() if key.endswith("}id")), "")
            kind, target = parts.get(relation, ("", ""))
            visible = element.get("state", "visible") == "visible"
            has_cells = kind == "worksheet"
            sheets.append(Sheet(element.get("name", ""), visible, target if has_cells else None, has_cells))
        elif name == "calcPr":
            asks = element.get("fullCalcOnLoad") in ("1", "true")
        elif name == "workbookPr":
            from_1904 = element.get("date1904") in ("1", "true")
    styles = next((target for kind, target in parts.values() if kind == "styles"), None)
    return _Package(tuple(sheets), asks, from_1904, styles)
