"""What rules read of each table, and as what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segkit.columns.plan.catalogue import Catalogue
from segkit.columns.plan.mentions import Mention
from segkit.columns.plan.misfits import KINDS_OF_ROLE
from segkit.columns.tables.view import Reads
from segkit.criteria.conditions import asks_if_blank, wanted_kind, wants_text
from segkit.criteria.kinds import Kind
from segkit.criteria.sql.parse import sql_columns
from segkit.rules.model.file import RuleFile
from segkit.rules.model.sources import Events
from segkit.rules.tables import CUSTOMERS, lookup_table, sources_of


def reads_of(rules: RuleFile, mentions: Sequence[Mention], catalogue: Catalogue) -> Mapping[str, Reads]:
    """What is read of each table; what another table gets of it is read as it is there."""
    reads: dict[str, Reads] = {}
    for name, spec, _ in sources_of(rules):
        mine = [m for m in mentions if m.table == name]
        reads[name] = Reads(
            values=frozenset(m.column for m in mine if m.role not in ("key", "output")),
            as_came=_as_came(mine) if isinstance(spec, Events) else frozenset(),
            text=_as_text(mine),
            money=money_columns(spec) if isinstance(spec, Events) else frozenset(),
            keys=frozenset(m.column for m in mine if m.role == "key"),
            others=frozenset(m.column for m in mine if m.role == "output"),
            fields=frozenset(m.column for m in mine if m.role == "text"),
            moments=frozenset(m.column for m in mine if m.role == "moment"),
            kinds={m.column: kind for m in mine if (kind := _kind_asked(m))},
        )
    if origin := rules.customers.from_:
        reads[origin] = _together(reads[origin], reads[CUSTOMERS].only(rules.customers.columns))
    for name, lookup in rules.lookup.items():
        own, into = reads[lookup_table(name)], reads[lookup.into].only(catalogue.adds[name])
        reads[lookup_table(name)] = _together(own, into)
    return reads


def _together(own: Reads, into: Reads) -> Reads:
    return Reads(
        values=own.values | into.values,
        as_came=frozenset(),
        text=own.text | into.text,
        money=own.money | into.money,
        keys=own.keys | into.keys,
        others=own.others | into.others,
        fields=own.fields | into.fields,
        moments=own.moments,
        kinds={**into.kinds, **own.kinds},
    )


def _as_text(mentions: Sequence[Mention]) -> frozenset[str]:
    """The columns that are texts unless all of their values are of another type.

    What only functions of texts ask for is; beside other rules, it is only read as text, too.
    """
    asked = {m.column for m in mentions if m.role == "list" or (m.condition and wants_text(m.condition))}
    others = {m.column for m in mentions if m.role in ("value", "number", "measure", "date")}
    return frozenset(asked | ({m.column for m in mentions if m.role == "text"} - others))


def _as_came(mentions: Sequence[Mention]) -> frozenset[str]:
    """The columns of which nobody asks whether they are blank, so that they can be read as they came."""
    asked = {m.column for m in mentions if m.condition is None or asks_if_blank(m.condition)}
    return frozenset(m.column for m in mentions) - asked


def _kind_asked(mention: Mention) -> Kind | None:
    """The kind of column that a mention asks for, if it asks for one."""
    if mention.condition:
        return wanted_kind(mention.condition)
    return KINDS_OF_ROLE.get(mention.role, (None,))[0]


def money_columns(spec: Events) -> frozenset[str]:
    """The amount, and the columns of the SQL that makes it."""
    columns: set[str] = set()
    todo = [spec.amount] if spec.amount else []
    while todo:
        name = todo.pop()
        if name not in columns:
            columns.add(name)
            todo += sql_columns(spec.derive[name]) if name in spec.derive else []
    return frozenset(columns)
