"""Sets of items that are often together, found level by level: sets of two, of three, and so on.

Each item of a set is often enough, and so is each smaller set in it. A set is known by the set without its last item,
and that item; so two sets of one size that differ in the last item alone make one of the next size. All counts are
whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl

from segkit.errors import DataError
from segkit.operations.discovering.basket.baskets import BASKET, ITEM

SET, PREFIX, LAST, COUNT = "set", "prefix", "last", "count"
"""Of a set: its number among those of its size, that of the set without its last item, this item, and how many baskets
have it."""
GROUP, LATER, PAIR = "group", "later", "pair"
"""Of a row: basket and prefix, which the sets share that are put together; the last item of the second set; the first
set and that item. Two numbers are put into one: joining and grouping by one takes half the time."""
WIDE = 2**32

PIECE = 10_000_000
"""So many rows are made at once: 0.2 GB."""
MOST_ROWS = 500_000_000
"""So many rows are made for one size: a minute of processor time."""
MOST_KEPT = 30_000_000
"""So many rows, or different sets, are in memory at once: 1 to 2 GB."""

MOST_SETS = 2_000_000
"""So many sets of one size are made into rules: as many for each of their items, 0.1 KB each."""


class Level(NamedTuple):
    """The sets of one size that are in enough baskets, and the largest count of all that were counted.

    `sets` has `SET`, `PREFIX`, `LAST` and `COUNT`. `best` is 0 where no two were ever together.
    """

    sets: pl.DataFrame
    best: int


def frequent(lines: pl.DataFrame, least: int, length: int, baskets: str) -> Iterator[Level]:
    """The sets of each size up to `length`, from single items on, that at least so many baskets have.

    Raises `DataError` before a level is built that takes too much; `baskets` is what the message calls them.
    """
    counted = lines.group_by(ITEM).agg(pl.len().alias(COUNT))
    items = counted.filter(pl.col(COUNT) >= least).sort(ITEM).with_row_index(SET)
    sets = items.select(SET, pl.lit(0, pl.UInt32).alias(PREFIX), pl.col(ITEM).alias(LAST), COUNT)
    yield Level(sets, _most(counted[COUNT]))
    rows = _rows_of_items(lines, sets)
    for size in range(2, length + 1):
        if sets.height < 2:
            return
        rows.refuse(size, baskets, _candidates(sets))
        counts = rows.counted()
        sets = _sets_of(counts.filter(pl.col(COUNT) >= least))
        if sets.height > MOST_SETS:
            raise _too_much(sets.height, size, baskets)
        yield Level(sets, _most(counts[COUNT]))
        if size < length and sets.height:
            if (kept := int(sets[COUNT].sum())) > MOST_KEPT:
                raise _too_much(kept, size + 1, baskets)
            rows = rows.next(sets)


def counts_in(lines: pl.DataFrame, levels: Sequence[pl.DataFrame], baskets: str) -> list[pl.DataFrame]:
    """How many of other baskets have these sets: for each size a table of `SET` and `COUNT`.

    `levels` has the sets that are looked for, and for each those that it is put together of; a set that nobody has is
    missing in the answer. Raises `DataError` where that takes too much.
    """
    rows = _rows_of_items(lines, levels[0])
    if len(levels) > 1:
        rows.refuse(2, baskets)
    found: list[list[pl.DataFrame]] = [[] for _ in levels]
    for piece in rows.pieces():
        of_size = piece
        for size, sets in enumerate(levels):
            if size:
                of_size = of_size.next(sets)
            found[size].append(of_size.frame.group_by(SET).agg(pl.len().alias(COUNT)))
    none = pl.DataFrame(schema={SET: pl.UInt32, COUNT: pl.get_index_type()})
    return [pl.concat([none, *parts]).group_by(SET).agg(pl.col(COUNT).sum()) for parts in found]


class _Rows(NamedTuple):
    """A row for each basket and each of the sets of one size in it, sorted by `GROUP`; with `SET` and `LAST`.

    `lengths` has how many rows each group has.
    """

    frame: pl.DataFrame
    lengths: pl.Series

    @classmethod
    def of(cls, frame: pl.DataFrame) -> _Rows:
        return cls(frame, frame[GROUP].rle().struct.field("len").cast(pl.Int64))

    @property
    def joined(self) -> pl.Series:
        """How many rows those of each group make, each beside each."""
        return self.lengths * self.lengths

    def pieces(self) -> Iterator[_Rows]:
        """The rows in pieces of whole groups that are joined at once."""
        piece = (self.joined.cum_sum() // PIECE).alias("piece")
        groups = pl.DataFrame([piece, self.lengths.alias("rows")])
        start = 0
        for (rows,) in groups.group_by("piece", maintain_order=True).agg(pl.col("rows").sum()).select("rows").rows():
            yield _Rows.of(self.frame.slice(start, rows))
            start += rows

    def together(self) -> pl.LazyFrame:
        """`GROUP` and `PAIR` of each set of the next size that a basket has."""
        rows = self.frame.lazy()
        both = rows.join(rows.select(GROUP, pl.col(LAST).alias(LATER)), on=GROUP).filter(pl.col(LAST) < pl.col(LATER))
        return both.select(GROUP, _in_one(SET, LATER).alias(PAIR))

    def counted(self) -> pl.DataFrame:
        """How many baskets have each set of the next size."""
        counted = pl.DataFrame(schema={PAIR: pl.UInt64, COUNT: pl.get_index_type()})
        for piece in self.pieces():
            of_piece = piece.together().group_by(PAIR).agg(pl.len().alias(COUNT)).collect()
            counted = pl.concat([counted, of_piece]).group_by(PAIR).agg(pl.col(COUNT).sum())
        return counted

    def next(self, sets: pl.DataFrame) -> _Rows:
        """The rows for these sets, of the next size."""
        wanted = sets.lazy().select(_in_one(PREFIX, LAST).alias(PAIR), SET, PREFIX, LAST)
        group = pl.col(GROUP) // WIDE * WIDE + pl.col(PREFIX)
        parts = [
            piece.together().join(wanted, on=PAIR).select(group.alias(GROUP), SET, LAST).collect()
            for piece in self.pieces()
        ]
        return _Rows.of(pl.concat([self.frame.clear(), *parts]).sort(GROUP))

    def refuse(self, size: int, baskets: str, different: int = 0) -> None:
        """`DataError` where the next size would take too much: its rows are counted, none of them is made.

        `different` is how many different sets of that size there may be, where all are counted.
        """
        joined = int(self.joined.sum())
        if joined > MOST_ROWS or _most(self.joined) > MOST_KEPT or min(joined, different) > MOST_KEPT:
            raise _too_much(joined, size, baskets)


def _rows_of_items(lines: pl.DataFrame, sets: pl.DataFrame) -> _Rows:
    items = sets.select(SET, pl.col(LAST).alias(ITEM))
    rows = lines.join(items, on=ITEM, maintain_order="left")
    group = pl.col(BASKET).cast(pl.UInt64) * WIDE
    return _Rows.of(rows.select(group.alias(GROUP), SET, pl.col(ITEM).alias(LAST)))


def _in_one(of_set: str, item: str) -> pl.Expr:
    """A set and an item behind it in one number."""
    return pl.col(of_set).cast(pl.UInt64) * WIDE + pl.col(item)


def _sets_of(counts: pl.DataFrame) -> pl.DataFrame:
    prefix, last = (pl.col(PAIR) // WIDE).cast(pl.UInt32), (pl.col(PAIR) % WIDE).cast(pl.UInt32)
    return counts.sort(PAIR).with_row_index(SET).select(SET, prefix.alias(PREFIX), last.alias(LAST), COUNT)


def _most(numbers: pl.Series) -> int:
    return int(numbers.to_frame("n").select(pl.col("n").max()).item() or 0)


def _candidates(sets: pl.DataFrame) -> int:
    """How many sets of the next size there may be."""
    length = pl.col("len").cast(pl.Int64)
    return int(sets.group_by(PREFIX).len().select((length * (length - 1) // 2).sum()).item())


def _too_much(rows: int, size: int, baskets: str) -> DataError:
    message = f"sets of {size} items are too many: {rows:,} rows"
    shorter = f"; or take shorter rules, `--max-length {size - 1}`" if size > 2 else ""
    hint = f"ask for sets that more {baskets} have, by a larger `--support` or `--min-count`{shorter}"
    return DataError.of(message, hint=hint)
