"""The runs that are evaluated together: one, several, or those that a directory has kept since a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError, RuleError
from segkit.io.publish.kept_runs import kept_in
from segkit.io.read.values.texts import normal_key
from segkit.operations.delivery.elsewhere import here
from segkit.operations.delivery.runs import Run, find_run, open_run
from segkit.operations.measuring.arms import ARM, DAY, NOT_WRITTEN, SEGMENT, Arms, all_of, customers_of, writes_changes
from segkit.operations.measuring.settings import Given
from segkit.results.terms import HELD_OUT
from segkit.words import count, listed, plural


def opened(paths: Sequence[Path], since: dt.date | None, given: Given) -> list[Run]:
    """The runs at these paths, in the order of their days; of each day the one that was published last.

    With `since`, a path is a directory that keeps runs, of which those from this day on count.

    Raises `RuleError` where there is none, or where they cannot be evaluated together, and `DataError` where one is not
    whole.
    """
    runs = [open_run(path) for path in paths] if since is None else list(_kept(paths, since))
    if len(runs) > 1:
        if given.start or given.until:
            hint = "give `--within`: each customer counts from the day after the first run that had him"
            raise RuleError.of("`--from` and `--until` are of one run, and there are several", hint=hint)
        for run in runs[1:]:
            run.key.require_same(runs[0].key, f"`{run.shown}`", f"`{runs[0].shown}`")
    for run in runs:
        with run.reading():
            _require_entered(run)
    of_day: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: (run.as_of, run.folder.name)):
        other = of_day.setdefault(run.as_of, run)
        if _kept_as(other) != _kept_as(run):
            message = f"`{other.shown}` and `{run.shown}` are of one day, and neither takes the place of the other"
            raise RuleError.of(message, hint="evaluate each of them apart")
        of_day[run.as_of] = run
    return list(of_day.values())


def _kept_as(run: Run) -> Path:
    """The folder of the first run of a day, as `2024-06-30` of `2024-06-30.002`; its own where no runs are kept."""
    again = run.folder.name.startswith(f"{run.as_of}.")
    return run.folder.with_name(run.as_of) if again else run.folder


def _kept(paths: Sequence[Path], since: dt.date) -> Iterator[Run]:
    for path in paths:
        kept = kept_in(here(path))
        if not kept:
            hint = "let the rule file keep them: `[output]` with `keep = 30`; or name each run"
            raise RuleError.of(f"`{path}` keeps no runs of several days", hint=hint)
        runs = [run for one in kept if (run := find_run(one))]
        late = [run for run in runs if run.day >= since]
        if not late:
            raise RuleError.of(f"`{path}` has no run since {since}: the last one is of {runs[-1].as_of}")
        for run in late:
            run.check()
            yield run


def _require_entered(run: Run) -> None:
    if writes_changes(run) and not run.tells_since:
        message = f"`{run.shown}` is of a version of segkit that does not tell who entered in it"
        raise RuleError.of(message, hint="evaluate the runs that come after it")


class Reached(NamedTuple):
    """Whom runs have reached: `members` has `KEY`, in the form in which keys are compared, `SEGMENT`, `ARM` and `DAY`.

    Each customer of a segment is there once, as the first run had him. Where several customers have one key, all of
    that day are: nothing tells which of them is the one. `in_other_arms` has the number of those whom a later run has
    in another arm, by segment, `contacts` how often the runs had somebody in an arm.
    """

    members: pl.DataFrame
    in_other_arms: Mapping[str, int]
    contacts: Mapping[tuple[str, str], int]


def reached_by(runs: Sequence[Run], forms: Collection[str] | None) -> Reached:
    """Whom these runs have reached; `forms` are the spellings in which keys may differ."""
    rows = pl.concat([customers_of(run) for run in runs])
    rows = rows.with_columns(normal_key(pl.col(KEY), forms)) if forms else rows
    first = rows.group_by(KEY, SEGMENT).agg(pl.col(DAY).min())
    members = rows.join(first, on=[KEY, SEGMENT, DAY], how="semi") if len(runs) > 1 else rows
    others = rows.join(members, on=[KEY, SEGMENT, ARM], how="anti") if len(runs) > 1 else rows.clear()
    in_other_arms = others.unique([KEY, SEGMENT]).group_by(SEGMENT).len().sort(SEGMENT)
    found, moved, often = pl.collect_all([members, in_other_arms, rows.group_by(SEGMENT, ARM).len()])
    return Reached(found, dict(moved.rows()), {(segment, arm): number for segment, arm, number in often.rows()})


def drawn_in_all(runs: Sequence[Run]) -> list[Arms]:
    """The segments of the runs that have arms to compare; RuleError where a draw has become another one."""
    found: dict[str, tuple[Run, Arms]] = {}
    for run in runs:
        for arms in all_of(run.manifest):
            before = found.setdefault(arms.segment, (run, arms))
            if before[1] != arms:
                message = f"segment `{arms.segment}` is drawn otherwise in `{run.shown}` than in `{before[0].shown}`"
                raise RuleError.of(message, hint="evaluate the runs before the change apart from those after it")
    return [arms for _, arms in found.values() if arms.drawn]


def doubts_of(runs: Sequence[Run], arms: Sequence[Arms]) -> Iterator[Diagnostic]:
    """Warnings about what sets those held out apart from those written, beside the letters themselves."""
    first, known = runs[0], {one.segment for one in arms}
    for run in runs:
        if new := [one.name for one in run.manifest.segments if one.new and one.name in known]:
            message = f"`{run.shown}` is the first run with {listed(new)}: everybody entered, new there or not"
            yield _warning(message, "evaluate the runs that come after it")
    beside_nobody = {one.segment for one in arms if {*one.shares} & {*NOT_WRITTEN}}
    for run in runs:
        for one in run.manifest.segments:
            capped = one.excluded.get("frequency_cap", 0)
            if one.name in beside_nobody and capped * 100 > one.matched:
                message = f"`frequency_cap` stopped {capped:,} of {one.matched:,} of segment `{one.name}`"
                message += f" on {run.as_of}: those held out get fewer messages, so it stops fewer of them"
                yield _warning(message, _APART)
    if len({run.manifest.rules.sha256 for run in runs if run.manifest.rules}) > 1:
        message = f"the rule file has changed between these runs: orders are read as that of {runs[-1].as_of} says"
        yield _warning(message, "evaluate the runs of one rule file at a time")
    held_out = [one for one in arms if HELD_OUT in one.shares]
    if len(held_out) > 1 and not any(run.manifest.control or (run.exclusive and len(runs) == 1) for run in runs):
        message = "what these segments come to together is not their sum: a customer may be in several"
        hint = "`[assignment] control = 5` draws customers whom none of them writes to"
        yield Diagnostic(message, hint=hint, severity=Severity.NOTE)
    repeated = {} if writes_changes(first) else _written_before(first, runs)
    for name, day in repeated.items():
        message = f"segment `{name}` was written on {day}, too: those held out got no message then"
        yield _warning(message, _APART)


def changed_arms(in_other_arms: Mapping[str, int]) -> Iterator[Diagnostic]:
    """A warning for each segment of which a later run has some in another arm, though the draw is the same."""
    hint = "a draw goes by the key as the customer file has it: write it in the same way in each run"
    for name, number in in_other_arms.items():
        message = f"{count(number)} of segment `{name}` are in another arm in a later run: they count in the first one"
        yield _warning(message, hint)


def keys_alike(members: pl.DataFrame) -> Iterator[Diagnostic]:
    """A warning where several customers of a segment have one key, as `A1` and `a1` do once they are hashed."""
    alike = members.group_by(KEY, SEGMENT).len().filter(pl.col("len") > 1)[KEY].n_unique()
    if alike:
        message = f"{plural(alike, 'key')} of the run stand for several customers each: their orders count for each one"
        yield _warning(message, "hashed keys are trimmed and in lower case: write them alike in the customer file")


_APART = "with `changes = true` each gets it once; `[assignment] control` compares with customers whom nobody writes to"
CAMPAIGN_DAYS = 30
"""For how many days before a run it matters who was written then."""


def _written_before(run: Run, evaluated: Sequence[Run]) -> dict[str, str]:
    """Segment with a holdout of its own -> the last day before the run on which the directory has written it, too."""
    days = {one.folder for one in evaluated}
    held = {one.name for one in run.manifest.segments if one.holdout}
    found: dict[str, str] = {}
    for path in kept_in(run.folder.parent):
        with suppress(DataError):  # of a run that is not looked at, nobody needs to be told that it cannot be read
            other = None if path.resolve() in days else find_run(path)
            if other and 0 < (run.day - other.day).days <= CAMPAIGN_DAYS:
                found |= {one.name: other.as_of for one in other.manifest.segments if one.written and one.name in held}
    return found


def _warning(message: str, hint: str) -> Diagnostic:
    return Diagnostic(message, hint=hint, severity=Severity.WARNING)
