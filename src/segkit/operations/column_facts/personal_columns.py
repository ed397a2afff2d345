"""Which columns of all tables hold personal data: by themselves, or because they are made of one that does."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from segkit.columns.plan.plan import Plan
from segkit.criteria.kinds import Dtypes, kind_of
from segkit.operations.column_facts.figures import Figures
from segkit.operations.column_facts.uses import sources_of_column
from segkit.operations.lists.protection import protection
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import CUSTOMERS, lookup_table


def personal_columns(
    plan: Plan, dtypes: Mapping[str, Dtypes], read: Mapping[str, Figures]
) -> dict[tuple[str, str], str]:
    """(Table, column) -> its kind of personal data: its own, or that of a column which it is made of."""
    rules = plan.rules
    known = {(table, c): kind for table in dtypes for c in dtypes[table] if (kind := read[table].personal(c))}
    known |= {place: known.get(place, "key") for place in _keys(rules)}
    known |= {
        (CUSTOMERS, c): "other"
        for c in dtypes[CUSTOMERS]
        if protection(rules.output, c) and (CUSTOMERS, c) not in known
    }
    sources = {
        (table, c): sources_of_column(rules, table, c, plan.origins[table][c])
        for table in dtypes
        for c in dtypes[table]
    }
    more = True
    while more:
        more = False
        for (table, column), of_column in sources.items():
            kinds = [known[one] for one in of_column if one in known and _tells(dtypes, one, dtypes[table][column])]
            if kinds and (table, column) not in known:
                known[table, column], more = kinds[0], True
    return known


def _tells(dtypes: Mapping[str, Dtypes], source: tuple[str, str], dtype: pl.DataType) -> bool:
    """Whether a value of this type still tells the value of a personal column that it is made of: an age does not."""
    there = dtypes[source[0]].get(source[1])
    kind = kind_of(dtype)
    return kind != "boolean" and (kind != "number" or (there is not None and kind_of(there) == "number"))


def _keys(rules: RuleFile) -> set[tuple[str, str]]:
    """The columns with the key of the customer."""
    keys = {(CUSTOMERS, rules.customers.key)}
    keys |= {(name, events.key or rules.customers.key) for name, events in rules.events.items()}
    for name, lookup in rules.lookup.items():
        keys |= {(lookup_table(name), there) for here, there in lookup.on.items() if (lookup.into, here) in keys}
    return keys
