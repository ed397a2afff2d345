"""The cells of a sheet as a frame: numbers, dates and booleans where a column holds nothing else, texts where it does.

What would be lost on that way without a word is put in its place as the text that people see: `#DIV/0!` of an error,
`10:30:00` of a time of day, `1.23456789012345E+15` of a number of more digits than a workbook keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError
from segkit.io.read.kinds.excel import lengths, ods
from segkit.io.read.kinds.excel.cells import Cell, look
from segkit.io.read.kinds.excel.workbook import Book, Sheet, reading
from segkit.io.read.problems import check_names, problem
from segkit.rules.model.sources import Source

ROW = "\0row"
"""The column with the row of the sheet, from 1."""
LARGEST = 10**15
"""From here on, a workbook does not keep all digits of a whole number."""
LOOKED_AT = 30
"""Rows that are looked at for the header."""
_DAY_ZERO = r"^(?:1899-12-3[01])"
_DAY_ZERO_1904 = r"^(?:1904-01-01)"
"""The day of a value that is a time alone."""


class Seen(NamedTuple):
    """The rows of a sheet with types."""

    frame: pl.DataFrame
    unclear: tuple[str, ...] = ()
    """Columns of lengths of time and days, which nothing tells apart."""


class Rows(NamedTuple):
    """The rows of a sheet below its header, all as text, with their place in `ROW`."""

    names: tuple[str, ...]
    header: int
    """The row with the names; where they are given, the one above the first row."""
    texts: pl.DataFrame
    """The columns are named by their number in what is used of the sheet, from 0."""
    columns: tuple[int, ...]
    """The numbers of the columns, one for each name."""
    in_ods: ods.Seen = ods.Seen()
    """What else is known of a sheet of OpenDocument."""
    filled: int = 0
    """How many cells of the whole sheet have a value."""


def rows_of(book: Book, sheet: Sheet, spec: Source) -> Rows:
    """The rows as texts; `DataError` for a sheet without cells, and for a header that cannot be one."""
    read = book.load(sheet.name, skip_rows=0, dtypes="string").to_polars()
    read = read.rename({name: str(number) for number, name in enumerate(read.columns)})
    time_alone = (_DAY_ZERO_1904 if book.from_1904 else _DAY_ZERO) + r" (\d\d:\d\d:\d\d(?:\.\d+)?)$"
    texts = read.with_columns(pl.all().str.replace(time_alone, "${1}")).with_row_index(ROW, offset=1)
    texts = texts.with_columns(pl.col(ROW).cast(pl.Int64))
    in_ods = _seen_in_ods(book, sheet, len(texts)) if book.is_ods else ods.Seen()
    texts = _put(texts, [*lengths.of_written(in_ods.lengths), *in_ods.texts])
    texts = texts.filter(pl.col(ROW) > (spec.skip_lines or 0))
    filled = not_blank(texts)
    if filled.is_empty():
        where = f" below row {spec.skip_lines}" if spec.skip_lines else ""
        raise problem(book.label, f"sheet `{sheet.name}` of `{book.label.name}` is empty{where}")
    header = spec.skip_lines or 0 if spec.header is not None else int(filled[ROW][0])
    if spec.header is None and spec.skip_lines is None:
        _refuse_title(book, sheet, filled)
    below = texts.filter(pl.col(ROW) > header)
    if spec.skip_footer:
        footer = filled.filter(pl.col(ROW) > header).tail(spec.skip_footer)[ROW]
        below = below.filter(pl.col(ROW) < (footer.min() if len(footer) else 0))
    names = _names(book, sheet, spec, filled.filter(pl.col(ROW) == header), below)
    return Rows(
        names=tuple(names.values()),
        header=header,
        texts=below.select(ROW, *map(str, names)),
        columns=tuple(names),
        in_ods=in_ods,
        filled=sum(column.count() for column in read),
    )


def _seen_in_ods(book: Book, sheet: Sheet, rows: int) -> ods.Seen:
    """What the XML of a sheet says, and its reader does not; `DataError` for tables in cells."""
    with reading(book.label):
        seen = ods.look(book.path, sheet.name, rows)
    if seen.has_tables_in_cells:
        hint = "copy what is in it into cells of its own, or save the sheet as .xlsx"
        raise problem(book.label, f"sheet `{sheet.name}` of `{book.label.name}` has a table within a cell", hint=hint)
    return seen


def _put(texts: pl.DataFrame, cells: Sequence[Cell]) -> pl.DataFrame:
    """The texts with those of these cells, whose columns count from the first one with a value, from 0."""
    for column in sorted({cell.column for cell in cells}):
        if str(column) in texts.columns:
            texts = with_texts(texts, texts, str(column), [cell for cell in cells if cell.column == column])
    return texts


def not_blank(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that have something but white space in some column."""
    texts = [pl.col(name).str.strip_chars() for name, dtype in frame.schema.items() if dtype == pl.String]
    others = [pl.col(name) for name, dtype in frame.schema.items() if dtype != pl.String and name != ROW]
    filled = [*((text != "").fill_null(value=False) for text in texts), *(other.is_not_null() for other in others)]
    return frame.filter(pl.any_horizontal(filled)) if filled else frame.clear()


def _refuse_title(book: Book, sheet: Sheet, texts: pl.DataFrame) -> None:
    """`DataError` where the first row names few columns, and a later one all of them: a title stands above."""
    first, *others = [[bool(v and v.strip()) for v in row] for row in texts.drop(ROW).head(LOOKED_AT).iter_rows()]
    full = next((number for number, row in enumerate(others, 1) if all(row)), None)
    if 2 * sum(first) >= len(first) or full is None:
        return
    row = int(texts[ROW][full])
    message = f"the first row names {sum(first)} of {len(first)} columns, so other lines may stand above the table"
    hint = f"if row {row} has the names, give `skip_lines = {row - 1}`; if the first row does, `skip_lines = 0`"
    raise DataError(Diagnostic(message, place(book, sheet, int(texts[ROW][0])), hint))


def _names(book: Book, sheet: Sheet, spec: Source, header: pl.DataFrame, below: pl.DataFrame) -> dict[int, str]:
    """Number of a column -> its name; a column without a name and without a value is none."""
    numbers = range(below.width - 1)
    if spec.header is not None:
        if len(spec.header) != len(numbers):
            message = f"`header` names {len(spec.header)} columns, and sheet `{sheet.name}` has {len(numbers)}"
            raise problem(book.label, message, hint="give a name to each")
        names = dict(zip(numbers, (name.strip() for name in spec.header), strict=True))
    else:
        given = [(name or "").strip() for name in header.drop(ROW).row(0)]
        filled = {number for number in numbers if len(not_blank(below.select(str(number))))}
        names = {n: given[n] or f"column_{n + 1}" for n in numbers if given[n] or n in filled}
    check_names(book.label, names.values())
    seen: dict[str, int] = {}
    for number, name in names.items():
        if name in seen:
            message = f"columns {seen[name] + 1} and {number + 1} are both named `{name}`"
            hint = "give each column a name of its own in the workbook, or all of them with `header` and `skip_lines`"
            raise DataError(Diagnostic(message, place(book, sheet, int(header[ROW][0]) if len(header) else None), hint))
        seen[name] = number
    return names


def typed(book: Book, sheet: Sheet, rows: Rows, read: pl.DataFrame | None) -> Seen:
    """The same rows and columns with types; a column of several kinds of value is text, each as people see it.

    `read` are the rows below the first one with the types of their cells, where they have been read already.
    """
    if rows.texts.is_empty():
        return Seen(rows.texts)
    # The rows of `texts` follow each other without a gap.
    mixed: Mapping[int, bool] = {}
    if read is None or rows.header != 1:
        read, mixed = book.load_typed(
            sheet.name, skip_rows=rows.header, n_rows=len(rows.texts), schema_sample_rows=None
        )
    mixed = {number: has_days for number, has_days in mixed.items() if number in rows.columns}
    texts, unclear = _with_lengths(book, sheet, rows, mixed) if mixed else (rows.texts, ())
    frame: pl.DataFrame = read.rename({name: str(number) for number, name in enumerate(read.columns)})
    frame = frame.with_columns(rows.texts[ROW]).select(rows.texts.columns)
    return Seen(frame.with_columns(_column(book, frame[str(n)], texts[str(n)]) for n in rows.columns), unclear)


def _with_lengths(
    book: Book, sheet: Sheet, rows: Rows, mixed: Mapping[int, bool]
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The texts with those of lengths of time, and the columns where nothing tells them from days."""
    if book.is_ods:
        return rows.texts, ()
    if sheet.part is not None and book.styles is not None:
        with reading(book.label):
            of_lengths = lengths.styles_of(book.path, book.styles)
            cells = look(book.path, sheet.part, rows.header, (), of_lengths=of_lengths)
        found = [cell._replace(column=cell.column - cells.first_column) for cell in cells.lengths]
        return _put(rows.texts, lengths.of_days([cell for cell in found if cell.column in mixed])), ()
    alone = [rows.texts[str(number)] for number, has_days in mixed.items() if not has_days]
    unclear = tuple(rows.names[rows.columns.index(number)] for number, has_days in mixed.items() if has_days)
    return rows.texts.with_columns(lengths.of_moments(t, from_1904=book.from_1904) for t in alone), unclear


def _column(book: Book, values: pl.Series, texts: pl.Series) -> pl.Series:
    """The column as it is read, of its values and of their texts."""
    if isinstance(values.dtype, pl.Duration):
        return of_one_kind(book, values).fill_null(texts)  # of what has no length, and of those of OpenDocument
    lost = values.is_null() | (values.is_nan() if values.dtype.is_float() else False)
    if values.dtype == pl.String or (lost & (texts.str.strip_chars() != "")).any():
        return texts  # fastexcel takes `NA`, `null` and the like beside numbers and days for nothing
    if values.dtype.is_float():
        if texts.is_in(["true", "false"]).any():
            return texts  # TRUE among numbers is no 1
        large = ((values == values.floor()) & (values.abs() >= LARGEST)).fill_null(value=False)
        if large.any():
            return texts.zip_with(~large, _as_shown(values))
    return of_one_kind(book, values)


def of_one_kind(book: Book, values: pl.Series) -> pl.Series:
    """Values as they are read where none is of another kind and no number is large."""
    if isinstance(values.dtype, pl.Duration):
        return lengths.shown(values)
    if isinstance(values.dtype, pl.Datetime):
        return _of_dates(values, _DAY_ZERO_1904 if book.from_1904 else _DAY_ZERO)
    if values.dtype.is_float() and (values == values.floor()).all():
        return values.cast(pl.Int64)
    return values


def _as_shown(numbers: pl.Series) -> pl.Series:
    """Large numbers as a workbook shows them: 1.23456789012346E+15."""
    exponents = numbers.abs().log(10).floor()
    exponents += ((numbers / 10.0**exponents).round(14).abs() >= 10).cast(pl.Float64)  # a logarithm is not exact
    digits = (numbers / 10.0**exponents).round(14).cast(pl.String).str.strip_suffix(".0")
    return digits + "E+" + exponents.cast(pl.Int64, strict=False).cast(pl.String)


def _of_dates(values: pl.Series, day_zero: str) -> pl.Series:
    """Days where no value has a time; times of day, which are days before all others, are texts."""
    times = values.dt.date().cast(pl.String).str.contains(day_zero).fill_null(value=False)
    if times.any():
        return values.dt.to_string("%Y-%m-%d %H:%M:%S%.f").zip_with(~times, values.dt.to_string("%H:%M:%S%.f"))
    return values.cast(pl.Date) if (values.dt.time().cast(pl.Int64) == 0).all() else values


def with_texts(frame: pl.DataFrame, texts: pl.DataFrame, column: str, cells: Sequence[Cell]) -> pl.DataFrame:
    """The frame with a column as text, in which these cells hold what people see in them."""
    seen = pl.DataFrame(
        {ROW: [c.row for c in cells], "\0seen": [c.text for c in cells]}, schema_overrides={ROW: pl.Int64}
    )
    as_text = frame if frame[column].dtype == pl.String else frame.with_columns(texts[column])
    joined = as_text.join(seen.unique(ROW, keep="first"), on=ROW, how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("\0seen", column).alias(column)).drop("\0seen")


def place(book: Book, sheet: Sheet, row: int | None = None) -> SourceLocation:
    """Where a sheet, or a row of it, is."""
    return SourceLocation(str(book.label), row, sheet=sheet.name)
