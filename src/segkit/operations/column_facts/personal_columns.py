"""Which columns of all tables hold personal data: by themselves, or because they are made of one that does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import polars as pl

from segkit.columns.plan.plan import Plan
from segkit.criteria.kinds import Dtypes, kind_of
from segkit.operations.column_facts.figures import Figures, figures
from segkit.operations.column_facts.uses import sources_of_column
from segkit.operations.lists.protection import protection
from segkit.operations.personal.kinds import kind_of as kind_by_name
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import CUSTOMERS, lookup_table

Place: TypeAlias = tuple[str, str]
"""A table, and the name of one of its columns."""


OF_MANY = frozenset({"postcode", "coordinates", "birth date", "name", "address"})
"""Kinds of personal data that several people share."""


def personal_columns(plan: Plan, dtypes: Mapping[str, Dtypes], read: Mapping[str, Figures]) -> dict[Place, str]:
    """(Table, column) -> its kind of personal data: its own, or that of a column which it is made of."""
    types = {(table, c): dtype for table, of_table in dtypes.items() for c, dtype in of_table.items()}
    own = {(table, c): kind for table, c in types if (kind := read[table].personal(c))}
    return with_made_of(plan, types, own)


def personal_among(plan: Plan, customers: pl.LazyFrame, asked: Iterable[Place]) -> dict[Place, str]:
    """The same for the columns that are `asked` for, of all rows; only these, and what they are made of, are read.

    `customers` are those of the run, with the columns that are computed late.
    """
    places = with_sources(plan, asked)
    views = {**plan.views, **plan.lookup_views}
    frames = [(name, view.frame, view.schema) for name, view in views.items()]
    frames.append((CUSTOMERS, customers, dict(customers.collect_schema())))
    types: dict[Place, pl.DataType] = {}
    own: dict[Place, str] = {}
    for table, frame, schema in frames:
        of_table = {c: schema[c] for t, c in places if t == table and c in schema and (t, c) not in types}
        of_table = {c: dtype for c, dtype in of_table.items() if kind_of(dtype) != "other"}
        if of_table:
            read = Figures(figures(frame, of_table).collect(), of_table)
            own |= {(table, c): kind for c in of_table if (kind := read.personal(c))}
            types |= {(table, c): dtype for c, dtype in of_table.items()}
    unread = [place for place in places if place not in types]
    own |= {(table, c): kind for table, c in unread if (kind := kind_by_name(c))}
    return with_made_of(plan, types, own)


def is_one_each(rules: RuleFile, table: str, personal: Mapping[Place, str]) -> bool:
    """Whether each row of a lookup stands for one customer, so that its values are no names of things."""
    lookup = rules.lookup[table.removeprefix(lookup_table(""))]
    return any(personal.get((lookup.into, here), "postcode") not in OF_MANY for here in lookup.on)


def with_sources(plan: Plan, asked: Iterable[Place]) -> list[Place]:
    """The columns, and all that they are made of."""
    found, todo = dict.fromkeys(asked), [*asked]
    while todo:
        more = [place for place in _sources(plan, *todo.pop()) if place not in found]
        found |= dict.fromkeys(more)
        todo += more
    return list(found)


def _sources(plan: Plan, table: str, column: str) -> list[Place]:
    """The columns that a column is made of, in an order that is always the same: the first one tells its kind."""
    path = plan.origins.get(table, {}).get(column)
    return sorted(sources_of_column(plan.rules, table, column, path)) if path else []


def with_made_of(plan: Plan, types: Mapping[Place, pl.DataType], own: Mapping[Place, str]) -> dict[Place, str]:
    """What is personal by itself, with keys, what `[output]` protects, and what is made of such columns."""
    known = {**own} | {place: own.get(place, "key") for place in keys_of_customers(plan.rules)}
    protected = {(CUSTOMERS, c): "other" for t, c in types if t == CUSTOMERS and protection(plan.rules.output, c)}
    known = protected | known
    more = True
    while more:
        more = False
        for place, dtype in types.items():
            kinds = [known[one] for one in _sources(plan, *place) if one in known]
            if kinds and place not in known and kind_of(dtype) != "boolean":
                known[place], more = kinds[0], True
    return known


def keys_of_customers(rules: RuleFile) -> set[Place]:
    """The columns with the key of the customer."""
    keys = {(CUSTOMERS, rules.customers.key)}
    keys |= {(name, events.key or rules.customers.key) for name, events in rules.events.items()}
    for name, lookup in rules.lookup.items():
        keys |= {(lookup_table(name), there) for here, there in lookup.on.items() if (lookup.into, here) in keys}
    return keys
