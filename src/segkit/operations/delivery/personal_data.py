"""Which of the columns that go out hold personal data."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from segkit.columns.helpers import KEY
from segkit.columns.plan.plan import Plan
from segkit.operations.column_facts.personal_columns import with_made_of, with_sources
from segkit.operations.delivery.manifest import PersonalColumn
from segkit.operations.lists.protection import protection
from segkit.operations.personal.contents import looks_of
from segkit.operations.personal.kinds import kind_of, kind_seen, kind_told, reaching, yes_or_no
from segkit.rules.tables import CUSTOMERS

SAMPLE = 1_000


def personal_data(plan: Plan, columns: Sequence[str], customers: pl.LazyFrame) -> tuple[PersonalColumn, ...]:
    """The columns with personal data among those written: `column`, `kind`, and `protection` where there is one.

    The key tells one customer from another, so it is always among them. What values look like is asked of the first
    ones alone; what is made of such a column is one, too.
    """
    output, key = plan.rules.output, plan.rules.customers.key
    places = [place for place in with_sources(plan, [(CUSTOMERS, c) for c in columns]) if place[1] != key]
    here = list(dict.fromkeys([*columns, *(c for table, c in places if table == CUSTOMERS)]))
    sample, schema = customers.head(SAMPLE).collect(), customers.collect_schema()
    looks = _looks(sample, [name for name in here if name in schema])
    kinds = {key: kind_of(key) or _looks(sample, [KEY]).get(KEY) or "key"}
    own = {(CUSTOMERS, name): kind for name in here if (kind := _named(name, customers) or looks.get(name))}
    own |= {(table, name): kind for table, name in places if table != CUSTOMERS and (kind := kind_of(name))}
    types = {(CUSTOMERS, name): schema[name] for name in here if name in schema}
    types |= {place: pl.String() for place in places if place not in types}
    known = with_made_of(plan, types, own)
    kinds |= {name: kind for name in columns if (kind := known.get((CUSTOMERS, name)))}
    kinds |= {name: "other" for name in columns if name not in kinds and protection(output, name)}
    return tuple(PersonalColumn(column=n, kind=k, protection=protection(output, n)) for n, k in kinds.items())


def _named(name: str, customers: pl.LazyFrame) -> str | None:
    """The kind that the name of a column tells, where its values do not say otherwise."""
    if kind_of(name) is None or name not in customers.collect_schema():
        return kind_of(name)
    values, column = customers.select(name).collect(), pl.col(name)
    if values.dtypes[0].is_nested() or not values[name].count():
        return kind_of(name)

    def says_yes_or_no() -> bool:
        # Most columns with such a name hold no yes and no, as the first ones tell; those that do hold few values.
        first, told = values.head(SAMPLE), yes_or_no(column)
        return bool(first.select(told).item()) and bool(values.unique().select(told).item())

    return kind_told(name, says_yes_or_no, lambda kind: bool(values.select(reaching(column, kind)).item()))


def _looks(sample: pl.DataFrame, columns: Sequence[str]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for name in columns:
        if sample.schema[name] == pl.String:
            looks = sample.select(looks_of(pl.col(name))).item()
            if kind := kind_seen(sample[name].count(), looks):
                kinds[name] = kind
    return kinds
