"""Value: the sections and keys that conditions need, and the money."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.rules import walk
from segkit.rules.findings import Finding
from segkit.rules.model import RuleFile
from segkit.rules.near import nearest
from segkit.rules.value import VALUE_COLUMNS, not_computed


def check_value(rules: RuleFile) -> Iterator[Finding]:
    """Conditions on columns of value, and the `[value]` section."""
    yield from _conditions(rules)
    if rules.value:
        table = rules.events.get(rules.value.events)
        if table and not table.amount:
            hint = f'add `amount = "..."`: the column of `[events.{rules.value.events}]` with the money'
            message = f"`[value]` needs an amount, and `[events.{rules.value.events}]` names none"
            yield Finding(("value", "events"), message, hint)


def _conditions(rules: RuleFile) -> Iterator[Finding]:
    missing = not_computed(rules.value)
    for path, block in walk.blocks(rules):
        for column in block.value:
            here = (*path, "value", column)
            if column not in VALUE_COLUMNS:
                hint = nearest(column, VALUE_COLUMNS, "columns of `value`")
                yield Finding(here, f"`value` has no column `{column}`", hint)
            elif column in missing:
                yield Finding(here, f"`{column}` is not computed", missing[column])
