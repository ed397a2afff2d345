"""Why a customer is in a segment, or is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from segkit.diagnostics import Diagnostic


class RulePoints(NamedTuple):
    """What a rule of a score gave to one customer, or took away: what it asks, what there is, and the points.

    `actual` is None where it asks several things, or, with `missing`, where there is no value. `path`, `line` and
    `column` are its place in the rule file.
    """

    path: str
    line: int | None
    column: int | None
    subject: str
    wanted: str
    actual: str | None
    missing: bool
    points: int | Decimal


class ScoreCounted(NamedTuple):
    """How the score of one customer, in `column`, came about: the points of the `rules` that gave or took any.

    `sum` is that of the points, `score` the same, at least 0 and at most `max_score`; `grades` begin at these scores.
    """

    column: str
    rules: tuple[RulePoints, ...]
    sum: int | Decimal
    max_score: int | Decimal
    score: int | Decimal
    grades: Mapping[str, int | Decimal]


class Criterion(NamedTuple):
    """A criterion of a segment, for one customer: whether it holds, what is wanted, and what there is.

    `kind` is `all`, `any` or `none` of `parts`, or what the criterion looks at: `condition`, `event`, `near`, `inside`,
    `sql`, `segment` (whose criteria are the `parts`). `held` is that of the whole: `none` is held where no part is, and
    `did_not` and `not_in_segment` where what they name does not hold. `missing` says that there is no value. `path`,
    `line` and `column` are its place in the rule file. `scores` tells of the scores that it looks at.
    """

    kind: str
    path: str
    line: int | None
    column: int | None
    held: bool
    missing: bool
    subject: str
    wanted: str
    actual: str | None
    parts: tuple[Criterion, ...] = ()
    scores: tuple[ScoreCounted, ...] = ()


class Explained(NamedTuple):
    """What became of one customer in one segment.

    `outcome` is `written`, `not_written` (of a segment with `write = false`), one of `REASONS`, `CONTROL` for those
    whom the control group holds out, `CHANGED`, or None where the criteria do not hold. `claimed_by` is the segment
    that claimed the customer; `file` is the list that has him, and `findable` says whether the platform that it is for
    can find him: else no file has him.
    """

    name: str
    label: str
    matched: bool
    outcome: str | None
    claimed_by: str | None
    variant: str | None
    file: str | None
    criteria: Criterion
    findable: bool = True


class ExplainedCustomer(NamedTuple):
    """A customer, and what became of him in each segment."""

    key: str
    segments: tuple[Explained, ...]


class FunnelStep(NamedTuple):
    """A criterion of a segment: how many customers satisfy it, and how many are left with all before it."""

    subject: str
    wanted: str
    path: str
    satisfied: int
    left: int


class Funnel(NamedTuple):
    """Why a segment is as large as it is: its criteria one after the other, then its gates.

    `gates` is (reason, how many it stops, how many are left); none where `write` is false, since nobody is written.
    """

    name: str
    label: str
    write: bool
    customers: int
    matched: int
    steps: tuple[FunnelStep, ...]
    gates: tuple[tuple[str, int, int], ...]
    written: int


class NearCustomer(NamedTuple):
    """A customer who is one condition away, and the value that this condition looks at, or that it is `missing`."""

    key: str
    actual: str | None
    missing: bool


class NearCondition(NamedTuple):
    """A condition, how many customers would be in the segment if it were turned, and those of them nearest to it.

    `paths` are all places where the condition stands; it turns in all of them.
    """

    path: str
    paths: tuple[str, ...]
    subject: str
    wanted: str
    customers: int
    nearest: tuple[NearCustomer, ...]


class Distance(NamedTuple):
    """How many customers are so many conditions away from a segment; None: no turning of conditions brings them in."""

    conditions: int | None
    customers: int


class NearMisses(NamedTuple):
    """Who is how far from a segment.

    Not `exact` where a condition stands in several places: then the distances beyond 1 count it as often.
    """

    name: str
    label: str
    members: int
    distances: tuple[Distance, ...]
    exact: bool
    conditions: tuple[NearCondition, ...]


class ExplainResult(NamedTuple):
    """What a run would do with these customers, or the funnels of segments. `unknown` are keys of nobody.

    `run` is the one that was looked into, as the user calls it; None for what would happen now.
    """

    as_of: dt.date
    run: str | None
    customers: tuple[ExplainedCustomer, ...]
    funnels: tuple[Funnel, ...]
    unknown: tuple[str, ...]
    hint: str | None
    warnings: tuple[Diagnostic, ...]
    notes: tuple[Diagnostic, ...]
    near: tuple[NearMisses, ...] = ()
    tests: tuple[str, ...] = ()
    """The customers as tests of the rule file, where that was asked."""
