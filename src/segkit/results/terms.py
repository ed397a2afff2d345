"""The words in which results say what became of customers."""

from __future__ import annotations

SCHEMA_VERSION = 1
"""Of the JSON that commands print."""
REASONS = ("consent", "suppressed", "frequency_cap", "claimed", "sample", "limit", "holdout")
"""Why a customer who matched is not written, in the order in which the reasons are looked at."""
WRITTEN, HELD_OUT, CONTROL = "written", "holdout", "control"
"""What becomes of those whom a segment reaches. To be held out is the last reason not to be written: of this segment,
or, in the control group, of all."""
CHANGED = "changed-since-run"
"""Of a customer in a run that has written something else than its rules and files say now."""
LEFT_OUT = "left-out-of-run"
"""Of a segment that a run has left out."""
MEMBERS, ENTERED, LEFT = "members", "entered", "left"
"""Whom a file holds: all members, or those who entered or left since the last run."""
