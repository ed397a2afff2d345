"""Which customers satisfy the criteria of each segment, before anything decides who is written."""

from __future__ import annotations

import polars as pl

from segkit.columns.blocks import segment_column
from segkit.rules.model import RuleFile


def memberships(rules: RuleFile, customers: pl.DataFrame) -> pl.DataFrame:
    """One Boolean column a segment, one row a customer: whether the criteria hold."""
    return customers.select(pl.col(segment_column(name)).alias(name) for name in rules.segment)
