"""The criteria of a segment for one customer: each with what is wanted, what there is, and whether it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import polars as pl

from segkit.columns.features.blocks import result_of, told_of
from segkit.columns.features.rfm.cuts import exact
from segkit.columns.plan.plan import Plan
from segkit.criteria.places import distance, on_the_map
from segkit.criteria.sql.parse import sql_columns
from segkit.criteria.tree import All, Leaf, Member, Not, On, Sql, Tree, leaves
from segkit.criteria.tree import Any as AnyOf
from segkit.operations.explanation.points import Counted
from segkit.operations.explanation.words import only_leaf, said, said_of_rule
from segkit.results.explain import Criterion, RulePoints, ScoreCounted
from segkit.rules.findings import dotted
from segkit.rules.model.base import shown
from segkit.rules.model.blocks import EventCondition, Near
from segkit.rules.model.computed.scores import ScoreRule
from segkit.rules.text.loader import RuleSource


class Reader:
    """Reads the criteria of segments for one customer, whose row has all that they look at."""

    def __init__(
        self,
        source: RuleSource,
        plan: Plan,
        trees: Mapping[str, All],
        row: pl.DataFrame,
        scores: Mapping[str, Counted] = MappingProxyType({}),
    ) -> None:
        self.source, self.trees, self._as_of, self._row = source, trees, plan.context.as_of, row
        self._spec, self._scores = plan.rules.customers, scores
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
            scores=tuple(self._counted(tree)) if isinstance(tree, Leaf) else (),
        )

    def _parts(self, tree: Tree) -> tuple[Criterion, ...]:
        match tree:
            case Not(part=AnyOf(parts=parts)) | AnyOf(parts=parts) | All(parts=parts):
                return tuple(map(self.criterion, parts))
            case Leaf(asked=Member(segment=name)):
                return self._parts(self.trees[name])
        return ()

    def _counted(self, leaf: Leaf) -> Iterator[ScoreCounted]:
        """How the scores came about at which a condition looks."""
        match leaf.asked:
            case On(column=column):
                read = [column]
            case Sql(text=text):
                read = _in_order(text)
            case _:
                read = []
        for one in {one.name: one for column in read if (one := self._scores.get(column))}.values():
            yield self._score(one)

    def _score(self, counted: Counted) -> ScoreCounted:
        points = counted.points
        found = self._row.select(total=points.total, score=points.score).row(0)
        given = self._row.select(one.alias(str(number)) for number, one in enumerate(points.given)).row(0)
        column = f"{counted.name}_score"
        assert (sum(given), self._values[column]) == found, f"the points of {column} do not make the score"
        rules = zip(counted.score.rule, counted.trees, given, strict=True)
        return ScoreCounted(
            column=column,
            rules=tuple(self._points(rule, tree, number) for rule, tree, number in rules if number),
            sum=found[0],
            max_score=counted.score.max_score,
            score=found[1],
            grades=counted.score.falling_grades,
        )

    def _points(self, rule: ScoreRule, tree: All, points: int | Decimal) -> RulePoints:
        place, leaf = self.source.at(*tree.path), only_leaf(tree)
        subject, wanted = said_of_rule(rule, tree)
        missing, actual = False, None
        if rule.points_per:
            actual = shown_value(self._values[rule.points_per.column])
        elif leaf:
            missing, actual = self._actual(leaf)
        return RulePoints(
            path=dotted(tree.path),
            line=place.line,
            column=place.column,
            subject=subject,
            wanted=wanted,
            actual=actual,
            missing=missing,
            points=points,
        )

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
