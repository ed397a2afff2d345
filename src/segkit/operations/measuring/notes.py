"""What there is to say of the arms of a run and of its events, beside the figures."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from segkit.diagnostics import Diagnostic, Severity
from segkit.experiments import ARMS, SPEND, Comparison, Detectable, PlannedSegment, SegmentOutcome
from segkit.operations.measuring.outcomes import Days, Outcomes
from segkit.words import count, listed

MANY_BUYERS, DIFFERENT = 50, 2
"""Where both arms have so many who did something, their variances tell something; from which factor on it is told."""


def notes_of(segments: Sequence[SegmentOutcome], found: Sequence[Outcomes], days: Days | None) -> Iterator[Diagnostic]:
    """Warnings about days that still run, and about arms that are not as they were drawn; notes about figures."""
    for table in found:
        begins_later = table.first > days.start if days and table.first else table.goes_on and not table.first
        if days and begins_later:
            begins = f"on {table.first}" if table.first else f"after {days.until}"
            message = f"`{table.table}` begins {begins}, and the days that count on {days.start}"
            yield _warning(
                message, "give files that go back to that day, with `--events`: what they lack is counted as 0"
            )
        if days and table.last and table.last < days.until and not table.goes_on:
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
    yield from of_figures(segments)


def of_figures(segments: Sequence[SegmentOutcome]) -> Iterator[Diagnostic]:
    """Notes about means of which nothing can be said, and about arms that vary too differently to be compared well."""
    for segment in segments:
        yield from _small(segment)
        yield from _few(segment.name, segment.comparisons)
        did = {(arm.name, one.metric): one.customers for arm in segment.arms for one in arm.figures}
        for one in segment.comparisons:
            many = min(did[one.arm, one.metric], did[one.against, one.metric]) >= MANY_BUYERS
            if many and one.variances and not 1 / DIFFERENT <= one.variances <= DIFFERENT:
                yield _uneven(segment.name, one, one.variances)


def notes_of_plan(segments: Sequence[PlannedSegment], by_deeds: Collection[str]) -> Iterator[Diagnostic]:
    """Notes about means of which nothing could be said, and about segments that are chosen by what customers did."""
    for segment in segments:
        if segment.customers and not segment.figures:
            yield _nothing_said(segment.name, [])
        yield from _few(segment.name, segment.comparisons)
        if segment.name in by_deeds:
            message = f"segment `{segment.name}` is chosen by what its customers did: that is more than they will do"
            hint = "where they do less, the least difference is a larger part of it: look at what came of earlier runs"
            yield Diagnostic(message, hint=hint, severity=Severity.NOTE)


def _small(segment: SegmentOutcome) -> Iterator[Diagnostic]:
    """Notes about arms of nobody, and of too few customers to tell what they did."""
    if nobody := [ARMS.get(arm.name, arm.name) for arm in segment.arms if not arm.customers]:
        message = f"segment `{segment.name}` has nobody in {listed(nobody)}: there is nothing to compare"
        hint = "of few customers, a draw may take nobody: draw a larger share, or look at several runs"
        yield Diagnostic(message, hint=hint, severity=Severity.NOTE)
    if few := [ARMS.get(arm.name, arm.name) for arm in segment.arms if arm.customers and not arm.figures]:
        yield _nothing_said(segment.name, few)


def _nothing_said(segment: str, arms: Sequence[str]) -> Diagnostic:
    which = f" ({', '.join(arms)})" if arms else ""
    message = f"too few customers in segment `{segment}`{which} to tell what they did"
    hint = "`min_cell` in `[output]` of the run says of how many on: look at several runs, or draw a larger share"
    return Diagnostic(message, hint=hint, severity=Severity.NOTE)


def _few(segment: str, comparisons: Sequence[Comparison | Detectable]) -> Iterator[Diagnostic]:
    few: dict[str, list[str]] = {}
    for one in comparisons:
        if one.too_few:
            few.setdefault(one.metric, []).append(ARMS.get(one.arm, one.arm))
    for metric, arms in few.items():
        who = "buyers" if metric == SPEND else f"customers with `{metric}`"
        message = f"too few {who} in segment `{segment}` ({', '.join(arms)}): nothing is said of what they come to"
        hint = "fewer than 10 are expected in the smaller arm: look at conversion, at more days or at more customers"
        yield Diagnostic(message, hint=hint, severity=Severity.NOTE)


def _uneven(segment: str, one: Comparison, ratio: float) -> Diagnostic:
    arm, other = (ARMS.get(name, name) for name in (one.arm, one.against))
    more, less, times = (arm, other, ratio) if ratio > 1 else (other, arm, 1 / ratio)
    message = f"segment `{segment}`: the variance of `{one.metric}` in `{more}` is {times:.1f} times that in `{less}`"
    hint = "the interval takes them for alike, and may be too narrow or too wide: look at the capped figures, too"
    return Diagnostic(message, hint=hint, severity=Severity.NOTE)


def _warning(message: str, hint: str) -> Diagnostic:
    return Diagnostic(message, hint=hint, severity=Severity.WARNING)
