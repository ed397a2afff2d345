"""What `segkit lookalike` finds: the card of points, how well it tells members from others, and who comes nearest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeAlias

from segkit.diagnostics import Diagnostic

LEAK, LEAD = 0.75, 0.1
"""A column that alone has such an AUC, or leads the next one by so much, may say who is a member."""
HARDLY = 0.6
"""Below this AUC, the card hardly tells members from others."""
Reason: TypeAlias = Literal[
    "key", "personal", "consent", "seed", "events", "values", "constant", "type", "prospects", "points", "not chosen"
]
"""Why a column is left out."""
WHY: Mapping[Reason, str] = {
    "key": "tells who somebody is",
    "seed": "is a criterion of the segment, or made of the same",
    "events": "is made of events, which prospects do not have",
    "consent": "says who may be written",
    "personal": "is personal data",
    "values": "has no value that is frequent",
    "constant": "has one value for nearly all",
    "type": "has values that no condition asks for",
    "prospects": "is not in the file of prospects, or of another type there",
    "points": "adds nothing to the others",
    "not chosen": "is not named by --columns",
}
"""The reasons in words."""


class Answer(NamedTuple):
    """One answer to a question of the card, as a condition: how many gave it, and the points that it gives.

    `condition` has the operators and values of a rule file; of all answers to a question, exactly one holds.
    """

    condition: Mapping[str, Any]
    members: int
    others: int
    points: int = 0


class Question(NamedTuple):
    """What the card asks of a column; `auc` is what the column alone reaches, out of fold.

    A list is asked once for each of its frequent values, which is `about`.
    """

    column: str
    answers: tuple[Answer, ...]
    auc: float
    about: str | None = None

    @property
    def points(self) -> int:
        """The most points that an answer gives."""
        return max(answer.points for answer in self.answers)


class Trait(NamedTuple):
    """What members have more of than others have, as a condition that holds for so many of both."""

    column: str
    condition: Mapping[str, Any]
    members: int
    others: int


class LeftOut(NamedTuple):
    """A column that the card does not ask about, why, and what of it: the kind of personal data, or its type."""

    column: str
    reason: Reason
    what: str = ""


class Tenth(NamedTuple):
    """A tenth of the customers by their points out of fold, the best first: its members, and those of all up to it."""

    customers: int
    members: int
    members_so_far: int
    least: int
    """The fewest points of a customer of it."""


class Fifth(NamedTuple):
    """A fifth of the customers by their chance to be a member: what was said, and what was, each from 0 to 1."""

    customers: int
    said: float
    was: float


class Best(NamedTuple):
    """The best of the prospects: the share that was asked for in percent, how many they are, and their fewest points.

    Ties at the edge are in.
    """

    percent: Decimal
    customers: int
    least: int


class LookalikeResult(NamedTuple):
    """The card, its quality, and the prospects that were scored.

    `path` and `rules_path` are the files that were written; `prospects_path` is None where the prospects are the
    customers who are not members. `fitted` is how many customers the points were fitted to, `alone` the AUC that each
    column reaches by itself, out of fold.
    """

    as_of: dt.date
    segment: str
    customers: int
    members: int
    prospects: int
    prospects_path: str | None
    seed: int
    fitted: int
    auc: float
    questions: tuple[Question, ...]
    traits: tuple[Trait, ...]
    alone: Mapping[str, float]
    left_out: tuple[LeftOut, ...]
    tenths: tuple[Tenth, ...]
    fifths: tuple[Fifth, ...]
    best: Best
    warnings: tuple[Diagnostic, ...]
    notes: tuple[Diagnostic, ...]
    path: str | None
    rules_path: str | None
    elapsed_seconds: float

    def captured(self, tenths: int) -> float:
        """The share of the members, in percent, that the best tenths hold."""
        return 100 * self.tenths[tenths - 1].members_so_far / self.members
