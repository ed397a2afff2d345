"""What is bought together, for a report: the best rules, without the figures that would tell of a few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from segkit.discoveries.basket import By
from segkit.operations.reporting.found.fields import Counted, Figure, Said, Some, messages
from segkit.operations.reporting.hiding import is_few, shown
from segkit.operations.reporting.sources import Names
from segkit.reports import BasketFound, BasketLine

MOST = 100
"""So many rules a page shows at most, however many a screen has shown."""

Items = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class _Rule:
    left: tuple[str, ...]
    right: str
    count: Counted
    left_count: Counted
    right_count: Counted
    support: Figure
    confidence: Figure
    lift: Figure
    to_offer: Counted

    @property
    def counts(self) -> dict[Items, int]:
        """The baskets that the figures tell of, by the items that they have."""
        left, right = frozenset(self.left), frozenset({self.right})
        return {left: self.left_count, right: self.right_count, left | right: self.count}


@dataclass(frozen=True, kw_only=True)
class BasketFile:
    """What of the file is read."""

    as_of: str
    by: By
    table: str | None
    customers: Counted
    baskets: Counted
    items: Counted
    min_count: Counted
    confidence: Figure
    lift: Figure
    top: Some
    rules: tuple[_Rule, ...]
    warnings: tuple[Said, ...] = ()


def basket_found(file: BasketFile, names: Names, fewest: int) -> BasketFound:
    """The rules that the screen has shown, in their order."""
    best = file.rules[: min(file.top, MOST)]
    offers = _without_few_customers(best, fewest)
    tells = {*_tell_of_few(best, file.baskets, fewest)}
    if file.by == "customer":  # then the figures say how many lack the right side
        tells |= {place for place, number in enumerate(offers) if number is None}
    return BasketFound(
        as_of=file.as_of,
        by=file.by,
        table=file.table and names.without_folders(file.table),
        customers=shown(file.customers, fewest),
        baskets=shown(file.baskets, fewest),
        items=file.items,
        min_count=file.min_count,
        confidence=file.confidence,
        lift=file.lift,
        rules=len(file.rules),
        lines=tuple(_line(rule, offers[place], hide=place in tells) for place, rule in enumerate(best)),
        warnings=tuple(messages(file.warnings, names, fewest)),
    )


def _line(rule: _Rule, offer: int | None, *, hide: bool) -> BasketLine:
    return BasketLine(
        left=rule.left,
        right=rule.right,
        baskets=None if hide else rule.count,
        support=None if hide else rule.support,
        confidence=None if hide else rule.confidence,
        lift=None if hide else rule.lift,
        to_offer=offer,
    )


def _tell_of_few(rules: Sequence[_Rule], baskets: int, fewest: int) -> Iterator[int]:
    """The places of rules whose figures tell of a few baskets.

    These are the ones with some items, or those with some of the items of a rule and not the others, which subtraction
    tells: what all baskets have is nothing.
    """
    known: dict[Items, int] = {frozenset(): baskets}
    for place, rule in enumerate(rules):
        all_of_them = known | rule.counts
        if any(_tells(items, all_of_them, fewest) for items in rule.counts):
            yield place
        else:
            known = all_of_them


def _tells(items: Items, known: Mapping[Items, int], fewest: int) -> bool:
    number = known[items]
    within = (abs(number - count) for other, count in known.items() if other < items or items < other)
    return any(is_few(one, fewest) for one in chain([number], within))


def _without_few_customers(rules: Sequence[_Rule], fewest: int) -> list[int | None]:
    """To how many each right side is offered; None where it is a few, or would tell a few beside another rule."""
    told: list[tuple[Items, str, int]] = []
    found: list[int | None] = []
    for rule in rules:
        left, number = frozenset(rule.left), rule.to_offer
        near = (abs(number - n) for items, right, n in told if right == rule.right and (items < left or left < items))
        if any(is_few(one, fewest) for one in chain([number], near)):
            found.append(None)
        else:
            told.append((left, rule.right, number))
            found.append(number)
    return found
