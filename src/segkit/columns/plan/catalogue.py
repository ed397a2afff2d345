"""Which columns each table has and where each comes from; names that are taken or unknown."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from segkit import codes
from segkit.columns.features.steps import Step
from segkit.columns.helpers import is_visible
from segkit.columns.plan.mentions import Mention
from segkit.criteria.sql.parse import SqlProblem, sql_columns
from segkit.io.read import Table
from segkit.rules.findings import Finding, KeyPath, dotted
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import CUSTOMERS, lookup_table, sources_of
from segkit.words import nearest

SOURCES = frozenset({"customers", "events", "lookup"})


class Catalogue(NamedTuple):
    """Which columns each table has, and where each comes from."""

    columns: Mapping[str, Mapping[str, KeyPath]]
    adds: Mapping[str, tuple[str, ...]]


def make_catalogue(
    rules: RuleFile, tables: Mapping[str, Table], mentions: Sequence[Mention], steps: Mapping[str, Step]
) -> tuple[Catalogue, list[Finding]]:
    """The columns of all tables, and a finding for each new one that takes the name of another."""
    findings: list[Finding] = []
    columns: dict[str, dict[str, KeyPath]] = {}
    for name, spec, path in sources_of(rules):
        here: dict[str, KeyPath] = dict.fromkeys(tables[name].columns, path)
        for new in spec.derive:
            _add(here, new, (*path, "derive", new), findings)
        columns[name] = here
    adds: dict[str, tuple[str, ...]] = {}
    asked = {(m.table, m.column) for m in mentions}
    for name, lookup in rules.lookup.items():
        own = columns[lookup_table(name)]
        given = lookup.columns or tuple(c for c in own if c not in lookup.on.values())
        for new in given:
            _add(columns[lookup.into], new, ("lookup", name), findings)
        adds[name] = tuple(c for c in given if c in own)
    for name in filter(is_visible, steps):
        _add(columns[CUSTOMERS], name, steps[name].path, findings)
    for name, given in adds.items():
        adds[name] = tuple(c for c in given if (rules.lookup[name].into, c) in asked)
    return Catalogue(columns, adds), findings


def taken_twice(steps: Iterable[Step]) -> list[Finding]:
    """A finding for each computed column with the name of another; helper columns are shared on purpose."""
    findings: list[Finding] = []
    columns: dict[str, KeyPath] = {}
    for step in steps:
        for name in filter(is_visible, step.names):
            _add(columns, name, step.path, findings)
    return findings


def _add(columns: dict[str, KeyPath], name: str, path: KeyPath, findings: list[Finding]) -> None:
    """Adds a new column, or a finding if it takes the name of another."""
    if name not in columns:
        columns[name] = path
        return
    taken = columns[name]
    of_file = len(taken) < 3 and taken[0] in SOURCES
    where = "the file has" if of_file else "there is"
    message = f"the new column `{name}` takes the name of a column that {where} already ({_dotted(taken)})"
    mended = f': `rename = {{ other_name = "{name}" }}` on the source' if {taken[0], path[0]} & SOURCES else ""
    findings.append(Finding(path, message, f"give one of them another name{mended}", code=codes.NAME_TAKEN))


def _dotted(path: KeyPath) -> str:
    return f"`[{dotted(path[:2])}]`"


def unknown_columns(
    mentions: Sequence[Mention], catalogue: Catalogue, tables: Mapping[str, Table], not_computed: Mapping[str, str]
) -> Iterable[Finding]:
    """A finding for each mention of a column that is not there.

    `not_computed` has the next step for columns that a section or key would compute.
    """
    for mention in mentions:
        known = catalogue.columns.get(mention.table, {})
        if mention.column in known:
            continue
        table = tables.get(mention.table)
        step = not_computed.get(mention.column) if mention.table == CUSTOMERS else None
        hint = _forgotten_into(mention, catalogue) or (table.header_below(mention.column) if table else None)
        hint = hint or (table.one_column_hint() if table else None)
        hint = hint or step or _computed_from(mention, known) or nearest(mention.column, known)
        hint = hint or (table.no_header_hint() if table else None)
        what = "customers have" if mention.table == CUSTOMERS else f"`{mention.table}` has"
        yield Finding(mention.path, f"{what} no column `{mention.column}`", hint, code=codes.UNKNOWN_COLUMN)


def _computed_from(mention: Mention, known: Container[str]) -> str | None:
    """The next step where SQL stands in the place of a column: a near name would mean something else."""
    if not re.search(r"[*/+()|]|\w\s+-\s+\w", mention.column):
        return None
    try:
        named = sql_columns(mention.column)
    except SqlProblem:
        return None
    if not named or not any(name in known for name in named):
        return None
    section = "customers" if mention.table == CUSTOMERS else f"events.{mention.table}"
    if mention.table.startswith(lookup_table("")):
        section = mention.table
    derived = f"derive = {{ NAME = '{mention.column}' }}"
    return f"a column stands here, no SQL: derive one in `[{section}]`, `{derived}`, and name it"


def _forgotten_into(mention: Mention, catalogue: Catalogue) -> str | None:
    """The next step where a lookup is joined to the customers, and an event table has, or asks for, its column."""
    if mention.table != CUSTOMERS:
        path = catalogue.columns[CUSTOMERS].get(mention.column, ())
        brought = f"customers have it of `[lookup.{path[1]}]`, which " if path[:1] == ("lookup",) else ""
        return brought and f'{brought}`into = "{mention.table}"` joins to these events, by a column that they have'
    if mention.path[0] != "lookup":
        return None
    events = (name for name in catalogue.columns if name != CUSTOMERS and not name.startswith(lookup_table("")))
    having = next((name for name in events if mention.column in catalogue.columns[name]), None)
    return f'`{having}` has it: to join the lookup to these events, add `into = "{having}"`' if having else None
