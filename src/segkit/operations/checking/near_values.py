"""What to say instead of a value that no row has: those that come near, or how values of people look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import polars as pl

from segkit.columns.plan.mentions import Mention
from segkit.operations.delivery.personal_data import is_personal
from segkit.operations.evaluation.doubts.values_nobody_has import Hint, near_values
from segkit.operations.explanation.keys import LOOKED_AT, shape_of
from segkit.rules.model.file import RuleFile


def hints(rules: RuleFile) -> Hint:
    """The hint of a mention: no value of a column with personal data, or of the customers' key, is in it."""
    keys: Collection[str] = {rules.customers.key, *(table.key for table in rules.events.values() if table.key)}

    def hint(mention: Mention, asked: str, values: Sequence[str]) -> str | None:
        if mention.column in keys or is_personal(mention.column, pl.Series(values[:LOOKED_AT], dtype=pl.String)):
            shapes = Counter(map(shape_of, values[:LOOKED_AT]))
            return f"its values look like this: {shapes.most_common(1)[0][0]}" if shapes else None
        return near_values(mention, asked, values)

    return hint
