"""Customers as rows: from some of them back to all."""

from __future__ import annotations

from typing import Any

import polars as pl


def spread(rows: pl.Series, values: pl.Series | bool, size: int, others: bool | None) -> pl.Series:
    """One value a customer: `values` in these rows, in their order, and `others` everywhere else."""
    dtype: Any = values.dtype if isinstance(values, pl.Series) else pl.Boolean
    everybody = pl.Series([others], dtype=dtype).new_from_index(0, size)
    return everybody.scatter(rows, values) if len(rows) else everybody
