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

SET, PREFIX, LAST, PAIR, COUNT = "set", "prefix", "last", "pair", "count"
"""Of a set: its number among those of its size, that of the set without its last item, this item, both of these in one
number, and how many baskets have it."""

PIECE = 10_000_000
"""So many rows are joined at once: 0.1 to 0.2 GB."""
MOST_ROWS = 500_000_000
"""So many rows are joined for one level: a minute of processor time."""
MOST_KEPT = 30_000_000
"""So many rows, or different sets, are in memory at once: 1 to 2 GB."""


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
    rows = _rows_of_items(lines, items.select(ITEM, SET))
    for size in range(2, length + 1):
        if sets.height < 2:
            return
        _refuse(rows, sets, size, baskets)
        counts = _counted(rows)
        sets = _of_pairs(counts.filter(pl.col(COUNT) >= least))
        yield Level(sets, _most(counts[COUNT]))
        if size < length and sets.height:
            _refuse_kept(int(sets[COUNT].sum()), size, baskets)
            rows = _next_rows(rows, sets)


def counts_in(lines: pl.DataFrame, levels: Sequence[pl.DataFrame], baskets: str) -> list[pl.DataFrame]:
    """How many of other baskets have these sets: for each size a table of `SET` and `COUNT`.

    `levels` has the sets that are looked for, and for each the set without its last item; a set that nobody has is
    missing in the answer. Raises `DataError` where that takes too much.
    """
    rows = _rows_of_items(lines, levels[0].select(pl.col(LAST).alias(ITEM), SET))
    if len(levels) > 1:
        _refuse(rows, None, 2, baskets)
    found: list[list[pl.DataFrame]] = [[] for _ in levels]
    for piece in _pieces(rows):
        of_size = piece
        for size, sets in enumerate(levels):
            if size:
                of_size = _next_rows(of_size, sets)
            found[size].append(of_size.group_by(SET).agg(pl.len().alias(COUNT)))
    none = pl.DataFrame(schema={SET: pl.UInt32, COUNT: pl.get_index_type()})
    return [pl.concat([none, *parts]).group_by(SET).agg(pl.col(COUNT).sum()) for parts in found]


def _rows_of_items(lines: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """A row for each basket and each of these items in it, as a set of one."""
    rows = lines.join(items, on=ITEM, maintain_order="left")
    return rows.select(BASKET, pl.lit(0, pl.UInt32).alias(PREFIX), SET, pl.col(ITEM).alias(LAST))


def _pair(of_set: pl.Expr, item: pl.Expr) -> pl.Expr:
    """A set and an item behind it in one number: grouping by one is twice as fast as by two."""
    return (of_set.cast(pl.UInt64) * 2**32 + item).alias(PAIR)


def _of_pairs(counts: pl.DataFrame) -> pl.DataFrame:
    prefix, last = (pl.col(PAIR) // 2**32).cast(pl.UInt32), (pl.col(PAIR) % 2**32).cast(pl.UInt32)
    return counts.sort(PAIR).with_row_index(SET).select(SET, prefix.alias(PREFIX), last.alias(LAST), COUNT)


def _pieces(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows, which are sorted by basket, in pieces of whole baskets that are joined at once."""
    of_basket = _groups(rows).group_by(BASKET, maintain_order=True).agg(pl.col("joined").sum(), pl.col("len").sum())
    pieces = of_basket.group_by(pl.col("joined").cum_sum() // PIECE, maintain_order=True).agg(pl.col("len").sum())
    start = 0
    for length in pieces["len"]:
        yield rows.slice(start, length)
        start += length


def _groups(rows: pl.DataFrame) -> pl.DataFrame:
    """For each basket and `PREFIX` the rows, and those they are joined to."""
    groups = rows.group_by(BASKET, PREFIX, maintain_order=True).agg(pl.len().cast(pl.Int64))
    return groups.with_columns((pl.col("len") * pl.col("len")).alias("joined"))


def _joined(piece: pl.DataFrame) -> pl.DataFrame:
    """`BASKET` and `PAIR` of each set that a basket has."""
    later = piece.select(BASKET, PREFIX, pl.col(LAST).alias("later"))
    both = piece.join(later, on=[BASKET, PREFIX]).filter(pl.col(LAST) < pl.col("later"))
    return both.select(BASKET, _pair(pl.col(SET), pl.col("later")))


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    """How many baskets have each set of the next size."""
    counted = pl.DataFrame(schema={PAIR: pl.UInt64, COUNT: pl.get_index_type()})
    for piece in _pieces(rows):
        of_piece = _joined(piece).group_by(PAIR).agg(pl.len().alias(COUNT))
        counted = pl.concat([counted, of_piece]).group_by(PAIR).agg(pl.col(COUNT).sum())
    return counted


def _next_rows(rows: pl.DataFrame, sets: pl.DataFrame) -> pl.DataFrame:
    """A row for each basket and each of these sets, of the next size, that it has."""
    wanted = sets.select(_pair(pl.col(PREFIX), pl.col(LAST)), SET, PREFIX, LAST)
    parts = [_joined(piece).join(wanted, on=PAIR).select(BASKET, PREFIX, SET, LAST) for piece in _pieces(rows)]
    return pl.concat([rows.clear(), *parts]).sort(BASKET, PREFIX)


def _refuse(rows: pl.DataFrame, sets: pl.DataFrame | None, size: int, baskets: str) -> None:
    """`DataError` where the next level would take too much: its rows are counted, none of them is made.

    `sets` are those of which it is made; None where those that it may have are known.
    """
    joined = _groups(rows)["joined"]
    different = 0 if sets is None else min(int(joined.sum()), _candidates(sets))
    if joined.sum() > MOST_ROWS or _most(joined) > MOST_KEPT or different > MOST_KEPT:
        raise _too_much(f"{int(joined.sum()):,} pairs of smaller sets would have to be looked at", size, baskets)


def _most(numbers: pl.Series) -> int:
    return int(numbers.to_frame("n").select(pl.col("n").max()).item() or 0)


def _candidates(sets: pl.DataFrame) -> int:
    """How many sets of the next size there may be."""
    length = pl.col("len").cast(pl.Int64)
    return int(sets.group_by(PREFIX).len().select((length * (length - 1) // 2).sum()).item())


def _refuse_kept(kept: int, size: int, baskets: str) -> None:
    if kept > MOST_KEPT:
        raise _too_much(f"those of {size} items alone are {kept:,} times in {baskets}", size + 1, baskets)


def _too_much(what: str, size: int, baskets: str) -> DataError:
    message = f"sets of {size} items are too many to be counted: {what}"
    shorter = f"; or take shorter rules, `--max-length {size - 1}`" if size > 2 else ""
    hint = f"ask for sets that more {baskets} have, by a larger `--support` or `--min-count`{shorter}"
    return DataError.of(message, hint=hint)
