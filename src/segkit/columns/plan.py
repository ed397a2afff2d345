"""From rules and opened tables to a plan: which columns there are, what is read of each table, and all that does not
fit; nothing is read but lookups.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import polars as pl

from segkit.columns.features import (
    LookupStep,
    MeasureStep,
    Step,
    derived_step,
    step_types,
    steps_of,
    transitive,
    type_of,
)
from segkit.columns.hidden import is_hidden
from segkit.columns.lookups import read_lookup
from segkit.columns.measures import NEEDS_ORDER, Measure
from segkit.columns.mentions import CUSTOMERS, Mention, lookup_table, mentions
from segkit.columns.order import Cycle, in_order
from segkit.columns.views import Joined, Reads, Refused, View, customer_view, event_view, lookup_view
from segkit.criteria.blocks import all_blocks
from segkit.criteria.conditions import Context, misfits, types_hint, wants_text
from segkit.criteria.kinds import Kind, Schema, article, kind_of
from segkit.criteria.sql import SqlProblem, parse_sql, sql_columns
from segkit.io.read import Table
from segkit.rules.features import RFM_COLUMNS
from segkit.rules.findings import Finding, Path
from segkit.rules.model import RuleFile
from segkit.rules.near import nearest
from segkit.rules.sources import Events, Source


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


@dataclass(frozen=True)
class _Catalogue:
    """Which columns each table has, and where each comes from."""

    columns: Mapping[str, Mapping[str, Path]]
    adds: Mapping[str, tuple[str, ...]]


def make_plan(rules: RuleFile, tables: Mapping[str, Table], context: Context) -> tuple[Plan | None, list[Finding]]:
    """The plan and warnings, or no plan and all that is wrong with the rules for these tables."""
    findings: list[Finding] = []
    found = list(mentions(rules, findings))
    steps = {} if findings else steps_of(rules, context)
    catalogue = _catalogue(rules, tables, found, steps, findings)
    findings += _unknown(found, catalogue, tables)
    findings += _cycles(rules, steps)
    if findings:
        return None, findings
    reads = _reads(rules, tables, found, catalogue)
    lookups = _lookups(rules, tables, reads, catalogue, context, found, findings)
    if findings:
        return None, findings
    late = _late(rules, steps, catalogue)
    steps |= {name: derived_step(name, text, context) for name, text in rules.customers.derive.items() if name in late}
    steps |= {c: LookupStep(j, ("lookup", n)) for n, j in lookups.joined.items() for c in j.adds if c in late}
    findings += _cycles(rules, steps)
    findings += _late_where(rules, late, steps)
    views = {} if findings else _views(rules, tables, reads, lookups.joined, context, steps, late, findings)
    if findings:
        return None, findings
    for name, view in views.items():
        if name != CUSTOMERS:
            findings += _misfits([m for m in found if m.table == name], view.schema)
    schema = _typed(steps, views[CUSTOMERS].schema, views, found, findings)
    findings += _misfits([m for m in found if m.table == CUSTOMERS], schema)
    findings += _sql_types(rules, schema)
    if findings:
        return None, _once_a_place(findings)
    asked = frozenset(m.column for m in found if m.table == CUSTOMERS and m.path[0] in ("segment", "output"))
    needed = [*asked, *(name for name in steps if is_hidden(name)), *(RFM_COLUMNS if rules.rfm else ())]
    chosen = set(transitive(needed, steps))
    final = tuple(dict.fromkeys(steps[name] for name in _ordered(steps) if name in chosen))
    return Plan(rules, context, views, schema, tables[CUSTOMERS], final, asked, lookups.views, lookups.counts), []


def _ordered(steps: Mapping[str, Step]) -> list[str]:
    return in_order({name: step.needs for name, step in steps.items()})


def _catalogue(
    rules: RuleFile,
    tables: Mapping[str, Table],
    found: Sequence[Mention],
    steps: Mapping[str, Step],
    findings: list[Finding],
) -> _Catalogue:
    columns: dict[str, dict[str, Path]] = {}
    for name, spec, path in _sources(rules):
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
    return _Catalogue(columns, adds)


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


def _sources(rules: RuleFile) -> Iterable[tuple[str, Source, Path]]:
    yield CUSTOMERS, rules.customers, ("customers",)
    for name, events in rules.events.items():
        yield name, events, ("events", name)
    for name, lookup in rules.lookup.items():
        yield lookup_table(name), lookup, ("lookup", name)


def _unknown(found: Sequence[Mention], catalogue: _Catalogue, tables: Mapping[str, Table]) -> Iterable[Finding]:
    for mention in found:
        known = catalogue.columns.get(mention.table, {})
        if mention.column in known:
            continue
        table = tables.get(mention.table)
        hint = (table.one_column_hint() if table else None) or nearest(mention.column, known)
        what = "customers have" if mention.table == CUSTOMERS else f"`{mention.table}` has"
        yield Finding(mention.path, f"{what} no column `{mention.column}`", hint)


def _cycles(rules: RuleFile, steps: Mapping[str, Step]) -> Iterable[Finding]:
    groups: list[tuple[Path, dict[str, frozenset[str]]]] = [
        (("trait",), {name: step.needs for name, step in steps.items()})
    ]
    for _, spec, path in _sources(rules):
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


def _reads(
    rules: RuleFile, tables: Mapping[str, Table], found: Sequence[Mention], catalogue: _Catalogue
) -> dict[str, Reads]:
    """What is read of each table; a lookup's columns are read as those of the table that gets them."""
    reads: dict[str, Reads] = {}
    for name, spec, _ in _sources(rules):
        mine = [m for m in found if m.table == name]
        reads[name] = Reads(
            values=frozenset(m.column for m in mine if m.role not in ("key", "output")),
            text=frozenset(m.column for m in mine if m.role == "list" or (m.condition and wants_text(m.condition))),
            money=_money(spec) if isinstance(spec, Events) else frozenset(),
            keys=frozenset(m.column for m in mine if m.role == "key"),
            others=frozenset(m.column for m in mine if m.role == "output"),
        )
    for name, lookup in rules.lookup.items():
        own, into = reads[lookup_table(name)], reads[lookup.into].only(catalogue.adds[name])
        reads[lookup_table(name)] = Reads(
            own.values | into.values,
            own.text | into.text,
            own.money | into.money,
            own.keys | into.keys,
            own.others | into.others,
        )
    return reads


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
    catalogue: _Catalogue,
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
        wrong = list(_misfits([m for m in found if m.table == table], view.schema))
        findings += wrong
        if not wrong and catalogue.adds[name]:
            views[table] = view
            joined[name], counts[table] = read_lookup(name, view, catalogue.adds[name])
    return _Lookups(joined, views, counts)


def _refusal(path: Path, error: Refused | Cycle) -> Finding:
    if isinstance(error, Refused):
        return Finding((*path, *error.path), str(error))
    return Finding(path, f"these columns need each other: {error}", "compute one of them from others")


def _late(rules: RuleFile, steps: Mapping[str, Step], catalogue: _Catalogue) -> frozenset[str]:
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
        return [j for name, j in joined.items() if rules.lookup[name].into == table and not late.intersection(j.adds)]

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


KINDS_OF_ROLE: Mapping[str, tuple[Kind, ...]] = {
    "number": ("number",),
    "measure": ("number", "date"),
    "date": ("date",),
    "list": ("text", "list"),
}


def _misfits(found: Sequence[Mention], schema: Schema) -> Iterable[Finding]:
    """Where a column is not of the type that is asked of it."""
    for mention in found:
        dtype = schema.get(mention.column)
        if dtype is None:
            continue
        if mention.condition:
            for operator, message, hint in misfits(mention.column, dtype, mention.condition):
                yield Finding((*mention.path, operator), message, hint)
        wanted = KINDS_OF_ROLE.get(mention.role)
        if wanted and kind_of(dtype) not in wanted:
            key = mention.path[-1]
            asked = " or ".join(article(kind) for kind in wanted)
            message = f"`{key}` asks for {asked}, but column `{mention.column}` is {article(kind_of(dtype))}"
            yield Finding(mention.path, message, types_hint(mention.column, kind_of(dtype), wanted))


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
        wrong = list(_misfits(mine, schema)) if step.path[0] != "segment" else []
        findings += wrong
        if wrong or name in schema:
            continue
        try:
            schema |= step_types(step, schema, views)
        except pl.exceptions.PolarsError as error:
            findings.append(Finding((*step.path, "sql"), f"cannot compute `{name}`: {_reason(error)}"))
    return schema


def _sql_types(rules: RuleFile, schema: Schema) -> Iterable[Finding]:
    """Where the `sql` of a block is not true or false."""
    for name, segment in rules.segment.items():
        for path, block in all_blocks(segment, ("segment", name)):
            if block.sql is None:
                continue
            try:
                dtype = type_of(parse_sql(block.sql, dt.date.min), schema)
            except pl.exceptions.PolarsError as error:
                yield Finding((*path, "sql"), f"cannot use the SQL: {_reason(error)}")
                continue
            if kind_of(dtype) != "boolean":
                yield Finding((*path, "sql"), f"the SQL is {article(kind_of(dtype))}, not true or false")


def _reason(error: pl.exceptions.PolarsError) -> str:
    return str(error).strip().splitlines()[0]


def _once_a_place(findings: Sequence[Finding]) -> list[Finding]:
    """One finding for each place and message."""
    return list({(finding.path, finding.message): finding for finding in findings}.values())
