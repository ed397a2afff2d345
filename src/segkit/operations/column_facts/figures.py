"""What stands in the columns of a table: how many rows have a value, from where to where, which values most often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from segkit.criteria.kinds import Dtypes, kind_of
from segkit.operations.personal.contents import card_looks_of, looks_of
from segkit.operations.personal.kinds import REACHES, kind_seen, kind_told, reaching, yes_or_no
from segkit.operations.personal.kinds import kind_of as kind_by_name
from segkit.results.columns import ColumnValues, FrequentValue

MOST = 5
"""How many of the most frequent values are named."""
COUNTED = ("text", "boolean", "list")
"""The kinds of columns whose values are counted one by one."""
_ROWS = "\x1frows"


def figures(frame: pl.LazyFrame, dtypes: Dtypes) -> pl.LazyFrame:
    """One row with all that `Figures` reads of these columns of the frame."""
    found = frame.select(pl.len().alias(_ROWS), *(expr for name in dtypes for expr in _figures(name, dtypes[name])))
    counted = [name for name, dtype in dtypes.items() if kind_of(dtype) in COUNTED]
    found = found.with_columns(pl.col(_at("values", name)).list.len().alias(_at("distinct", name)) for name in counted)
    # In two steps, so that of many different values few are sorted.
    value, rows = pl.element().struct.field("value"), pl.element().struct.field("rows")
    highest = pl.element().filter(rows >= rows.top_k(MOST).min())
    first = pl.element().sort_by(rows, value, descending=[True, False]).head(MOST)
    for step in (highest, first):
        found = found.with_columns(pl.col(_at("values", name)).list.eval(step) for name in counted)
    return found


def _at(what: str, name: str) -> str:
    return f"\x1f{what}\x1f{name}"


def _figures(name: str, dtype: pl.DataType) -> Iterator[pl.Expr]:
    column, kind = pl.col(name), kind_of(dtype)
    yield column.count().alias(_at("filled", name))
    if kind in ("number", "date"):
        yield from (column.min().alias(_at("lowest", name)), column.max().alias(_at("highest", name)))
    if kind in COUNTED:
        values = column.list.unique().explode() if kind == "list" else column
        counts = values.drop_nulls().alias("value").value_counts(name="rows")
        yield counts.implode().alias(_at("values", name))
    if kind in ("text", "list") or dtype.is_integer():
        single = column.explode().cast(pl.String) if kind == "list" else column
        yield (card_looks_of(single) if kind == "number" else looks_of(single)).alias(_at("looks", name))
        yield single.count().alias(_at("single", name))
    if kind_by_name(name) and kind != "list":
        yield yes_or_no(column).alias(_at("yes or no", name))
        yield from (reaching(column, kind).alias(_at(f"reaches {kind}", name)) for kind in REACHES)


class Figures:
    """Reads what `figures` has found of a table."""

    def __init__(self, found: pl.DataFrame, dtypes: Dtypes) -> None:
        self._row: dict[str, Any] = found.row(0, named=True)
        self._dtypes = dtypes

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return int(self._row[_ROWS])

    def personal(self, name: str) -> str | None:
        """The kind of personal data in a column, by its name and by all of its values.

        One frequent value that looks like personal data is enough, since it would be shown.
        """
        filled, kind = self._of("filled", name), kind_of(self._dtypes[name])
        if kind_by_name(name) and (kind == "list" or not filled):
            return kind_by_name(name)
        told = kind_told(
            name, lambda: self._of("yes or no", name), lambda of_name: self._of(f"reaches {of_name}", name)
        )
        looks = self._of("looks", name)
        return told or (looks and kind_seen(self._of("single", name), looks)) or self._frequently_seen(name)

    def _frequently_seen(self, name: str) -> str | None:
        shown = pl.DataFrame({"value": [str(one.value) for one in self._first(name)]}, schema={"value": pl.String})
        looks: dict[str, int] = shown.select(looks_of(pl.col("value"), alone=True)).item()
        return next((kind for kind, number in looks.items() if number), None)

    def values(
        self, name: str, *, personal: str | None, shape: str | None, unreadable: int, all_values: bool
    ) -> ColumnValues:
        """All that may be said of a column; with `all_values`, also values that are rare."""
        shown = tuple(self._first(name) if all_values else self.frequent(name))
        return ColumnValues(
            filled=self._of("filled", name),
            unreadable=unreadable,
            personal=personal,
            distinct=self._of("distinct", name),
            lowest=None if personal else self._of("lowest", name),
            highest=None if personal else self._of("highest", name),
            frequent=() if personal else shown,
            shape=shape if personal or not shown else None,
        )

    def frequent(self, name: str) -> list[FrequentValue]:
        """The values that several rows have, and a hundredth of those that have one.

        Rarer ones say little of the column, and may be the name of somebody.
        """
        filled = self._of("filled", name)
        return [one for one in self._first(name) if one.rows > 1 and 100 * one.rows >= filled]

    def _first(self, name: str) -> list[FrequentValue]:
        return [FrequentValue(one["value"], one["rows"]) for one in self._of("values", name) or ()]

    def _of(self, what: str, name: str) -> Any:
        return self._row.get(_at(what, name))
