"""Answers put together: those of equal points on the card, and neighbours that members give more often than others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from segkit.discoveries.lookalike import Answer, Question, Trait

_ENDS = ("above", "max")


def merged(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """The answers with one in place of several that give the same points: neighbouring ranges, and equal values."""
    by_value: dict[int, list[Answer]] = {}
    for answer in answers:
        if "is" in answer.condition and isinstance(answer.condition["is"], str):
            by_value.setdefault(answer.points, []).append(answer)
    values = [_together(same, _values(same)) for same in by_value.values()]
    others = [one for one in answers if "is" not in one.condition or not isinstance(one.condition["is"], str)]
    runs = (list(run) for _, run in groupby(others, lambda one: (one.points, _is_range(one))))
    return (*values, *(one for run in runs for one in ([_run(run)] if _is_range(run[0]) else run)))


def traits_of(questions: Sequence[Question]) -> Iterator[Trait]:
    """What members have more of than others: of each column the answer, or neighbours, in which they differ most.

    Those that differ most come first; a condition on what is missing, or rare, is none.
    """
    sizes = [(sum(a.members for a in one.answers), sum(a.others for a in one.answers)) for one in questions]
    found: dict[str, tuple[float, Trait]] = {}
    for question, (members, others) in zip(questions, sizes, strict=True):
        for run in _runs(question.answers):
            more = sum(a.members for a in run) / members - sum(a.others for a in run) / others
            if more > found.get(question.column, (0.0, None))[0]:
                one = _run(run)
                found[question.column] = (more, Trait(question.column, one.condition, one.members, one.others))
    yield from (trait for _, trait in sorted(found.values(), key=lambda one: (-one[0], one[1].column)))


def _runs(answers: Sequence[Answer]) -> Iterator[Sequence[Answer]]:
    """Each answer that tells something, and of ranges also those that lie side by side, but not all of them."""
    ranges = [answer for answer in answers if _is_range(answer)]
    yield from ([one] for one in answers if {"is", "has_any"} & one.condition.keys())
    for first in range(len(ranges)):
        for last in range(first + 1, len(ranges) + 1):
            if last - first < len(ranges):
                yield ranges[first:last]


def _is_range(answer: Answer) -> bool:
    return any(end in answer.condition for end in _ENDS)


def _run(run: Sequence[Answer]) -> Answer:
    """One range for those that lie side by side."""
    if len(run) == 1:
        return run[0]
    ends = {"above": run[0].condition.get("above"), "max": run[-1].condition.get("max")}
    return _together(run, {key: value for key, value in ends.items() if value is not None} or {"missing": False})


def _values(same: Sequence[Answer]) -> Mapping[str, Any]:
    return same[0].condition if len(same) == 1 else {"in": [one.condition["is"] for one in same]}


def _together(answers: Sequence[Answer], condition: Mapping[str, Any]) -> Answer:
    members, others = (sum(getattr(one, name) for one in answers) for name in ("members", "others"))
    return Answer(condition, members=members, others=others, points=answers[0].points)
