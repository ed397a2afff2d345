"""Opening a workbook: its sheet, its columns, and what in its cells nobody would see once they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError
from segkit.io.read.kinds.excel.cells import Cell, Cells, Glance, Merged, glance, look, name_of
from segkit.io.read.kinds.excel.plain import Draft, read_draft
from segkit.io.read.kinds.excel.sheet import LARGEST, ROW, Rows, not_blank, place, rows_of, typed, with_texts
from segkit.io.read.kinds.excel.workbook import Book, Sheet, chosen, open_book, reading
from segkit.io.read.kinds.mixed import NUMBER, may_be_mixed
from segkit.io.read.label import Label
from segkit.io.read.opened import Opened
from segkit.io.read.workspace import Workspace
from segkit.rules.model.sources import Source
from segkit.words import plural

KEYS = frozenset({"sheet", "skip_lines", "skip_footer", "header"})
"""The keys of a source that say where the table in a workbook is."""
_MISSING = "#N/A"
_NOT_LOOKED_AT = "errors in cells, and formulas that were never computed, are missing values in a file of this kind"
"""What a note says of workbooks whose cells are no XML of Excel."""


class _Found(NamedTuple):
    """The names of the columns by their number, the rows, and what is told of the cells."""

    names: dict[int, str]
    frame: pl.DataFrame
    told: tuple[Diagnostic, ...] = ()
    numbers: Mapping[int, pl.Series] = MappingProxyType({})
    """Columns of texts, of which some are numbers in the sheet -> the rows of those."""


def open_excel(ws: Workspace, spec: Source, label: Label, path: Path) -> Opened:
    """The rows of a sheet; `DataError` for cells that would be read wrong."""
    told_by = (spec.sheet, spec.skip_lines, spec.skip_footer, spec.header, spec.null_values)
    return ws.once((path, *told_by), lambda: _open(spec, label, path))


def _open(spec: Source, label: Label, path: Path) -> Opened:
    book = open_book(label, path)
    sheet = chosen(book, spec.sheet)
    with ThreadPoolExecutor(1) as beside:
        glancing = beside.submit(_glance, book, sheet)
        begins_above = spec.skip_lines is None and not spec.skip_footer and spec.header is None
        draft = read_draft(book, sheet) if sheet.part is not None and begins_above else None
        glance_ = glancing.result()
        if draft is not None and draft.is_plain(glance_):
            found = _Found(*draft.table(book))
        else:
            found = _closely(book, sheet, spec, glance_, draft)
    filled = not_blank(found.frame)
    mixed = {found.names[n]: f"{NUMBER}{n}" for n in found.numbers}
    frame = filled.select(
        *(pl.col(str(n)).alias(name) for n, name in found.names.items()),
        *(pl.col(ROW).is_in(rows.implode()).alias(f"{NUMBER}{n}") for n, rows in found.numbers.items()),
    )
    return Opened(
        label=label,
        content=path,
        frame=frame.lazy(),
        names=tuple(found.names.values()),
        has_lines=True,
        sheet=sheet.name,
        numbers=filled[ROW],
        found={"sheet": sheet.name},
        mixed=mixed,
        told=found.told,
    )


def _glance(book: Book, sheet: Sheet) -> Glance:
    """What the bytes of a sheet tell; nothing where they are no XML of Excel."""
    if sheet.part is None:
        return Glance()
    with reading(book.label):
        return glance(book.path, sheet.part)


def _closely(book: Book, sheet: Sheet, spec: Source, seen: Glance, draft: Draft | None) -> _Found:
    """The rows of a sheet that is not plain, wherever they begin."""
    rows = rows_of(book, sheet, spec)
    frame, unclear = typed(book, sheet, rows, draft.frame if draft else None)
    frame, told = _looked_at(book, sheet, rows, frame, spec, seen)
    names = dict(zip(rows.columns, rows.names, strict=True))
    return _Found(names, frame, (*told, *_of_unclear(book, sheet, unclear)), _numbers(book, sheet, rows, frame))


def _numbers(book: Book, sheet: Sheet, rows: Rows, frame: pl.DataFrame) -> dict[int, pl.Series]:
    """Columns of texts that may hold numbers of the sheet -> the rows of those: a number is a boolean to the reader."""
    mixed = [n for n in rows.columns if may_be_mixed(frame[str(n)])]
    if not mixed:
        return {}
    read = book.load(sheet.name, dtypes="boolean", skip_rows=rows.header, n_rows=len(rows.texts)).to_polars()
    found = {
        number: rows.texts.filter(
            read.to_series(number).is_not_null() & ~rows.texts[str(number)].is_in(["true", "false"])
        )[ROW]
        for number in mixed
    }
    return {number: of_column for number, of_column in found.items() if len(of_column)}


def _looked_at(
    book: Book, sheet: Sheet, rows: Rows, frame: pl.DataFrame, spec: Source, seen: Glance
) -> tuple[pl.DataFrame, Sequence[Diagnostic]]:
    """The rows with the errors of cells as texts; `DataError` for formulas without a value."""
    if sheet.part is None:
        note = f"`{book.label.name}` is not looked at as closely as .xlsx: {_NOT_LOOKED_AT}"
        hint = "save it as .xlsx if it has formulas"
        _refuse_merged_names(book, sheet, rows, rows.in_ods.merged, spec)
        told = [Diagnostic(note, place(book, sheet), hint, Severity.NOTE)]
        told += _of_merged(book, sheet, rows, rows.in_ods.merged)
        return frame, (*told, *_of_hidden(book, sheet, rows, rows.in_ods.hidden))
    _refuse_merged_names(book, sheet, rows, seen.merged, spec)
    told = _of_merged(book, sheet, rows, seen.merged)
    mixed = [n for n in rows.columns if may_be_mixed(frame[str(n)])]
    if not mixed and not seen.has_signs and rows.filled == sum(seen.kinds):
        return frame, told
    with reading(book.label):
        cells = look(book.path, sheet.part, rows.header, mixed)
    _refuse_twice(book, sheet, cells)
    told += _refuse_not_computed(book, sheet, rows, cells)
    errors = _within(cells.errors, cells, rows)
    with_errors = {cell.column - cells.first_column for cell in errors}
    for number in sorted({*mixed, *with_errors}):
        of_column = [cell for cell in cells.numbers if cell.column - cells.first_column == number]
        seen_so = [cell for cell in errors if cell.column - cells.first_column == number]
        seen_so += [c._replace(text=_shortened(c.text)) for c in of_column if abs(float(c.text)) >= LARGEST]
        frame = with_texts(frame, rows.texts, str(number), seen_so)
    told += [*_of_errors(book, sheet, rows, cells, spec), *_of_hidden(book, sheet, rows, cells.hidden)]
    return frame, told


def _of_unclear(book: Book, sheet: Sheet, columns: Sequence[str]) -> list[Diagnostic]:
    """A warning for each column in which lengths of time are read as days."""
    hint = "save it as .xlsx, which tells them apart"
    return [
        Diagnostic(
            f"column `{name}` has lengths of time beside days or times, and they are read as days, such as 1900-01-01",
            place(book, sheet),
            hint,
            Severity.WARNING,
        )
        for name in columns
    ]


def _of_hidden(book: Book, sheet: Sheet, rows: Rows, hidden: frozenset[int]) -> list[Diagnostic]:
    """A note where people do not see all rows of the table, as behind a filter."""
    filled = not_blank(rows.texts)[ROW]
    unseen = filled.filter(filled.is_in(sorted(hidden)))
    if unseen.is_empty():
        return []
    one = len(unseen) == 1
    message = f"{plural(len(unseen), 'row')} of the sheet {'is' if one else 'are'} hidden, and read like the others"
    hint = "take them out of the workbook if they do not count"
    return [Diagnostic(message, place(book, sheet, int(unseen[0])), hint, Severity.NOTE)]


def _refuse_merged_names(book: Book, sheet: Sheet, rows: Rows, all_: Sequence[Merged], spec: Source) -> None:
    """`DataError` where columns of the table share a name, which is most often the one of a group above the names."""
    merged = [m for m in all_ if m.columns[0] < m.columns[1] and m.first <= rows.header <= m.last]
    if spec.header is not None or not merged:
        return
    offset = 0
    if sheet.part is not None:
        with reading(book.label):
            offset = look(book.path, sheet.part, rows.header, ()).first_column
    for cells in merged:
        first, last = cells.columns
        if sum(first <= offset + column <= last for column in rows.columns) > 1:
            message = f"the cells {cells.name} are one, so several columns have the name of the first"
            hint = f"if row {cells.last + 1} has the names, give `skip_lines = {cells.last}`; "
            hint += "if not, split them in Excel, and name each column"
            raise DataError(Diagnostic(message, place(book, sheet, rows.header), hint))


def _of_merged(book: Book, sheet: Sheet, rows: Rows, all_: Sequence[Merged]) -> list[Diagnostic]:
    """A warning where rows of the table share a cell."""
    merged = [m for m in all_ if m.last > max(rows.header, m.first)]
    if not merged:
        return []
    message = f"the cells {merged[0].name} are one, and only the first has their value"
    message += f", as in {plural(len(merged) - 1, 'other place')}" if len(merged) > 1 else ""
    where = place(book, sheet, max(rows.header + 1, merged[0].first))
    return [Diagnostic(message, where, "split them in Excel and fill in the values", Severity.WARNING)]


def _of_errors(book: Book, sheet: Sheet, rows: Rows, cells: Cells, spec: Source) -> list[Diagnostic]:
    """A warning where cells hold errors, but for those that stand for missing values."""
    missing = () if spec.null_values == () else (_MISSING, *(spec.null_values or ()))
    errors = [cell for cell in _within(cells.errors, cells, rows) if cell.text not in missing]
    if not errors:
        return []
    cell = errors[0]
    name = rows.names[rows.columns.index(cell.column - cells.first_column)]
    one = len(errors) == 1
    counts = (
        "1 cell holds an error, which counts as a text"
        if one
        else f"{len(errors):,} cells hold errors, which count as texts"
    )
    message = f"{counts}: the first is `{cell.text}` in column `{name}`"
    hint = f'mend the formulas; `null_values = ["{cell.text}"]` takes such a text for a missing value'
    return [Diagnostic(message, place(book, sheet, cell.row), hint, Severity.WARNING)]


def _within(cells: tuple[Cell, ...], all_: Cells, rows: Rows) -> list[Cell]:
    """The cells that are in a row and a column of the table."""
    there, columns = set(rows.texts[ROW]), set(rows.columns)
    return [cell for cell in cells if cell.column - all_.first_column in columns and cell.row in there]


def _shortened(number: str) -> str:
    """The number as a workbook shows it that does not keep all of its digits."""
    digits, _, exponent = f"{float(number):.14E}".partition("E")
    return f"{digits.rstrip('0').rstrip('.')}E{exponent}"


def _refuse_twice(book: Book, sheet: Sheet, cells: Cells) -> None:
    """`DataError` where a cell, or a row with cells, comes again."""
    for cell in cells.twice[:1]:
        name = f"{name_of(cell.column)}{cell.row}"
        message = f"the cell {name}, or its row, comes more than once in the sheet, and only one value would be read"
        hint = "open the workbook in Excel, which says what it mends, and save it; or tell who made it"
        raise DataError(Diagnostic(message, place(book, sheet, cell.row), hint))


def _refuse_not_computed(book: Book, sheet: Sheet, rows: Rows, cells: Cells) -> list[Diagnostic]:
    """`DataError` for formulas that have no value; warnings where a 0 may be none."""
    empty, zeros = (_within(found, cells, rows) for found in (cells.not_computed, cells.zeros))
    hint = "open the workbook in Excel, which computes them, and save it"
    names = dict(zip(rows.columns, rows.names, strict=True))
    if empty or (zeros and book.asks_to_compute and not cells.computed):
        of = sorted([*empty, *zeros]) if book.asks_to_compute else empty
        name = names[of[0].column - cells.first_column]
        formulas = "1 formula has" if len(of) == 1 else f"{len(of):,} formulas have"
        message = f"{formulas} no stored value: the first is in column `{name}`"
        raise DataError(Diagnostic(message, place(book, sheet, of[0].row), hint))
    if zeros and book.asks_to_compute:
        message = f"{plural(len(zeros), 'formula')} with the value 0 may never have been computed"
        return [Diagnostic(message, place(book, sheet, zeros[0].row), hint, Severity.WARNING)]
    told = []
    for column in sorted({cell.column for cell in zeros} - cells.computed):
        of = [cell for cell in zeros if cell.column == column]
        if len(of) > 1:
            message = f"all {len(of):,} formulas of column `{names[column - cells.first_column]}` have the value 0"
            where = place(book, sheet, of[0].row)
            told.append(Diagnostic(f"{message}, so they may never have been computed", where, hint, Severity.WARNING))
    return told
