"""All that is counted of a table, in one pass: each column is asked only what its kind needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from segkit.io.read import ColumnType, Table
from segkit.io.read.values.texts import trimmed
from segkit.operations.auditing.addresses import is_address
from segkit.operations.auditing.columns import FEW, LIKE_A_DAY, Read, no_values, shape, text_of
from segkit.operations.auditing.placeholders import FORMS, LONGEST, WORDS
from segkit.operations.column_facts.figures import MOST
from segkit.operations.personal.contents import DIGITS, kind_in
from segkit.operations.personal.kinds import REACHES
from segkit.operations.personal.kinds import kind_of as kind_by_name

_TEXT, _VALUE, _BAD, ROW = "\x1ftext ", "\x1fvalue ", "\x1fbad ", "\x1frow"
AT_ONCE = 10
_SHAPES = 3
"""How many shapes of invalid values are told."""
_BETWEEN = r"[ \t\x{a0}\x{202f}()+./-]*"
PHONE = rf"^{_BETWEEN}(?:[0-9]{_BETWEEN}){{7,15}}(?:(?i:ext\.?|x|\#|durchwahl|poste) *[0-9]{{1,6}})?$"
"""As many digits as a number has in ITU-T E.164, and in small networks, with what groups them, or an extension."""


class Sheet(NamedTuple):
    """A table that is looked at: its columns, its rows with what is asked of them often, and what is no domain."""

    table: Table
    reads: Sequence[Read]
    wrong_domains: Sequence[str]

    @property
    def frame(self) -> pl.LazyFrame:
        """The rows; cleaned texts, values, and whether these are bad, in columns of their own: each is asked often."""
        texts = (text_of(read.column).alias(_TEXT + read.name) for read in self.reads)
        values = (self.table.value(read.name).alias(_VALUE + read.name) for read in self.reads if _has_value(read))
        bad = ((read, self._bad(read)) for read in self.reads)
        frame = self.table.frame.with_columns(*texts, *values)
        return frame.with_columns(expr.alias(_BAD + read.name) for read, expr in bad if expr is not None)

    def text(self, read: Read) -> pl.Expr:
        """The text without white space; null where nothing stands, or what means so in every column."""
        return pl.col(_TEXT + read.name)

    def filled(self, read: Read) -> pl.Expr:
        """Whether something stands there that is not read as missing."""
        text, others = self.text(read), no_values(read)
        if not (read.column.is_text and others):
            return text.is_not_null()
        return text.is_not_null() & ~text.is_in(others)

    def invalid(self, read: Read) -> pl.Expr | None:
        """Whether something stands there that is not of the column's kind; None where that cannot be."""
        return None if self._bad(read) is None else pl.col(_BAD + read.name)

    def value(self, read: Read) -> pl.Expr:
        """The number, the day, or yes or no."""
        return pl.col(_VALUE + read.name)

    def _bad(self, read: Read) -> pl.Expr | None:
        text = self.text(read)
        if read.read_as == "e-mail":
            return text.is_not_null() & ~is_address(text, self.wrong_domains)
        if read.read_as == "phone":
            return text.is_not_null() & ~text.str.contains(PHONE)
        if not read.column.is_text or not _has_value(read):
            return None
        bad = self.value(read).is_null()
        if (suspect := self.table.suspect(read.name)) is not None:
            bad = bad | suspect.fill_null(value=False)
        return self.filled(read) & bad


def _has_value(read: Read) -> bool:
    return read.read_as in ("integer", "number", "date", "boolean")


class Counted(NamedTuple):
    """A value and its rows."""

    value: Any
    rows: int


class Figures:
    """Reads what was counted: of the table, and of each column by its name."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = row

    def of(self, what: str, name: str = "") -> Any:
        return self._row.get(_at(what, name))

    def with_answers(self, sheet: Sheet, asked: Mapping[tuple[str, str], pl.Expr]) -> Figures:
        """The same with the answers to further questions, for which the rows are read again."""
        found = sheet.frame.select(expr.alias(_at(what, name)) for (what, name), expr in asked.items())
        return Figures({**self._row, **found.collect(engine="streaming").row(0, named=True)})

    def number(self, what: str, name: str = "") -> int:
        return int(self.of(what, name) or 0)

    def counts(self, what: str, name: str) -> list[Counted]:
        """Values with their rows, those of most rows first."""
        found = [Counted(one["value"], one["rows"]) for one in self.of(what, name) or ()]
        return sorted(found, key=lambda one: (-one.rows, str(one.value)))


def counted(sheet: Sheet, more: Mapping[tuple[str, str], pl.Expr]) -> Figures:
    """What is counted of all rows; `more` are further questions, by what they ask and of which column.

    Some columns at a time: most questions hold a column in memory, and all of 30 columns of 1 M rows take 1.5 GB.
    """
    asked = {**{(what, name): expr for what, name, expr in _questions(sheet)}, **more}
    names = ["", *(read.name for read in sheet.reads)]
    batches = [{*names[:1]}, *({*names[at : at + AT_ONCE]} for at in range(1, len(names), AT_ONCE))]
    row: dict[str, Any] = {}
    for batch in batches:
        mine = {key: expr for key, expr in asked.items() if key[1] in batch}
        found = sheet.frame.select(expr.alias(_at(*key)) for key, expr in mine.items()).collect(engine="streaming")
        for read in sheet.reads:
            if ("values", read.name) in mine:
                values = found.drop_in_place(_at("values", read.name)).explode().struct.unnest()
                row |= {_at(what, read.name): said for what, said in _of_values(read, values)}
        row |= found.row(0, named=True) if found.width else {}
    return Figures(row)


def _of_values(read: Read, counts: pl.DataFrame) -> Iterator[tuple[str, Any]]:
    """What the different values and their rows say; of many, none is needed beyond their number."""
    counts = counts.drop_nulls()
    yield "distinct", len(counts)
    yield "values", counts.to_dicts() if len(counts) <= FEW else None
    if read.column.is_text:
        yield "placeholders", counts.filter(pl.col("value").str.to_lowercase().is_in(WORDS)).to_dicts()
        if may_hide(read):
            kinds = counts.with_columns(kind_in(pl.col("value")).alias("value")).drop_nulls()
            yield "kinds", kinds.group_by("value").sum().to_dicts()
            first = counts.sort("rows", "value", descending=[True, False]).head(MOST if len(counts) <= FEW else 0)
            seen = first.select(kind_in(pl.col("value")).alias("value")).filter(pl.col("value") != DIGITS)
            yield "kind of the first", next(iter(seen["value"]), None)


def _at(what: str, name: str) -> str:
    return f"{what}\x1f{name}"


def _questions(sheet: Sheet) -> Iterator[tuple[str, str, pl.Expr]]:
    yield "rows", "", pl.len()
    for read in sheet.reads:
        for what, expr in _of_column(sheet, read):
            yield what, read.name, expr


def _of_column(sheet: Sheet, read: Read) -> Iterator[tuple[str, pl.Expr]]:
    column, text = read.column, sheet.text(read)
    filled = sheet.filled(read)
    yield "filled", filled.sum()
    if column.type in (ColumnType.LIST, ColumnType.OTHER) and not column.is_text:
        yield "distinct", text.drop_nulls().hash().n_unique()  # of records and lists, nothing else counts them
        return
    known = text.filter(filled) if column.is_text and no_values(read) else text.drop_nulls()
    if read.few:
        yield "values", counts_of(known)
    else:
        yield "distinct", known.n_unique()
    yield from _of_texts(sheet, read)
    if (invalid := sheet.invalid(read)) is not None:
        yield "invalid", invalid.sum()
        yield "shapes", counts_of(shape(text.filter(invalid)), _SHAPES)
    if read.is_number:
        value = sheet.value(read)
        yield from (("lowest", value.min()), ("highest", value.max()))
        if read.is_measured:
            yield from (("first quartile", value.quantile(0.25)), ("third quartile", value.quantile(0.75)))
    if read.read_as == "date":
        yield "days", counts_of(sheet.value(read).drop_nulls())
    if read.of_birth:
        yield "years", counts_of(year(sheet, read).drop_nulls())
    if read.read_as in ("e-mail", "phone"):
        yield "twice", _twice(normal(sheet, read))


def _of_texts(sheet: Sheet, read: Read) -> Iterator[tuple[str, pl.Expr]]:
    if not read.column.is_text:
        return
    raw, text = pl.col(read.name), sheet.text(read)
    yield "blank", trimmed(raw.filter(raw.is_not_null() & text.is_null())).eq("").sum()
    short = text.filter(text.str.len_bytes() <= LONGEST)
    if not read.few or no_values(read):
        yield "placeholders", counts_of(short.filter(short.is_in(FORMS)))
    if not read.few and may_hide(read):
        yield "kinds", counts_of(kind_in(text).drop_nulls())
    if read.like_days:
        yield "like days", text.str.contains(LIKE_A_DAY).sum()
    if read.personal in REACHES:
        yield "reaching", text.str.contains(REACHES[read.personal]).sum()


def may_hide(read: Read) -> bool:
    """Whether somebody's address may stand among texts that are not expected to be personal."""
    return read.column.is_text and not _has_value(read) and kind_by_name(read.name) is None


def year(sheet: Sheet, read: Read) -> pl.Expr:
    """The year of a birth, which may be all that stands there."""
    return sheet.value(read).dt.year() if read.read_as == "date" else sheet.value(read)


def counts_of(values: pl.Expr, most: int | None = None) -> pl.Expr:
    """A list of the values with their rows."""
    counts = values.alias("value").value_counts(name="rows", sort=most is not None)
    return (counts if most is None else counts.head(most)).implode()


def normal(sheet: Sheet, read: Read) -> pl.Expr:
    """Addresses as they are compared, null where they are invalid: in lower case, and phones by their digits."""
    text, invalid = sheet.text(read), sheet.invalid(read)
    assert invalid is not None, "addresses and phones can be invalid"
    same = text.str.to_lowercase() if read.read_as == "e-mail" else text.str.replace_all(r"\D", "")
    return pl.when(~invalid).then(same)


def _twice(values: pl.Expr) -> pl.Expr:
    """How many different values come more than once."""
    return (values.drop_nulls().alias("value").value_counts(name="rows").struct.field("rows") > 1).sum()


def hashed(names: Sequence[str]) -> pl.Expr:
    """Rows as numbers of 64 bits: of a million different ones, two are taken for equal once in 40 million tables."""
    return pl.struct(names).hash()
