"""Who uses a column, and what it is computed from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from segkit.columns.plan.mentions import mentions
from segkit.columns.plan.plan import Plan
from segkit.rules.findings import KeyPath, dotted
from segkit.rules.model.file import RuleFile
from segkit.rules.model.measures import COUNTS
from segkit.rules.tables import CUSTOMERS, lookup_table
from segkit.rules.walk import amounts

NAMED = frozenset({"segment", "trait", "score", "rfm", "lookup"})
"""Sections of which each table has a name."""

MADE_OF = frozenset({"of", "years_since", "days_since", "mean_of", "sql"})
"""Keys of a trait with the columns that its values are made of; others say of which rows."""

Users: TypeAlias = Mapping[tuple[str, str], tuple[str, ...]]
"""(Table, column) -> the sections and keys of the rule file that use it."""


def users_of(plan: Plan) -> Users:
    """Who uses each column."""
    rules, users = plan.rules, dict[tuple[str, str], dict[str, None]]()
    named = [(m.table, m.column, m.path) for m in mentions(rules)]
    for path, _, table in amounts(rules):
        if amount := rules.events[table].amount:
            named.append((table, amount, path))
    for table, column, path in named:
        users.setdefault((table, column), {})[user(path)] = None
    return {column: tuple(of_column) for column, of_column in users.items()}


def section(path: KeyPath) -> str:
    """The section that brings the columns of this path, or the key that derives one."""
    return dotted(path[:2] if path[0] in NAMED and "derive" not in path[:3] else path)


def user(path: KeyPath) -> str:
    """The section that uses a column, or the key of a table that names it: `segment.vip`, `events.orders.time`."""
    section = path[0]
    if section in NAMED:
        return dotted(path[:2])
    if section == "customers":
        return dotted(path[: 3 if "derive" in path else 2])
    if section == "events":
        return dotted(path[: 4 if "derive" in path else 3]) if len(path) > 2 else f"{dotted(path)}.key"
    if path[1:2] in (("channel",), ("metric",)):
        return dotted(path[:3])
    return str(section)


def origin_of(rules: RuleFile, table: str, path: KeyPath) -> str:
    """What brings the column that the rules at `path` give to `table`: a file, or which section."""
    section = str(path[0])
    if "derive" in path[:3]:
        return "derive"
    if section == "lookup":
        return "file" if table == lookup_table(str(path[1])) else "lookup"
    if section in ("customers", "events"):
        return "events" if table == CUSTOMERS and rules.customers.from_ else "file"
    return section


def sources_of_column(rules: RuleFile, table: str, column: str, path: KeyPath) -> set[tuple[str, str]]:
    """The columns, each with its table, that the rules at `path` make a column of `table` of."""
    origin = origin_of(rules, table, path)
    if origin == "lookup":
        return {(lookup_table(str(path[1])), column)}
    if origin == "events":
        return {(str(rules.customers.from_), column)}
    if origin not in ("derive", "trait"):
        return set()
    if origin == "trait":
        trait = rules.trait[column]
        if trait.bands or (trait.events and trait.measure in COUNTS):
            return set()  # names of the rule file, or how many there are
    named = [m for m in mentions(rules) if m.path[: len(path)] == path and m.condition is None]
    return {(m.table, m.column) for m in named if origin == "derive" or m.path[-1] in MADE_OF}
