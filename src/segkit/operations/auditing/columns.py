"""How each column is read, told from some of its rows: the type, and whether it is an address or personal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from segkit.criteria.kinds import kind_of
from segkit.io.read import Column, ColumnType, Table
from segkit.io.read.values.column import NO_VALUE
from segkit.io.read.values.texts import trimmed
from segkit.operations.auditing.placeholders import WORDS
from segkit.operations.column_facts.figures import Figures, figures
from segkit.operations.personal.kinds import LOOKS_SO, REACHES, words_of
from segkit.operations.personal.kinds import kind_of as kind_by_name

ROWS = 2_000
"""Rows of which the kinds are told; all rows are asked whether they are of it."""
FEW = 1_000
"""Up to so many different values are counted one by one."""
NO_NUMBERS = r"(^| )(id|key|no|nr|code|codes|numero|nummer|zip|postcode|index)( |$)|(^| )(number|num)$"
"""Names of numbers that count and measure nothing: a number of something, such as `NumDeals`, says how many."""

_SEPARATED = r"[0-9]{1,2}[./-]"
LIKE_A_DAY = rf"^(?:[12][0-9]{{3}}[./-]{_SEPARATED}[0-9]{{1,2}}|{_SEPARATED}{_SEPARATED}[12][0-9]{{3}})(?:$|[ T])"


class Read(NamedTuple):
    """A column, how it is read, and what is personal about it."""

    column: Column
    read_as: str
    personal: str | None
    shape: str | None
    few: bool
    """The rows that were looked at have no more than `FEW` different values, and these come again."""
    like_days: bool = False
    """It is read as text, and some values are written like days."""

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def is_number(self) -> bool:
        return self.read_as in ("integer", "number")

    @property
    def is_measured(self) -> bool:
        """Whether it is a number that says how much."""
        return self.is_number and not is_code(self.name)

    @property
    def of_birth(self) -> bool:
        return self.personal == "birth date" and self.read_as in ("date", "integer")


def read_columns(table: Table, looked_at: pl.DataFrame) -> list[Read]:
    """How the columns are read; `looked_at` are some rows as they came."""
    names = [name for name, column in table.columns.items() if column.type is not ColumnType.OTHER]
    values = looked_at.lazy().select(table.value(name) for name in names).collect()
    dtypes = {name: dtype for name, dtype in values.schema.items() if kind_of(dtype) != "other"}
    facts = Figures(figures(values.lazy(), dtypes).collect(), dtypes) if dtypes else None
    return [
        _read(table, column, looked_at, facts if name in dtypes else None) for name, column in table.columns.items()
    ]


def _read(table: Table, column: Column, looked_at: pl.DataFrame, facts: Figures | None) -> Read:
    name = column.name
    personal = facts.personal(name) if facts else kind_by_name(name)
    texts = looked_at.lazy().select(text_of(column).drop_nulls()).collect().to_series()
    is_plain = column.is_text or column.type not in (ColumnType.LIST, ColumnType.OTHER)
    as_text = texts.cast(pl.String) if is_plain else pl.Series(dtype=pl.String)
    read_as = str(column.type)
    if column.is_text and read_as in ("integer", "number") and personal != "birth date" and is_code(name):
        read_as = "text"  # C536379 among numbers of invoices is no mistake
    if column.is_text and personal in REACHES and len(as_text):
        said = as_text.filter(~as_text.str.to_lowercase().is_in(WORDS))
        read_as = personal if said.str.contains(REACHES[personal]).sum() >= LOOKS_SO * max(len(said), 1) else read_as
    return Read(
        column=column,
        read_as="" if column.blank and not len(texts) else read_as,
        personal=personal,
        shape=usual_shape(as_text),
        few=not is_plain or _are_few(texts, whole=len(looked_at) < ROWS),
        like_days=column.is_text and read_as == "text" and bool(as_text.str.contains(LIKE_A_DAY).any()),
    )


def _are_few(texts: pl.Series, *, whole: bool) -> bool:
    different = texts.n_unique()
    return different <= FEW and (whole or 2 * different <= len(texts) + 1)


def is_code(name: str) -> bool:
    """Whether a column of this name numbers things."""
    return bool(re.search(NO_NUMBERS, " ".join(words_of(name))))


def text_of(column: Column) -> pl.Expr:
    """What stands there without white space around it; null where nothing does, or what every source has for nothing.

    Other types than text stay as they are.
    """
    raw = pl.col(column.name)
    if column.is_text:
        text = trimmed(raw)
        return pl.when(~text.is_in(["", *column.nulls])).then(text).alias(column.name)
    return raw.fill_nan(None) if column.dtype.is_float() else raw


def no_values(read: Read) -> tuple[str, ...]:
    """Texts of the column that are read as missing, beside those of every column."""
    return NO_VALUE if read.read_as not in ("text", "list", "e-mail", "phone", "") and read.column.nulls else ()


def shape(text: pl.Expr) -> pl.Expr:
    """How a text looks: `aaaa9@aaa.aa`."""
    return text.str.replace_all(r"[\p{L}\p{M}]", "a").str.replace_all(r"\p{N}", "9").str.head(40)


def usual_shape(texts: pl.Series) -> str | None:
    """The shape that most of these texts have; of several, the first in the alphabet."""
    if not len(texts):
        return None
    counts = texts.to_frame("text").select(shape(pl.col("text")).value_counts(name="rows")).unnest("text")
    return str(counts.sort("rows", "text", descending=[True, False])["text"][0])


def columns_named(reads: Sequence[Read], pattern: str) -> list[Read]:
    """The columns whose names have words like this."""
    return [read for read in reads if re.search(rf"(^| )({pattern})( |$)", " ".join(words_of(read.name)))]
