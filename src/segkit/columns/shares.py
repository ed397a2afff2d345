"""How many customers have each RFM score, and how far that has moved since cutoffs were saved."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import polars as pl

from segkit.columns.cuts import RAW, SCORES
from segkit.rules.cutoffs import MEASURES, Cutoffs
from segkit.rules.findings import Finding
from segkit.rules.included import CUTOFFS
from segkit.rules.rfm import Rfm

Shares = dict[str, tuple[Decimal, ...]]
"""By measure: the share of the customers with each score from 1 on, in percent."""
FAR = 10
"""Percentage points by which a share may move without a word."""
_DIGITS = 6


def score_shares(customers: pl.DataFrame, bins: int) -> Shares:
    """Of the customers with scores (columns `r_score`, `f_score`, `m_score`); 0 where there are none."""
    return {measure: _shares(customers[SCORES[measure]].drop_nulls(), bins) for measure in MEASURES}


def _shares(scores: pl.Series, bins: int) -> tuple[Decimal, ...]:
    counts = dict(scores.value_counts().rows())
    exact = (Fraction(100 * counts.get(score, 0), max(1, len(scores))) for score in range(1, bins + 1))
    # Fractions round the same way wherever they have the same decimals, so a move of 10 points stays one.
    return tuple(Decimal(round(share * 10**_DIGITS)).scaleb(-_DIGITS).normalize() + 0 for share in exact)


def drift(rfm: Rfm, customers: pl.DataFrame) -> list[Finding]:
    """A warning for each measure of which a share has moved by more than `FAR` points since its cutoffs were saved."""
    cutoffs = rfm.cutoffs
    if cutoffs is None or customers[SCORES["recency"]].null_count() == len(customers):
        return []
    today = score_shares(customers, rfm.bins)
    return [
        Finding(CUTOFFS, _moved(measure, cutoffs, moved), _NEXT, warning=True)
        for measure in MEASURES
        if (moved := _far(getattr(cutoffs, measure).shares, today[measure]))
    ]


_NEXT = "where that is meant to last, save new cutoffs: `segkit rfm DATA --save-cutoffs FILE`"


def _far(saved: tuple[Decimal, ...], today: tuple[Decimal, ...]) -> dict[int, tuple[Decimal, Decimal]]:
    """Score -> the two shares, where they are far from each other."""
    pairs = enumerate(zip(saved, today, strict=False), 1)
    return {score: pair for score, pair in pairs if abs(pair[1] - pair[0]) > FAR}


def _moved(measure: str, cutoffs: Cutoffs, moved: dict[int, tuple[Decimal, Decimal]]) -> str:
    since = cutoffs.as_of or "the cutoffs were saved"
    each = ", ".join(f"score {score} from {then:.1f} % to {now:.1f} %" for score, (then, now) in moved.items())
    return f"the shares of `{RAW[measure]}` have moved by more than {FAR} points since {since}: {each}"
