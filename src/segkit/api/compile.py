"""A segment as one Polars expression, over a frame that has all columns that it looks at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NoReturn

import polars as pl

from segkit.api.rules import Rules, loaded_of
from segkit.api.tables import Table, lazy
from segkit.columns.features.all_steps import steps_of
from segkit.columns.features.blocks import block_needs
from segkit.columns.features.steps import CutStep, LookupStep, MeasureStep, Step, transitive
from segkit.columns.helpers import is_visible
from segkit.columns.plan.mentions import mentions
from segkit.columns.plan.misfits import column_misfits, sql_misfits
from segkit.criteria.blocks import block_tree
from segkit.criteria.context import Context, Names, shares_of_all
from segkit.criteria.kinds import Dtypes
from segkit.criteria.tree import fold
from segkit.errors import RuleError
from segkit.io.read import Workspace
from segkit.operations.column_facts.uses import section
from segkit.operations.evaluation.diagnose import placed, refuse
from segkit.operations.evaluation.open_zones import Zones, open_zones
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.model.blocks import EventCondition
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.loader import Loaded, by_place
from segkit.rules.walk import below, event_conditions_of
from segkit.words import nearest

_HINT = "take the frame that `features` of the rules gives: it has all computed columns"


def compile_segment(rules: Rules | str | os.PathLike[str], name: str, frame: Table) -> pl.Expr:
    """Whether the criteria of a segment hold: one expression over columns of the frame, Boolean, never null.

    Of the frame, only names and types of columns are looked at. They are those that `Rules.features` gives: a missing
    value is null, not NaN. Raises `RuleError` for each column that the segment looks at and the frame lacks, with what
    computes it: of a cut, such as an RFM score, the frame alone does not tell.
    """
    loaded = loaded_of(rules)
    segments = loaded.rules.segment
    if name not in segments:
        raise RuleError.of(f"there is no segment `{name}`", hint=nearest(name, segments, "segments"))
    schema: Dtypes = dict(lazy(frame, "frame://frame").collect_schema())
    if wrong := list(_lacking(loaded, name, schema)) or list(_misfits(loaded, name, schema)):
        raise RuleError(*sorted((placed(loaded, finding) for finding in wrong), key=by_place))
    return _expression(loaded, name, schema, Context(loaded.rules.today(), zones=_zones(loaded).areas))


def _expression(loaded: Loaded, name: str, schema: Dtypes, context: Context) -> pl.Expr:
    spec = loaded.rules.customers
    names = Names(
        event_condition=_of_no_row,
        segment=lambda other: _expression(loaded, other, schema, context),
        latitude=spec.latitude,
        longitude=spec.longitude,
    )
    holds = fold(block_tree(loaded.rules.segment[name], ("segment", name), schema, names, context))
    if not holds.meta.root_names():  # a literal is one row alone where nothing stands beside it
        holds = holds & pl.repeat(True, pl.len())
    return holds.alias(name)


def _of_no_row(condition: EventCondition) -> NoReturn:
    raise NotImplementedError(f"events of `{condition.events}` in an expression")


def _zones(loaded: Loaded) -> Zones:
    with Workspace() as ws:
        zones, nowhere = open_zones(loaded, ws)
        refuse(placed(loaded, finding) for finding in nowhere)
        return zones


def _within(loaded: Loaded, name: str) -> list[str]:
    """The segment and those that it is made of."""
    found = {name: None}
    for inner in (one for _, one in below((), loaded.rules.segment[name])):
        for other in (*inner.in_segment, *inner.not_in_segment):
            found |= dict.fromkeys(_within(loaded, other))
    return list(found)


def _misfits(loaded: Loaded, name: str, schema: Dtypes) -> Iterator[Finding]:
    """Where a column of the frame is not of the type that the criteria ask for."""
    paths = {("segment", one) for one in _within(loaded, name)}
    named = (m for m in mentions(loaded.rules) if m.path[:2] in paths and m.table == CUSTOMERS)
    yield from column_misfits([m for m in named if m.column in schema], schema)
    yield from (finding for finding in sql_misfits(loaded.rules, schema) if finding.path[:2] in paths)


def _lacking(loaded: Loaded, name: str, schema: Dtypes) -> Iterator[Finding]:
    """What the criteria look at that is no column of the frame."""
    rules = loaded.rules
    steps = {one: step for step in steps_of(rules, Context(rules.today())) for one in step.names}
    for segment in _within(loaded, name):
        block, path = rules.segment[segment], ("segment", segment)
        for where, inner in below(path, block):
            for at, condition in event_conditions_of(where, inner):
                message = f"the criteria look at events of `{condition.events}`, of which the frame has no column"
                yield Finding(at, message, "count them in a `[trait.NAME]`, which `features` of the rules computes")
            for family, column, asked in inner.criteria():
                for share in shares_of_all(column, asked):
                    message = f"`{share.operator}` of `{column}` needs a cut over all customers, which no frame has"
                    yield Finding((*where, family, column), message, "`segkit.apply` finds it")
        places = {m.column: m.path for m in mentions(rules) if m.path[:2] == path and m.table == CUSTOMERS}
        for column in sorted(block_needs(block, rules.customers) - schema.keys()):
            if is_visible(column):
                yield _absent(places.get(column, path), column, steps, schema)


def _absent(path: KeyPath, column: str, steps: dict[str, Step], schema: Dtypes) -> Finding:
    step = steps.get(column)
    if step is None:
        return Finding(path, f"the frame has no column `{column}`", nearest(column, schema, "columns"))
    message = f"the frame has no column `{column}`, which `[{section(step.path)}]` computes"
    cuts = [one for one in transitive([column], steps) if isinstance(steps[one], CutStep) and is_visible(one)]
    if isinstance(step, CutStep):
        message += ": it needs cuts over all customers, which the frame alone does not tell"
    elif cuts:
        message += f" from cuts over all customers: `{cuts[0]}`"
    elif isinstance(step, MeasureStep):
        message += f" from events of `{step.measure.spec.events}`"
    elif isinstance(step, LookupStep):
        message += " from a lookup"
    return Finding(path, message, _HINT)
