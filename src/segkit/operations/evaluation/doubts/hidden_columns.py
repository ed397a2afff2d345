"""Columns that go out hidden, by `hash` or `pseudonymise`, and what is made of them and does not."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from segkit import codes
from segkit.columns.plan.plan import Plan
from segkit.operations.column_facts.personal_columns import Place, with_sources
from segkit.rules.findings import Finding
from segkit.rules.platforms import hashed_by_platform
from segkit.rules.tables import CUSTOMERS, lookup_table


def readable_again(plan: Plan) -> Iterator[Finding]:
    """A warning for names of files, and for texts in lists, that are made of a column which `[output]` hides."""
    rules = plan.rules
    own = {*rules.output.hash, *rules.output.pseudonymise, *hashed_by_platform(rules.output, names_one=True)}
    if not own:
        return
    hidden = _all_hidden(plan, own)
    for name, segment in rules.segment.items():
        for column in segment.each_columns:
            if column not in own and (source := _made_of(plan, column, hidden)):
                message = (
                    f"`each` puts the values of `{column}` into names of files, and `{source}` in it goes out hidden"
                )
                hint = "choose another column, unless its values name no customer"
                yield Finding(("segment", name, "each"), message, hint, warning=True, code=codes.CONTRADICTION)
    for column in rules.output.columns or ():
        if column not in own and plan.schema.get(column) == pl.String and (source := _made_of(plan, column, hidden)):
            message = f"`{column}` goes out as it is, and `{source}`, which it is made of, goes out hidden"
            hint = "name it under `hash` or `pseudonymise`, too, unless it tells nothing of one customer"
            yield Finding(("output", "columns"), message, hint, warning=True, code=codes.CONTRADICTION)


def _all_hidden(plan: Plan, own: set[str]) -> set[Place]:
    """The hidden columns, of this name in every table, what they come from, and keys of lookups that equal them."""
    hidden = set(with_sources(plan, ((table, column) for table in plan.origins for column in own)))
    for name, lookup in plan.rules.lookup.items():
        hidden |= {(lookup_table(name), there) for here, there in lookup.on.items() if (lookup.into, here) in hidden}
    return hidden


def _made_of(plan: Plan, column: str, hidden: set[Place]) -> str | None:
    """The name of a hidden column that a column of the customers is made of, if it is; labels of bands tell nothing."""
    return next((source for _, source in sorted(set(with_sources(plan, [(CUSTOMERS, column)])) & hidden)), None)
