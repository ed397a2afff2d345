"""Which customers satisfy the criteria of each segment, before anything decides who is written."""

from __future__ import annotations

import polars as pl

from segkit.columns.helpers import member
from segkit.rules.model.file import RuleFile


def memberships(rules: RuleFile, customers: pl.DataFrame) -> pl.DataFrame:
    """One Boolean column a segment, one row a customer: whether the criteria hold."""
    # Not by `select`, which copies what comes in several pieces: 0.05 s on 1 M customers.
    return pl.DataFrame([customers[member(name)].alias(name) for name in rules.segment])
