"""Tables as rules see them: lookups are read and joined; what is derived from computed columns is put off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from segkit import codes
from segkit.columns.features.all_steps import derived_step
from segkit.columns.features.measures import needs_order
from segkit.columns.features.permission import read_suppression, suppression_steps
from segkit.columns.features.steps import LookupStep, MeasureStep, Step
from segkit.columns.plan.catalogue import Catalogue
from segkit.columns.plan.circles import step_circles
from segkit.columns.plan.mentions import Mention
from segkit.columns.plan.misfits import column_misfits
from segkit.columns.plan.reads import reads_of
from segkit.columns.tables.build import Refused, customer_view, event_view, lookup_view
from segkit.columns.tables.customers_of_events import customers_of
from segkit.columns.tables.joined import Asked, Joined
from segkit.columns.tables.read_lookup import read_lookup
from segkit.columns.tables.view import Reads, View
from segkit.criteria.context import Context
from segkit.criteria.sql.parse import sql_columns
from segkit.io.read import Table
from segkit.rules.findings import Finding, KeyPath, Misfits
from segkit.rules.model.file import RuleFile
from segkit.rules.order import Cycle
from segkit.rules.tables import CUSTOMERS, lookup_table


class Lookups(NamedTuple):
    """The lookups whose columns are asked for, read into memory."""

    joined: Mapping[str, Joined]
    views: Mapping[str, View]
    counts: Mapping[str, pl.DataFrame]
    listed: Mapping[tuple[str, str], pl.Series] = MappingProxyType({})
    """(Suppression list, column) -> the values that stand there."""


class Opened(NamedTuple):
    """The views of customers and events, the lookups, and the steps with those that lookups and `derive` add."""

    views: Mapping[str, View]
    lookups: Lookups
    steps: Mapping[str, Step]


def open_views(
    rules: RuleFile,
    tables: Mapping[str, Table],
    context: Context,
    mentions: Sequence[Mention],
    steps: Mapping[str, Step],
    catalogue: Catalogue,
) -> Opened:
    """The tables as rules see them; reads nothing but lookups and suppression lists. Raises `Misfits`."""
    reads = reads_of(rules, mentions, catalogue)
    lookups = _lookups(rules, tables, reads, catalogue, context, mentions)
    lists = read_suppression(rules, tables, context)
    late = _late(rules, steps, catalogue)
    joins = [LookupStep(joined, ("lookup", name)) for name, joined in lookups.joined.items()]
    derived = {name: text for name, text in rules.customers.derive.items() if name in late}
    steps = {
        **steps,
        **{name: derived_step(name, text, context) for name, text in derived.items()},
        **{column: join for join in joins for column in join.names if column in late},
        **{name: step for step in suppression_steps(rules, lists, tables[CUSTOMERS]) for name in step.names},
    }
    wrong = [*step_circles(rules, steps), *_late_where(rules, late, steps)]
    if wrong:
        raise Misfits(wrong)
    read = Lookups(
        joined=lookups.joined,
        views={**lookups.views, **lists.views},
        counts={**lookups.counts, **lists.counts},
        listed=lists.written,
    )
    return Opened(
        _views(rules, tables, reads, _asking(lookups.joined, rules, mentions, context), context, steps, late, mentions),
        read,
        steps,
    )


def _lookups(
    rules: RuleFile,
    tables: Mapping[str, Table],
    reads: Mapping[str, Reads],
    catalogue: Catalogue,
    context: Context,
    mentions: Sequence[Mention],
) -> Lookups:
    joined: dict[str, Joined] = {}
    views: dict[str, View] = {}
    counts: dict[str, pl.DataFrame] = {}
    wrong: list[Finding] = []
    for name, lookup in rules.lookup.items():
        table = lookup_table(name)
        try:
            view = lookup_view(table, lookup, tables[table], reads[table], context)
        except (Refused, Cycle) as error:
            wrong.extend(_refusals(("lookup", name), error))
            continue
        misfits = list(
            column_misfits([m for m in mentions if m.table == table], view.schema, lookup.derive, view.table)
        )
        wrong += misfits
        if not misfits and catalogue.adds[name]:
            views[table] = view
            joined[name], counts[table] = read_lookup(name, view, catalogue.adds[name])
    if wrong:
        raise Misfits(wrong)
    return Lookups(joined, views, counts)


def _asking(
    joined: Mapping[str, Joined], rules: RuleFile, mentions: Sequence[Mention], context: Context
) -> dict[str, Joined]:
    """The lookups, each with the conditions on the event table that it is joined to."""
    asked: dict[str, list[Asked]] = {}
    for mention in mentions:
        if mention.table != CUSTOMERS and mention.condition:
            asked.setdefault(mention.table, []).append((mention.column, mention.condition))
    return {name: lookup.asking(asked.get(rules.lookup[name].into, ()), context) for name, lookup in joined.items()}


def _refusals(path: KeyPath, error: Refused | Cycle) -> list[Finding]:
    if isinstance(error, Refused):
        return [finding._replace(path=(*path, *finding.path)) for finding in error.findings]
    return [Finding(path, f"these need each other: {error}", "compute one of them from others", code=codes.CIRCLE)]


def _late(rules: RuleFile, steps: Mapping[str, Step], catalogue: Catalogue) -> frozenset[str]:
    """The columns of customers that are joined by computed ones or derived from them, and so come after them."""
    late: set[str] = set()
    while True:
        known = {*steps, *late}
        more = {name for name, text in rules.customers.derive.items() if sql_columns(text) & known}
        for name, lookup in rules.lookup.items():
            if lookup.into == CUSTOMERS and lookup.on.keys() & known:
                more |= set(catalogue.adds[name])
        if more <= late:
            return frozenset(late)
        late |= more


def _late_where(rules: RuleFile, late: AbstractSet[str], steps: Mapping[str, Step]) -> Iterator[Finding]:
    for column in rules.customers.where:
        if column in late or column in steps:
            yield Finding(
                ("customers", "where", column),
                f"`where` looks at the rows of the file, and `{column}` is computed later",
                "make it a condition of the segments",
                code=codes.CONTRADICTION,
            )


def _views(
    rules: RuleFile,
    tables: Mapping[str, Table],
    reads: Mapping[str, Reads],
    joined: Mapping[str, Joined],
    context: Context,
    steps: Mapping[str, Step],
    late: AbstractSet[str],
    mentions: Sequence[Mention],
) -> dict[str, View]:
    views: dict[str, View] = {}
    origin = rules.customers.from_

    def of_events(name: str) -> View:
        spec, into = rules.events[name], [j for n, j in joined.items() if rules.lookup[n].into == name]
        ordered = name == origin or _in_order(name, rules, steps)
        came = rules.customers.columns if name == origin else ()
        key = spec.key or rules.customers.key
        forms = rules.customers.normalise_keys or ()

        def made(table: Table) -> View:
            return event_view(
                name, spec, key, table, reads[name], into, context, in_order=ordered, came=came, forms=forms
            )

        return made(tables[name])._replace(made=made)

    def of_customers() -> View:
        into = [j for n, j in joined.items() if rules.lookup[n].into == CUSTOMERS and not late & set(j.adds)]
        table = tables[CUSTOMERS]
        if origin:
            events = views[origin]
            fits = not any(column_misfits([m for m in mentions if m.table == origin], events.schema))
            table = customers_of(rules.customers, events, reads[CUSTOMERS], fits=fits)

        def made(table: Table) -> View:
            return customer_view(rules.customers, table, reads[CUSTOMERS], into, context, late)

        return made(table)._replace(made=made)

    wrong: list[Finding] = []
    for name in rules.events:
        try:
            views[name] = of_events(name)
        except (Refused, Cycle) as error:
            wrong.extend(_refusals(("events", name), error))
    if not origin or origin in views:
        try:
            views[CUSTOMERS] = of_customers()
        except (Refused, Cycle) as error:
            wrong.extend(_refusals((CUSTOMERS,), error))
    if wrong:
        raise Misfits(wrong)
    return views


def _in_order(events: str, rules: RuleFile, steps: Mapping[str, Step]) -> bool:
    """Whether a measure asks which event of the table came first, or tells its events apart."""
    specs = [step.measure.spec for step in steps.values() if isinstance(step, MeasureStep)]
    apart = {sequel.events or spec.events for spec in specs for sequel in spec.sequels.values()}
    apart |= {spec.events for spec in specs if spec.sequels or needs_order(spec, rules.events[spec.events])}
    return events in apart
