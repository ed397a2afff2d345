"""What tests may give without the data: the columns that rules name, those that they compute, and their kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import polars as pl

from segkit.columns.features.all_steps import steps_of
from segkit.columns.features.steps import CutStep, Step
from segkit.columns.helpers import is_visible
from segkit.columns.plan.mentions import Mention, mentions, sql_texts
from segkit.columns.plan.misfits import KINDS_OF_ROLE, sql_type
from segkit.columns.plan.reads import money_columns
from segkit.criteria.conditions import wanted_kind
from segkit.criteria.context import ANY_DAY, Context
from segkit.criteria.kinds import Dtypes, Kind, kind_of_value
from segkit.criteria.sql.parse import sql_columns
from segkit.io.read.values.numbers import MONEY
from segkit.rules import walk
from segkit.rules.model.computed.rfm import RFM_COLUMNS, rfm_column
from segkit.rules.model.file import RuleFile
from segkit.rules.model.measures import EventCondition
from segkit.rules.model.sources import Customers
from segkit.rules.tables import CUSTOMERS, sources_of

Place = tuple[str, str]
"""A table and a column of it."""
DTYPES: dict[Kind, pl.DataType] = {
    "number": pl.Float64(), "text": pl.String(), "date": pl.Date(), "boolean": pl.Boolean(), "list": pl.List(pl.String)
}  # fmt: skip
"""How a column of a kind is read where nothing in the tests shows more."""
GUESSED: tuple[Kind, ...] = ("number", "text", "date", "boolean")
MOST_GUESSED = 4
"""With more columns of which nothing tells the kind, an expression is taken to be about numbers."""


class Known(NamedTuple):
    """The columns of each table, without those of `computed`; of a place, the kind that rules ask for.

    `computed` is the step of each column that the customers do not bring, `cuts` are the steps that look at all of them
    to find something. `money` are the columns that are read as exact decimals, `filled_down` the event tables in which
    some columns are.
    """

    columns: Mapping[str, frozenset[str]]
    kinds: Mapping[Place, Kind]
    computed: Mapping[str, Step]
    cuts: Sequence[CutStep]
    money: frozenset[Place]
    filled_down: frozenset[str]

    def dtype(self, place: Place) -> pl.DataType:
        """The type of a column without a value."""
        return MONEY if place in self.money else DTYPES[self.kinds.get(place, "text")]


def known_of(rules: RuleFile) -> Known:
    """What is known of the columns of rules whose SQL can be read."""
    named = list(mentions(rules))
    steps = list(dict.fromkeys(steps_of(rules, Context(ANY_DAY))))
    computed = {name: step for step in steps for name in step.names if is_visible(name)}
    columns = {table: frozenset(_columns(rules, table, named)) for table in (CUSTOMERS, *rules.events)}
    columns[CUSTOMERS] -= computed.keys()
    saved = {rfm_column(name, column) for name, rfm in rules.rfm.items() if rfm.cutoffs for column in RFM_COLUMNS}
    kinds = dict(_kinds(rules, named))
    return Known(
        columns=columns,
        kinds=kinds | _kinds_of_sql(rules, kinds),
        computed=computed,
        cuts=[step for step in steps if isinstance(step, CutStep) and not saved & set(step.names)],
        money=frozenset((table, name) for table, spec in rules.events.items() for name in money_columns(spec)),
        filled_down=frozenset(name for name, spec in rules.events.items() if spec.fill_down),
    )


def _columns(rules: RuleFile, table: str, named: Sequence[Mention]) -> Iterator[str]:
    """The columns of a table, those that it derives, and those that lookups bring."""
    spec = rules.customers if table == CUSTOMERS else rules.events[table]
    yield from (*spec.types, *spec.rename, *spec.derive)
    yield from spec.columns if isinstance(spec, Customers) else spec.fill_down
    yield from (mention.column for mention in named if mention.table == table)
    for lookup in rules.lookup.values():
        if lookup.into == table:
            yield from lookup.columns


def _kinds(rules: RuleFile, named: Sequence[Mention]) -> Iterator[tuple[Place, Kind]]:
    """The kind of each column that some rule tells; what the source says comes last, and counts."""
    for mention in named:
        if kind := _kind(mention):
            yield (mention.table, mention.column), kind
    for path, measured in walk.measures(rules):
        asked = _asked_of(rules, str(path[1])) if path[0] == "trait" else None
        if isinstance(measured, EventCondition):
            asked = next((kind_of_value(value) for value in measured.result.values()), None)
        if measured.of and asked and measured.measure in ("first", "last", "most_frequent", "min", "max", "nth"):
            yield (measured.events, measured.of), asked
    for lookup in rules.lookup.values():
        yield from (((lookup.into, column), kind) for column, kind in lookup.types.items())
    for table, spec, _ in sources_of(rules):
        yield from (((table, column), kind) for column, kind in spec.types.items())
    yield from (((CUSTOMERS, column), "list") for column in rules.customers.lists)


def _kind(mention: Mention) -> Kind | None:
    if mention.condition:
        return wanted_kind(mention.condition)
    kinds = KINDS_OF_ROLE.get(mention.role, ())
    return kinds[0] if len(kinds) == 1 else None


def _asked_of(rules: RuleFile, column: str) -> Kind | None:
    """The kind of value that blocks ask of a computed column."""
    asked = (c for _, block in walk.blocks(rules) for _, name, c in block.criteria() if name == column)
    return next(filter(None, map(wanted_kind, asked)), None)


def _kinds_of_sql(rules: RuleFile, kinds: Mapping[Place, Kind]) -> dict[Place, Kind]:
    """The kinds of columns of which only SQL tells something: the first with which it can be computed."""
    found: dict[Place, Kind] = {}
    for _, table, text in sql_texts(rules):
        names = sorted(sql_columns(text))
        open_ = [name for name in names if (table, name) not in kinds and (table, name) not in found]
        so_far = {**kinds, **found}
        schema: Dtypes = {name: DTYPES[so_far.get((table, name), "number")] for name in names}
        tries = product(GUESSED, repeat=len(open_)) if len(open_) <= MOST_GUESSED else iter(())
        first = next((one for one in tries if _fits(text, schema, open_, one)), GUESSED[:1] * len(open_))
        found |= {(table, name): kind for name, kind in zip(open_, first, strict=True)}
    return found


def _fits(text: str, schema: Dtypes, names: Sequence[str], kinds: Sequence[Kind]) -> bool:
    tried = {name: DTYPES[kind] for name, kind in zip(names, kinds, strict=True)}
    problem, _ = sql_type(text, {**schema, **tried})
    return problem is None
