"""From rules and opened tables to a plan: which columns there are, what is read of each table, and all that does not
fit; nothing is read but lookups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import polars as pl

from segkit.columns.catalogue import Catalogue, column_cycles, make_catalogue, sources_of, unknown_columns
from segkit.columns.features import (
    LookupStep,
    MeasureStep,
    RowStep,
    Step,
    derived_step,
    step_types,
    steps_of,
    transitive,
)
from segkit.columns.fit import KINDS_OF_ROLE, column_misfits, sql_misfits, sql_type
from segkit.columns.hidden import is_hidden
from segkit.columns.lookups import read_lookup
from segkit.columns.measures import NEEDS_ORDER, Measure
from segkit.columns.mentions import CUSTOMERS, Mention, lookup_table, mentions
from segkit.columns.order import Cycle, in_order
from segkit.columns.rfm import map_codes
from segkit.columns.value import needs_of_predict
from segkit.columns.views import Joined, Reads, Refused, View, customer_view, event_view, lookup_view
from segkit.criteria.conditions import Context, wanted_kind, wants_text
from segkit.criteria.kinds import Kind, Schema
from segkit.criteria.sql import sql_columns
from segkit.io.read import Table
from segkit.rules.features import RFM_COLUMNS
from segkit.rules.findings import Finding, Path
from segkit.rules.model import RuleFile
from segkit.rules.near import nearest
from segkit.rules.sources import Events
from segkit.rules.value import PREDICTED, not_computed

CHECKED_ON = frozenset({"segment", "output", "rfm"})
"""Sections that other columns do not depend on: with an unknown column in one of them, the rest is still checked."""


@dataclass(frozen=True)
class Plan:
    """What a run computes: views of the tables, and the steps in order.

    `schema` types every customer column that rules may name; `asked` are those that segments and outputs name.
    """

    rules: RuleFile
    context: Context
    views: Mapping[str, View]
    schema: Schema
    customers: Table
    steps: tuple[Step, ...]
    asked: frozenset[str]
    lookup_views: Mapping[str, View]
    lookup_counts: Mapping[str, pl.DataFrame]

    @property
    def output_columns(self) -> tuple[str, ...]:
        """The columns that go out after key and label: those chosen, or those of the customer file."""
        return self.rules.output.columns or tuple(c for c in self.customers.columns if c != self.rules.customers.key)

    @property
    def final_columns(self) -> list[str]:
        """The columns that segments and outputs need once all are computed, hidden results too."""
        computed = {name for step in self.steps for name in step.names}
        wanted = {*self.asked, *self.base_columns, *filter(is_hidden, computed)}
        return [name for name in self.schema if name in wanted]

    @property
    def base_columns(self) -> list[str]:
        """The columns of the customers that somebody needs: criteria, steps, outputs."""
        spec = self.rules.customers
        needed = {*self.asked, *self.output_columns, *(n for step in self.steps for n in step.needs)}
        needed |= {name for name in (spec.latitude, spec.longitude) if name}
        return [name for name in self.views[CUSTOMERS].schema if name in needed]


def make_plan(rules: RuleFile, tables: Mapping[str, Table], context: Context) -> tuple[Plan | None, list[Finding]]:
    """The plan and warnings, or no plan and all that is wrong with the rules for these tables."""
    findings: list[Finding] = []
    found = list(mentions(rules, findings))
    if findings:
        return None, findings  # SQL that cannot be read: what it would compute is unknown
    steps = steps_of(rules, context)
    catalogue = make_catalogue(rules, tables, found, steps, findings)
    findings += unknown_columns(found, catalogue, tables, not_computed(rules.value))
    findings += needs_of_predict(rules)
    findings += column_cycles(rules, steps)
    if any(finding.path[0] not in CHECKED_ON for finding in findings):
        return None, findings
    found = [m for m in found if m.column in catalogue.columns[m.table]]
    steps = {n: s for n, s in steps.items() if not any(f.path[: len(s.path)] == s.path for f in findings)}
    before = len(findings)
    reads = _reads(rules, tables, found, catalogue)
    lookups = _lookups(rules, tables, reads, catalogue, context, found, findings)
    if len(findings) > before:
        return None, findings
    late = _late(rules, steps, catalogue)
    steps |= {name: derived_step(name, text, context) for name, text in rules.customers.derive.items() if name in late}
    steps |= {c: LookupStep(j, ("lookup", n)) for n, j in lookups.joined.items() for c in j.adds if c in late}
    findings += column_cycles(rules, steps)
    findings += _late_where(rules, late, steps)
    views = {}
    if len(findings) == before:
        views = _views(rules, tables, reads, lookups.joined, context, steps, late, findings)
    if len(findings) > before:
        return None, findings
    for name, view in views.items():
        if name != CUSTOMERS:
            findings += column_misfits([m for m in found if m.table == name], view.schema)
    schema = _typed(steps, views[CUSTOMERS].schema, views, found, findings)
    findings += column_misfits([m for m in found if m.table == CUSTOMERS], schema)
    findings += sql_misfits(rules, schema)
    if findings:
        return None, _once_a_place(findings)
    asked = frozenset(m.column for m in found if m.table == CUSTOMERS and m.path[0] in ("segment", "output"))
    needed = [*asked, *(name for name in steps if is_hidden(name)), *(RFM_COLUMNS if rules.rfm else ())]
    needed += PREDICTED if rules.value and rules.value.predict else ()
    chosen = set(transitive(needed, steps))
    final = tuple(dict.fromkeys(steps[name] for name in _ordered(steps) if name in chosen))
    return Plan(rules, context, views, schema, tables[CUSTOMERS], final, asked, lookups.views, lookups.counts), [
        *_unknown_rfm_segments(rules, found)
    ]


def _ordered(steps: Mapping[str, Step]) -> list[str]:
    return in_order({name: step.needs for name, step in steps.items()})


def _reads(
    rules: RuleFile, tables: Mapping[str, Table], found: Sequence[Mention], catalogue: Catalogue
) -> dict[str, Reads]:
    """What is read of each table; a lookup's columns are read as those of the table that gets them."""
    reads: dict[str, Reads] = {}
    for name, spec, _ in sources_of(rules):
        mine = [m for m in found if m.table == name]
        reads[name] = Reads(
            values=frozenset(m.column for m in mine if m.role not in ("key", "output")),
            text=frozenset(m.column for m in mine if m.role == "list" or (m.condition and wants_text(m.condition))),
            money=_money(spec) if isinstance(spec, Events) else frozenset(),
            keys=frozenset(m.column for m in mine if m.role == "key"),
            others=frozenset(m.column for m in mine if m.role == "output"),
            kinds={m.column: kind for m in mine if (kind := _kind_asked(m))},
        )
    for name, lookup in rules.lookup.items():
        own, into = reads[lookup_table(name)], reads[lookup.into].only(catalogue.adds[name])
        reads[lookup_table(name)] = Reads(
            own.values | into.values,
            own.text | into.text,
            own.money | into.money,
            own.keys | into.keys,
            own.others | into.others,
            {**into.kinds, **own.kinds},
        )
    return reads


def _kind_asked(mention: Mention) -> Kind | None:
    """The kind of column that a mention asks for, if it asks for one."""
    if mention.condition:
        return wanted_kind(mention.condition)
    return KINDS_OF_ROLE.get(mention.role, (None,))[0]


def _money(spec: Events) -> frozenset[str]:
    """The amount, and the columns of the SQL that makes it."""
    found: set[str] = set()
    todo = [spec.amount] if spec.amount else []
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += sql_columns(spec.derive[name]) if name in spec.derive else []
    return frozenset(found)


@dataclass(frozen=True)
class _Lookups:
    joined: Mapping[str, Joined]
    views: Mapping[str, View]
    counts: Mapping[str, pl.DataFrame]


def _lookups(
    rules: RuleFile,
    tables: Mapping[str, Table],
    reads: Mapping[str, Reads],
    catalogue: Catalogue,
    context: Context,
    found: Sequence[Mention],
    findings: list[Finding],
) -> _Lookups:
    """The lookups that somebody asks for, read."""
    joined: dict[str, Joined] = {}
    views: dict[str, View] = {}
    counts: dict[str, pl.DataFrame] = {}
    for name, lookup in rules.lookup.items():
        table = lookup_table(name)
        try:
            view = lookup_view(table, lookup, tables[table], reads[table], context)
        except (Refused, Cycle) as error:
            findings.append(_refusal(("lookup", name), error))
            continue
        wrong = list(column_misfits([m for m in found if m.table == table], view.schema))
        findings += wrong
        if not wrong and catalogue.adds[name]:
            views[table] = view
            joined[name], counts[table] = read_lookup(name, view, catalogue.adds[name])
    return _Lookups(joined, views, counts)


def _refusal(path: Path, error: Refused | Cycle) -> Finding:
    if isinstance(error, Refused):
        return Finding((*path, *error.path), str(error))
    return Finding(path, f"these columns need each other: {error}", "compute one of them from others")


def _late(rules: RuleFile, steps: Mapping[str, Step], catalogue: Catalogue) -> frozenset[str]:
    """The columns of customers that are joined by, or derived from, computed ones, so come after them."""
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


def _late_where(rules: RuleFile, late: AbstractSet[str], steps: Mapping[str, Step]) -> Iterable[Finding]:
    for column in rules.customers.where:
        if column in late or column in steps:
            yield Finding(
                ("customers", "where", column),
                f"`where` looks at the rows of the file, and `{column}` is computed later",
                "make it a condition of the segments",
            )


def _views(
    rules: RuleFile,
    tables: Mapping[str, Table],
    reads: Mapping[str, Reads],
    joined: Mapping[str, Joined],
    context: Context,
    steps: Mapping[str, Step],
    late: AbstractSet[str],
    findings: list[Finding],
) -> dict[str, View]:
    views: dict[str, View] = {}
    measures = [step.measure for step in steps.values() if isinstance(step, MeasureStep)]

    def into(table: str) -> list[Joined]:
        return [j for name, j in joined.items() if rules.lookup[name].into == table and not late & set(j.adds)]

    for name, spec in rules.events.items():
        key = spec.key or rules.customers.key
        ordered = any(_needs_order(m, name) for m in measures)
        try:
            views[name] = event_view(name, spec, key, tables[name], reads[name], into(name), context, in_order=ordered)
        except (Refused, Cycle) as error:
            findings.append(_refusal(("events", name), error))
    try:
        views[CUSTOMERS] = customer_view(
            rules.customers, tables[CUSTOMERS], reads[CUSTOMERS], into(CUSTOMERS), context, late
        )
    except (Refused, Cycle) as error:
        findings.append(_refusal(("customers",), error))
    return views


def _needs_order(measure: Measure, events: str) -> bool:
    return measure.spec.events == events and measure.spec.measure in NEEDS_ORDER


def _typed(
    steps: Mapping[str, Step],
    schema: Schema,
    views: Mapping[str, View],
    found: Sequence[Mention],
    findings: list[Finding],
) -> Schema:
    """The schema with the computed columns; what cannot be computed goes to `findings`."""
    schema = dict(schema)
    for name in _ordered(steps):
        step = steps[name]
        mine = [m for m in found if m.table == CUSTOMERS and m.path[: len(step.path)] == step.path]
        wrong = list(column_misfits(mine, schema)) if step.path[0] != "segment" else []
        if isinstance(step, RowStep) and step.sql is not None and step.needs <= schema.keys():
            problem, _ = sql_type(step.sql, schema)
            wrong += [Finding((*step.path, "sql"), *problem)] if problem else []
        findings += wrong
        if not wrong and name not in schema and step.needs <= schema.keys():
            schema |= step_types(step, schema, views)
    return schema


def _unknown_rfm_segments(rules: RuleFile, found: Sequence[Mention]) -> Iterable[Finding]:
    """Names that the map gives to no score."""
    if rules.rfm is None:
        return
    names = {*map_codes(rules.rfm).values(), *(row.name for row in rules.rfm.segment)}
    for mention in found:
        if mention.family == "rfm" and mention.column == "rfm_segment" and mention.condition:
            for name, value in mention.condition.operators():
                asked = value if isinstance(value, tuple) else (value,)
                if name in ("is", "not", "in", "not_in"):
                    for wrong in [v for v in asked if v not in names]:
                        message = f"the RFM map has no segment `{wrong}`"
                        yield Finding(mention.path, message, nearest(str(wrong), names, "segments"), warning=True)


def _once_a_place(findings: Sequence[Finding]) -> list[Finding]:
    """One finding for each place and message."""
    return list({(finding.path, finding.message): finding for finding in findings}.values())
