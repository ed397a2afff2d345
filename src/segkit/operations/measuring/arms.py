"""The arms of the segments of a run: who was held out, and who was written, with which variant."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.experiments import ALL_SEGMENTS, REACHED
from segkit.operations.delivery.manifest import Manifest, SegmentOf
from segkit.operations.delivery.runs import SINCE, Run
from segkit.results.terms import CONTROL, HELD_OUT, WRITTEN

SEGMENT, ARM, DAY = "segment", "arm", "day"
NOT_WRITTEN = (HELD_OUT, CONTROL)


class Arms(NamedTuple):
    """The arms of a segment in order, that with which the others are compared first, and the share drawn for each.

    `salts` are what they are drawn with: with others, the same shares are of other customers.
    """

    segment: str
    shares: dict[str, Fraction]
    salts: tuple[str | None, ...] = ()

    @property
    def drawn(self) -> bool:
        """Whether there is somebody to compare with."""
        return len(self.shares) > 1


def drawn_in(run: Run) -> list[Arms]:
    """The segments of a run that have arms to compare; then all of them beside the control group."""
    return [arms for arms in all_of(run.manifest) if arms.drawn]


def all_of(manifest: Manifest) -> Iterator[Arms]:
    """The arms of all segments of a run, of those of which nothing was drawn, too."""
    control = Fraction(manifest.control.percent) if manifest.control else Fraction()
    salt = manifest.control.salt if manifest.control else None
    for segment in manifest.segments:
        if segment.write:
            yield _arms(segment, control if segment.under_control else Fraction(), salt)
    under = [segment for segment in manifest.segments if _is_under(segment)]
    if control and (len(under) > 1 or any(segment.holdout for segment in under)):
        yield Arms(ALL_SEGMENTS, {CONTROL: control / 100, REACHED: 1 - control / 100}, (salt,))


def _is_under(segment: SegmentOf) -> bool:
    return segment.write and segment.under_control


def _arms(segment: SegmentOf, control: Fraction, salt: str | None) -> Arms:
    """Where a segment has a holdout of its own, the control group is no arm of it."""
    base, held = (HELD_OUT, Fraction(segment.holdout)) if segment.holdout else (CONTROL, control)
    shares = {base: held / 100} if held else {}
    for variant, share in segment.split.items() or {WRITTEN: Decimal(100)}.items():
        shares[variant] = (100 - held) / 100 * Fraction(share) / 100
    return Arms(segment.name, shares, (salt if CONTROL in shares else None, segment.salt))


def customers_of(run: Run) -> pl.LazyFrame:
    """`KEY`, as the lists show it, `SEGMENT`, `ARM` and `DAY`, that of the run, of all who were written or held out.

    Of a run that has written changes alone, those who entered their lists, or the holdouts of these, on this day.
    """
    written = pl.coalesce("variant", pl.lit(WRITTEN))
    arm = pl.when(pl.col("outcome") == WRITTEN).then(written).otherwise("outcome")
    reached = run.reached().filter(pl.col(SINCE) == run.day) if writes_changes(run) else run.reached()
    rows = reached.select(KEY, SEGMENT, arm.alias(ARM), pl.lit(run.day).alias(DAY))
    return rows if run.manifest.control is None else pl.concat([rows, _all_segments(run, rows)])


def writes_changes(run: Run) -> bool:
    """Whether the lists of a run have those alone who entered and who left."""
    return run.manifest.output.changes or run.manifest.output.load == "append_changes"


def _all_segments(run: Run, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Once each customer whom a segment has reached: in the control group, or not.

    Those held out of a segment count as reached, since in the control group, too, nobody knows who would have been.
    """
    under = [segment.name for segment in run.manifest.segments if _is_under(segment)]
    is_control = (pl.col(ARM) == CONTROL).any()
    arm = pl.when(is_control).then(pl.lit(CONTROL)).otherwise(pl.lit(REACHED)).alias(ARM)
    reached = rows.filter(pl.col(SEGMENT).is_in(under)).group_by(KEY).agg(arm)
    return reached.select(KEY, pl.lit(ALL_SEGMENTS).alias(SEGMENT), ARM, pl.lit(run.day).alias(DAY))
