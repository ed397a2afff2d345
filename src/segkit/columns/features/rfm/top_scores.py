"""Whether the customers with the best values have the top scores."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from segkit import codes
from segkit.columns.features.rfm.cuts import RAW, SCORES
from segkit.rules.findings import Finding
from segkit.rules.model.computed.rfm import Rfm, rfm_column


def out_of_reach(table: str, rfm: Rfm, customers: pl.DataFrame) -> Iterator[Finding]:
    """A warning for each top score that nobody has, since too many customers share the best value.

    Cutoffs are what somebody wants them to be. Nested scores compare customers of small groups, but for the first.
    """
    if rfm.cutoffs or rfm.ties != "low":
        return
    scored = customers[rfm_column(table, SCORES["recency"])].count()
    if scored < rfm.bins:
        return  # too few, whether they are equal or not
    for measure in RAW if rfm.method == "quantile" else ("recency",):
        score, value = (rfm_column(table, column) for column in (SCORES[measure], RAW[measure]))
        best = customers[score].max()
        assert isinstance(best, int)
        if best < rfm.bins:
            message = (
                f"nobody has the top `{score}`, {rfm.bins}: so many of the {scored:,} customers share "
                f"the best `{value}` that it scores {best}"
            )
            hint = 'the highest score for them: `ties = "high"`, or `--ties high` of `segkit rfm`'
            yield Finding(("rfm", table), message, hint, warning=True, code=codes.DOUBTFUL_DATA)
