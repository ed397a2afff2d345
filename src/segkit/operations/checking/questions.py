"""The marketer's four questions to each segment: is it measurable, accessible, viable, profitable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext

from segkit import codes
from segkit.diagnostics import Finding
from segkit.operations.checking.counting.counted import ALL, KNOWN, MEMBER, REACHED, WORTH
from segkit.operations.checking.counting.reach import tells_reach
from segkit.operations.checking.counting.worth import Worth, column_of_worth
from segkit.operations.checking.known import columns_read
from segkit.operations.checking.sizes import needed
from segkit.operations.summary.tally import DIGITS, Tally
from segkit.results.check import Mavr
from segkit.rules.findings import dotted
from segkit.rules.model.file import RuleFile
from segkit.words import count, plural

CENT = Decimal("0.01")


def mavr(rules: RuleFile, counted: Tally) -> Iterator[Mavr]:
    """The answers for each segment that is written."""
    customers = counted.count(ALL)
    of_all = _worth(rules, counted, customers)
    for name, segment in rules.segment.items():
        if not segment.write:
            continue
        size, reach = counted.count(MEMBER, name), counted.count(REACHED, name)
        is_told = size and tells_reach(rules, segment.channel)
        known = min((counted.count(KNOWN, column) for _, column in columns_read(rules, name)), default=None)
        of_members = _worth(rules, counted, size, name)
        least = needed(segment, rules.mavr).customers
        yield Mavr(
            segment=name,
            known=None if known is None else 100 * known / customers,
            reach=100 * reach / size if is_told else None,
            reached=reach,
            needed=least,
            a_head=_cents(of_members),
            compared=_compared(of_members, of_all),
            m=None if known is None else _is_share(known, customers, rules.mavr.known_percent),
            a=_is_share(reach, size, rules.mavr.reach_percent) if is_told else None,
            v=reach >= least,
            p=_is_profitable(rules, of_members, of_all),
        )


def _worth(rules: RuleFile, counted: Tally, customers: int, *of: str) -> Worth | None:
    """What these customers are worth; None where nothing tells."""
    return Worth(Decimal(counted.numbers[(WORTH, *of)]), customers) if column_of_worth(rules) else None


def _is_share(part: int, whole: int, percent: Decimal | int) -> bool:
    return 100 * part >= percent * whole


def _cents(worth: Worth | None) -> Decimal | None:
    a_head = worth and worth.a_head
    with localcontext(prec=DIGITS):
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


def doubts(rules: RuleFile, answers: Sequence[Mavr], counted: Tally) -> Iterator[Finding]:
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
            yield from _hardly_known(rules, one, counted)
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


def _hardly_known(rules: RuleFile, one: Mavr, counted: Tally) -> Iterator[Finding]:
    """A finding for each column with too few values, where a criterion first reads it."""
    places = {column: path for path, column in reversed(list(columns_read(rules, one.segment)))}
    customers = counted.count(ALL)
    for column, path in reversed(places.items()):
        known = counted.count(KNOWN, column)
        if not _is_share(known, customers, rules.mavr.known_percent):
            message = f"{100 * known / customers:.1f} % of the customers have a value in `{column}`"
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
