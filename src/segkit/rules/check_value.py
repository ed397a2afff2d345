"""Value: the money that it needs, and a margin that is a share of one instead of a hundred."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from segkit.rules.findings import Finding
from segkit.rules.model import RuleFile


def check_value(rules: RuleFile) -> Iterator[Finding]:
    """Everything about the `[value]` section."""
    if rules.value is None:
        return
    table = rules.events.get(rules.value.events)
    if table and not table.amount:
        hint = f'add `amount = "..."`: the column of `[events.{rules.value.events}]` with the money'
        message = f"`[value]` needs an amount, and `[events.{rules.value.events}]` names none"
        yield Finding(("value", "events"), message, hint)
    margin = rules.value.margin_percent
    if margin is not None and 0 < margin < 1:
        message = f"a margin of {margin} % is less than a hundredth of the revenue"
        percent = f"{(100 * Decimal(margin)).normalize():f}"
        hint = f"shares are in percent: if you mean {percent} %, say `margin_percent = {percent}`"
        yield Finding(("value", "margin_percent"), message, hint, warning=True)
