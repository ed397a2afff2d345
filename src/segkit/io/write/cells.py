"""Values as text: what a cell of a CSV file and a value of a JSON line look like.

Missing is empty in CSV and null in JSON; NaN and infinity are missing. Decimals are exact, without trailing zeros.
"""

from __future__ import annotations

import json
from collections.abc import Collection

import polars as pl

from segkit.errors import WriteError
from segkit.io.write import TextStyle

TIME = "%H:%M:%S%.f"
FORMULA = r"^[=+\-@\t\r]"
_SIGNS = tuple("=+-@\t\r")
PLAIN_NUMBER = r"^[+-]?[0-9]+([.,][0-9]+)?$"
"""Text that a spreadsheet reads as a number and never runs, though it begins with a sign."""


def rendered(schema: pl.Schema, style: TextStyle) -> list[pl.Expr]:
    """Each column as CSV shows it, under its name; columns that the CSV writer itself shows so are left alone."""
    cells = [_cell(name, dtype, style) for name, dtype in schema.items()]
    if not style.escape_formulas:
        return cells
    return [cell.alias(name) for cell, name in zip(cells, escaped_names(schema), strict=True)]


def _cell(name: str, dtype: pl.DataType, style: TextStyle) -> pl.Expr:
    column = pl.col(name)
    if dtype.is_float() or dtype.is_decimal():
        return _number(column, dtype, style.decimal)
    if isinstance(dtype, pl.Datetime):
        return iso(column, dtype)
    text = _text(column, dtype, style.separators.get(name, "|"))
    if text is None:
        return column
    if style.escape_formulas:
        return escaped(text)
    return text


def without_nul(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The rows, of which each text is looked at: `WriteError` for one with a NUL, where readers of cells stop.

    Files of text are refused with one when they are read; sources that have types of their own may hold it.
    """

    def looked_at(rows: pl.DataFrame) -> pl.DataFrame:
        for column in columns_with_nul(rows):
            raise holds_nul(column)
        return rows

    return frame.map_batches(looked_at, streamable=True, validate_output_schema=False)


def columns_with_nul(rows: pl.DataFrame) -> list[str]:
    """The columns with texts of which some has a NUL."""
    found = rows.select(pl.col(pl.String).str.contains("\0", literal=True).any())
    return [column.name for column in found if column.item()]


def holds_nul(column: str) -> WriteError:
    """The error for a column with such a text."""
    hint = "mend it where it comes from, leave the column out, or write `parquet`, `arrow` or `ndjson`"
    return WriteError.of(f"a text in column `{column}` has a NUL, at which readers of cells stop", hint=hint)


def as_text(column: pl.Expr, dtype: pl.DataType, separator: str = "|") -> pl.Expr:
    """The column as text, whatever its type, as CSV shows it."""
    if dtype.is_decimal():
        return exact(column, dtype)
    if dtype.is_float():
        return shortest(column)
    if isinstance(dtype, pl.Datetime):
        return iso(column, dtype)
    text = _text(column, dtype, separator)
    return column.cast(pl.String) if text is None else text


def _text(column: pl.Expr, dtype: pl.DataType, separator: str) -> pl.Expr | None:
    """The column as text; None for types that the CSV writer itself shows so.

    A length of time is as in ISO 8601, bytes are hexadecimal; a time of day is 14:05:00, and has a fraction if any.
    """
    if isinstance(dtype, pl.List | pl.Array):
        items = column.cast(pl.List(pl.String))
        return pl.when(items.list.len() > 0).then(items.list.join(separator, ignore_nulls=True))
    if isinstance(dtype, pl.Struct):
        return pl.when(column.is_not_null()).then(column.struct.json_encode())
    if isinstance(dtype, pl.Duration):
        return column.dt.to_string("iso")
    if isinstance(dtype, pl.Time):
        return column.dt.to_string(TIME)
    if isinstance(dtype, pl.Binary):
        return column.bin.encode("hex")
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return column if isinstance(dtype, pl.String) else column.cast(pl.String)
    return None


def _number(column: pl.Expr, dtype: pl.DataType, decimal: str) -> pl.Expr:
    if dtype.is_float() and decimal == ".":
        return finite(column)  # the writer shows the shortest digits, without exponent
    text = exact(column, dtype) if dtype.is_decimal() else shortest(column)
    return text if decimal == "." else text.str.replace(".", decimal, literal=True)


def exact(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A Decimal as text: 19.99, 5, 0."""
    text = column.cast(pl.String)
    if isinstance(dtype, pl.Decimal) and not dtype.scale:
        return text
    return text.str.strip_chars_end("0").str.strip_chars_end(".")


def shortest(column: pl.Expr) -> pl.Expr:
    """A float as text, with the fewest digits that tell it from other floats: 0.1, 5, 1e+16."""
    return finite(column).cast(pl.String).str.strip_suffix(".0")


def finite(column: pl.Expr) -> pl.Expr:
    """A float where it is a number, missing elsewhere; -0 is 0."""
    return pl.when(column == 0).then(0.0).when(column.is_finite()).then(column).name.keep()


def iso(column: pl.Expr, dtype: pl.Datetime) -> pl.Expr:
    """A timestamp as text: 2024-03-31T14:05:00, with a fraction and an offset where it has them."""
    return column.dt.to_string(f"%Y-%m-%dT{TIME}" + ("%:z" if dtype.time_zone else ""))


def escaped(text: pl.Expr) -> pl.Expr:
    """The text; where a spreadsheet would run it as a formula, a `'` before it keeps it text."""
    runs = text.str.contains(FORMULA) & ~text.str.contains(PLAIN_NUMBER)
    return pl.when(runs).then(pl.lit("'") + text).otherwise(text)


def escaped_names(names: Collection[str]) -> list[str]:
    """The names of a header, with a `'` before those that begin like a formula; no two names become one."""
    taken = {name for name in names if not name.startswith(_SIGNS)}
    shown = []
    for name in names:
        new = "'" + name if name.startswith(_SIGNS) else name
        while new != name and new in taken:
            new = "'" + new
        taken.add(new)
        shown.append(new)
    return shown


def json_lines(schema: pl.Schema) -> pl.Expr:
    """Each row as one JSON object, in one column."""
    pieces: list[pl.Expr] = []
    for name, dtype in schema.items():
        pieces += [pl.lit(f"{',' if pieces else '{'}{json.dumps(name, ensure_ascii=False)}:"), _json(name, dtype)]
    return pl.concat_str([*pieces, pl.lit("}")]).alias("line") if pieces else pl.lit("{}").alias("line")


def _json(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype.is_decimal():
        value = exact(column, dtype)
    elif dtype.is_float():
        value = shortest(column)
    elif dtype.is_integer() or dtype == pl.Boolean:
        value = column.cast(pl.String)
    elif isinstance(dtype, pl.Datetime):
        value = pl.concat_str(pl.lit('"'), iso(column, dtype), pl.lit('"'))
    elif isinstance(dtype, pl.Date | pl.Duration | pl.Binary):
        value = pl.concat_str(pl.lit('"'), as_text(column, dtype), pl.lit('"'))
    else:
        # Polars encodes only structs, as {"":VALUE}: the value is taken out of it.
        value = pl.struct(column.alias("")).struct.json_encode().str.slice(4).str.strip_suffix("}")
    return value.fill_null("null")
