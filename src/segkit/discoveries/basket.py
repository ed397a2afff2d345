"""What `segkit basket` finds: what is bought together, and how many customers lack the rest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from segkit.diagnostics import Diagnostic
from segkit.results.parts import TableCounts

By: TypeAlias = Literal["order", "customer"]
"""What a basket is: the items of one order, or all that a customer has bought."""
Sort: TypeAlias = Literal["lift", "confidence", "support"]


class Least(NamedTuple):
    """From where on a pair, or a larger set of items, is a rule; each of these values is enough.

    `support` is a share of the baskets in percent; where `baskets` is given, this many take its place.
    `confidence` is in percent, too. A rule has `length` items at most, those of both sides.
    """

    support: Decimal
    confidence: Decimal
    lift: Decimal
    length: int
    baskets: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketRule:
    """Who has all items of `left` in a basket often has `right`, too.

    `count` baskets have both, `left_count` and `right_count` one side. `support` is the share of all baskets with both,
    `confidence` that of the baskets with the left side, both in percent; `lift` is how many times the confidence is the
    share of all baskets with the right side. `to_offer` customers have bought the left side, and never the right one.
    """

    left: tuple[str, ...]
    right: str
    count: int
    left_count: int
    right_count: int
    support: float
    confidence: float
    lift: float
    to_offer: int


class Offer(NamedTuple):
    """A segment of the rule file that was written: those to whom the right side of a rule is offered."""

    name: str
    rule: BasketRule


class BasketResult(NamedTuple):
    """The rules, sorted, and what they were made of.

    `table` is the event table of a rule file, None for a file of events; `item` the column with what was bought.
    `customers` have the `baskets`, of which `baskets_of_one` have one item only; `rows` are those that have an item,
    and belong to a customer. `least` is what was asked, `min_count` how many baskets that is. `sort` is the order of
    the rules, of which `top` are shown. `offers` are the segments of `rules_path`. `guesses` is option -> what was
    taken for it.
    """

    as_of: dt.date
    by: By
    table: str | None
    item: str
    customers: int
    baskets: int
    baskets_of_one: int
    items: int
    rows: int
    least: Least
    min_count: int
    sort: Sort
    top: int
    rules: tuple[BasketRule, ...]
    offers: tuple[Offer, ...]
    guesses: Mapping[str, str]
    tables: tuple[TableCounts, ...]
    warnings: tuple[Diagnostic, ...]
    notes: tuple[Diagnostic, ...]
    elapsed_seconds: float
    path: str | None = None
    rules_path: str | None = None
