"""`[evaluate]`: names of metrics that are taken, and a cost without a margin."""

from __future__ import annotations

from collections.abc import Iterator

from segkit import codes
from segkit.rules.findings import Finding
from segkit.rules.model.evaluate import METRICS
from segkit.rules.model.file import RuleFile


def check_evaluate(rules: RuleFile) -> Iterator[Finding]:
    """Metrics called as those that are always there, and a cost that nothing is left to take from."""
    if rules.evaluate is None:
        return
    for name in METRICS:
        if name in rules.evaluate.metric:
            message, hint = f"`{name}` is compared without being written", "give the metric another name"
            yield Finding(("evaluate", "metric", name), message, hint, code=codes.NAME_TAKEN)
    margins = (rules.evaluate.margin_percent, rules.value and rules.value.margin_percent)
    if rules.evaluate.cost_per_contact is not None and margins == (None, None):
        message = "`cost_per_contact` is taken from what is left of the revenue, and nothing says how much that is"
        hint = "add `margin_percent = ...` beside it"
        yield Finding(("evaluate", "cost_per_contact"), message, hint, code=codes.MISSING_KEY)
