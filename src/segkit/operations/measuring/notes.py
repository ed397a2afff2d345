"""What there is to say of the arms of a run and of its events, beside the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segkit.diagnostics import Diagnostic, Severity
from segkit.experiments import ARMS, SegmentOutcome
from segkit.operations.measuring.outcomes import Days, Outcomes
from segkit.words import count


def notes_of(segments: Sequence[SegmentOutcome], found: Sequence[Outcomes], days: Days | None) -> Iterator[Diagnostic]:
    """Warnings about days that still run, and about arms that are not as they were drawn."""
    for table in found if days else ():
        if table.last and table.last < days.until and not table.goes_on:
            of = f" of `{table.table}`" if len(found) > 1 else ""
            message = f"the days that count still run: the last event{of} is of {table.last}, and they end on"
            hint = "run this again with newer files, or end them with `--until DATE`"
            yield _warning(f"{message} {days.until}", hint)
    for one in segments:
        if one.ratio_p is not None and one.ratio_p < 0.001:
            sizes = ", ".join(f"{ARMS.get(arm.name, arm.name)} {count(arm.customers)}" for arm in one.arms)
            message = f"the arms of segment `{one.name}` are not of the sizes that were drawn: {sizes}"
            yield _warning(message, "do not trust its figures: something has taken out, or added, some")
        if one.written_elsewhere:
            message = f"{count(one.written_elsewhere)} held out of segment `{one.name}` were written by another one"
            yield _warning(message, "the difference is smaller than that of writing to nobody")


def _warning(message: str, hint: str) -> Diagnostic:
    return Diagnostic(message, hint=hint, severity=Severity.WARNING)
