"""How many customers have each RFM score, and how far that has moved since cutoffs were saved."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import polars as pl

from segkit import codes
from segkit.columns.features.rfm.cuts import RAW, SCORES
from segkit.rules.findings import Finding
from segkit.rules.model.computed.cutoffs import MEASURES
from segkit.rules.model.computed.rfm import Rfm, rfm_column
from segkit.rules.text.included import cutoffs_of

Shares = dict[str, tuple[Decimal, ...]]
"""By measure: the share of the customers with each score from 1 on, in percent."""
FAR = 10
"""Percentage points by which a share may move without a warning."""
_DIGITS = 6


def scored_columns(table: str) -> list[str]:
    """The scores of an RFM table."""
    return [rfm_column(table, column) for column in SCORES.values()]


def score_shares(table: str, customers: pl.DataFrame, bins: int) -> Shares:
    """The shares of customers with scores in the RFM table of this name; 0 where there are none."""
    return {m: _shares(customers[rfm_column(table, SCORES[m])].drop_nulls(), bins) for m in MEASURES}


def _shares(scores: pl.Series, bins: int) -> tuple[Decimal, ...]:
    counts = dict(scores.value_counts().rows())
    exact = (Fraction(100 * counts.get(score, 0), max(1, len(scores))) for score in range(1, bins + 1))
    # Fractions round the same way wherever they have the same decimals, so a move of 10 points stays one.
    return tuple(Decimal(round(share * 10**_DIGITS)).scaleb(-_DIGITS).normalize() + 0 for share in exact)


def drift(table: str, rfm: Rfm, customers: pl.DataFrame) -> list[Finding]:
    """A warning where shares have moved by more than `FAR` points since the cutoffs were saved."""
    cutoffs = rfm.cutoffs
    if cutoffs is None or customers[rfm_column(table, SCORES["recency"])].null_count() == len(customers):
        return []
    today = score_shares(table, customers, rfm.bins)
    moves = (_moved(rfm_column(table, RAW[m]), getattr(cutoffs, m).shares, today[m]) for m in MEASURES)
    moved = [text for text in moves if text]
    if not moved:
        return []
    since = cutoffs.as_of or "the cutoffs were saved"
    message = f"shares of customers have moved by more than {FAR} points since {since}: {'; '.join(moved)}"
    save = "segkit apply RULES --save-cutoffs DIR" if table else "segkit rfm DATA --save-cutoffs FILE"
    hint = f"where that is meant to last, save new cutoffs: `{save}`"
    return [Finding(cutoffs_of(table), message, hint, warning=True, code=codes.DOUBTFUL_DATA)]


def _moved(column: str, saved: tuple[Decimal, ...], today: tuple[Decimal, ...]) -> str:
    """The scores of a measure whose shares are far from what they were, as text; empty if there are none."""
    pairs = enumerate(zip(saved, today, strict=False), 1)
    far = [f"score {n} from {then:.1f} % to {now:.1f} %" for n, (then, now) in pairs if abs(now - then) > FAR]
    return f"`{column}` {', '.join(far)}" if far else ""
