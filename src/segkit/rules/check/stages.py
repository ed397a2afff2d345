"""Lifecycle and scores: stages and grades that nobody reaches."""

from __future__ import annotations

from collections.abc import Iterator

from segkit import codes
from segkit.rules.findings import Finding
from segkit.rules.model.computed.scores import Score
from segkit.rules.model.file import RuleFile


def check_stages(rules: RuleFile) -> Iterator[Finding]:
    """Stages and grades that no customer can have."""
    stages = rules.lifecycle.stage if rules.lifecycle else ()
    last = next((position for position, stage in enumerate(stages) if stage.everyone), len(stages))
    for position, stage in enumerate(stages[last + 1 :], last + 1):
        message = f"no customer can be `{stage.name}`: `{stages[last].name}` above it takes everyone"
        hint = "the first stage that holds counts: move this one up, or take it out"
        yield Finding(("lifecycle", "stage", position), message, hint, warning=True, code=codes.SHADOWED)
    for name, score in rules.score.items():
        yield from _grades(name, score)


def _grades(name: str, score: Score) -> Iterator[Finding]:
    for grade, points in score.grades.items():
        if points > score.max_score:
            message = f"no customer can have the grade `{grade}`: scores end at `max_score`, {score.max_score}"
            yield Finding(
                ("score", name, "grades", grade),
                message,
                "lower it, or raise `max_score`",
                warning=True,
                code=codes.GRADE_OUT_OF_REACH,
            )
    for grade in [grade for grade, points in score.falling_grades.items() if points <= 0][1:]:
        message = f"no customer can have the grade `{grade}`: scores begin at 0, where another grade is given"
        yield Finding(
            ("score", name, "grades", grade),
            message,
            "raise it, or take it out",
            warning=True,
            code=codes.GRADE_OUT_OF_REACH,
        )
