"""Frames as sheets of a workbook, row after row, so that memory does not grow with them.

A text is a text, whatever it looks like: never a formula, a link or a number. What a cell would not hold as it is, such
as a number of more than 15 digits or a day before 1900, goes out as text.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import polars as pl

from segkit.errors import WriteError
from segkit.io.write.cells import as_text, columns_with_nul, exact, finite, holds_nul, iso

if TYPE_CHECKING:
    from pathlib import Path

    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS, MOST_CHARACTERS, MOST_COLUMNS = 1_048_575, 32_767, 16_384
"""What a sheet holds below its header, what a cell holds, and what a row does."""
DIGITS = 15
LONGEST_NAME = 31
_BATCH = 5_000
_NARROWEST, _WIDEST = 6, 60
_MONEY = "#,##0.00########"
"""All digits of a decimal, and two behind the point at least."""
_A4 = 9
_DAY, _MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
_FIRST_DAY = dt.date(1900, 3, 1)
"""Before it, Excel counts a day that never was."""
_EPOCH = 25_569
"""The day from which others count elsewhere, in Excel."""
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", "_"))
_UNDATED = dt.datetime(1980, 1, 1)


class Shown(NamedTuple):
    """A value of a cell in a row that is made by hand: in a number format, or a name of what stands below."""

    value: str | float
    format: str = ""
    bold: bool = False
    right: bool = False
    """Bold, above numbers."""


class _Column(NamedTuple):
    """How a column is shown: its values as numbers or booleans, and those that are texts."""

    values: pl.Expr | None = None
    texts: pl.Expr | None = None
    format: str = ""
    width: int | None = None
    """The width that all of its values have."""


def sheet_names(names: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """A name of a sheet for each name: without what may not stand there, at most 31 characters, and no two alike."""
    seen, found = {name.casefold() for name in (*taken, "History")}, []
    for name in names:
        plain = name.translate(_FORBIDDEN).strip("'") or "_"
        short, number = plain[:LONGEST_NAME], 1
        while short.casefold() in seen or short.endswith("'"):
            number += 1
            end = f"~{number}"
            short = plain[: LONGEST_NAME - len(end)] + end
        seen.add(short.casefold())
        found.append(short)
    return found


class Workbook:
    """A workbook that is being written, sheet after sheet."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._bold = book.add_format({"bold": True})
        self._bold_right = book.add_format({"bold": True, "align": "right"})
        self._bold_apart, self._apart = book.add_format({"bold": True, "indent": 1}), book.add_format({"indent": 1})
        self._formats: dict[str, Format | None] = {"": None}

    def add_rows(self, name: str, rows: Iterable[Sequence[Shown | str | float | None]]) -> None:
        """A sheet of rows that are made by hand."""
        sheet, widths = self._sheet(name), dict[int, int]()
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                shown = cell if isinstance(cell, Shown) else Shown("" if cell is None else cell)
                name_format = self._bold_right if shown.right else self._bold
                cell_format = name_format if shown.bold or shown.right else self._format(shown.format)
                if isinstance(shown.value, str):
                    sheet.write_string(row, column, shown.value, cell_format)
                else:
                    sheet.write_number(row, column, shown.value, cell_format)
                length = len(shown.value) if isinstance(shown.value, str) else len(f"{shown.value:,.6g}")
                widths[column] = max(widths.get(column, 0), length if row else 0)
        _set_widths(sheet, widths)
        _rest(sheet)

    def add_table(self, name: str, frame: pl.LazyFrame, separators: Mapping[str, str] = MappingProxyType({})) -> None:
        """A sheet with the columns of a frame: their names, which stay in sight, and its rows in their order.

        `WriteError` for what a sheet does not hold.
        """
        schema = frame.collect_schema()
        if len(schema) > MOST_COLUMNS:
            raise _too_much(f"`{name}` has {len(schema):,} columns, and a sheet of a workbook holds {MOST_COLUMNS:,}")
        columns = {column: _column(column, dtype, separators.get(column, "|")) for column, dtype in schema.items()}
        sheet = self._sheet(name)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        writers, before = [], None
        for number, (column, shown) in enumerate(columns.items()):
            # Texts begin where numbers end: between the two of them there is a space.
            apart = shown.values is None and before is not None and before.values is not None
            of_texts = self._bold_apart if apart else self._bold
            sheet.write_string(0, number, column, of_texts if shown.values is None else self._bold_right)
            writers.append(self._writer(sheet, shown, apart=apart))
            before = shown
        longest = [len(column) for column in schema]
        rows = 0
        for batch in _batches(frame, columns):
            for shown_in in columns_with_nul(batch):
                raise holds_nul(list(columns)[int(shown_in.removeprefix(_TEXT))])
            if rows + batch.height > MOST_ROWS:
                raise _too_much(f"`{name}` has more rows than the {MOST_ROWS:,} that a sheet of a workbook holds")
            for row, values in enumerate(zip(*_values(batch, columns), strict=True), rows + 1):
                for number, value in enumerate(values):
                    if value is not None and writers[number](row, number, value) < 0:
                        raise _too_long(name, list(columns)[number], value)
            rows += batch.height
            longest = [max(pair) for pair in zip(longest, _lengths(batch, columns), strict=True)]
        _set_widths(sheet, dict(enumerate(longest)))
        _rest(sheet)

    def _sheet(self, name: str) -> Worksheet:
        """A new sheet, which is as wide as a page on paper."""
        sheet: Worksheet = self._book.add_worksheet(name)
        sheet.set_paper(_A4)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        return sheet

    def _writer(self, sheet: Worksheet, column: _Column, *, apart: bool) -> Callable[[int, int, Any], int]:
        if column.values is None:
            return partial(_text, sheet, cell_format=self._apart if apart else None)
        number = _number(sheet, self._format(column.format))
        return number if column.texts is None else partial(_either, sheet, number)

    def _format(self, shown: str) -> Format | None:
        if shown not in self._formats:
            self._formats[shown] = self._book.add_format({"num_format": shown})
        return self._formats[shown]


@contextmanager
def workbook(target: Path | IO[bytes], created: dt.date | None = None) -> Iterator[Workbook]:
    """A workbook to write to; the file is there when the block ends well.

    `created` is the day that its properties name, so that the same sheets are the same bytes.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError, XlsxWriterException

    with tempfile.TemporaryDirectory(prefix="segkit-") as scratch:
        book = xlsxwriter.Workbook(
            str(target) if hasattr(target, "parent") else target, {"constant_memory": True, "tmpdir": scratch}
        )
        day = dt.datetime.combine(created, dt.time()) if created else _UNDATED
        book.set_properties({"created": day})
        try:
            yield Workbook(book)
            book.close()
        except FileCreateError as error:
            if isinstance(error.args[0], OSError):
                raise error.args[0] from error
            raise
        except XlsxWriterException as error:
            raise WriteError.of(f"cannot write the workbook: {error}", hint=_OTHER) from error
        finally:
            for sheet in book.worksheets():  # what broke off has files open
                if sheet.row_data_fh is not None:
                    sheet.row_data_fh.close()


_OTHER = 'write another format, such as `format = "csv"`'


def _too_much(message: str) -> WriteError:
    return WriteError.of(message, hint=f"{_OTHER}, or smaller lists: `each` makes several of one")


def _too_long(sheet: str, column: str, value: str) -> WriteError:
    message = f"a text in column `{column}` of `{sheet}` has {len(value):,} characters, and a cell of a workbook holds "
    hint = f"leave the column out with `[output] columns`, or {_OTHER}"
    return WriteError.of(f"{message}{MOST_CHARACTERS:,}", hint=hint)


def _text(sheet: Worksheet, row: int, column: int, value: str, cell_format: Format | None = None) -> int:
    return int(sheet.write_string(row, column, value, cell_format))


def _number(sheet: Worksheet, cell_format: Format | None) -> Callable[[int, int, Any], int]:
    def write(row: int, column: int, value: bool | float) -> int:
        if isinstance(value, bool):
            return int(sheet.write_boolean(row, column, value))
        return int(sheet.write_number(row, column, value, cell_format))

    return write


def _either(sheet: Worksheet, number: Callable[[int, int, Any], int], row: int, column: int, value: str | float) -> int:
    return _text(sheet, row, column, value) if isinstance(value, str) else number(row, column, value)


def _column(name: str, dtype: pl.DataType, separator: str) -> _Column:
    column = pl.col(name)
    text = as_text(column, dtype, separator)
    if dtype == pl.Boolean:
        return _Column(column, width=5)
    if dtype.is_float():
        return _Column(finite(column))
    if dtype.is_integer():
        fits = column.is_between(1 - 10**DIGITS, 10**DIGITS - 1)
        return _Column(pl.when(fits).then(column.cast(pl.Int64, strict=False)), pl.when(~fits).then(text))
    if dtype.is_decimal():
        text = exact(column, dtype)
        fits = text.str.replace_all(r"[-.]", "").str.strip_chars_start("0").str.len_chars() <= DIGITS
        return _Column(pl.when(fits).then(column.cast(pl.Float64)), pl.when(~fits).then(text), _MONEY)
    if dtype == pl.Date:
        fits = column >= _FIRST_DAY
        days = column.cast(pl.Int32).cast(pl.Int64) + _EPOCH
        return _Column(pl.when(fits).then(days), pl.when(~fits).then(text), _DAY, len(_DAY))
    if isinstance(dtype, pl.Datetime) and not dtype.time_zone:
        fits = column >= dt.datetime.combine(_FIRST_DAY, dt.time())
        days = column.dt.epoch("ms") / 86_400_000 + _EPOCH
        return _Column(pl.when(fits).then(days), pl.when(~fits).then(iso(column, dtype)), _MOMENT, len(_MOMENT))
    return _Column(texts=text)


_VALUE, _TEXT = "v", "t"


def _batches(frame: pl.LazyFrame, columns: Mapping[str, _Column]) -> Iterator[pl.DataFrame]:
    """The rows with the values and the texts of each column, named by its number."""
    made = [
        expr.alias(f"{kind}{number}")
        for number, column in enumerate(columns.values())
        for kind, expr in ((_VALUE, column.values), (_TEXT, column.texts))
        if expr is not None
    ]
    rows = frame.select(made).collect_batches(chunk_size=_BATCH, maintain_order=True)
    for batch in rows:
        yield from batch.iter_slices(_BATCH)


def _values(batch: pl.DataFrame, columns: Mapping[str, _Column]) -> list[list[Any]]:
    """What stands in the cells, column after column."""
    found = []
    for number, column in enumerate(columns.values()):
        values = batch[f"{_VALUE}{number}"].to_list() if column.values is not None else None
        texts = batch[f"{_TEXT}{number}"] if column.texts is not None else None
        if values is not None and texts is not None and texts.null_count() < len(texts):
            found.append([value if text is None else text for value, text in zip(values, texts, strict=True)])
        else:
            found.append(values if values is not None else texts.to_list() if texts is not None else [])
    return found


def _lengths(batch: pl.DataFrame, columns: Mapping[str, _Column]) -> list[int]:
    """The length of the longest value of each column."""
    lengths = []
    for number, column in enumerate(columns.values()):
        shown = [name for kind in (_VALUE, _TEXT) if (name := f"{kind}{number}") in batch.columns]
        if column.width is not None:
            lengths.append(column.width)
        else:
            longest = batch.select(pl.max_horizontal(pl.col(shown).cast(pl.String).str.len_chars().max()))
            lengths.append(longest.item() or 0)
    return lengths


def _rest(sheet: Worksheet) -> None:
    """Close the file of rows until the workbook is put together: there may be a thousand sheets."""
    sheet.row_data_fh.close()
    sheet.row_data_fh_closed = True


def _set_widths(sheet: Worksheet, longest: Mapping[int, int]) -> None:
    for column, length in longest.items():
        sheet.set_column(column, column, min(max(length, _NARROWEST), _WIDEST) + 1.5)
