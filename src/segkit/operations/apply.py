"""`apply`: a rule file in, one labelled output for each segment out."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import polars as pl

from segkit.diagnostics import Diagnostic, Severity, only_notes, without_notes
from segkit.errors import CheckFailed, RuleError, WriteError
from segkit.gates.expectations import broken, too_old
from segkit.gates.ledger import Line, ledger, memberships, overlaps
from segkit.io.publish.errors import require_local
from segkit.io.publish.folder import MANIFEST
from segkit.io.read import Workspace
from segkit.io.write import STDOUT, require_no_terminal
from segkit.operations.delivery.changes import Changes, output_names, output_sinks, with_changes
from segkit.operations.delivery.digests import Digests
from segkit.operations.delivery.lists import (
    List,
    files,
    holdout_of,
    layout,
    outputs_of,
    rows_of,
    style_of,
    to_stream,
    with_marks,
)
from segkit.operations.delivery.protection import require_secret
from segkit.operations.delivery.publication import in_folder, published, since_last_run
from segkit.operations.delivery.record import Written, manifest_of
from segkit.operations.delivery.runs import read_written
from segkit.operations.delivery.vanishing import spare_lists
from segkit.operations.evaluation.diagnose import placed
from segkit.operations.evaluation.doubts.idle_rules import unmatched
from segkit.operations.evaluation.doubts.old_events import ended_long_ago, not_begun
from segkit.operations.evaluation.evaluate import Evaluated, evaluate
from segkit.operations.progress import Progress, silent
from segkit.operations.summary.distributions import distributions
from segkit.operations.summary.profiles import profiles
from segkit.results import ApplyResult, Overlap, SegmentResult
from segkit.rules.model.expect import Expect
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded, Overrides, by_place, load_rules
from segkit.words import nearest


def apply(
    rules: Path,
    *,
    output: str | None = None,
    format: str | None = None,
    select: Sequence[str] = (),
    as_of: dt.date | None = None,
    customers: str | None = None,
    events: Mapping[str, str] | None = None,
    dry_run: bool = False,
    previous: str | None = None,
    accept_changes: bool = False,
    replace: bool = False,
    fail_on: str = "error",
    wait: bool = True,
    stdout: BinaryIO | None = None,
    progress: Progress = silent,
) -> ApplyResult:
    """What a run of a rule file did; the options replace what the file says.

    `replace` lets the run remove lists of another rule file, and those that `select` leaves out.

    Raises `RuleError`, `DataError` and `WriteError`. Raises `CheckFailed` where a segment is not as `expect` says, and
    where `fail_on` is `warning` and there are warnings; then nothing is written.
    """
    clock, started = time.perf_counter(), dt.datetime.now(dt.UTC)
    to_stdout = output == STDOUT
    overrides = Overrides(
        as_of=as_of, customers=customers, events=events or {}, output=None if to_stdout else output, format=format
    )
    loaded = load_rules(rules, overrides=overrides)
    today = loaded.rules.today()
    chosen = _chosen(loaded.rules, select)
    _require(loaded, stdout if to_stdout and not dry_run else None)
    outputs = _directory(loaded, today)
    spare = partial(spare_lists, loaded, outputs, chosen, replace=replace, dry_run=dry_run)
    last, told = (outputs, []) if to_stdout else spare()
    with ExitStack() as stack:
        digests = Digests()
        ws = stack.enter_context(Workspace() if dry_run or to_stdout else Workspace(digests.start))
        stack.callback(digests.close)
        evaluated = evaluate(loaded, today, ws, progress)
        progress("finding segments")
        members = memberships(loaded.rules, evaluated.computed.frame)
        lines = ledger(loaded.rules, members, evaluated.computed.frame)
        written = files(loaded.rules, evaluated.computed.frame, lines, chosen)
        columns, warnings = layout(evaluated.plan)
        warnings = [*_future(loaded.rules), *evaluated.warnings, *_of_the_day(loaded, evaluated), *warnings]
        warnings += told if dry_run else ()
        _refuse_warnings(fail_on, warnings)
        directory = None if to_stdout or dry_run else outputs
        guard = partial(_guard, loaded, evaluated, lines, chosen, previous, accept_changes=accept_changes)
        if directory is None:
            guard(last)
        else:
            _spare_inputs(loaded, evaluated, directory, output_names(loaded.rules, written))
        result = _result(evaluated, members, lines, chosen, written, warnings, directory, dry_run=dry_run)
        run = _Run(
            loaded=loaded,
            evaluated=evaluated,
            marked=with_marks(evaluated.computed.frame, lines).lazy(),
            files=written,
            columns=columns,
        )
        if to_stdout and not dry_run:
            assert stdout is not None, "rows for standard output need a stream"
            rows = _all_rows(run.marked, loaded.rules, columns, written)
            to_stream(rows, loaded.rules.output.format, ws, stdout, style_of(loaded.rules))
        elif directory is not None:
            progress(f"writing {len(written):,} files")
            with published(loaded.rules.output, directory, today, wait=wait, on_wait=progress) as (staging, folder):
                # Which run is the last one is known only once no other run can publish.
                last, told = spare()
                guard(last)
                changes, result = _compared(run, result, last, previous)
                _refuse_warnings(fail_on, result.warnings)
                result = in_folder(result, folder)._replace(notes=(*result.notes, *told))
                pl.collect_all(output_sinks(changes, columns, staging))
                result = _timed(result, clock)
                _write_manifest(run, result, changes, digests, started, staging)
        elif dry_run and not to_stdout:
            _, result = _compared(run, result, last, previous)
            _refuse_warnings(fail_on, result.warnings)
    return _timed(result, clock)


class _Run(NamedTuple):
    """A run that is ready to be written: the customers with marks that say who goes where, the files, their columns."""

    loaded: Loaded
    evaluated: Evaluated
    marked: pl.LazyFrame
    files: Sequence[List]
    columns: Sequence[str]


def _refuse_warnings(fail_on: str, warnings: Sequence[Diagnostic]) -> None:
    if fail_on == "warning" and without_notes(warnings):
        raise CheckFailed(*without_notes(warnings), Diagnostic("there are warnings, so nothing was written"))


def _compared(run: _Run, result: ApplyResult, last: Path | None, previous: str | None) -> tuple[Changes, ApplyResult]:
    """What changed since the last run, and the result that says so."""
    changes, warnings = since_last_run(run.loaded.rules, run.marked, run.files, last, previous)
    return changes, with_changes(result._replace(warnings=(*result.warnings, *warnings)), changes)


def _write_manifest(
    run: _Run, result: ApplyResult, changes: Changes, digests: Digests, started: dt.datetime, staging: Path
) -> None:
    """The manifest of what stands in `staging`."""
    written = Written(staging, output_names(run.loaded.rules, run.files, changes), run.columns)
    manifest = manifest_of(
        result,
        run.loaded,
        run.evaluated.inputs,
        digests,
        written,
        changes,
        run.evaluated.computed.frame,
        started,
        _directory(run.loaded, result.as_of),
    )
    (staging / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")


def _require(loaded: Loaded, stdout: BinaryIO | None) -> None:
    """`RuleError` where the secret of pseudonyms is missing, or where what goes to `stdout` is not for a terminal."""
    require_secret(loaded)
    if stdout is not None:
        require_no_terminal(loaded.rules.output.format, stdout)


def _chosen(rules: RuleFile, select: Sequence[str]) -> list[str]:
    """The segments that are written, in file order."""
    written = [name for name, segment in rules.segment.items() if segment.write]
    unknown = [name for name in select if name not in rules.segment]
    unwritten = [name for name in select if name in rules.segment and name not in written]
    if unknown or unwritten:
        raise RuleError(
            *(Diagnostic(f"there is no segment `{n}`", hint=nearest(n, written, "segments")) for n in unknown),
            *(
                Diagnostic(f"segment `{n}` says `write = false`", hint="select a segment that is written")
                for n in unwritten
            ),
        )
    return [name for name in written if name in select] if select else written


def _directory(loaded: Loaded, as_of: dt.date) -> Path:
    require_local(loaded.rules.output.directory)
    return loaded.source.directory / loaded.rules.output.directory.replace("{as_of}", as_of.isoformat())


def _future(rules: RuleFile) -> list[Diagnostic]:
    if rules.as_of is None or rules.as_of <= rules.model_copy(update={"as_of": None}).today():
        return []
    return [Diagnostic(f"`as_of` {rules.as_of} lies in the future", severity=Severity.WARNING)]


def _of_the_day(loaded: Loaded, evaluated: Evaluated) -> list[Diagnostic]:
    """The warnings about what this day's data say nothing about."""
    plan, computed = evaluated.plan, evaluated.computed
    findings = (*ended_long_ago(plan, computed), *not_begun(plan, computed), *unmatched(plan, computed))
    return sorted((placed(loaded, finding) for finding in findings), key=by_place)


def _spare_inputs(loaded: Loaded, evaluated: Evaluated, directory: Path, names: Sequence[str]) -> None:
    """`WriteError` where an output would take the place of a file that was read.

    With `keep`, outputs take no place: each run has a folder of its own.
    """
    if loaded.rules.output.keep is not None:
        return
    read = {path.resolve() for _, path, _ in evaluated.inputs} | {Path(loaded.source.path).resolve()}
    for name in [*names, MANIFEST]:
        if (directory / name).resolve() in read:
            hint = "give the outputs a directory of their own: `[output] directory`, or `-o`"
            raise WriteError.of(f"`{directory / name}` is an input: the outputs would take its place", hint=hint)


def _guard(
    loaded: Loaded,
    evaluated: Evaluated,
    lines: Mapping[str, Line],
    chosen: Sequence[str],
    previous: str | None,
    last: Path | None,
    *,
    accept_changes: bool,
) -> None:
    """`CheckFailed` with every expectation that is broken; `last` is where the last run is, None for a first run."""

    def before(expect: Expect) -> Mapping[str, int] | None:
        if previous is not None:
            return read_written(Path(previous), must_exist=True)
        if expect.previous is not None:
            return read_written(loaded.source.directory / expect.previous, must_exist=True)
        return read_written(last, must_exist=False) if last else None

    as_of = evaluated.plan.context.as_of
    written = {name: int(lines[name].written.sum()) for name in chosen}
    customers = len(next(iter(lines.values())).written)
    last_days = {name: evaluated.computed.last_day(name) for name, t in loaded.rules.events.items() if t.expect}
    old = too_old(loaded.rules, last_days, as_of)
    findings = broken(loaded.rules, written, customers, before, accept_changes=accept_changes)
    diagnostics = [placed(loaded, finding) for finding in (*old, *findings)]
    if diagnostics:
        raise CheckFailed(*diagnostics, Diagnostic("expectations are broken, so nothing was written"))


def _result(
    evaluated: Evaluated,
    members: pl.DataFrame,
    lines: Mapping[str, Line],
    chosen: Sequence[str],
    written: Sequence[List],
    warnings: Sequence[Diagnostic],
    directory: Path | None,
    *,
    dry_run: bool,
) -> ApplyResult:
    rules, frame = evaluated.plan.rules, evaluated.computed.frame
    shown = [name for name in rules.segment if name in chosen or not rules.segment[name].write]
    masks = {name: lines[name].written for name in chosen}
    profile = profiles(frame, {name: lines[name].written for name in shown}, rules.output.profile)
    segments = tuple(
        SegmentResult(
            name=name,
            label=rules.segment[name].label or name,
            matched=lines[name].matched,
            excluded=lines[name].excluded,
            written=(count := int(lines[name].written.sum()) if name in chosen else 0),
            share=100 * count / len(frame) if len(frame) else 0.0,
            outputs=outputs_of(written, name, directory),
            holdout=holdout_of(written, name, directory),
            variants=_variants(lines[name], rules.segment[name].split or ()) if name in chosen else {},
            write=rules.segment[name].write,
            profile=profile.get(name, {}),
        )
        for name in shown
    )
    matched, listed, several = _coverage(members.select(n for n, s in rules.segment.items() if s.write), masks)
    return ApplyResult(
        as_of=evaluated.plan.context.as_of,
        customers=len(frame),
        segments=segments,
        unmatched=len(frame) - matched,
        unlisted=len(frame) - listed,
        several=several,
        overlaps=tuple(Overlap(*pair) for pair in overlaps(masks)),
        tables=evaluated.tables,
        thresholds=evaluated.computed.thresholds,
        warnings=without_notes(warnings),
        notes=only_notes(warnings),
        elapsed_seconds=0.0,
        directory=str(directory) if directory else None,
        dry_run=dry_run,
        distributions=distributions(rules, frame),
        models=evaluated.computed.models,
    )


def _variants(line: Line, names: Iterable[str]) -> dict[str, int]:
    """How many of the written customers get each variant."""
    if line.variants is None:
        return {}
    counts = dict(line.variants.drop_nulls().value_counts().rows())
    return {name: counts.get(name, 0) for name in names}


def _coverage(matched: pl.DataFrame, written: Mapping[str, pl.Series]) -> tuple[int, int, int]:
    """How many customers match a segment, how many are written in a list, and how many in two or more."""
    if not written:
        return 0, 0, 0
    counted = matched.select(pl.any_horizontal(pl.all()).sum())
    lists = pl.DataFrame(list(written.values())).select(pl.sum_horizontal(pl.all().cast(pl.UInt32)).alias("lists"))
    listed, several = lists.select((pl.col("lists") > 0).sum(), (pl.col("lists") > 1).sum().alias("several")).row(0)
    return int(counted.item()), int(listed), int(several)


def _timed(result: ApplyResult, clock: float) -> ApplyResult:
    return result._replace(elapsed_seconds=time.perf_counter() - clock)


def _all_rows(marked: pl.LazyFrame, rules: RuleFile, columns: Sequence[str], written: Sequence[List]) -> pl.LazyFrame:
    """The rows of all files with their label, segment after segment; no rows where there is no file."""
    nothing = List(name="", segment="", rows=pl.lit(False), written=0, values={})
    listed = [file for file in written if not file.holdout] or [nothing]
    return pl.concat([rows_of(marked, rules, columns, file, in_common=True) for file in listed])
