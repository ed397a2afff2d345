"""`evaluate`: whether those written bought more than those held out, and one variant more than another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import BinaryIO

import polars as pl

from segkit.columns.helpers import KEY
from segkit.diagnostics import Diagnostic, Severity, without_notes
from segkit.errors import CheckFailed, DataError, RuleError
from segkit.experiments import ALL_SEGMENTS, ARMS, REACHED, EvaluateResult, SegmentOutcome
from segkit.io.publish.errors import require_local
from segkit.io.read import Workspace
from segkit.io.read.values.texts import normal_key
from segkit.io.write import STDOUT, format_of
from segkit.operations.delivery.runs import Run
from segkit.operations.evaluation.doubts.unknown_keys import spelled_alike
from segkit.operations.explanation.earlier import rules_of
from segkit.operations.lists.protection import key_form, protection, require_secret, written_key
from segkit.operations.measuring.arms import ARM, DAY, NOT_WRITTEN, SEGMENT, Arms
from segkit.operations.measuring.costs import cost_of, with_costs
from segkit.operations.measuring.figures import Arm, adjusted, arm_of, in_all, outcome_of
from segkit.operations.measuring.metrics import Measure
from segkit.operations.measuring.notes import notes_of
from segkit.operations.measuring.outcomes import Days, Outcomes, outcomes
from segkit.operations.measuring.settings import NOTHING, Given, Settings, settings_of
from segkit.operations.measuring.several import changed_arms, doubts_of, drawn_in_all, keys_alike, opened, reached_by
from segkit.operations.measuring.table import rows_of
from segkit.operations.orders_file.targets import write_rows
from segkit.operations.progress import Progress, silent
from segkit.results.terms import HELD_OUT
from segkit.rules.text.loader import Loaded
from segkit.words import nearest, plural


def evaluate_runs(
    paths: Sequence[Path],
    *,
    since: dt.date | None = None,
    events: Mapping[str, str] | None = None,
    given: Given = NOTHING,
    segments: Sequence[str] = (),
    against: str | None = None,
    output: str | None = None,
    fail_on: str = "error",
    stdout: BinaryIO | None = None,
    progress: Progress = silent,
) -> EvaluateResult:
    """What came of runs: by segment, those written beside those held out, or one variant beside another.

    With `since`, the paths are directories that keep runs, of which those from this day on count. Of several runs, each
    customer counts once, from the first day on which a list or its holdout had him. Their rules are those of the last.

    `events` are other files for tables of events. The days that count begin on the day after the run, and which end
    on, which metrics are compared, and the level of the intervals, is what `[evaluate]` of the run says, or `given`.
    With `against`, variants are compared with this one. `output` is a file with a row for each comparison.

    Raises `RuleError` where nothing was drawn, or no table has orders, `DataError` where the run is not whole, or the
    files end before these days. Raises `CheckFailed` where `fail_on` is `warning` and there are warnings; then nothing
    is written.
    """
    require_local(output or STDOUT)
    format_of(Path(output or STDOUT))  # refused before anything is read
    runs = opened(paths, since, given)
    run = runs[-1]
    loaded = rules_of(run, events=events or {})
    require_fit(run, loaded, events or {})
    arms = _drawn(runs, against)
    require_known(segments, arms, run)
    settings = settings_of(loaded.rules, given, *(one.day for one in runs))
    with Workspace() as ws:
        progress("reading the run")
        with run.reading():
            reached = reached_by(runs, loaded.rules.customers.normalise_keys)
        doubts = [*doubts_of(runs, arms), *changed_arms(reached.in_other_arms), *keys_alike(reached.members)]
        found = found_in(loaded, settings, ws, progress)
        doubts += spelled_otherwise(found, reached.members, loaded)
        progress("comparing")
        members = did_by(reached.members, found, loaded)
    of, fewest = _arms_of(members, arms, settings), loaded.rules.output.min_cell
    told = _outcomes(members, arms, of, settings.level, fewest)
    compared = adjusted(told if against is None else [_of_variants(one, against) for one in told], settings.level)
    cost = cost_of(loaded.rules)
    costed = with_costs(compared, cost, reached.contacts)
    shown = [one for one in costed if not segments or one.name in segments]
    together = in_all(arms, of, settings.level, fewest) if _is_one_each(runs, arms) else ()
    of_files = dict.fromkeys(warning for one in found for warning in one.warnings)
    result = EvaluateResult(
        as_of=run.day,
        runs=tuple(one.day for one in runs),
        start=settings.days.start,
        until=settings.days.until,
        customers=run.manifest.customers,
        level=settings.level,
        metrics={one.name: one.kind for one in settings.asked.measures},
        cost=cost,
        compared=sum(len(one.comparisons) for one in compared) // len(settings.asked.measures),
        segments=tuple(shown),
        in_all=tuple(together),
        left_out={},
        guesses={},
        warnings=(*settings.warnings, *of_files, *doubts, *notes_of(shown, found, settings.days)),
    )
    finish(result, output, fail_on, stdout, progress)
    return result


def _drawn(runs: Sequence[Run], against: str | None) -> list[Arms]:
    """The segments of these runs with arms to compare; RuleError where there is none."""
    arms, run = drawn_in_all(runs), runs[-1]
    if not arms:
        hint = "give segments a `holdout = 10` before the next run, or a `split`; or draw a control group"
        raise RuleError.of(f"nothing was drawn in `{run.shown}`: there is nobody to compare with", hint=hint)
    return arms if against is None else _beside_variant(arms, against, run)


def finish(
    result: EvaluateResult, output: str | None, fail_on: str, stdout: BinaryIO | None, progress: Progress
) -> None:
    """Write the rows of the result; `CheckFailed` where `fail_on` is `warning` and there are warnings."""
    refuse_warnings(result.warnings, fail_on)
    if output is not None:
        progress("writing")
        with Workspace() as ws:
            write_rows(rows_of(result), output, ws, stdout, result.until or result.as_of)


def refuse_warnings(warnings: Sequence[Diagnostic], fail_on: str) -> None:
    """`CheckFailed` where `fail_on` is `warning` and there are warnings."""
    if fail_on == "warning" and without_notes(warnings):
        raise CheckFailed(*without_notes(warnings), Diagnostic("there are warnings, so nothing was written"))


def require_fit(run: Run, loaded: Loaded, events: Mapping[str, str]) -> None:
    """RuleError where the customers of the run cannot be found again in its events."""
    rules, output = loaded.rules, run.manifest.output
    for name in events:
        if name not in rules.events:
            hint = nearest(name, rules.events, "event tables")
            raise RuleError.of(f"the rules of `{run.shown}` have no `[events.{name}]`", hint=hint)
    require_secret(loaded)
    run.key.require_same(key_form(rules), "the run", "its rule file now")
    if rules.customers.normalise_keys and output.key_protection:
        message = "the keys of the run cannot be found again: they are protected, and events write them in other ways"
        raise RuleError.of(message, hint="write the keys alike in all files, so that `normalise_keys` can be left out")


def require_known(segments: Sequence[str], arms: Sequence[Arms], run: Run) -> None:
    """RuleError where a segment has no arms."""
    names = [one.segment for one in arms]
    for name in segments:
        if name not in names:
            hint = nearest(name, names, "segments with a draw")
            raise RuleError.of(f"`{run.shown}` has drawn nobody of a segment `{name}`", hint=hint)


def found_in(
    loaded: Loaded, settings: Settings, ws: Workspace, progress: Progress, file: str | None = None
) -> list[Outcomes]:
    """What customers did in the days that count, by table; DataError where a table ends before these days.

    A `file` is what the only table is called where no rule file names it.
    """
    found = []
    for table, measures in settings.asked.tables.items():
        found.append(outcomes(loaded, table, measures, settings.windows, ws, progress)._replace(table=file or table))
        _require_later(found[-1], settings.days, "FILE" if file else f"{table}=FILE")
    return found


def _require_later(found: Outcomes, days: Days, newer: str) -> None:
    """DataError where there are no events in these days because the table ends before."""
    if not found.goes_on and (found.last is None or found.last < days.start):
        last = f"the last event is of {found.last}" if found.last else "there is no event"
        hint = f"give a newer one with `--events {newer}`"
        raise DataError.of(f"`{found.table}` has nothing from {days.start} on: {last}", hint=hint)


def did_by(members: pl.DataFrame, found: Sequence[Outcomes], loaded: Loaded) -> pl.DataFrame:
    """The members of a run, and what they did by all tables; DataError where a table is of nobody of them."""
    if forms := loaded.rules.customers.normalise_keys:
        members = members.with_columns(normal_key(pl.col(KEY), forms))
    done = reduce(_beside, [done_by(one, members, loaded) for one in found])
    return members.join(done, on=[KEY, DAY], how="left")


def _is_one_each(runs: Sequence[Run], arms: Sequence[Arms]) -> bool:
    """Whether each customer is in one segment at most, and no line tells of all of them."""
    return len(runs) == 1 and runs[0].exclusive and all(one.segment != ALL_SEGMENTS for one in arms)


def _arms_of(members: pl.DataFrame, arms: Sequence[Arms], settings: Settings) -> dict[str, dict[str, Arm]]:
    """By segment, its arms."""
    rows = members.partition_by(SEGMENT, ARM, as_dict=True)
    return {one.segment: _arms(one, rows, settings.asked.measures) for one in arms}


def _outcomes(
    members: pl.DataFrame, arms: Sequence[Arms], of: Mapping[str, Mapping[str, Arm]], level: float, fewest: int
) -> list[SegmentOutcome]:
    """The segments, of which nothing is adjusted yet."""
    written = members.filter(~pl.col(ARM).is_in([*NOT_WRITTEN, REACHED]))
    elsewhere = members.filter(pl.col(ARM) == HELD_OUT).join(written, on=KEY, how="semi")
    counts = dict(elsewhere.group_by(SEGMENT).len().rows())
    return [outcome_of(one, of[one.segment], counts.get(one.segment, 0), level, fewest) for one in arms]


def _of_variants(segment: SegmentOutcome, against: str) -> SegmentOutcome:
    """The segment with its variants beside one of them; those held out are compared with all of them elsewhere."""
    told = (one for one in segment.comparisons if one.arm not in NOT_WRITTEN or against == HELD_OUT)
    return segment._replace(comparisons=tuple(told))


def _beside_variant(arms: Sequence[Arms], variant: str, run: Run) -> list[Arms]:
    """The segments that have a variant and another one, this one first; RuleError where no segment has it."""
    found = [one for one in arms if variant in one.shares and {*one.shares} - {variant, *NOT_WRITTEN}]
    if not found:
        names = dict.fromkeys(name for one in arms for name in one.shares if name not in ARMS)
        hint = nearest(variant, names, "variants")
        raise RuleError.of(f"`{run.shown}` has drawn no variant `{variant}` beside another one", hint=hint)
    return [one._replace(shares={variant: one.shares[variant], **one.shares}) for one in found]


def done_by(found: Outcomes, members: pl.DataFrame, loaded: Loaded) -> pl.DataFrame:
    """What customers did by a table, with keys as the lists show them; DataError where nobody of them is a member."""
    done = _as_listed(found.rows, loaded)
    keys = _as_listed(found.keys, loaded)
    if len(keys) and len(members) and not members.join(keys, on=KEY, how="semi").height:
        hint = f"is `{found.table}` of other customers? a key must be written in both in the same way"
        raise DataError.of(f"none of the keys of `{found.table}` is one of these customers", hint=hint)
    return done.group_by(KEY, DAY).agg(pl.all().sum())  # two ways to write a key may be one by now


def _as_listed(rows: pl.DataFrame, loaded: Loaded) -> pl.DataFrame:
    """The rows with keys as the lists show them, in the form in which they are compared."""
    key, forms = written_key(loaded.rules), loaded.rules.customers.normalise_keys
    return rows.lazy().with_columns((normal_key(key, forms) if forms else key).alias(KEY)).collect()


def spelled_otherwise(found: Sequence[Outcomes], members: pl.DataFrame, loaded: Loaded) -> Iterator[Diagnostic]:
    """A warning for each table with keys that would be a member's in another spelling: so they are nobody's."""
    rules = loaded.rules
    if protection(rules.output, rules.customers.key):
        return
    for table in found:
        unknown = _as_listed(table.keys, loaded).join(members, on=KEY, how="anti")[KEY]
        if alike := spelled_alike(unknown, members[KEY], rules.customers.normalise_keys):
            message = (
                f"{plural(alike.number, 'key')} of `{table.table}` would be of these customers but for {alike.words}"
            )
            hint = "write the keys in the same way in both files: what these customers did is not counted"
            yield Diagnostic(message, hint=hint, severity=Severity.WARNING)


def _beside(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return one.join(other, on=[KEY, DAY], how="full", coalesce=True)


def _arms(arms: Arms, rows: Mapping[tuple[object, ...], pl.DataFrame], measures: Sequence[Measure]) -> dict[str, Arm]:
    return {name: arm_of(name, rows.get((arms.segment, name)), measures) for name in arms.shares}
