"""What is wrong with the columns of a rule file, as far as it shows without the data."""

from __future__ import annotations

from collections.abc import Iterator

from segkit import codes
from segkit.columns.features.all_steps import steps_of
from segkit.columns.features.value.value import needs_of_predict
from segkit.columns.plan.catalogue import taken_twice
from segkit.columns.plan.circles import derived_circles, step_circles
from segkit.columns.plan.known_values import unknown_values
from segkit.columns.plan.mentions import sql_texts
from segkit.criteria.context import ANY_DAY, Context
from segkit.criteria.sql.parse import SqlProblem, sql_columns
from segkit.rules.findings import Finding
from segkit.rules.model.file import RuleFile


def faults(rules: RuleFile) -> list[Finding]:
    """SQL that cannot be read; if there is none, the other faults.

    Those are circles, names that are taken, values that no column has, and what a prediction needs.
    """
    unreadable = list(_unreadable(rules))
    if unreadable:
        return unreadable
    steps = steps_of(rules, Context(ANY_DAY))
    by_name = {name: step for step in steps for name in step.names}
    return [
        *taken_twice(steps),
        *step_circles(rules, by_name),
        *derived_circles(rules),
        *unknown_values(rules),
        *needs_of_predict(rules),
    ]


def _unreadable(rules: RuleFile) -> Iterator[Finding]:
    for path, _, text in sql_texts(rules):
        try:
            sql_columns(text)
        except SqlProblem as problem:
            yield Finding(path, str(problem), problem.hint, code=codes.BAD_SQL)
