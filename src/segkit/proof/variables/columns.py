"""Columns as variables: values that stand for all others, and for each condition those for which it holds.

Whether a condition holds for a value is asked of what runs: there is no second meaning of an operator here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import Any

import polars as pl

from segkit.columns.features.first_that_holds import first_that_holds
from segkit.columns.features.traits import row_expression
from segkit.criteria.conditions import holds, misfits, wanted_kind
from segkit.criteria.context import Context
from segkit.proof.logic.formulas import Leaf
from segkit.proof.logic.space import Space, bits
from segkit.proof.variables import values
from segkit.proof.variables.texts import mask_of, texts_for
from segkit.rules.model.base import Duration
from segkit.rules.model.conditions import Condition
from segkit.rules.model.file import RuleFile

Asked = Mapping[str, Sequence[Condition]]
"""Column -> the conditions on it."""
NUMBER = pl.Decimal(38, 14)
MOST_IN_LISTS = 8
UNREADABLE = frozenset({"top_percent", "bottom_percent", "anniversary_within"})
"""Operators that do not look at the value alone, or at parts of it only."""


def bases(rules: RuleFile) -> dict[str, str]:
    """Column computed from one other in the same row -> that other."""
    found = {}
    for name, trait in rules.trait.items():
        bands = trait.bands if trait.bands and trait.bands.edges else None
        if base := trait.years_since or trait.days_since or (bands.of if bands else None):
            found[name] = base
    return found | {f"{name}_grade": f"{name}_score" for name, score in rules.score.items() if score.grades}


def kind_of_all(conditions: Iterable[Condition]) -> str | None:
    """The kind of column that all conditions ask for; "any" where they take each, None where they differ."""
    kinds = {kind for condition in conditions if (kind := wanted_kind(condition)) is not None}
    if len(kinds) > 1:
        return None
    return kinds.pop() if kinds else "any"


def readable(condition: Condition) -> bool:
    """Whether the condition looks at nothing but the value."""
    return not any(name in UNREADABLE for name, _ in condition.operators())


class Columns:
    """The variables of columns, and the formula of each condition on one."""

    def __init__(self, space: Space, rules: RuleFile, as_of: dt.date) -> None:
        self.space, self.rules, self.context = space, rules, Context(as_of)
        self.bases = bases(rules)
        self.masks: dict[tuple[str, str], Leaf] = {}
        self.moving: set[str] = set()
        """The variables whose values depend on the day of the run."""

    def constants(self, columns: Sequence[str], asked: Asked) -> set[Any]:
        """The numbers asked of these columns, and those at which they are cut into bands and grades."""
        found = values.numbers_of(condition for column in columns for condition in asked.get(column, ()))
        for column in columns:
            if (trait := self.rules.trait.get(column)) and trait.bands and trait.bands.edges:
                found |= {Decimal(edge) for edge in trait.bands.edges}
        return found

    def add(self, name: str, columns: Sequence[str], asked: Asked, *, whole: bool = False) -> None:
        """A column of a file, or one computed from what is not looked into, with those computed from it."""
        conditions = [condition for condition in asked.get(name, ()) if readable(condition)]
        kinds = {kind_of_all(conditions), *self._kinds_below(name, columns)} - {"any"}
        if len(kinds) > 1:
            return
        kind = kinds.pop() if kinds else "any"
        if kind == "text":
            self.add_text(name, conditions)
        elif kind == "number":
            self.add_numbers(name, columns, asked, self.constants(columns, asked), whole=whole)
        elif kind == "date":
            self.add_dates(name, columns, asked)
        elif kind == "boolean":
            self.table({name: [True, False, None]}, {name: pl.Boolean()}, columns, asked)
        elif kind == "list":
            self._add_list(name, conditions, asked)
        elif kind == "any":
            self.table({name: ["x", None]}, {name: pl.String()}, columns, asked)

    def _kinds_below(self, name: str, columns: Sequence[str]) -> set[str | None]:
        """The kinds of column that those computed from this one ask for."""
        traits = [self.rules.trait.get(column) for column in columns if self.bases.get(column) == name]
        return {"date" if trait and not trait.bands else "number" for trait in traits}

    def add_numbers(
        self, name: str, columns: Sequence[str], asked: Asked, constants: Iterable[Any], *, whole: bool = False,
        least: Any = None, missing: bool = True,
    ) -> None:  # fmt: skip
        """A column of numbers."""
        known = values.numbers(constants, whole=whole, least=least)
        if known is not None:
            self.table({name: [*known, *([None] if missing else [])]}, {name: NUMBER}, columns, asked)

    def add_dates(self, name: str, columns: Sequence[str], asked: Asked, latest: dt.date | None = None) -> None:
        """A column of dates."""
        as_of = self.context.as_of
        days = values.days_of(filter(readable, asked.get(name, ())), as_of)
        for column in columns:
            trait = self.rules.trait.get(column)
            if trait and self.bases.get(column) == name:
                below = [other for other in columns if other == column or self._rests_on(other, column)]
                since = values.days_before if trait.years_since else values.days_ago
                days |= since(self.constants(below, asked), as_of)
                self.moving.add(name)
        if any(isinstance(v, Duration) for c in asked.get(name, ()) for _, v in values.operands(c)):
            self.moving.add(name)
        known = values.days(days | ({latest} if latest else set()))
        if known is not None:
            known = [day for day in known if latest is None or day <= latest]
            self.table({name: [*known, None]}, {name: pl.Date()}, columns, asked)

    def _rests_on(self, column: str, base: str) -> bool:
        while column in self.bases:
            column = self.bases[column]
            if column == base:
                return True
        return False

    def _add_list(self, name: str, conditions: Sequence[Condition], asked: Asked) -> None:
        found = {
            str(value).lower() if isinstance(value, bool) else str(value)
            for condition in conditions
            for operator, value in values.operands(condition)
            if operator.startswith("has_")
        }
        if len(found) <= MOST_IN_LISTS:
            known = sorted(found)
            ways = product((False, True), repeat=len(known))
            lists = [[v for v, is_in in zip(known, way, strict=True) if is_in] for way in ways]
            self.table({name: [*lists, None]}, {name: pl.List(pl.String())}, [name], asked)

    def add_text(self, name: str, conditions: Sequence[Condition]) -> None:
        """A column of texts."""
        fitting = [c for c in conditions if not any(misfits(name, pl.String(), c))]
        texts = texts_for(fitting)
        if texts is not None:
            self.space.add(name, texts)
            for condition in fitting:
                mask = mask_of(name, condition, texts, self.context)
                self.masks[name, repr(condition)] = Leaf(name, mask, self.space.full[name])

    def table(
        self, data: Mapping[str, Sequence[Any]], types: Mapping[str, Any], columns: Sequence[str], asked: Asked,
        name: str | None = None,
    ) -> None:  # fmt: skip
        """A variable whose values are rows of these columns, with the columns computed from them."""
        name = name or next(iter(data))
        frame = pl.DataFrame(dict(data), schema=dict(types))
        for column in self._in_order([c for c in columns if c not in data], set(data)):
            frame = frame.with_columns(self._computed(column, dict(frame.schema)).alias(column))
        self.space.add(name, next(iter(data.values())))
        wanted = {
            (column, repr(condition)): holds(column, frame.schema[column], condition, self.context)
            for column in columns
            for condition in asked.get(column, ())
            if readable(condition) and not any(misfits(column, frame.schema[column], condition))
        }
        held = frame.select(expr.alias(str(n)) for n, expr in enumerate(wanted.values()))
        for key, series in zip(wanted, held.get_columns(), strict=True):
            self.masks[key] = Leaf(name, bits(series.to_list()), self.space.full[name])

    def _in_order(self, columns: Sequence[str], known: set[str]) -> list[str]:
        """These columns and those between them and the known ones, each after what it is computed from."""
        found: list[str] = []

        def visit(column: str) -> None:
            if column not in known and column not in found:
                visit(self.bases[column])
                found.append(column)

        for column in columns:
            visit(column)
        return found

    def _computed(self, column: str, schema: dict[str, pl.DataType]) -> pl.Expr:
        if column in self.rules.trait:
            return row_expression(self.rules.trait[column], schema, self.context)
        score = column.removesuffix("_grade")
        grades = self.rules.score[score].falling_grades
        return first_that_holds({grade: pl.col(f"{score}_score") >= least for grade, least in grades.items()})
