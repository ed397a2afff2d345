"""Which columns each table has and where each comes from; names that are taken, unknown, or go in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from segkit.columns.features import Step
from segkit.columns.hidden import is_hidden
from segkit.columns.mentions import CUSTOMERS, Mention, lookup_table
from segkit.columns.order import Cycle, in_order
from segkit.criteria.sql import SqlProblem, sql_columns
from segkit.io.read import Table
from segkit.rules.findings import Finding, Path
from segkit.rules.model import RuleFile
from segkit.rules.near import nearest
from segkit.rules.sources import Source


@dataclass(frozen=True)
class Catalogue:
    """Which columns each table has, and where each comes from."""

    columns: Mapping[str, Mapping[str, Path]]
    adds: Mapping[str, tuple[str, ...]]


def make_catalogue(
    rules: RuleFile,
    tables: Mapping[str, Table],
    found: Sequence[Mention],
    steps: Mapping[str, Step],
    findings: list[Finding],
) -> Catalogue:
    columns: dict[str, dict[str, Path]] = {}
    for name, spec, path in sources_of(rules):
        here: dict[str, Path] = dict.fromkeys(tables[name].columns, path)
        for new in spec.derive:
            _add(here, new, (*path, "derive", new), findings)
        columns[name] = here
    adds: dict[str, tuple[str, ...]] = {}
    asked = {(m.table, m.column) for m in found}
    for name, lookup in rules.lookup.items():
        own = columns[lookup_table(name)]
        given = lookup.columns or tuple(c for c in own if c not in lookup.on.values())
        for new in given:
            _add(columns[lookup.into], new, ("lookup", name), findings)
        adds[name] = tuple(c for c in given if c in own)
    for name, step in steps.items():
        if not is_hidden(name):
            _add(columns[CUSTOMERS], name, step.path, findings)
    for name, given in adds.items():
        adds[name] = tuple(c for c in given if (rules.lookup[name].into, c) in asked)
    return Catalogue(columns, adds)


def _add(columns: dict[str, Path], name: str, path: Path, findings: list[Finding]) -> None:
    """A new column may not take the name of another."""
    taken = columns.get(name)
    if taken is not None:
        where = "the file has" if len(taken) < 3 and taken[0] != "trait" else "there is"
        findings.append(
            Finding(
                path,
                f"the new column `{name}` takes the name of a column that {where} already ({_dotted(taken)})",
                f'give one of them another name: `rename = {{ other_name = "{name}" }}` on the source',
            )
        )
    columns.setdefault(name, path)


def _dotted(path: Path) -> str:
    return f"`[{'.'.join(map(str, path[:2]))}]`"


def sources_of(rules: RuleFile) -> Iterable[tuple[str, Source, Path]]:
    yield CUSTOMERS, rules.customers, ("customers",)
    for name, events in rules.events.items():
        yield name, events, ("events", name)
    for name, lookup in rules.lookup.items():
        yield lookup_table(name), lookup, ("lookup", name)


def unknown_columns(
    found: Sequence[Mention], catalogue: Catalogue, tables: Mapping[str, Table], not_computed: Mapping[str, str]
) -> Iterable[Finding]:
    """Columns that are not there; `not_computed` has the next step for those that a section or key would compute."""
    for mention in found:
        known = catalogue.columns.get(mention.table, {})
        if mention.column in known:
            continue
        table = tables.get(mention.table)
        step = not_computed.get(mention.column) if mention.table == CUSTOMERS else None
        hint = (table.one_column_hint() if table else None) or step or nearest(mention.column, known)
        what = "customers have" if mention.table == CUSTOMERS else f"`{mention.table}` has"
        yield Finding(mention.path, f"{what} no column `{mention.column}`", hint)


def column_cycles(rules: RuleFile, steps: Mapping[str, Step]) -> Iterable[Finding]:
    groups: list[tuple[Path, dict[str, frozenset[str]]]] = [
        (("trait",), {name: step.needs for name, step in steps.items()})
    ]
    for _, spec, path in sources_of(rules):
        needs: dict[str, frozenset[str]] = {}
        for name, text in spec.derive.items():
            try:
                needs[name] = sql_columns(text)
            except SqlProblem:
                continue
        groups.append(((*path, "derive"), needs))
    for path, needs in groups:
        try:
            in_order(needs)
        except Cycle as cycle:
            name = next(n for n in cycle.names if not is_hidden(n))
            shown = " -> ".join(f"`{n}`" for n in cycle.names if not is_hidden(n))
            yield Finding((*path, name), f"these columns need each other: {shown}", "compute one of them from others")
