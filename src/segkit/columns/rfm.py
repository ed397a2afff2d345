"""RFM: scores of three values, and the segment that a map gives to them."""

from __future__ import annotations

import polars as pl

from segkit.columns.cuts import RAW, SCORES, fit
from segkit.columns.hidden import KEY
from segkit.results import Threshold
from segkit.rules.rfm import Rfm
from segkit.rules.rfm_maps import map_codes


def fitted(rfm: Rfm, customers: pl.DataFrame) -> tuple[list[list[pl.Expr]], list[Threshold]]:
    """Cuts over the customers that have all three values; the others have no score."""
    scored = pl.all_horizontal(pl.col(name).is_not_null() for name in RAW.values())
    needed = [*([KEY] if rfm.ties == "split" else []), *RAW.values()]
    cuts = fit(rfm, customers.select(needed).filter(scored))
    scores = [pl.when(scored).then(cut.score()).alias(SCORES[cut.measure]) for cut in cuts]
    # Scores within others come after these.
    layers = [[score] for score in scores] if any(cut.outer for cut in cuts) else [scores]
    return [*layers, [code(rfm.bins), segment(rfm)]], [t for cut in cuts for t in cut.thresholds()]


def code(bins: int) -> pl.Expr:
    """The three scores as text: `545`, or `10-5-5` with ten bins."""
    separator = "-" if bins == 10 else ""
    return pl.concat_str([pl.col(name).cast(pl.String) for name in SCORES.values()], separator=separator).alias(
        "rfm_code"
    )


def segment(rfm: Rfm) -> pl.Expr:
    """The segment that the map gives to the scores; one lookup over all codes, whichever the map."""
    names = map_codes(rfm)
    number = pl.col("r_score") * 10_000 + pl.col("f_score") * 100 + pl.col("m_score")
    codes = {r * 10_000 + f * 100 + m: name for (r, f, m), name in names.items()}
    return number.replace_strict(codes, default=None, return_dtype=pl.String).alias("rfm_segment")
