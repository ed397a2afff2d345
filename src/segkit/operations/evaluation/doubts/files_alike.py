"""Which files of a table share rows, where there are too many to compare each with each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import polars as pl

from segkit.io.read import Workspace

AT_ONCE = 20_000_000
"""Of so many rows at a time it is kept in memory which ones come again."""
_HASH, _FILE = "\x1fhash", "\x1ffile"
Pair = tuple[int, int]


def alike(rows: Sequence[pl.LazyFrame], pairs: Sequence[Pair], ws: Workspace) -> Sequence[Pair]:
    """Those of these pairs of frames that share a row; there may be others among them.

    The rows of all frames are hashed and put down, so that each is read once.
    """
    if len(pairs) < len(rows):  # as those of months that follow each other
        return pairs
    hashes = pl.concat(_hashes(rows[file], file, ws) for file in sorted({file for pair in pairs for file in pair}))
    turns = max(1, math.ceil(hashes.select(pl.len()).collect().item() / AT_ONCE))
    found: set[Pair] = set()
    for turn in range(turns):
        some = hashes.filter(pl.col(_HASH) % turns == turn)
        twice = some.group_by(_HASH).len().filter(pl.col("len") > 1).collect(engine="streaming")
        if len(twice):
            files = some.join(twice.lazy(), on=_HASH, how="semi").group_by(_HASH).agg(pl.col(_FILE).sort())
            for together in files.select(pl.col(_FILE).unique()).collect().to_series().to_list():
                found.update(combinations(together, 2))
    return [pair for pair in pairs if pair in found]


def _hashes(rows: pl.LazyFrame, file: int, ws: Workspace) -> pl.LazyFrame:
    path = ws.new_file(".arrow")
    with ws.filling():
        hashed = rows.select(pl.struct(pl.all()).hash().alias(_HASH)).unique()
        hashed.sink_ipc(path, compression="uncompressed")
    return pl.scan_ipc(path).with_columns(pl.lit(file, pl.UInt32).alias(_FILE))
