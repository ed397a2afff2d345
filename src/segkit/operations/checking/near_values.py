"""What to say instead of a value that no row has: those that come near, or how values of people look."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from segkit.columns.plan.mentions import Mention
from segkit.operations.delivery.personal_data import SAMPLE, is_personal
from segkit.operations.evaluation.doubts.values_nobody_has import Hint, near_values
from segkit.operations.personal.shapes import usual_shapes
from segkit.rules.model.file import RuleFile


def hints(rules: RuleFile) -> Hint:
    """The hint of a mention: no value of a column with personal data, or of the customers' key, is in it."""
    keys: Collection[str] = {rules.customers.key, *(table.key for table in rules.events.values() if table.key)}

    def hint(mention: Mention, asked: str, values: Sequence[str]) -> str | None:
        if mention.column in keys or is_personal(mention.column, pl.Series(values[:SAMPLE], dtype=pl.String)):
            known = pl.LazyFrame({"value": values}, schema={"value": pl.String})
            shape = usual_shapes(known, {"value": pl.col("value")})["value"]
            return f"its values look like this: {shape}" if shape else None
        return near_values(mention, asked, values)

    return hint
