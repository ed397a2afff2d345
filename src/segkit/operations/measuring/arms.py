"""The arms of the segments of a run: who was held out, and who was written, with which variant."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.gates.draws import VARIANT
from segkit.io.write import keys_of
from segkit.operations.delivery.manifest import SegmentOf
from segkit.operations.delivery.runs import Run
from segkit.results import HELD_OUT, WRITTEN

SEGMENT, ARM = "segment", "arm"
_NOBODY = pl.LazyFrame(schema={KEY: pl.String, SEGMENT: pl.String, ARM: pl.String})


class Arms(NamedTuple):
    """The arms of a segment in order, that with which the others are compared first, and the share drawn for each."""

    segment: str
    shares: dict[str, Fraction]


def drawn_in(run: Run) -> list[Arms]:
    """The segments of a run that have arms to compare."""
    return [arms for arms in map(_arms, run.manifest.segments) if len(arms.shares) > 1]


def _arms(segment: SegmentOf) -> Arms:
    held = Fraction(segment.holdout or Decimal())
    shares = {HELD_OUT: held / 100} if held else {}
    for variant, share in segment.split.items() or {WRITTEN: Decimal(100)}.items():
        shares[variant] = (100 - held) / 100 * Fraction(share) / 100
    return Arms(segment.name, shares)


def customers_of(run: Run) -> pl.LazyFrame:
    """`KEY`, as the lists show it, `SEGMENT` and `ARM` of all who were written or held out."""
    if run.members_file:
        written = pl.coalesce("variant", pl.lit(WRITTEN))
        arm = pl.when(pl.col("outcome") == HELD_OUT).then(pl.lit(HELD_OUT)).otherwise(written)
        return run.members().select(pl.col("key").alias(KEY), SEGMENT, arm.alias(ARM))
    split = {one.name for one in run.manifest.segments if one.split}
    lists = [
        _listed(run, one.file, one.segment, pl.col(VARIANT) if one.segment in split else pl.lit(WRITTEN))
        for one in run.lists
    ]
    held = [
        _listed(run, one.holdout_path, one.name, pl.lit(HELD_OUT)) for one in run.manifest.segments if one.holdout_path
    ]
    return pl.concat([_NOBODY, *lists, *held])


def _listed(run: Run, file: str, segment: str, arm: pl.Expr) -> pl.LazyFrame:
    rows = keys_of(run.folder / file, run.key.column, run.delimiter)
    return rows.select(
        pl.nth(0).cast(pl.String).alias(KEY), pl.lit(segment).alias(SEGMENT), arm.cast(pl.String).alias(ARM)
    )
