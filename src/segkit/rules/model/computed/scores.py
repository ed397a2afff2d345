"""Scores: points that add up, and the grades that they make."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator, WithJsonSchema, model_validator

from segkit.rules.model.base import DECIMALS, Contradiction, Lacking, Model, Name, Unfit, parse_number
from segkit.rules.model.blocks import Standalone

MOST = 1_000_000_000
"""The most points, and the largest exact decimal in general."""


def parse_points(value: Any) -> int | Decimal:
    """A number that scores are counted in; whole ones are integers."""
    points = parse_number(value)
    if abs(points) > MOST or points != round(Decimal(points), DECIMALS):
        raise Unfit(value, f"a number up to {MOST:,} with at most {DECIMALS} decimals")
    return int(points) if points == int(points) else Decimal(points)


Points = Annotated[Any, PlainValidator(parse_points), WithJsonSchema({"type": "number"})]


class PointsPer(Model):
    """Points for each unit of a column."""

    column: str
    """A column of numbers; where it is missing there are no points."""
    points: Points
    """For each unit; negative ones take away."""
    max: Points | None = None
    """At most this many from this rule, given or taken away."""

    @model_validator(mode="after")
    def _some(self) -> PointsPer:
        if self.max is not None and self.max <= 0:
            raise Contradiction("`max` is the most that the rule gives or takes away, so it is above 0", key="max")
        return self


class ScoreRule(Standalone):
    """A block, and the points of the customers who satisfy it."""

    CALLED: ClassVar[str] = "rule"

    points: Points | None = None
    """Negative ones take away."""
    points_per: PointsPer | None = None
    """Points for each unit of a column, such as e-mails read; criteria beside it say for whom, none mean all."""

    @model_validator(mode="after")
    def _one_kind(self) -> ScoreRule:
        if (self.points is None) == (self.points_per is None):
            hint = "give `points`, or `points_per = { column = ..., points = ... }`"
            if self.points is None:
                raise Contradiction("the rule gives no points", hint)
            raise Contradiction("the rule says twice how many points it gives", hint, key="points_per")
        return self

    def _may_ask_nothing(self) -> bool:
        return self.points_per is not None

    @property
    def whole(self) -> bool:
        """Whether the points are whole numbers; for those per unit, where the units are."""
        per = self.points_per
        return all(isinstance(points, int) for points in ((per.points, per.max or 0) if per else (self.points,)))


class Score(Model):
    """Points that add up, from 0 to `max_score`, in the column `NAME_score`."""

    rule: tuple[ScoreRule, ...] = ()
    """What gives points, `[[score.NAME.rule]]`; all rules count, whichever their order."""
    max_score: Points = 100
    """The sum is cut off at this, and at 0."""
    grades: dict[str, Points] = {}
    """Grade = the score from which it is given, in the column `NAME_grade`; below the lowest there is none."""

    @model_validator(mode="after")
    def _complete(self) -> Score:
        if not self.rule:
            raise Lacking("rule")
        if self.max_score <= 0:
            raise Contradiction("`max_score` is above 0", key="max_score")
        names = {points: name for name, points in reversed(self.grades.items())}
        for name, points in self.grades.items():
            if names[points] != name:
                message = f"the grades `{names[points]}` and `{name}` are both given from {points}"
                raise Contradiction(message, "give each a score of its own", key="grades")
            if not name.strip():
                raise Contradiction("a grade has an empty name", key="grades")
        return self

    @property
    def falling_grades(self) -> dict[str, int | Decimal]:
        """The grades from the highest to the lowest."""
        return dict(sorted(self.grades.items(), key=lambda grade: -grade[1]))

    @property
    def whole(self) -> bool:
        """Whether the points of all rules are whole numbers, and the end as well."""
        return isinstance(self.max_score, int) and all(rule.whole for rule in self.rule)


Scores = dict[Name, Score]
