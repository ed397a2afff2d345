"""What operations return: plain frozen data, ready to be shown as a table or as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, NamedTuple

from segkit.diagnostics import Diagnostic, SourceLocation

SCHEMA_VERSION = 1
"""Of the JSON that commands print."""
REASONS = ("consent", "suppressed", "frequency_cap", "claimed", "sample", "limit", "holdout")
"""Why a customer who matched is not written, in the order in which the reasons are looked at."""

WRITTEN, HELD_OUT, CONTROL = "written", "holdout", "control"
"""What becomes of those whom a segment reaches. To be held out is the last reason not to be written: of this segment,
or, in the control group, of all."""


CHANGED = "changed-since-run"
"""Of a customer in a run that has written something else than its rules and files say now."""
LEFT_OUT = "left-out-of-run"
"""Of a segment that a run has left out."""
MEMBERS, ENTERED, LEFT = "members", "entered", "left"
"""Whom a file holds: all members, or those who entered or left since the last run."""


class WrittenFile(NamedTuple):
    """One file of a segment; `values` are those of its `each` columns, `holds` says whom it holds.

    `written` counts the customers in it; `rows` its lines, where an advertising platform takes it.
    """

    path: str
    written: int
    values: Mapping[str, str | None] = MappingProxyType({})
    holds: str = MEMBERS
    rows: int | None = None


class Change(NamedTuple):
    """How many customers entered and left a segment since the last run."""

    entered: int
    left: int


class Profile(NamedTuple):
    """The figures of one column in one segment; `share` is of the total over all customers, in percent."""

    mean: float | None
    median: float | None
    total: Decimal | None
    share: float | None


class SegmentResult(NamedTuple):
    """One segment's line of the ledger: matched - sum(excluded) = written.

    `share` is `written` in percent of all customers. `control` is how many of `excluded["holdout"]` are in the control
    group, `holdout` the list of the others of them; `variants` counts the written customers who get each variant.
    `without_identifier` counts those written whom an advertising platform cannot find; none where there is no platform.
    """

    name: str
    label: str
    matched: int
    excluded: Mapping[str, int]
    written: int
    share: float
    outputs: tuple[WrittenFile, ...] = ()
    control: int = 0
    holdout: WrittenFile | None = None
    variants: Mapping[str, int] = MappingProxyType({})
    write: bool = True
    profile: Mapping[str, Profile] = MappingProxyType({})
    change: Change | None = None
    without_identifier: int | None = None


class Overlap(NamedTuple):
    """Customers who are in both segments: written in both after a run, members of both where a file is checked."""

    first: str
    second: str
    customers: int


class TableCounts(NamedTuple):
    """What became of the rows of one input table; every row left out has its reason."""

    name: str
    rows: int
    left_out: Mapping[str, int]
    detected: Mapping[str, str] = MappingProxyType({})
    paths: tuple[str, ...] = ()


class Threshold(NamedTuple):
    """The cuts in force for one column: scores rise by one at each, or a share of customers begins at the only one.

    `inclusive` tells whether the cut itself is on the upper side, `falls` whether low values are, as with recency. The
    cuts are for customers with the scores, or values of columns, in `within`, or for all where it is empty. `groups`
    counts the groups, shown or not. With `mean`, the value is the mean of the group. `id` is the same in every run, and
    `customers` says how many the cuts were made of, none where they were given. `rfm` is the name of the RFM table
    whose scores they give, "" for the one without a name; none where they give no scores.
    """

    column: str
    values: tuple[Decimal, ...]
    inclusive: bool
    id: str = ""
    keys: tuple[str, ...] = ()
    falls: bool = False
    within: Mapping[str, int | str | None] = {}
    groups: int = 0
    mean: bool = False
    customers: int | None = None
    rfm: str | None = None


class Count(NamedTuple):
    """Customers with one value of a column (none: missing), and their share of all in percent."""

    value: str | None
    customers: int
    share: float


class Distribution(NamedTuple):
    """How the customers divide among the values of a computed column; `kind` names the values: stage, grade."""

    column: str
    kind: str
    values: tuple[Count, ...]


class FittedModel(NamedTuple):
    """A model fitted to so many customers; `repeaters` counts those with orders on two days or more."""

    name: str
    parameters: Mapping[str, float]
    log_likelihood: float
    customers: int
    repeaters: int


class TableTarget(NamedTuple):
    """The table in which lists go, and that of who is held out; `address` is its database, without any secret."""

    address: str
    table: str
    holdout: str | None
    load: str


class ControlGroup(NamedTuple):
    """The control group: the share of all customers that is drawn for it, and what it is drawn with.

    `customers` counts those of it whom some segment would have written, who are listed at `path`.
    """

    percent: Decimal
    salt: str
    customers: int
    path: str | None


class ApplyResult(NamedTuple):
    """What a run of a rule file did.

    `unmatched` counts the customers who match no segment, `unlisted` those who are written in no list, `several` those
    who are written in more than one. `cutoffs` are the files of saved cutoffs,
    `report` is that of the report. Where the lists go to a `table`, the
    paths of files are names of lists.
    """

    as_of: dt.date
    customers: int
    segments: tuple[SegmentResult, ...]
    unmatched: int
    several: int
    overlaps: tuple[Overlap, ...]
    tables: tuple[TableCounts, ...]
    thresholds: tuple[Threshold, ...]
    warnings: tuple[Diagnostic, ...]
    elapsed_seconds: float
    directory: str | None
    dry_run: bool = False
    distributions: tuple[Distribution, ...] = ()
    models: tuple[FittedModel, ...] = ()
    notes: tuple[Diagnostic, ...] = ()
    unlisted: int = 0
    cutoffs: tuple[str, ...] = ()
    report: str | None = None
    table: TableTarget | None = None
    control: ControlGroup | None = None


class RfmSegment(NamedTuple):
    """One RFM segment: its customers, its revenue, their shares in percent, and medians."""

    name: str
    customers: int
    share: float
    revenue: Decimal
    revenue_share: float | None
    recency_days: float
    frequency: float
    monetary: float


class RfmResult(NamedTuple):
    """An RFM analysis; `grid[r, f]` counts the customers with these scores; `guesses` is option -> column.

    `rows_are_orders` says that no column tells which rows are one order.
    `path`, `cutoffs` and `chart` are the files that were written.
    """

    as_of: dt.date
    customers: int
    events: int
    bins: int
    method: str
    ties: str
    map: str
    segments: tuple[RfmSegment, ...]
    thresholds: tuple[Threshold, ...]
    grid: Mapping[tuple[int, int], int]
    guesses: Mapping[str, str]
    tables: tuple[TableCounts, ...]
    warnings: tuple[Diagnostic, ...]
    elapsed_seconds: float
    rows_are_orders: bool = False
    path: str | None = None
    cutoffs: str | None = None
    chart: str | None = None
    notes: tuple[Diagnostic, ...] = ()


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


class CohortCell(NamedTuple):
    """A cohort in one period, 0 being that of the first event.

    `customers` have an event then, `percent` of the cohort; `revenue` is None where no amount is known. The period is
    `open` where it is not over on the day of the analysis, so that more may come.
    """

    period: int
    customers: int
    percent: float
    revenue: Decimal | None
    open: bool


class Cohort(NamedTuple):
    """The customers whose first event was in the period `name`, and a cell for each period since."""

    name: str
    customers: int
    cells: tuple[CohortCell, ...]


class CohortsResult(NamedTuple):
    """An analysis of cohorts: `by` is what a period is, `show` the figure of tables and files.

    `customers` are in a cohort, `without_events` in none. `table` is the event table of a rule file, None for a file of
    events. `segment` is who is looked at, where that is not everybody. `open_period` is the period that is not over.
    `guesses` is option -> column; `rows_are_orders` says that no column tells which rows are one order. `path` is the
    file that was written.
    """

    as_of: dt.date
    by: str
    show: str
    table: str | None
    segment: str | None
    customers: int
    events: int
    without_events: int
    open_period: str | None
    cohorts: tuple[Cohort, ...]
    guesses: Mapping[str, str]
    rows_are_orders: bool
    tables: tuple[TableCounts, ...]
    warnings: tuple[Diagnostic, ...]
    notes: tuple[Diagnostic, ...]
    elapsed_seconds: float
    path: str | None = None


class Mavr(NamedTuple):
    """Is a segment measurable (`m`), accessible (`a`), viable (`v`), profitable (`p`)? None where nothing tells.

    `known` is the least share of all customers with a value in a column that the criteria read, None where they read
    none; `reach` the share of the members who can be reached, None where neither consent, lists nor a contact tell,
    both in percent; `reached` counts them, all where nothing tells, and `needed` is how many there should be. `a_head`
    is what members are worth on average, `compared` the same in percent of that of all customers.
    """

    segment: str
    known: float | None
    reach: float | None
    reached: int
    needed: int
    a_head: Decimal | None
    compared: float | None
    m: bool | None
    a: bool | None
    v: bool
    p: bool | None


class FrequentValue(NamedTuple):
    """A value of a column, and how many rows have it."""

    value: str | bool
    rows: int


class ColumnValues(NamedTuple):
    """What stands in a column, in all rows of its table.

    `filled` rows have a value; `unreadable` have something that is no value of the column's type. `personal` is the
    kind of personal data: of such a column neither `lowest` nor `highest` nor `frequent` are given, but `shape`, what
    most values look like. So it is where no two rows have one value. `distinct` is of texts, lists, and true and false.
    """

    filled: int
    unreadable: int = 0
    personal: str | None = None
    distinct: int | None = None
    lowest: float | Decimal | dt.date | None = None
    highest: float | Decimal | dt.date | None = None
    frequent: tuple[FrequentValue, ...] = ()
    shape: str | None = None


class KnownColumn(NamedTuple):
    """A column that conditions can be written on.

    `origin` is `file`, `events` (of customers that are made of these), `lookup`, `derive`, or the section that computes
    it; `section` is where that stands in the rule file. `used_by` are sections and keys of the rule file.
    """

    name: str
    type: str
    origin: str
    section: str
    used_by: tuple[str, ...]
    values: ColumnValues | None = None


class KnownTable(NamedTuple):
    """A table of a rule file with its columns; `rows` are those that count, None where they were not counted."""

    name: str
    paths: tuple[str, ...]
    rows: int | None
    columns: tuple[KnownColumn, ...]


class ColumnsResult(NamedTuple):
    """What conditions can be written on."""

    path: str
    as_of: dt.date
    tables: tuple[KnownTable, ...]
    notes: tuple[Diagnostic, ...]


class Guess(NamedTuple):
    """What `init` took a column for: its table (empty for the whole file), the role, what plays it, and why."""

    table: str
    role: str
    value: str
    why: str


class InitResult(NamedTuple):
    """A rule file that was written, and the `files` beside it.

    Of a `template` nothing was guessed. `tables` is how many rows of each count; `left_out` are segments and sections
    that the data speak against, with what speaks against them. `audits` is how many warnings and notes
    `segkit audit` has of each file.
    """

    path: str
    template: str | None
    files: tuple[str, ...]
    tables: Mapping[str, int] = MappingProxyType({})
    guesses: tuple[Guess, ...] = ()
    segments: tuple[str, ...] = ()
    left_out: Mapping[str, str] = MappingProxyType({})
    warnings: tuple[Diagnostic, ...] = ()
    notes: tuple[Diagnostic, ...] = ()
    audits: Mapping[str, int] = MappingProxyType({})


class Related(NamedTuple):
    """All customers of `segment` are in `other` (`within`), none is (`apart`), or both have the same (`equal`)."""

    relation: Literal["within", "apart", "equal"]
    segment: str
    other: str


class RuleChange(NamedTuple):
    """What a change of the rule file does to a segment, whatever the data are.

    `added` and `removed`: of the segment; `same`: the same customers; `wider`: all customers of before, and others
    may come; `narrower`: none but those of before; `apart`: none of those of before; `other`: customers may
    come and go; `unknown`: what it reads is computed in another way.
    """

    segment: str
    change: Literal["added", "removed", "same", "wider", "narrower", "apart", "other", "unknown"]


class CheckResult(NamedTuple):
    """Everything found in a rule file, as of a day where it can be read: errors and warnings, and what it defines.

    With the data, `mavr` has each segment that is written, and `overlaps` the pairs of them that share members.
    `relations` of segments, and `changes` against another rule file, are there where they were asked for. `of_older`
    are those diagnostics that are errors of that file, whose path is `older`.
    """

    path: str
    diagnostics: tuple[Diagnostic, ...]
    as_of: dt.date | None = None
    segments: int = 0
    columns: int = 0
    mavr: tuple[Mavr, ...] | None = None
    overlaps: tuple[Overlap, ...] = ()
    relations: tuple[Related, ...] | None = None
    changes: tuple[RuleChange, ...] | None = None
    older: str | None = None
    of_older: tuple[Diagnostic, ...] = ()


class Difference(NamedTuple):
    """An expectation of a test that is not met: its key in the test, what it names, and what there is in its place."""

    key: str
    expected: tuple[str, ...]
    found: tuple[str, ...]


class Verdict(NamedTuple):
    """What a test of a rule file found; it has passed where there are no `differences`.

    `wrong` are the segments that are not as expected, with their criteria. `undecided` are those whose criteria look at
    all customers, of which the test says nothing; `undecided_written` those of which it cannot tell whether they are
    written. `left_out` says why there is no such customer.
    """

    name: str
    location: SourceLocation
    as_of: dt.date
    differences: tuple[Difference, ...]
    wrong: tuple[Explained, ...]
    undecided: tuple[str, ...]
    undecided_written: tuple[str, ...]
    left_out: str | None

    @property
    def passed(self) -> bool:
        """Whether all is as expected."""
        return not self.differences


class Verdicts(NamedTuple):
    """The tests of a rule file, in its order; `defined` counts those that were not chosen, too."""

    path: str
    defined: int
    verdicts: tuple[Verdict, ...]
    elapsed_seconds: float

    @property
    def failed(self) -> int:
        """How many are not as expected."""
        return sum(not verdict.passed for verdict in self.verdicts)


class SegmentDiff(NamedTuple):
    """One segment in two runs; `old` and `new` are the customers in it, None where the run has no such segment."""

    name: str
    old: int | None
    new: int | None
    entered: int
    left: int
    stayed: int


class Move(NamedTuple):
    """Customers of an exclusive run who were in one segment and are in another; None is no segment."""

    old: str | None
    new: str | None
    customers: int


class RunInfo(NamedTuple):
    """One of the two runs: where it is, its day and how many customers there were."""

    path: str
    as_of: str
    customers: int


class DiffResult(NamedTuple):
    """What changed between two runs; `moves` is None unless both are exclusive."""

    old: RunInfo
    new: RunInfo
    segments: tuple[SegmentDiff, ...]
    moves: tuple[Move, ...] | None

    @property
    def differs(self) -> bool:
        """Whether anybody entered, left or moved, or a segment came or went."""
        return any(s.entered or s.left or s.old is None or s.new is None for s in self.segments)
