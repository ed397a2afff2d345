"""Windows that have no day on the day of a run, though they have some on others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from segkit import codes
from segkit.rules import walk
from segkit.rules.findings import Finding
from segkit.rules.model.file import RuleFile


def empty_windows(rules: RuleFile, as_of: dt.date) -> Iterator[Finding]:
    """A warning for each window that is empty on this day."""
    for path, window in walk.windows(rules):
        if window.is_empty(as_of):
            message = f"the window has no day when `as_of` is {as_of}, so nothing is counted"
            yield Finding(
                (*path, "between" if window.between else "before"), message, warning=True, code=codes.NO_EFFECT
            )
