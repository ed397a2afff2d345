"""Every place where a rule file names a column: what is read, as what, and from which table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from segkit.criteria.blocks import all_blocks, event_conditions
from segkit.criteria.sql import SqlProblem, sql_columns
from segkit.rules.blocks import CustomerDate, Measured, Window
from segkit.rules.conditions import Condition, Conditions
from segkit.rules.features import Trait
from segkit.rules.findings import Finding, Path
from segkit.rules.model import RuleFile
from segkit.rules.sources import Lookup, Source

CUSTOMERS = "customers"

Role = Literal["value", "number", "measure", "date", "list", "text", "key", "output"]
"""As what a column is read: a value of its own type, one that must be a number, a number or date, a date, a text
to split, a key to join on, or only to be written.
"""


@dataclass(frozen=True)
class Mention:
    """A column of `table` named at `path`; a condition on it where there is one."""

    path: Path
    table: str
    column: str
    role: Role = "value"
    condition: Condition | None = None
    family: str = ""


def lookup_table(name: str) -> str:
    """What the table of a lookup is called among the tables; no event table is called so."""
    return f"lookup.{name}"


def mentions(rules: RuleFile, findings: list[Finding]) -> Iterator[Mention]:
    """Every mention of a column; SQL that cannot be used goes to `findings`."""
    yield from _customers(rules, findings)
    yield from _events(rules, findings)
    for name, lookup in rules.lookup.items():
        yield from _lookup(name, lookup, findings)
    for name, trait in rules.trait.items():
        yield from _trait(("trait", name), trait, findings)
    if rules.rfm:
        yield from _rfm(rules)
    for name, segment in rules.segment.items():
        yield from _segment(("segment", name), name, rules, findings)
        yield from (Mention(("segment", name, "each"), CUSTOMERS, c) for c in segment.each)
    yield from (Mention(("output", "columns"), CUSTOMERS, c, "output") for c in rules.output.columns or ())
    yield from (Mention(("output", "profile"), CUSTOMERS, c, "number") for c in rules.output.profile)
    for role in ("hash", "pseudonymise"):
        yield from (Mention(("output", role), CUSTOMERS, c, "output") for c in getattr(rules.output, role))


def _sql(path: Path, table: str, text: str, findings: list[Finding]) -> Iterator[Mention]:
    try:
        columns = sql_columns(text)
    except SqlProblem as problem:
        findings.append(Finding(path, str(problem), problem.hint))
        return
    yield from (Mention(path, table, column) for column in sorted(columns))


def _conditions(path: Path, table: str, conditions: Conditions, family: str = "") -> Iterator[Mention]:
    for column, condition in conditions.items():
        yield Mention((*path, column), table, column, "value", condition, family)


def _source(path: Path, table: str, source: Source, findings: list[Finding]) -> Iterator[Mention]:
    yield from _conditions((*path, "where"), table, source.where)
    for name, text in source.derive.items():
        yield from _sql((*path, "derive", name), table, text, findings)


def _customers(rules: RuleFile, findings: list[Finding]) -> Iterator[Mention]:
    spec, path = rules.customers, ("customers",)
    if spec.from_:
        yield from (Mention((*path, "columns"), spec.from_, column) for column in spec.columns)
    else:
        yield Mention((*path, "key"), CUSTOMERS, spec.key, "output")
    yield from _source(path, CUSTOMERS, spec, findings)
    for role in ("latitude", "longitude"):
        column = getattr(spec, role)
        if column:
            yield Mention((*path, role), CUSTOMERS, column, "number")
    yield from (Mention((*path, "lists"), CUSTOMERS, column, "list") for column in spec.lists)


def _events(rules: RuleFile, findings: list[Finding]) -> Iterator[Mention]:
    for name, spec in rules.events.items():
        path = ("events", name)
        yield from _source(path, name, spec, findings)
        yield Mention((*path, "time"), name, spec.time, "date")
        yield Mention((*path, "key") if spec.key else path, name, spec.key or rules.customers.key, "output")
        if spec.id:
            yield Mention((*path, "id"), name, spec.id, "key")
        if spec.amount:
            yield Mention((*path, "amount"), name, spec.amount, "number")


def _lookup(name: str, spec: Lookup, findings: list[Finding]) -> Iterator[Mention]:
    path, table = ("lookup", name), lookup_table(name)
    yield from _source(path, table, spec, findings)
    for here, there in spec.on.items():
        yield Mention((*path, "on"), spec.into, here, "key")
        yield Mention((*path, "on"), table, there, "key")
    yield from (Mention((*path, "columns"), table, column, "output") for column in spec.columns)
    yield from (Mention((*path, "explode"), table, column, "output") for column in spec.explode)
    if spec.by:
        yield Mention((*path, "by"), table, spec.by, "measure")


def _trait(path: Path, trait: Trait, findings: list[Finding]) -> Iterator[Mention]:
    if trait.events:
        yield from _measured(path, trait)
    for role in ("years_since", "days_since"):
        column = getattr(trait, role)
        if column:
            yield Mention((*path, role), CUSTOMERS, column, "date")
    if trait.sql:
        yield from _sql((*path, "sql"), CUSTOMERS, trait.sql, findings)
    if trait.bands:
        yield Mention((*path, "bands", "of"), CUSTOMERS, trait.bands.of, "number")


ROLE_OF_MEASURE: dict[str, Role] = {"sum": "number", "mean": "number", "min": "measure", "max": "measure"}


def _measured(path: Path, spec: Measured) -> Iterator[Mention]:
    yield from _conditions((*path, "where"), spec.events, spec.where)
    if spec.of:
        yield Mention((*path, "of"), spec.events, spec.of, ROLE_OF_MEASURE.get(spec.measure, "value"))
    yield from _window(path, spec)


def _window(path: Path, window: Window) -> Iterator[Mention]:
    if isinstance(window.since, CustomerDate):
        yield Mention((*path, "since", "column"), CUSTOMERS, window.since.column, "date")


def _rfm(rules: RuleFile) -> Iterator[Mention]:
    assert rules.rfm is not None
    if rules.rfm.columns:
        for name, column in rules.rfm.columns.model_dump().items():
            yield Mention(("rfm", "columns", name), CUSTOMERS, column, "number")
    else:
        yield from _conditions(("rfm", "where"), rules.rfm.events, rules.rfm.where)
        yield from _window(("rfm",), rules.rfm)


def _segment(path: Path, name: str, rules: RuleFile, findings: list[Finding]) -> Iterator[Mention]:
    segment = rules.segment[name]
    for where, block in all_blocks(segment, path):
        for family, column, condition in block.criteria():
            yield Mention((*where, family, column), CUSTOMERS, column, "value", condition, family)
        if block.sql is not None:
            yield from _sql((*where, "sql"), CUSTOMERS, block.sql, findings)
    for where, measured in event_conditions(segment, path):
        yield from _measured(where, measured)
