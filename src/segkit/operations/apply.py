"""`apply`: a rule file in, one labelled output for each segment out."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from segkit.diagnostics import Diagnostic
from segkit.engines.registry import USUAL, Resources
from segkit.engines.start import require_fit, started
from segkit.errors import RuleError
from segkit.io.read import Bounds, Workspace, require_kept, require_unchanged
from segkit.io.write import FORMATS, STDOUT
from segkit.operations.decide import Decision, decide
from segkit.operations.delivery.deliver import Guards, deliver
from segkit.operations.delivery.destinations.bucket import bounds_changes, standing_in
from segkit.operations.delivery.destinations.places import Destination, Nowhere, Stream, directory_of
from segkit.operations.delivery.destinations.stand_in import naming
from segkit.operations.delivery.destinations.table import published
from segkit.operations.delivery.destinations.target import target_of
from segkit.operations.delivery.digests import Digests
from segkit.operations.delivery.past.runs import day_before
from segkit.operations.lists.protection import require_secret
from segkit.operations.progress import Progress, silent
from segkit.operations.reporting.after import ReportOf, refuse_report, report_after, spare_inputs
from segkit.operations.rfm_table.save_all import contents_of, refuse_saving, write_all
from segkit.results.apply import ApplyResult
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded, Overrides, load_rules
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
    save_cutoffs: str | None = None,
    report: ReportOf | None = None,
    fail_on: str = "error",
    wait: bool = True,
    stdout: BinaryIO | None = None,
    progress: Progress = silent,
    notes: Callable[[Diagnostic], object] = lambda _: None,
    on_published: Callable[[ApplyResult], object] = lambda _: None,
    resources: Resources = USUAL,
) -> ApplyResult:
    """What a run of a rule file did; the options replace what the file says.

    `replace` lets the run remove lists of another rule file, and those that `select` leaves out. `save_cutoffs` is a
    folder for the cutoffs of each RFM table, written after the lists, and `report` a page about the run, written last;
    a dry run writes neither. `notes` gets what has to be said at once, `on_published` what the run did, as soon as its
    lists are in their place: what comes then may still fail, or be interrupted.

    Raises `RuleError`, `DataError` and `WriteError`. Raises `CheckFailed` where a segment is not as `expect` says, and
    where `fail_on` is `warning` and there are warnings; then nothing is written.
    """
    clock, started = time.perf_counter(), dt.datetime.now(dt.UTC)
    to_stdout = output == STDOUT
    overrides = Overrides(
        as_of=as_of,
        customers=customers,
        events=events or {},
        output=None if to_stdout else output,
        format=format,
        files=output is not None,
        cache=resources.cache,
    )
    loaded = load_rules(rules, formats=FORMATS, overrides=overrides)
    chosen = chosen_segments(loaded.rules, select)
    _refuse_places(loaded, save_cutoffs, report, to_stdout=to_stdout)
    require_fit(resources, loaded.rules, loaded.source.directory, to_stdout=to_stdout)
    with ExitStack() as stack:
        digests = Digests()
        unseen = dry_run or to_stdout
        on_open = (lambda _: None) if unseen else digests.start
        ws = stack.enter_context(Workspace(on_open, notes=notes, folder=resources.work))
        stack.callback(digests.close)
        ws.bounds = stack.enter_context(_bounds(resources, ws, progress))
        loaded, mirror = standing_in(loaded, ws, needs_last=not to_stdout or bounds_changes(loaded.rules))
        stack.enter_context(naming(loaded.stand_in))
        to: Destination
        if to_stdout:
            to = Stream(loaded, None if dry_run else stdout, ws)
        elif dry_run:
            to = Nowhere(loaded, chosen, replace, target_of(loaded))
        else:
            to = published(
                loaded,
                chosen,
                digests=digests,
                started=started,
                replace=replace,
                wait=wait,
                progress=progress,
                mirror=mirror,
            )
        guards = Guards(previous, accept_changes, fail_on)
        cutoffs: dict[Path, bytes] = {}

        def found(run: Decision) -> None:
            if not unseen:
                require_kept(ws, digests.__getitem__)
            if report is not None:
                spare_inputs(run.evaluated, report.path)
            cutoffs.update({} if save_cutoffs is None else contents_of(run.evaluated, save_cutoffs))

        _, result = apply_loaded(
            loaded,
            chosen,
            to,
            guards,
            ws,
            progress,
            dry_run=dry_run,
            clock=clock,
            before_delivery=found,
            on_published=on_published,
        )
        if dry_run or not (cutoffs or report):
            return result
        write_all(cutoffs, wait=wait, on_wait=progress)
        page = report_after(loaded, report, wait=wait, on_wait=progress) if report else None
        elapsed = time.perf_counter() - clock
        return result._replace(cutoffs=tuple(map(str, cutoffs)), report=page, elapsed_seconds=elapsed)


def _refuse_places(loaded: Loaded, save_cutoffs: str | None, report: ReportOf | None, *, to_stdout: bool) -> None:
    """Refuse cutoffs and a report where they would lie upon what a run reads or writes."""
    if save_cutoffs is not None:
        local = not (to_stdout or loaded.rules.output.in_bucket)
        refuse_saving(loaded, save_cutoffs, directory_of(loaded) if local else None)
    if report is not None:
        refuse_report(loaded, report.path, to_stdout=to_stdout)


@contextmanager
def _bounds(resources: Resources, ws: Workspace, progress: Progress) -> Iterator[Bounds | None]:
    """In what the customers are computed; an engine is let go afterwards."""
    engine = started(resources.engine, ws.new_file(".log"), progress)
    memory, buckets = resources.memory, resources.buckets
    try:
        yield Bounds(memory, buckets, engine) if memory or buckets or engine else None
    finally:
        if engine:
            engine.close()


def apply_loaded(
    loaded: Loaded,
    chosen: Sequence[str],
    to: Destination,
    guards: Guards,
    ws: Workspace,
    progress: Progress,
    *,
    dry_run: bool,
    clock: float,
    whole: bool = False,
    before_delivery: Callable[[Decision], None] = lambda _: None,
    on_published: Callable[[ApplyResult], object] = lambda _: None,
) -> tuple[Decision, ApplyResult]:
    """A run of rules that are loaded, and what it did: the one way from rules to lists, whoever asks.

    `clock` is when it began. With `whole`, the customers keep all columns that are computed. `before_delivery` sees the
    run before anything is written, `on_published` what it did as soon as the lists are in their place.
    """
    require_secret(loaded)
    to.prepare()
    since = day_before(loaded.rules, directory_of(loaded), guards.previous) if to.compares else None
    run = decide(loaded, chosen, ws, progress, whole=whole, since=since, ready=to.ready)
    require_unchanged(ws)
    before_delivery(run)

    def elapsed() -> float:
        return time.perf_counter() - clock

    return run, deliver(run, to, guards, elapsed, dry_run=dry_run, on_published=on_published)


def chosen_segments(rules: RuleFile, select: Sequence[str]) -> list[str]:
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
