"""The plan for rules and opened tables: which columns there are, what is read of each table, and what does not fit.

Nothing is read but lookups and suppression lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import polars as pl

from segkit import codes
from segkit.columns.features.all_steps import steps_of
from segkit.columns.features.blocks import block_needs, told_of
from segkit.columns.features.permission import permission_columns
from segkit.columns.features.steps import CutStep, LookupStep, RowStep, Step, step_types, transitive
from segkit.columns.helpers import BOUGHT, KEY, MATCH, PLACE, SPENT, as_it_came, is_visible, member
from segkit.columns.plan.catalogue import Catalogue, make_catalogue, unknown_columns
from segkit.columns.plan.headers import header_clashes
from segkit.columns.plan.known_values import summarised
from segkit.columns.plan.mentions import Mention, mentions
from segkit.columns.plan.misfits import column_misfits, sql_misfits, sql_type
from segkit.columns.plan.open_views import open_views
from segkit.columns.plan.past import past_steps
from segkit.columns.tables.customers_of_events import named_customers
from segkit.columns.tables.view import View
from segkit.criteria.context import Context
from segkit.criteria.kinds import Dtypes
from segkit.criteria.readings import field_text
from segkit.io.read import Table
from segkit.rules.check.families import computed_columns, score_columns
from segkit.rules.findings import Finding, KeyPath, Misfits
from segkit.rules.model.computed.rfm import rfm_columns
from segkit.rules.model.computed.value import not_computed
from segkit.rules.model.file import RuleFile
from segkit.rules.model.sources import Spelling
from segkit.rules.order import in_order
from segkit.rules.tables import CUSTOMERS, sources_of
from segkit.rules.walk import event_conditions

CHECKED_ON = frozenset({"segment", "output", "rfm", "lifecycle", "score", "value"})
"""Sections that no table depends on: with an unknown column in one of them, the rest is still checked."""
COORDINATES = (("customers", "latitude"), ("customers", "longitude"))


class Plan(NamedTuple):
    """What a run computes: views of the tables, and the steps that are asked for.

    `schema` has the type of each customer column, helper columns too. `asked` are those that segments or outputs name.
    `origins` says of each column of each table where it comes from.
    """

    rules: RuleFile
    context: Context
    views: Mapping[str, View]
    schema: Dtypes
    customers: Table
    steps: tuple[Step, ...]
    asked: frozenset[str]
    lookup_views: Mapping[str, View]
    lookup_counts: Mapping[str, pl.DataFrame]
    listed: Mapping[tuple[str, str], pl.Series]
    """(Suppression list, column) -> the values that stand there, folded."""
    origins: Mapping[str, Mapping[str, KeyPath]]

    def view(self, name: str) -> View:
        """The view of the table with this name, which may be a lookup or list."""
        return self.views[name] if name in self.views else self.lookup_views[name]

    def lookups_into(self, table: str) -> tuple[str, ...]:
        """The lookups that are joined to a table, including those joined by computed columns."""
        late = [step.lookup.name for step in self.steps if isinstance(step, LookupStep) and table == CUSTOMERS]
        return (*self.view(table).doubts.lookups, *late)

    @property
    def cuts(self) -> list[CutStep]:
        """The steps that look at all customers."""
        return [step for step in self.steps if isinstance(step, CutStep)]

    @property
    def without_rows(self) -> Plan:
        """The plan for machines that bring rows of their own: without those of tables, and without what finds cuts."""
        nowhere: dict[str, View] = {name: view.without_rows for name, view in self.views.items()}
        return self._replace(
            views=nowhere,
            customers=nowhere[CUSTOMERS].table,
            steps=tuple(step.elsewhere if isinstance(step, CutStep) else step for step in self.steps),
            lookup_views={},
            lookup_counts={},
            listed={},
        )

    @property
    def counted_tables(self) -> list[str]:
        """The event tables whose rows are counted, whether or not something is measured over them."""
        expected = [name for name, table in self.rules.events.items() if table.expect]
        return list(dict.fromkeys(name for name in (self.rules.customers.from_, *expected) if name))

    @property
    def spellings(self) -> tuple[Spelling, ...]:
        """What keys may differ in."""
        return self.rules.customers.normalise_keys or ()

    @property
    def match(self) -> str:
        """The column of the customers that keys of events and of suppression lists are compared with."""
        return MATCH if self.spellings else KEY

    @property
    def output_columns(self) -> tuple[str, ...]:
        """The columns that go out after key and label: those chosen, or those of the customer file."""
        output, key = self.rules.output, self.rules.customers.key
        if output.audience is not None:
            return tuple(dict.fromkeys(column for column in output.fields.given.values() if column != key))
        if output.columns is not None:
            return output.columns
        return tuple(column for column in self.customers.columns if column != key)

    @property
    def final_columns(self) -> list[str]:
        """The columns that outputs and the summary look at once all are computed.

        They include who is in each segment, and who may be written.
        """
        members = [*map(member, self.rules.segment), *permission_columns(self.rules)]
        wanted = {*self.asked, *self.base_columns, *summarised(self.rules), *members}
        for table in self.rules.rfm:
            wanted |= {*rfm_columns(table)}  # how they are shared out is looked at, and what the manifest counts
        if self.context.whole:
            wanted |= {name for step in self.steps for name in step.names if is_visible(name)}
        return [name for name in self.schema if name in wanted]

    @property
    def base_columns(self) -> list[str]:
        """The columns of the customer view that criteria, steps or outputs need."""
        needed = {*self.asked, *self.output_columns, *(n for step in self.steps for n in step.needs)}
        needed |= {as_it_came(name) for name in self.output_columns}
        needed |= {field_text(name) for name in needed} | {MATCH, PLACE}
        return [name for name in self.views[CUSTOMERS].schema if name in needed]


def make_plan(rules: RuleFile, tables: Mapping[str, Table], context: Context) -> Plan:
    """The plan of a rule file whose SQL can be read, for these tables.

    Raises `Misfits` with all that is wrong with the rules for them.
    """
    if rules.customers.from_:
        tables = {**tables, CUSTOMERS: named_customers(rules.customers, tables[rules.customers.from_])}
    named = _named(rules, tables, context)
    try:
        opened = open_views(rules, tables, context, named.mentions, named.steps, named.catalogue)
        schema = _typed(rules, named.mentions, opened.steps, opened.views)
    except Misfits as error:
        raise Misfits([*named.wrong, *error.findings]) from error
    wrong = [*named.wrong, *header_clashes(rules, opened.views[CUSTOMERS].table.columns)]
    if wrong:
        raise Misfits(wrong)
    asked = frozenset(
        m.column
        for m in named.mentions
        if m.table == CUSTOMERS and (m.path[0] in ("segment", "output") or m.path in COORDINATES)
    )
    asked |= context.kept | context.also.get(CUSTOMERS, frozenset())
    if context.leaves:
        asked |= _looked_at(rules, opened.steps, asked)
    asked |= {BOUGHT, SPENT} & opened.steps.keys()
    members = [*map(member, rules.segment), *permission_columns(rules)]
    chosen = transitive([*asked, *computed_columns(rules), *members], opened.steps)
    return Plan(
        rules=rules,
        context=context,
        views=opened.views,
        schema=schema,
        customers=opened.views[CUSTOMERS].table,
        steps=tuple(dict.fromkeys(opened.steps[name] for name in chosen)),
        asked=asked,
        lookup_views=opened.lookups.views,
        lookup_counts=opened.lookups.counts,
        listed=opened.lookups.listed,
        origins=named.catalogue.columns,
    )


def _looked_at(rules: RuleFile, steps: Mapping[str, Step], asked: AbstractSet[str]) -> set[str]:
    """What criteria of segments look at, and the rules of the scores among that; what is told of events."""
    found = {name for block in rules.segment.values() for name in block_needs(block, rules.customers)}
    scores = {name for name, score in rules.score.items() if not asked.isdisjoint(score_columns(name, score))}
    counted = {name for name in scores if f"{name}_score" in steps}
    for name in counted:
        found |= {f"{name}_score", *steps[f"{name}_score"].needs}
    for path, one in event_conditions(rules):
        if path[0] == "segment" or (path[0] == "score" and path[1] in counted):
            found |= {measure.name for measure in told_of(one)}
    return found


class _Named(NamedTuple):
    """The columns there are: where each comes from, who names them, and which steps can be taken.

    `wrong` has the findings in sections that no table depends on.
    """

    catalogue: Catalogue
    mentions: Sequence[Mention]
    steps: Mapping[str, Step]
    wrong: Sequence[Finding]


def _named(rules: RuleFile, tables: Mapping[str, Table], context: Context) -> _Named:
    all_mentions = [*mentions(rules), *_also(rules, context)]
    steps = {name: step for step in (*steps_of(rules, context), *past_steps(rules, context)) for name in step.names}
    catalogue, wrong = make_catalogue(rules, tables, all_mentions, steps)
    wrong += unknown_columns(all_mentions, catalogue, tables, not_computed(rules.value))
    if any(finding.path[0] not in CHECKED_ON for finding in wrong):
        raise Misfits(wrong)
    known = [m for m in all_mentions if m.column in catalogue.columns[m.table]]
    possible = {n: s for n, s in steps.items() if not any(f.path[: len(s.path)] == s.path for f in wrong)}
    return _Named(catalogue, known, possible, wrong)


def _also(rules: RuleFile, context: Context) -> Iterator[Mention]:
    """What is read though no rule names it, as if rules looked at the values."""
    for table, _, path in sources_of(rules):
        yield from (Mention((*path, "columns"), table, column) for column in sorted(context.also.get(table, ())))


def _typed(rules: RuleFile, known: Sequence[Mention], steps: Mapping[str, Step], views: Mapping[str, View]) -> Dtypes:
    """The types of all columns of the customers, computed ones too.

    Raises `Misfits` for columns that are not of the type that is asked of them, in whichever table.
    """
    schema, customers = dict(views[CUSTOMERS].schema), views[CUSTOMERS].table
    wrong: list[Finding] = []
    for table, view in views.items():
        if table != CUSTOMERS:
            wrong += column_misfits(
                [m for m in known if m.table == table], view.schema, _computed(rules, table), view.table
            )
    computed = {*steps, *_computed(rules, CUSTOMERS)}
    of_customers = [m for m in known if m.table == CUSTOMERS]
    for name in in_order({name: step.needs for name, step in steps.items()}):
        step = steps[name]
        misfits = _step_misfits(
            step, [m for m in of_customers if m.path[: len(step.path)] == step.path], schema, computed, customers
        )
        wrong += misfits
        if not misfits and name not in schema and step.needs <= schema.keys():
            schema |= step_types(step, schema, views)
    wrong += column_misfits(of_customers, schema, computed, customers)
    wrong += sql_misfits(rules, schema)
    if wrong:
        raise Misfits(list({(finding.path, finding.message): finding for finding in wrong}.values()))
    return schema


def _computed(rules: RuleFile, table: str) -> set[str]:
    """The columns of a table that its own `derive`, or that of a lookup joined to it, computes."""
    sources = [source for name, source, _ in sources_of(rules) if name == table]
    sources += [lookup for lookup in rules.lookup.values() if lookup.into == table]
    return {column for source in sources for column in source.derive}


def _step_misfits(
    step: Step, of_step: Sequence[Mention], schema: Dtypes, computed: AbstractSet[str], customers: Table
) -> list[Finding]:
    """What keeps a step from being taken over columns of `schema`."""
    wrong = list(column_misfits(of_step, schema, computed, customers))
    if isinstance(step, RowStep) and step.sql is not None and step.needs <= schema.keys():
        problem, _ = sql_type(step.sql, schema)
        wrong += [Finding((*step.path, "sql"), *problem, code=codes.BAD_SQL)] if problem else []
    return wrong
