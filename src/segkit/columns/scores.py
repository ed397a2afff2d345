"""Scores: the points of the rules that hold, added up, cut off at both ends; and grades."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from segkit.columns.blocks import block_expression, block_needs
from segkit.columns.steps import RowStep, Step
from segkit.columns.views import MONEY, as_money
from segkit.criteria.conditions import Context
from segkit.criteria.kinds import Schema
from segkit.rules.model import RuleFile
from segkit.rules.scores import PointsPer, Score, ScoreRule
from segkit.rules.sources import Customers


def score_steps(rules: RuleFile, context: Context) -> Iterator[Step]:
    """The columns `NAME_score`, and `NAME_grade` where there are grades."""
    for name, score in rules.score.items():
        yield _score(name, score, rules.customers, context)
        if score.grades:
            yield _grade(name, score)


def _score(name: str, score: Score, customers: Customers, context: Context) -> RowStep:
    holds = [(rule, block_expression(rule, customers, context)) for rule in score.rule]

    def dtype(schema: Schema) -> pl.DataType:
        of = [rule.points_per.column for rule in score.rule if rule.points_per]
        whole = score.whole and all(schema[column].is_integer() for column in of)
        return pl.Int64() if whole else MONEY

    def build(schema: Schema) -> pl.Expr:
        points = [_points(rule, holds_(schema), schema) for rule, holds_ in holds]
        return pl.sum_horizontal(points).clip(0, score.max_score).cast(dtype(schema))

    needs = {name for rule in score.rule for name in block_needs(rule, customers)}
    needs |= {rule.points_per.column for rule in score.rule if rule.points_per}
    return RowStep(f"{name}_score", frozenset(needs), build, ("score", name), dtype=dtype)


def _points(rule: ScoreRule, holds: pl.Expr, schema: Schema) -> pl.Expr:
    """The points of a rule, 0 where it does not hold; integers where they can only be whole."""
    if rule.points_per:
        points = _points_per(rule.points_per, schema)
        return points if not rule.has_criteria() else pl.when(holds).then(points).otherwise(0)
    given = pl.lit(rule.points, pl.Int64 if isinstance(rule.points, int) else MONEY)
    return pl.when(holds).then(given).otherwise(0)


def _points_per(per: PointsPer, schema: Schema) -> pl.Expr:
    """Exact, whatever the type of the column: integers could wrap, floats depend on the order."""
    points = as_money(pl.col(per.column), schema[per.column]) * pl.lit(per.points, MONEY)
    return (points if per.max is None else points.clip(-per.max, per.max)).fill_null(0)


def _grade(name: str, score: Score) -> RowStep:
    column = f"{name}_score"

    def build(_: Schema) -> pl.Expr:
        reached = (
            pl.when(pl.col(column) >= least).then(pl.lit(grade)) for grade, least in score.falling_grades.items()
        )
        return pl.coalesce(reached)

    path = ("score", name, "grades")
    return RowStep(f"{name}_grade", frozenset({column}), build, path, dtype=lambda _: pl.String())
