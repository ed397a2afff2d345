"""The criteria of a segment for one customer: each with what is wanted, what there is, and whether it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from segkit.columns.features.blocks import result_of, told_of
from segkit.columns.features.rfm.cuts import exact
from segkit.criteria.places import distance, on_the_map
from segkit.criteria.sql.parse import sql_columns
from segkit.criteria.tree import All, Leaf, Member, Not, On, Sql, Tree, leaves
from segkit.criteria.tree import Any as AnyOf
from segkit.results import Criterion
from segkit.rules.model.base import shown
from segkit.rules.model.blocks import EventCondition, Inside, Near
from segkit.rules.model.sources import Customers
from segkit.rules.text.loader import RuleSource
from segkit.rules.wording.criteria import condition_text, event_text, place_text


def said(tree: Tree) -> tuple[str, str, str]:
    """A criterion in words: what it looks at, what is wanted of it, and the kind of criterion."""
    match tree:
        case Not(part=AnyOf()):
            return "none of", "", "none"
        case Not(part=Leaf() as leaf):
            subject, wanted, kind = said(leaf)
            return f"not {subject}" if kind == "segment" else f"{subject} not", wanted, kind
        case AnyOf():
            return "any of", "", "any"
        case Leaf(asked=On(column=column, condition=condition)):
            return column, condition_text(condition), "condition"
        case Leaf(asked=EventCondition() as asked):
            return "did", event_text(asked), "event"
        case Leaf(asked=Member(segment=name)):
            return "in segment", name, "segment"
        case Leaf(asked=Sql(text=text)):
            return "sql", text, "sql"
        case Leaf(asked=Near() as asked):
            return "lives", place_text(asked), "near"
        case Leaf(asked=Inside() as asked):
            return "lives", place_text(asked), "inside"
    return "all of", "", "all"


class Reader:
    """Reads the criteria of segments for one customer, whose row has all that they look at."""

    def __init__(
        self, source: RuleSource, trees: Mapping[str, All], customers: Customers, row: pl.DataFrame, as_of: dt.date
    ) -> None:
        self.source, self.trees, self._as_of, self._spec, self._row = source, trees, as_of, customers, row
        self._values: dict[str, Any] = row.row(0, named=True)
        asked = [leaf for tree in trees.values() for leaf in leaves(tree)]
        held = row.select(leaf.holds.alias(str(n)) for n, leaf in enumerate(asked)).row(0) if asked else ()
        self._held: dict[int, bool] = dict(zip(map(id, asked), held, strict=True))

    def criterion(self, tree: Tree, *, negated: bool = False) -> Criterion:
        """A criterion with all of its parts."""
        subject, wanted, kind = said(Not(tree) if negated else tree)
        place = self.source.at(*tree.path)
        parts, held, missing, actual = self._parts(tree), False, False, None
        match tree:
            case Not(part=Leaf() as leaf):
                return self.criterion(leaf, negated=True)
            case Leaf():
                held = self._held[id(tree)] is not negated
                missing, actual = self._actual(tree)
            case Not():
                held = not any(part.held for part in parts)
            case AnyOf():
                held = any(part.held for part in parts)
            case All():
                held = all(part.held for part in parts)
        return Criterion(
            kind=kind,
            path=".".join(map(str, tree.path)),
            line=place.line,
            column=place.column,
            held=held,
            missing=missing,
            subject=subject,
            wanted=wanted,
            actual=actual,
            parts=parts,
        )

    def _parts(self, tree: Tree) -> tuple[Criterion, ...]:
        match tree:
            case Not(part=AnyOf(parts=parts)) | AnyOf(parts=parts) | All(parts=parts):
                return tuple(map(self.criterion, parts))
            case Leaf(asked=Member(segment=name)):
                return self._parts(self.trees[name])
        return ()

    def _actual(self, leaf: Leaf) -> tuple[bool, str | None]:
        """Whether there is no value, and the value as text; none where the criterion looks at no single one."""
        match leaf.asked:
            case On(column=column):
                value = self._values[column]
                return value is None, shown_value(value)
            case EventCondition() as condition:
                return self._result(condition)
            case Near() as near:
                return self._distance(near)
            case Sql(text=text):
                read = {name: self._values[name] for name in _in_order(text) if name in self._values}
                shown = ", ".join(f"{name} {shown_value(value) or 'no value'}" for name, value in read.items())
                return None in read.values(), shown or None
        return False, None

    def _distance(self, near: Near) -> tuple[bool, str | None]:
        place = [pl.col(name).cast(pl.Float64) for name in (self._spec.latitude, self._spec.longitude) if name]
        known, km = self._row.select(on_the_map(*place).alias("known"), distance(near, *place).alias("km")).row(0)
        return not known, f"{km:,.1f} km" if known else None

    def _result(self, condition: EventCondition) -> tuple[bool, str | None]:
        """The number of events and the day of the last one; before that, the result if it is something else."""
        count, last = (self._values[measure.name] for measure in told_of(condition))
        told = f"{count:,}, last {self._as_of - dt.timedelta(days=last)}" if count else "none"
        measure = result_of(condition)
        if measure is None:
            return False, told
        value = self._values[measure.name]
        return value is None, f"{shown_value(value) or 'no value'} ({told})"


def _in_order(sql: str) -> list[str]:
    """The columns of an expression, in the order in which they stand there."""
    return sorted(sql_columns(sql), key=lambda name: (sql.find(name), name))


def shown_value(value: object) -> str | None:
    """A value of a customer as people read it; None where there is none."""
    if value is None:
        return None
    if isinstance(value, list):
        return ", ".join(shown(one) for one in value) or "empty"
    if isinstance(value, (Decimal, float)):
        return f"{exact(value):f}"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    return shown(value)
