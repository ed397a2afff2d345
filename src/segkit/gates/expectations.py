"""Whether segments are as large, and event tables as new, as the rule file expects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from segkit.rules.findings import Finding
from segkit.rules.model.expect import Expect
from segkit.rules.model.file import RuleFile

Previous = Callable[[Expect], Mapping[str, int] | None]
"""How many customers the run to compare with has written, by segment; None where there is no such run."""

ACCEPT = "look at what changed; `--accept-changes` publishes it all the same"


def broken(
    rules: RuleFile, written: Mapping[str, int], customers: int, previous: Previous, *, accept_changes: bool
) -> Iterator[Finding]:
    """Each bound that a written segment breaks, with its name, the bound and the value."""
    for name, count in written.items():
        expect = rules.segment[name].expect
        if expect is None:
            continue
        share = Decimal(100 * count) / customers if customers else Decimal(0)
        for key, value, is_least, unit in (
            ("min_size", Decimal(count), True, "customers"),
            ("max_size", Decimal(count), False, "customers"),
            ("min_percent", share, True, "% of all customers"),
            ("max_percent", share, False, "% of all customers"),
        ):
            bound = getattr(expect, key)
            if bound is not None and (value < bound if is_least else value > bound):
                message = f"segment `{name}` writes {_shown(value)} {unit}: `{key}` is {_shown(Decimal(bound))}"
                yield Finding(("segment", name, "expect", key), message)
        if expect.max_change_percent is not None and not accept_changes:
            yield from _changed(name, count, Decimal(expect.max_change_percent), previous(expect))


def _changed(name: str, count: int, most: Decimal, before: Mapping[str, int] | None) -> Iterator[Finding]:
    if before is None or name not in before:
        return
    old = before[name]
    # Percent of the run before; from nobody to somebody is more than any bound.
    within = abs(count - old) * 100 <= most * old
    if not within:
        change = f"{'+' if count > old else ''}{_shown(Decimal(100 * (count - old)) / old)} %" if old else "from nobody"
        message = (
            f"segment `{name}` writes {count:,} customers, {old:,} in the run before ({change}): "
            f"`max_change_percent` is {_shown(most)}"
        )
        yield Finding(("segment", name, "expect", "max_change_percent"), message, ACCEPT)


def _shown(value: Decimal) -> str:
    rounded = round(value, 2)
    return f"{rounded.normalize() if rounded % 1 else int(rounded):,}"


def too_old(rules: RuleFile, last_days: Mapping[str, dt.date | None], as_of: dt.date) -> Iterator[Finding]:
    """Each event table whose last event is older than it may be, or that has none, and the bound."""
    for name, last in last_days.items():
        expect = rules.events[name].expect
        if expect is None or (last is not None and last >= expect.max_age.before(as_of)):
            continue
        newest = (
            f"the last event of `{name}` that counts was on {last}" if last else f"`{name}` has no event that counts"
        )
        message = f"{newest}: `max_age` is {expect.max_age} before `as_of`, {as_of}"
        hint = "is the file of this run there, and whole? for the lists of an earlier day: `--as-of`"
        yield Finding(("events", name, "expect", "max_age"), message, hint)
