"""Scores: the points of the rules that hold, added up, cut off at both ends; and grades."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import compress
from operator import not_
from typing import NamedTuple

import polars as pl

from segkit.columns.features.blocks import block_expression, block_needs
from segkit.columns.features.first_that_holds import first_that_holds
from segkit.columns.features.steps import RowStep, Step
from segkit.columns.money import as_money
from segkit.criteria.context import Context
from segkit.criteria.kinds import Dtypes
from segkit.io.read.values.numbers import MONEY
from segkit.rules.findings import KeyPath
from segkit.rules.model.computed.scores import PointsPer, Score, ScoreRule
from segkit.rules.model.file import RuleFile
from segkit.rules.model.sources import Customers

ENOUGH = 10**16
"""Points of one rule: 900 such rules still add up in 64 bits, and scores are at most a billion."""

FAR = 1e17
"""The most units of a float column that count: with points of a billion each, the product is still money."""


class Points(NamedTuple):
    """Expressions on a row: the points that each rule gives, 0 where it does not hold, and the score that they make.

    `total` is their sum, `score` the same, cut off at both ends.
    """

    given: tuple[pl.Expr, ...]
    total: pl.Expr
    score: pl.Expr


def score_steps(rules: RuleFile, context: Context) -> Iterator[Step]:
    """The columns `NAME_score`, and `NAME_grade` where there are grades."""
    for name, score in rules.score.items():
        yield _score(name, score, rules.customers, context)
        if score.grades:
            yield _grade(name, score)


def _score(name: str, score: Score, customers: Customers, context: Context) -> RowStep:
    points = points_of(name, score, customers, context)
    needs = {column for rule in score.rule for column in block_needs(rule, customers)}
    needs |= {rule.points_per.column for rule in score.rule if rule.points_per}
    return RowStep(
        name=f"{name}_score",
        needs=frozenset(needs),
        build=lambda schema: points(schema).score,
        path=("score", name),
        dtype=lambda schema: _dtype(score, schema),
    )


def points_of(name: str, score: Score, customers: Customers, context: Context) -> Callable[[Dtypes], Points]:
    """The points of the rules of a score, over columns of a schema."""
    paths = rule_paths(name, score)
    holds = [block_expression(path, rule, customers, context) for path, rule in zip(paths, score.rule, strict=True)]

    def build(schema: Dtypes) -> Points:
        given = [_points(rule, holds_(schema), schema) for rule, holds_ in zip(score.rule, holds, strict=True)]
        whole = [_is_whole(rule, schema) for rule in score.rule]
        # Whole points on their own: decimals added one by one take four times as long.
        total = pl.sum_horizontal([pl.lit(0, pl.Int64), *compress(given, whole)])
        if not _dtype(score, schema).is_integer():
            total = pl.sum_horizontal([total.cast(MONEY), *compress(given, map(not_, whole))])
        return Points(tuple(given), total, total.clip(0, score.max_score))

    return build


def rule_paths(name: str, score: Score) -> list[KeyPath]:
    """Where the rules of a score stand in the rule file."""
    return [("score", name, "rule", number) for number in range(len(score.rule))]


def _dtype(score: Score, schema: Dtypes) -> pl.DataType:
    return pl.Int64() if score.whole and all(_is_whole(rule, schema) for rule in score.rule) else MONEY


def _is_whole(rule: ScoreRule, schema: Dtypes) -> bool:
    """Whether the points of a rule are integers, whatever the customer."""
    return rule.whole and (rule.points_per is None or schema[rule.points_per.column].is_integer())


def _points(rule: ScoreRule, holds: pl.Expr, schema: Dtypes) -> pl.Expr:
    """The points of a rule, 0 where it does not hold: `Int64` where they are whole, else exact decimals."""
    dtype = pl.Int64() if _is_whole(rule, schema) else MONEY
    given = _points_per(rule.points_per, schema, dtype) if rule.points_per else pl.lit(rule.points, dtype)
    return pl.when(holds).then(given).otherwise(pl.lit(0, dtype)) if rule.has_criteria() or rule.everyone else given


def _points_per(per: PointsPer, schema: Dtypes, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(per.column)
    if dtype.is_integer():
        # Integers wrap without a word: what is far beyond any score is cut off before.
        most = ENOUGH // max(abs(per.points), 1)
        points: pl.Expr = column.cast(pl.Int64, strict=False).clip(-most, most) * per.points
    else:
        # A float beyond what money can hold would be missing, and give nothing.
        column = column.clip(-FAR, FAR) if schema[per.column].is_float() else column
        points = as_money(column, schema[per.column]) * pl.lit(per.points, MONEY)
    return (points if per.max is None else points.clip(-per.max, per.max)).fill_null(0)


def _grade(name: str, score: Score) -> RowStep:
    column = f"{name}_score"
    reached = {grade: pl.col(column) >= least for grade, least in score.falling_grades.items()}
    needs, path = frozenset({column}), ("score", name, "grades")
    return RowStep(
        name=f"{name}_grade",
        needs=needs,
        build=lambda _: first_that_holds(reached),
        path=path,
        dtype=lambda _: pl.String(),
    )
