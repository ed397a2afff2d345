"""Who resembles a segment, for a report: the card, and the members among the tenths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from segkit.operations.reporting.found.fields import Counted, Figure, Said, Scalar, Some, messages
from segkit.operations.reporting.hiding import Sum, hidden, shown
from segkit.operations.reporting.sources import Names
from segkit.reports import CardAnswer, CardQuestion, LookalikeFound, TenthFound

MOST = 60
"""So many questions of the card a page shows at most; each has a handful of answers."""


@dataclass(frozen=True, kw_only=True)
class _Condition:
    is_: Annotated[Scalar | None, Field(alias="is")] = None
    in_: Annotated[tuple[Scalar, ...] | None, Field(alias="in")] = None
    not_in: tuple[Scalar, ...] | None = None
    above: Scalar | None = None
    max: Scalar | None = None
    has_any: tuple[Scalar, ...] | None = None
    has_none: tuple[Scalar, ...] | None = None
    missing: bool | None = None
    or_missing: bool | None = None

    @property
    def asked(self) -> Mapping[str, Any]:
        """Operator -> what it asks."""
        return {name.removesuffix("_"): value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class _Answer:
    condition: _Condition
    points: int
    members: Counted
    others: Counted


@dataclass(frozen=True, kw_only=True)
class _Question:
    column: str
    auc: Figure
    points: int
    answers: Annotated[tuple[_Answer, ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class _Tenth:
    customers: Counted
    members: Counted
    members_so_far: Counted
    least: int


@dataclass(frozen=True, kw_only=True)
class _Best:
    percent: Figure
    customers: Counted
    least: int


@dataclass(frozen=True, kw_only=True)
class LookalikeFile:
    """What of the file is read."""

    as_of: str
    segment: str
    customers: Some
    members: Some
    prospects: Counted
    prospects_path: str | None
    auc: Figure
    card: tuple[_Question, ...]
    tenths: tuple[_Tenth, ...]
    best: _Best
    warnings: tuple[Said, ...] = ()


def lookalike_found(file: LookalikeFile, names: Names, fewest: int) -> LookalikeFound:
    """The questions with the most points first, and the tenths as far as they tell of no few."""
    card = sorted(file.card, key=lambda one: -one.points)
    return LookalikeFound(
        as_of=file.as_of,
        segment=file.segment,
        customers=file.customers,
        members=shown(file.members, fewest),
        prospects=shown(file.prospects, fewest),
        of_another_file=file.prospects_path is not None,
        auc=file.auc,
        questions=len(card),
        card=tuple(map(_question, card[:MOST])),
        tenths=tuple(_tenths(file, fewest)),
        best_percent=file.best.percent,
        best_customers=shown(file.best.customers, fewest),
        best_least=file.best.least,
        warnings=tuple(messages(file.warnings, names, fewest)),
    )


def _question(one: _Question) -> CardQuestion:
    given = [answer for answer in one.answers if answer.members + answer.others] or one.answers
    return CardQuestion(
        column=one.column,
        auc=one.auc,
        points=one.points,
        best=max(given, key=lambda answer: answer.points).condition.asked,
        answers=tuple(CardAnswer(answer.condition.asked, answer.points) for answer in one.answers),
    )


def _tenths(file: LookalikeFile, fewest: int) -> Iterator[TenthFound]:
    """The tenths, without the members of those in which a few are members, or all but a few.

    The sum of all is known, and what was found so far tells a tenth by subtraction.
    """
    members = {place: one.members for place, one in enumerate(file.tenths)}
    others = {place: one.customers - one.members for place, one in enumerate(file.tenths)}
    gone = hidden(members, [Sum([*members])], fewest) | hidden(others, [Sum([*others])], fewest)
    for place, one in enumerate(file.tenths):
        between = bool(gone) and min(gone) <= place < max(gone)
        yield TenthFound(
            least=one.least,
            customers=one.customers,
            members=None if place in gone else one.members,
            so_far=None if between else one.members_so_far,
        )
