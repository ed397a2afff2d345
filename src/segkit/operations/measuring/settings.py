"""Which days, metrics and level count: as the rules of a run say, or as the command says afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import RuleError
from segkit.operations.measuring.metrics import Asked, asked_of
from segkit.operations.measuring.outcomes import Days
from segkit.rules.model.base import Duration
from segkit.rules.model.evaluate import Evaluation
from segkit.rules.model.file import RuleFile


class Given(NamedTuple):
    """What the command says; None, or nothing, where it leaves that to the rules."""

    start: dt.date | None = None
    within: Duration | None = None
    until: dt.date | None = None
    level: float | None = None
    metrics: Sequence[str] = ()


NOTHING = Given()


class Settings(NamedTuple):
    """What counts, and what there is to say of it: `level` is from 0 to 1.

    `windows` are the days that count, by the day of the run on which somebody was first written or held out.
    """

    windows: Mapping[dt.date, Days]
    level: float
    asked: Asked
    warnings: tuple[Diagnostic, ...]

    @property
    def days(self) -> Days:
        """All days of these."""
        return Days(min(one.start for one in self.windows.values()), max(one.until for one in self.windows.values()))


def settings_of(rules: RuleFile, given: Given, *as_of: dt.date) -> Settings:
    """What counts of runs of these days. Raises `RuleError` where no day does, or a metric is not there."""
    said = rules.evaluate or Evaluation()
    windows = {day: days_of(day, given, said.within) for day in as_of}
    level = float(said.level / 100) if given.level is None else given.level
    last = max(as_of)
    warnings = list(_afterwards(last, said, windows[last], level)) if rules.evaluate else []
    if windows[last].start <= last:
        message = (
            f"the days begin on {windows[last].start}, and the run is of {last}: what was done by then was not by it"
        )
        hint = "what customers had done decided who is in a segment: begin on the day after the run"
        warnings.append(Diagnostic(message, hint=hint, severity=Severity.WARNING))
    return Settings(windows, level, asked_of(rules, given.metrics), tuple(warnings))


def days_of(as_of: dt.date, given: Given, within: Duration) -> Days:
    """The days that count. Raises `RuleError` where there is none."""
    first = given.start or as_of + dt.timedelta(days=1)
    days = Days(first, given.until or (given.within or within).after(first) - dt.timedelta(days=1))
    if days.until < days.start:
        hint = "give a later day with `--until`, or an earlier one with `--from`"
        raise RuleError.of(f"no day counts: the first is {days.start}, and the last {days.until}", hint=hint)
    return days


def _afterwards(as_of: dt.date, said: Evaluation, days: Days, level: float) -> Iterator[Diagnostic]:
    """Warnings about what was said before, and is another now."""
    before = days_of(as_of, NOTHING, said.within)
    if days != before:
        yield _warning(
            f"the days from {days.start} until {days.until} were chosen afterwards: `[evaluate]` of the run says"
            f" {before.start} until {before.until}"
        )
    if level != float(said.level / 100):
        yield _warning(
            f"the level of {100 * level:g} % was chosen afterwards: `[evaluate]` of the run says {said.level} %"
        )


def _warning(message: str) -> Diagnostic:
    hint = "who looks until something is seen finds success in chance: trust what was said before"
    return Diagnostic(message, hint=hint, severity=Severity.WARNING)
