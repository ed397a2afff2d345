"""The card as a score of a rule file: its model, which scores customers, and its lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal

import polars as pl

from segkit.columns.features.scores import score_steps
from segkit.columns.features.steps import RowStep
from segkit.columns.plan.plan import Plan
from segkit.discoveries.lookalike import Answer, Best, LookalikeResult, Question
from segkit.operations.discovering.lookalike.asking.questions import Written
from segkit.operations.orders_file.rules import as_toml
from segkit.rules.check.families import FEATURES
from segkit.rules.model.base import freeze
from segkit.rules.model.computed.scores import Score
from segkit.rules.model.file import RuleFile
from segkit.rules.text.toml import toml_key
from segkit.rules.walk import blocks

NAME = "likeness"
COLUMN = f"{NAME}_score"
FAMILY = "demographic"
"""The family of columns that no rule names yet; families only group conditions."""
_AT_ONCE = 100_000
"""So many customers are scored at once: each rule takes 8 bytes of each of them."""


def scores_of(questions: Sequence[Question], plan: Plan, customers: pl.DataFrame) -> pl.Series:
    """The points of these customers, as `apply` computes them for a file with this score."""
    rules = [
        {FAMILY: {question.column: answer.condition}, "points": answer.points} for question, answer in _rules(questions)
    ]
    score = Score.model_validate(freeze({"rule": rules}), by_alias=True, by_name=False)
    step = next(score_steps(plan.rules.model_copy(update={"score": {NAME: score}}), plan.context))
    assert isinstance(step, RowStep)
    points = step.build(plan.schema).alias(COLUMN)
    asked = customers.select(sorted(step.needs))
    return pl.concat([part.select(points) for part in asked.iter_slices(_AT_ONCE)]).to_series()


def best_of(scores: pl.Series, percent: Decimal) -> Best:
    """The best of these scores, with ties at the edge."""
    rank = int((percent * len(scores) / 100).to_integral_value(ROUND_CEILING))
    least = int(scores.sort(descending=True)[max(rank, 1) - 1])
    return Best(percent=percent, customers=int((scores >= least).sum()), least=least)


def _rules(questions: Sequence[Question]) -> Iterator[tuple[Question, Answer]]:
    yield from ((one, answer) for one in questions for answer in one.answers if answer.points)


def score_lines(result: LookalikeResult, rules: RuleFile) -> Iterator[str]:
    """The score as TOML: a line a rule, with the members and the others who get its points."""
    families = _families(rules)
    members, others = result.members, result.customers - result.members
    yield f"[score.{NAME}]"
    yield "rule = ["
    for question, answer in _rules(result.questions):
        column = f"{families.get(question.column, FAMILY)}.{toml_key(question.column)}"
        shares = f"{_percent(answer.members, members)} of members, {_percent(answer.others, others)} of others"
        shares = shares if answer.members + answer.others else "nobody yet"
        yield f"  {{ {column} = {_condition(answer.condition)}, points = {answer.points} }},  # {shares}"
    yield "]"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def _condition(written: Written) -> str:
    if written.keys() == {"is"}:
        return as_toml(written["is"])
    return f"{{ {', '.join(f'{key} = {as_toml(value)}' for key, value in written.items())} }}"


def _families(rules: RuleFile) -> Mapping[str, str]:
    """Column -> the family in which the rules name it first."""
    named: dict[str, str] = {}
    for _, block in blocks(rules):
        for family, column, _ in block.criteria():
            named.setdefault(column, family)
    return {column: family for column, family in named.items() if family not in FEATURES}


def segment_lines(result: LookalikeResult, name: str) -> Iterator[str]:
    """The segment of the best prospects as TOML."""
    best = result.best
    yield f"[segment.{name}]  # {best.customers:,} of {result.prospects:,} prospects on {result.as_of}"
    yield f"label = {as_toml(f'Like {result.segment}: {best.least} points or more')}"
    yield f"score.{COLUMN}.min = {best.least}"
    if result.prospects_path is None:
        yield f"not_in_segment = {as_toml(result.segment)}"
