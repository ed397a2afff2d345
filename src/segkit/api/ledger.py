"""The ledger of a run as a frame."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from segkit.columns.helpers import KEY
from segkit.operations.decide import Decision
from segkit.operations.explanation.outcomes import CLAIMED, NOT_WRITTEN
from segkit.operations.summary.count import shown
from segkit.results.terms import CONTROL, WRITTEN

_NONE = pl.lit(None, pl.String)


def ledger_frame(run: Decision) -> pl.DataFrame:
    """A row for each segment and each customer for whom its criteria hold, in the order of both."""
    return pl.concat(list(_lines(run)))


def _lines(run: Decision) -> Iterator[pl.DataFrame]:
    names, claims = list(run.rules.segment), run.ledger.claims
    for name in shown(run.rules, run.chosen):
        line, write = run.ledger.lines[name], run.rules.segment[name].write
        marks = [mask.alias(reason) for reason, mask in line.stopped.items()]
        marks += [] if line.variants is None else [line.variants.alias("variant")]
        marks += [] if claims is None else [claims.alias("claims")]
        reasons = [pl.when(reason).then(pl.lit(reason)) for reason in line.stopped]
        if line.control is not None:
            marks.append(line.control.alias(CONTROL))
            reasons = [pl.when(CONTROL).then(pl.lit(CONTROL)), *reasons]
        outcome = pl.coalesce(*reasons, pl.lit(WRITTEN)) if write else pl.lit(NOT_WRITTEN)
        rows = pl.DataFrame([run.customers[KEY].alias("key"), *marks]).filter(line.matched)
        claimed = _NONE
        if claims is not None and CLAIMED in line.stopped:
            whose = pl.col("claims").replace_strict(dict(enumerate(names)), default=None, return_dtype=pl.String)
            claimed = pl.when(CLAIMED).then(whose)
        yield rows.select(
            pl.lit(name).alias("segment"),
            "key",
            outcome.alias("outcome"),
            claimed.alias("claimed_by"),
            (_NONE if line.variants is None else pl.col("variant").cast(pl.String)).alias("variant"),
        )
