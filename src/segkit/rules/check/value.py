"""Value: the money that it needs."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.rules.findings import Finding
from segkit.rules.model.file import RuleFile


def check_value(rules: RuleFile) -> Iterator[Finding]:
    """Everything about the `[value]` section."""
    if rules.value is None:
        return
    table = rules.events.get(rules.value.events)
    if table and not table.amount:
        hint = f'add `amount = "..."`: the column of `[events.{rules.value.events}]` with the money'
        message = f"`[value]` needs an amount, and `[events.{rules.value.events}]` names none"
        yield Finding(("value", "events"), message, hint)
