"""Which columns rules can read, once what a sample leaves open is settled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from segkit.diagnostics import Diagnostic, Severity
from segkit.io.read import ColumnType, Table
from segkit.rules.check.families import computed_columns
from segkit.rules.model.file import RuleFile
from segkit.rules.tables import CUSTOMERS, lookup_table, sources_of


def beyond_the_sample(table: Table) -> Table:
    """The table with what all rows say of columns of which a sample says nothing: blank ones, days like 01/02/2024."""
    return table.settle(
        name for name, c in table.columns.items() if c.is_text and (c.blank or _is_unclear(table, name))
    )


def _is_unclear(table: Table, name: str) -> bool:
    return table.reads_both_ways(name, None)


def unclear_dates(name: str, table: Table) -> Iterator[Diagnostic]:
    """A note for each column of dates that cannot be read; unlike the error of `apply`, it quotes no value."""
    for column in table.columns:
        if _is_unclear(table, column):
            message = f"no value of column `{column}` of `{name}` settles whether its dates are day or month first"
            hint = f'say how they are written: `date_format.{column} = "%d/%m/%Y"`'
            yield Diagnostic(message, table.place, hint, Severity.NOTE)


def readable_columns(rules: RuleFile, tables: Mapping[str, Table]) -> Mapping[str, frozenset[str]]:
    """The columns of each table, but for those that no rule can read."""
    readable: dict[str, set[str]] = {}
    for name, spec, _ in sources_of(rules):
        of_file = {c for c, column in tables[name].columns.items() if column.type is not ColumnType.OTHER}
        readable[name] = {c for c in of_file if not _is_unclear(tables[name], c)} | spec.derive.keys()
    if origin := rules.customers.from_:
        taken = readable[origin] & set(rules.customers.columns)
        readable[CUSTOMERS] = {rules.customers.key, *taken, *rules.customers.derive}
    for name, lookup in rules.lookup.items():
        own = readable[lookup_table(name)]
        readable[lookup.into] |= own & set(lookup.columns) if lookup.columns else own - set(lookup.on.values())
    readable[CUSTOMERS] |= {*rules.trait, *computed_columns(rules)}
    return {name: frozenset(of_table) for name, of_table in readable.items()}
