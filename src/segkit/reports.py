"""What a report of a run shows: counts and sums that are safe to forward; a count of None is one that is hidden."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from segkit.histories import SegmentHistory


class Figures(NamedTuple):
    """A profiled column in a segment; `share` is in percent of the total over all customers, None where that is 0."""

    mean: float | None
    total: Decimal | None
    share: float | None


class Moved(NamedTuple):
    """How many entered and left a segment since the last run of a day before."""

    entered: int | None
    left: int | None


class LedgerLine(NamedTuple):
    """A segment, from matched to written. `moved` is None where nothing is known of a day before.

    `figures` are None where nobody has a value. `before` is how many were written in the run to compare with, `is_new`
    whether that one has not written the segment. `unfound` is how many of those written the platform cannot find that
    the list is for.
    """

    name: str
    label: str
    write: bool
    matched: int | None
    excluded: Mapping[str, int | None]
    written: int | None
    share: float | None
    figures: Mapping[str, Figures | None]
    variants: Mapping[str, int | None]
    moved: Moved | None = None
    before: int | None = None
    is_new: bool = False
    unfound: int | None = 0


class Combination(NamedTuple):
    """How many customers are written in all of these segments, and in no other."""

    segments: tuple[str, ...]
    customers: int


class Overlap(NamedTuple):
    """Who is in which segments together.

    `rows` are the largest segments, in their order; `pairs` has by pair of these what percent of the first is in the
    second, too, None where that is hidden.
    """

    rows: tuple[str, ...]
    combinations: tuple[Combination, ...]
    pairs: Mapping[tuple[str, str], float | None]


class Cell(NamedTuple):
    """How many customers have two scores, and what they spent on average."""

    customers: int | None
    mean: float | None


class Bar(NamedTuple):
    """How many customers have a value from `low`, included, to `high`, excluded; a bound of None is none."""

    low: int | None
    high: int | None
    customers: int | None


class Histogram(NamedTuple):
    """How a measure spreads; a run of an older version has no `median`, nor has one of a few customers."""

    measure: str
    bars: tuple[Bar, ...]
    median: float | None


class Group(NamedTuple):
    """How many customers have a value, None for no value; `revenue` is what they spent."""

    value: str | None
    customers: int | None
    revenue: Decimal | None = None


class RfmTable(NamedTuple):
    """An RFM table, "" for the one without a name: customers by their scores (r, f), its segments, its measures."""

    name: str
    bins: int
    grid: Mapping[tuple[int, int], Cell]
    segments: tuple[Group, ...]
    histograms: tuple[Histogram, ...]


class Grades(NamedTuple):
    """How many customers have each stage or grade of a column."""

    column: str
    values: tuple[Group, ...]


class Flow(NamedTuple):
    """How customers moved between the values of a column since a day; None for those of a few.

    Where there are such, the other numbers are in `steps`, so that totals do not tell them; elsewhere, they are exact.
    """

    column: str
    since: str
    values: tuple[str | None, ...]
    moves: Mapping[tuple[str | None, str | None], int | None]
    steps: int = 1


class Arm(NamedTuple):
    """Customers who were treated alike, and what they did; `conversion` is from 0 to 1."""

    name: str
    customers: int | None
    buyers: int | None
    conversion: float | None
    per_customer: float | None


class Difference(NamedTuple):
    """How an arm differs from another by a metric, with the bounds of its interval.

    `kind` is `share`, whose figures are from 0 to 1, or `mean`. `is_sure` says that it is not by chance, all
    comparisons counted; `too_few` that too few have bought to say anything.
    """

    arm: str
    against: str
    metric: str
    kind: str
    difference: float | None
    low: float | None
    high: float | None
    is_sure: bool
    too_few: bool


class Outcome(NamedTuple):
    """What came of a segment; `is_hidden` says that its figures are of a few."""

    name: str
    is_hidden: bool
    arms: tuple[Arm, ...]
    differences: tuple[Difference, ...]


class Evaluation(NamedTuple):
    """What came of a run, or of several, in the days from `start` until `until`; `level` in percent."""

    runs: tuple[str, ...]
    start: str | None
    until: str | None
    level: float
    compared: int
    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...]


class BasketLine(NamedTuple):
    """Who has all items of `left` in a basket often has `right`, too; None for figures that would tell of a few.

    So many `baskets` have both, `support` and `confidence` are in percent, `to_offer` are customers.
    """

    left: tuple[str, ...]
    right: str
    baskets: int | None
    support: float | None
    confidence: float | None
    lift: float | None
    to_offer: int | None


class BasketFound(NamedTuple):
    """What is bought together, `by` order or customer; of all `rules`, `lines` are the best."""

    as_of: str
    by: str
    table: str | None
    customers: int | None
    baskets: int | None
    items: int
    min_count: int
    confidence: float
    lift: float
    rules: int
    lines: tuple[BasketLine, ...]
    warnings: tuple[Message, ...]


class CardAnswer(NamedTuple):
    """An answer to a question of a card, as operators and values of a condition, and its points."""

    condition: Mapping[str, Any]
    points: int


class CardQuestion(NamedTuple):
    """What a card asks of a column, which alone reaches an `auc`; `best` is the answer that gives the most points."""

    column: str
    auc: float
    points: int
    best: Mapping[str, Any]
    answers: tuple[CardAnswer, ...]


class TenthFound(NamedTuple):
    """A tenth of the customers, from `least` points on: its members, and those of all up to it; None where hidden."""

    least: int
    customers: int
    members: int | None
    so_far: int | None


class LookalikeFound(NamedTuple):
    """Who resembles a segment; of `questions`, those with the most points are in the card."""

    as_of: str
    segment: str
    customers: int
    members: int | None
    prospects: int | None
    of_another_file: bool
    auc: float
    questions: int
    card: tuple[CardQuestion, ...]
    tenths: tuple[TenthFound, ...]
    best_percent: float
    best_customers: int | None
    best_least: int
    warnings: tuple[Message, ...]


class KTried(NamedTuple):
    """A number of personas: the share of the smallest in percent, None where it is a few, and how stable they are."""

    k: int
    smallest: float | None
    stability: float
    why: str


class PersonaFound(NamedTuple):
    """A persona, and what it stands out by; None where it is of a few."""

    name: str
    customers: int | None
    stands_out: tuple[str, ...] | None


class ClusterFound(NamedTuple):
    """Personas, and how many of the customers the `rules` put into theirs; `tried_on` where that was not all."""

    as_of: str
    customers: int
    left_out: int | None
    columns: tuple[str, ...]
    logarithms: tuple[str, ...]
    tried: tuple[KTried, ...]
    tried_on: int | None
    k: int
    personas: tuple[PersonaFound, ...]
    rules: int
    agree: int | None
    warnings: tuple[Message, ...]


class Answers(NamedTuple):
    """Whether a segment is measurable, accessible, viable and remunerative; None where nothing tells.

    `known` and `reach` are in percent, `reached` and `needed` customers, `a_head` what members are worth on average,
    `compared` the same in percent of all customers.
    """

    segment: str
    known: float | None
    reach: float | None
    reached: int | None
    needed: int
    a_head: Decimal | None
    compared: float | None
    measurable: bool | None
    accessible: bool | None
    viable: bool
    remunerative: bool | None


class Past(NamedTuple):
    """The segments over time, and the days with another rule file than in the run before.

    Of `moves_hidden`, not all days tell who stayed, of `buyers_hidden` not all who bought, since they are a few.
    """

    days: tuple[str, ...]
    rules_changed: tuple[str, ...]
    segments: tuple[SegmentHistory, ...]
    moves_hidden: frozenset[str]
    buyers_hidden: frozenset[str]


class TableRead(NamedTuple):
    """The rows of a table, and those that were left out, by reason."""

    name: str
    rows: int
    left_out: Mapping[str, int | None]


class FileRead(NamedTuple):
    """A file by its name, without its folder."""

    table: str
    name: str
    bytes: int
    sha256: str


class Message(NamedTuple):
    """A warning, or a note."""

    severity: str
    text: str
    hint: str | None


class Totals(NamedTuple):
    """All customers, and how many of them are in a segment, in a list, in several, and held out."""

    customers: int
    matched: int | None
    listed: int | None
    several: int | None
    held_out: int | None
    control: int | None


class RunReport(NamedTuple):
    """All that a report of a run shows; `fewest` customers are the least that a number has.

    `previous` is the day of the run to compare with, `since` that of the last one before, where it is known.
    """

    title: str
    as_of: str
    version: str
    exclusive: bool
    fewest: int
    previous: str | None
    since: str | None
    totals: Totals
    segments: tuple[LedgerLine, ...]
    overlap: Overlap | None
    rfm: tuple[RfmTable, ...]
    grades: tuple[Grades, ...]
    flows: tuple[Flow, ...]
    answers: tuple[Answers, ...]
    evaluation: Evaluation | None
    past: Past | None
    baskets: tuple[BasketFound, ...]
    lookalikes: tuple[LookalikeFound, ...]
    clusters: tuple[ClusterFound, ...]
    tables: tuple[TableRead, ...]
    files: tuple[FileRead, ...]
    rules: tuple[str, str] | None
    messages: tuple[Message, ...]
    left_out: Mapping[str, str]
    """Section -> why it is not there."""


class ReportWritten(NamedTuple):
    """A report that was written: where, its length in bytes, its sections, and why others are not there."""

    path: str
    bytes: int
    as_of: str
    sections: tuple[str, ...]
    left_out: Mapping[str, str]
