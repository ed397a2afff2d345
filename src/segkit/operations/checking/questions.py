"""The marketer's four questions to each segment: is it measurable, accessible, viable, profitable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import polars as pl

from segkit import codes
from segkit.columns.helpers import member
from segkit.diagnostics import Finding
from segkit.operations.checking.known import columns_read
from segkit.operations.checking.reach import reached
from segkit.operations.checking.sizes import needed
from segkit.operations.checking.worth import Worth, column_of_worth, together, worth_of
from segkit.results import Mavr
from segkit.rules.findings import dotted
from segkit.rules.model.file import RuleFile
from segkit.words import count, plural

CENT = Decimal("0.01")


def mavr(rules: RuleFile, customers: pl.DataFrame, values: Mapping[str, int]) -> Iterator[Mavr]:
    """The answers for each segment that is written.

    `customers` has what an evaluation computes, `values` counts those with a value by column.
    """
    worth, everybody = worth_of(rules, customers), pl.Series([True]).new_from_index(0, len(customers))
    of_all = None if worth is None else together(worth, everybody)
    can: dict[str | None, pl.Series | None] = {}
    for name, segment in rules.segment.items():
        if not segment.write:
            continue
        channel = segment.channel
        reachable = can.setdefault(channel, reached(rules, channel, customers))
        members = customers[member(name)]
        size = int(members.sum())
        reach = size if reachable is None else int((members & reachable).sum())
        is_told = size and reachable is not None
        known = min((values[column] for _, column in columns_read(rules, name)), default=None)
        of_members = None if worth is None else together(worth, members)
        least = needed(segment, rules.mavr).customers
        yield Mavr(
            segment=name,
            known=None if known is None else 100 * known / len(customers),
            reach=100 * reach / size if is_told else None,
            reached=reach,
            needed=least,
            a_head=_cents(of_members),
            compared=_compared(of_members, of_all),
            m=None if known is None else _is_share(known, len(customers), rules.mavr.known_percent),
            a=_is_share(reach, size, rules.mavr.reach_percent) if is_told else None,
            v=reach >= least,
            p=_is_profitable(rules, of_members, of_all),
        )


def values_of(rules: RuleFile, customers: pl.DataFrame) -> Mapping[str, int]:
    """How many customers have a value, by column that a criterion reads."""
    read = dict.fromkeys(column for name in rules.segment for _, column in columns_read(rules, name))
    counted = customers.select(pl.col(column).count() for column in read) if read else pl.DataFrame()
    return {column: int(counted[column].item()) for column in read}


def _is_share(part: int, whole: int, percent: Decimal | int) -> bool:
    return 100 * part >= percent * whole


def _cents(worth: Worth | None) -> Decimal | None:
    a_head = worth and worth.a_head
    return None if a_head is None else a_head.quantize(CENT)


def _compared(worth: Worth | None, of_all: Worth | None) -> float | None:
    """The worth of a member in percent of that of a customer, which must be above 0 to be compared with."""
    if worth is None or of_all is None or not worth.customers or of_all.total <= 0:
        return None
    return float(100 * worth.total * of_all.customers / (of_all.total * worth.customers))


def _is_profitable(rules: RuleFile, worth: Worth | None, of_all: Worth | None) -> bool | None:
    if worth is None or of_all is None or not worth.customers:
        return None
    cost = rules.mavr.cost_per_contact
    if cost is not None:
        return bool(worth.total * rules.mavr.lift_percent > 100 * cost * worth.customers)
    return worth.total * of_all.customers >= of_all.total * worth.customers


def doubts(rules: RuleFile, answers: Sequence[Mavr], values: Mapping[str, int], customers: int) -> Iterator[Finding]:
    """What is found of segments with members: too small, hardly reachable, hardly known, below average."""
    for one in answers:
        if one.reach is None and not one.reached:
            continue
        if not one.v:
            yield _too_small(rules, one)
        if one.a is False:
            message = f"{one.reach:.1f} % of the members of `{one.segment}` can be reached"
            message += f", which is less than {rules.mavr.reach_percent} %"
            yield _about(one, codes.HARDLY_REACHABLE, message, "by consent, suppression lists and contact")
        if one.m is False:
            yield from _hardly_known(rules, one, values, customers)
        if one.p is False:
            yield _below_average(rules, one)


def _too_small(rules: RuleFile, one: Mavr) -> Finding:
    segment = rules.segment[one.segment]
    message = f"{plural(one.reached, 'member')} of `{one.segment}` can be reached, and it needs {count(one.needed)}"
    hint = None
    if segment.split or segment.holdout is not None:
        base, lift = rules.mavr.base_percent, rules.mavr.lift_percent
        hint = f"so many tell {base} % from {lift} % more of it, by `base_percent` and `lift_percent` of `[mavr]`"
    return _about(one, codes.TOO_SMALL, message, hint)


def _hardly_known(rules: RuleFile, one: Mavr, values: Mapping[str, int], customers: int) -> Iterator[Finding]:
    """A finding for each column with too few values, where a criterion first reads it."""
    places = {column: path for path, column in reversed(list(columns_read(rules, one.segment)))}
    for column, path in reversed(places.items()):
        if not _is_share(values[column], customers, rules.mavr.known_percent):
            message = f"{100 * values[column] / customers:.1f} % of the customers have a value in `{column}`"
            message += f", which is less than {rules.mavr.known_percent} %"
            yield Finding(
                code=codes.HARDLY_KNOWN, at=dotted(path), message=message, segment=one.segment, conflict=(), hint=None
            )


def _below_average(rules: RuleFile, one: Mavr) -> Finding:
    column, limits = column_of_worth(rules), rules.mavr
    if limits.cost_per_contact is not None:
        message = f"a contact with members of `{one.segment}` earns less than `cost_per_contact`: "
        message += f"`{column}` a head x {limits.lift_percent} % is not above {limits.cost_per_contact}"
    else:
        compared = "" if one.compared is None or one.compared < 0 else f": {one.compared:.0f} % of it"
        message = f"`{column}` of the members of `{one.segment}` is below that of customers on average{compared}"
    return _about(one, codes.BELOW_AVERAGE, message, None)


def _about(one: Mavr, code: str, message: str, hint: str | None) -> Finding:
    return Finding(code=code, at=f"segment.{one.segment}", message=message, segment=one.segment, conflict=(), hint=hint)
