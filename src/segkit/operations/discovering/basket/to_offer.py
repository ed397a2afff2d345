"""How many customers have bought the left side of a rule, and never the right one."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from segkit.operations.discovering.basket.frequent import COUNT, LAST, PREFIX, SET, counts_in
from segkit.operations.discovering.basket.rules import LEFT_SET, OF_LEFT, SIZE

TO_OFFER = "to_offer"


def with_offers(rules: pl.DataFrame, levels: Sequence[pl.DataFrame], of_customers: pl.DataFrame | None) -> pl.DataFrame:
    """The rules with `TO_OFFER`; `of_customers` has what each has bought, None where the baskets are theirs."""
    if of_customers is None:
        return rules.with_columns((pl.col(OF_LEFT) - pl.col(COUNT)).alias(TO_OFFER))
    counted = counts_in(of_customers, _asked(rules, levels), "customers")
    schema = {SET: pl.UInt32, "customers": pl.Int64, SIZE: pl.Int64}
    none = pl.DataFrame(schema=schema)
    sizes = [
        of_size.select(SET, pl.col(COUNT).cast(pl.Int64).alias("customers"), pl.lit(size, pl.Int64).alias(SIZE))
        for size, of_size in enumerate(counted, start=1)
    ]
    have = pl.concat([none, *sizes])
    lefts = have.select(pl.col(SET).alias(LEFT_SET), pl.col("customers").alias("of_left"), pl.col(SIZE) + 1)
    found = rules.join(lefts, on=[LEFT_SET, SIZE], how="left", maintain_order="left")
    found = found.join(have, on=[SET, SIZE], how="left", maintain_order="left")
    return found.with_columns((pl.col("of_left") - pl.col("customers")).alias(TO_OFFER)).drop("of_left", "customers")


def _asked(rules: pl.DataFrame, levels: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """The sets of each size that are the left side of a rule, or both sides, and those they are put together of."""
    asked: list[pl.DataFrame] = []
    parts = pl.Series(SET, [], pl.UInt32)
    for size in range(len(levels), 0, -1):
        both = rules.filter(pl.col(SIZE) == size)[SET]
        lefts = rules.filter(pl.col(SIZE) == size + 1)[LEFT_SET].alias(SET)
        numbers = pl.concat([parts, both, lefts]).unique()
        sets = levels[size - 1].join(numbers.to_frame(), on=SET, how="semi")
        asked.insert(0, sets)
        if size > 1:
            parts = _parts(sets, levels[size - 2])
    return asked


def _parts(sets: pl.DataFrame, smaller: pl.DataFrame) -> pl.Series:
    """The two sets that each of these is put together of: one without the last item, one without the last but one."""
    firsts = smaller.select(pl.col(SET).alias(PREFIX), pl.col(PREFIX).alias("before"))
    seconds = smaller.select(pl.col(PREFIX).alias("before"), LAST, pl.col(SET).alias("second"))
    found = sets.select(PREFIX, LAST).join(firsts, on=PREFIX).join(seconds, on=["before", LAST])
    return pl.concat([found[PREFIX].alias(SET), found["second"].alias(SET)])
