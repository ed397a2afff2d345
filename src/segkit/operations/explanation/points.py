"""The scores that criteria look at: their rules as trees, and the points that these give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from segkit.columns.features.blocks import tree_of
from segkit.columns.features.scores import Points, points_of, rule_paths
from segkit.columns.plan.plan import Plan
from segkit.criteria.tree import All
from segkit.rules.check.families import score_columns
from segkit.rules.model.computed.scores import Score


class Counted(NamedTuple):
    """A score as it is counted: a tree for each of its rules, and the expressions of the points."""

    name: str
    score: Score
    trees: tuple[All, ...]
    points: Points


def scores_of(plan: Plan) -> Mapping[str, Counted]:
    """Column -> the score behind it, which it is or which it is a grade of; those that criteria of segments look at.

    Not those that the customers bring themselves, as those of tests may.
    """
    computed = {name for step in plan.steps for name in step.names}
    return {
        column: counted
        for name, score in plan.rules.score.items()
        if f"{name}_score" in computed & plan.asked
        for counted in [_counted(name, score, plan)]
        for column in score_columns(name, score)
    }


def _counted(name: str, score: Score, plan: Plan) -> Counted:
    customers, context = plan.rules.customers, plan.context
    trees = (
        tree_of(path, rule, customers, context)(plan.schema)
        for path, rule in zip(rule_paths(name, score), score.rule, strict=True)
    )
    return Counted(name, score, tuple(trees), points_of(name, score, customers, context)(plan.schema))
