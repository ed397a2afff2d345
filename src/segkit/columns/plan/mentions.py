"""Every place where a rule file names a column: what is read, as what, and from which table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from segkit.criteria.context import shares_of_all
from segkit.criteria.sql.asks import columns_as_text, columns_as_value, columns_with_time
from segkit.criteria.sql.parse import sql_columns
from segkit.rules.findings import KeyPath
from segkit.rules.model.blocks import CustomerDate, Measured
from segkit.rules.model.computed.rfm import Rfm
from segkit.rules.model.computed.scores import Score
from segkit.rules.model.computed.traits import Trait
from segkit.rules.model.computed.value import Value
from segkit.rules.model.conditions import Condition, Conditions
from segkit.rules.model.file import RuleFile
from segkit.rules.model.permissions import Cap
from segkit.rules.model.sources import Lookup, Source
from segkit.rules.tables import CUSTOMERS, lookup_table, sources_of
from segkit.rules.walk import blocks, caps, event_conditions, metrics, permissions, rfm_tables

Role = Literal["value", "number", "measure", "date", "list", "text", "moment", "key", "output"]
"""What a column is read as.

`value`: a value of its own type; `number`, `date`: one that must be that; `measure`: a number or date; `list`: a text
to split; `text`: also the text of its field; `moment`: also a timestamp; `key`: a key to join on; `output`: only to be
written.
"""


class Mention(NamedTuple):
    """A column of `table` named at `path`; a condition on it where there is one."""

    path: KeyPath
    table: str
    column: str
    role: Role = "value"
    condition: Condition | None = None
    family: str = ""


def mentions(rules: RuleFile) -> Iterator[Mention]:
    """Every mention of a column, in a rule file whose SQL can be read."""
    yield from _customers(rules)
    yield from _events(rules)
    for name, lookup in rules.lookup.items():
        yield from _lookup(name, lookup)
    for name, trait in rules.trait.items():
        yield from _trait(("trait", name), trait)
    for path, measured in metrics(rules):
        yield from _measured(path, measured)
    for path, rfm in rfm_tables(rules):
        yield from _rfm(path, rfm)
    if rules.value:
        yield from _value(rules.value)
    yield from _blocks(rules)
    for name, score in rules.score.items():
        yield from _points_per(("score", name, "rule"), score)
    yield from _gates(rules)
    for name, segment in rules.segment.items():
        yield from (Mention(("segment", name, "each"), CUSTOMERS, c) for c in segment.each_columns)
    yield from (Mention(("output", "columns"), CUSTOMERS, c, "output") for c in rules.output.columns or ())
    yield from (Mention(("output", "profile"), CUSTOMERS, c, "number") for c in rules.output.profile)
    yield from (Mention(("output", "track", n), CUSTOMERS, c) for n, c in enumerate(rules.output.track))
    yield from (Mention(("mavr", "contact", name), CUSTOMERS, c, "output") for name, c in rules.mavr.contact.items())
    for path, table, text in sql_texts(rules):
        yield from _sql(path, table, text)
    for role in ("hash", "pseudonymise"):
        yield from (Mention(("output", role), CUSTOMERS, c, "output") for c in getattr(rules.output, role))
    fields = rules.output.fields.given.items()
    yield from (Mention(("output", "fields", name), CUSTOMERS, c, "output") for name, c in fields)
    of_split = ["variant"] if any(segment.split for segment in rules.segment.values()) else []
    of_lists = (rules.customers.key, rules.output.label_column, *of_split)
    renamed = [name for name in rules.output.headers if name not in of_lists]
    yield from (Mention(("output", "headers", name), CUSTOMERS, name, "output") for name in renamed)


def _sql(path: KeyPath, table: str, text: str) -> Iterator[Mention]:
    as_text = columns_as_text(text)
    others = columns_as_value(text) | (sql_columns(text) - as_text)
    yield from (Mention(path, table, column) for column in sorted(others))
    yield from (Mention(path, table, column, "text") for column in sorted(as_text))
    if "derive" in path:  # where the table is read; elsewhere a date is a day
        yield from (Mention(path, table, column, "moment") for column in sorted(columns_with_time(text)))


def sql_texts(rules: RuleFile) -> Iterator[tuple[KeyPath, str, str]]:
    """Every SQL expression: its path, the table whose columns it reads, its text."""
    for table, source, path in sources_of(rules):
        yield from (((*path, "derive", name), table, text) for name, text in source.derive.items())
    for name, trait in rules.trait.items():
        if trait.sql is not None:
            yield ("trait", name, "sql"), CUSTOMERS, trait.sql
    for path, block in blocks(rules):
        if block.sql is not None:
            yield (*path, "sql"), CUSTOMERS, block.sql


def _conditions(path: KeyPath, table: str, conditions: Conditions, family: str = "") -> Iterator[Mention]:
    for column, condition in conditions.items():
        yield Mention(
            path=(*path, column), table=table, column=column, role="value", condition=condition, family=family
        )


def _source(path: KeyPath, table: str, source: Source) -> Iterator[Mention]:
    yield from _conditions((*path, "where"), table, source.where)


def _customers(rules: RuleFile) -> Iterator[Mention]:
    spec, path = rules.customers, ("customers",)
    if spec.from_:
        yield from (Mention((*path, "columns"), spec.from_, column) for column in spec.columns)
    else:
        yield Mention((*path, "key"), CUSTOMERS, spec.key, "output")
    yield from _source(path, CUSTOMERS, spec)
    for role in ("latitude", "longitude"):
        column = getattr(spec, role)
        if column:
            yield Mention((*path, role), CUSTOMERS, column, "number")
    yield from (Mention((*path, "lists"), CUSTOMERS, column, "list") for column in spec.lists)


def _events(rules: RuleFile) -> Iterator[Mention]:
    for name, spec in rules.events.items():
        path = ("events", name)
        yield from _source(path, name, spec)
        yield Mention((*path, "time"), name, spec.time, "date")
        yield Mention((*path, "key") if spec.key else path, name, spec.key or rules.customers.key, "output")
        if spec.id:
            yield Mention((*path, "id"), name, spec.id, "key")
        if spec.amount:
            yield Mention((*path, "amount"), name, spec.amount, "number")


def _lookup(name: str, spec: Lookup) -> Iterator[Mention]:
    path, table = ("lookup", name), lookup_table(name)
    yield from _source(path, table, spec)
    for here, there in spec.on.items():
        yield Mention((*path, "on"), spec.into, here, "key")
        yield Mention((*path, "on"), table, there, "key")
    yield from (Mention((*path, "columns"), table, column, "output") for column in spec.columns)
    yield from (Mention((*path, "explode"), table, column, "output") for column in spec.explode)
    if spec.by:
        yield Mention((*path, "by"), table, spec.by, "measure")


def _trait(path: KeyPath, trait: Trait) -> Iterator[Mention]:
    if trait.events:
        yield from _measured(path, trait)
    for role in ("years_since", "days_since"):
        column = getattr(trait, role)
        if column:
            yield Mention((*path, role), CUSTOMERS, column, "date")
    if trait.bands:
        yield Mention((*path, "bands", "of"), CUSTOMERS, trait.bands.of, "number")
        yield from (Mention((*path, "bands", "per"), CUSTOMERS, column) for column in trait.bands.per)
    if trait.mean_of:
        yield Mention((*path, "mean_of"), CUSTOMERS, trait.mean_of, "number")
    yield from (Mention((*path, "per"), CUSTOMERS, column) for column in trait.per)


ROLE_OF_MEASURE: dict[str, Role] = {
    **dict.fromkeys(("sum", "mean", "median", "share"), "number"), **dict.fromkeys(("min", "max"), "measure")
}  # fmt: skip


def _measured(path: KeyPath, spec: Measured) -> Iterator[Mention]:
    yield from _over_events(path, spec)
    for key, sequel in spec.sequels.items():
        yield from _conditions((*path, key, "where"), sequel.events or spec.events, sequel.where)
    if spec.of:
        yield Mention((*path, "of"), spec.events, spec.of, ROLE_OF_MEASURE.get(spec.measure, "value"))


def _over_events(path: KeyPath, spec: Measured | Rfm | Value | Cap) -> Iterator[Mention]:
    """The columns that say which events count: those of `where`, and a date of the customer that they count from."""
    yield from _conditions((*path, "where"), spec.events, spec.where)
    if isinstance(spec.since, CustomerDate):
        yield Mention((*path, "since", "column"), CUSTOMERS, spec.since.column, "date")


def _rfm(path: KeyPath, rfm: Rfm) -> Iterator[Mention]:
    if rfm.columns:
        for name, column in rfm.columns.model_dump().items():
            yield Mention((*path, "columns", name), CUSTOMERS, column, "number")
    else:
        yield from _over_events(path, rfm)


def _value(spec: Value) -> Iterator[Mention]:
    yield from _over_events(("value",), spec)
    if spec.cost is not None:
        yield Mention(("value", "cost"), CUSTOMERS, spec.cost, "number")


def _gates(rules: RuleFile) -> Iterator[Mention]:
    for path, _, permission in permissions(rules):
        yield from _conditions((*path, "require"), CUSTOMERS, permission.require)
        if permission.suppress:
            column = permission.suppress_on or rules.customers.key
            yield Mention((*path, "suppress_on" if permission.suppress_on else "suppress"), CUSTOMERS, column, "key")
    for path, cap in caps(rules):
        yield from _over_events(path, cap)
    for name, segment in rules.segment.items():
        if segment.limit:
            here = ("segment", name, "limit")
            columns = {"by": (segment.limit.by,) if segment.limit.by else (), "per": segment.limit.per}
            yield from (Mention((*here, key), CUSTOMERS, c) for key, names in columns.items() for c in names)


def _points_per(path: KeyPath, score: Score) -> Iterator[Mention]:
    for position, rule in enumerate(score.rule):
        if rule.points_per:
            yield Mention((*path, position, "points_per", "column"), CUSTOMERS, rule.points_per.column, "number")


def _blocks(rules: RuleFile) -> Iterator[Mention]:
    for path, block in blocks(rules):
        for family, column, condition in block.criteria():
            yield Mention(
                path=(*path, family, column),
                table=CUSTOMERS,
                column=column,
                role="value",
                condition=condition,
                family=family,
            )
            for share in shares_of_all(column, condition):
                here = (*path, family, column, share.operator, "per")
                yield from (Mention(here, CUSTOMERS, name) for name in share.per)
    for path, measured in event_conditions(rules):
        yield from _measured(path, measured)
