"""`[mavr]`: channels that there are, and what a cost is compared with."""

from __future__ import annotations

from collections.abc import Iterator

from segkit import codes
from segkit.rules.findings import Finding
from segkit.rules.model.file import RuleFile
from segkit.words import nearest


def check_mavr(rules: RuleFile) -> Iterator[Finding]:
    """Contacts of channels that no segment is written by, and a cost without a profit."""
    known = {segment.channel for segment in rules.segment.values() if segment.channel}
    known |= {name for gate in (rules.consent, rules.frequency_cap) if gate for name in gate.channel}
    for name in rules.mavr.contact:
        if name not in known:
            message, hint = f"no segment has the channel `{name}`", nearest(name, sorted(known), "channels")
            yield Finding(("mavr", "contact", name), message, hint, code=codes.UNKNOWN_NAME)
    if rules.mavr.cost_per_contact is not None and not (rules.value and rules.value.margin_percent is not None):
        message = "`cost_per_contact` is compared with the profit, and nothing computes it"
        hint = "add `margin_percent = ...` to `[value]`"
        yield Finding(("mavr", "cost_per_contact"), message, hint, code=codes.MISSING_KEY)
