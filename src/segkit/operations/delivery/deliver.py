"""A decided run goes to its destination, if it is as the rule file and the user expect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from segkit.addresses import is_address
from segkit.diagnostics import Diagnostic, without_notes
from segkit.errors import CheckFailed
from segkit.gates.expectations import broken, too_old
from segkit.operations.decide import Decision
from segkit.operations.delivery.changes import in_table, since_last_run, with_changes
from segkit.operations.delivery.destinations.places import Destination
from segkit.operations.delivery.destinations.stand_in import named
from segkit.operations.delivery.past.carry import past_of
from segkit.operations.delivery.runs import read_written
from segkit.operations.evaluation.diagnose import placed
from segkit.operations.result import result_of
from segkit.results.apply import ApplyResult
from segkit.rules.model.expect import Expect


class Guards(NamedTuple):
    """What has to hold before anything is published.

    `previous` is the run to compare with, none for the last one of the destination.
    """

    previous: str | None
    accept_changes: bool
    fail_on: str


def deliver(
    run: Decision,
    to: Destination,
    guards: Guards,
    elapsed: Callable[[], float],
    *,
    dry_run: bool,
    on_published: Callable[[ApplyResult], object] = lambda _: None,
) -> ApplyResult:
    """What the run did; `on_published` gets it as soon as the lists are in their place.

    Raises `CheckFailed`, `WriteError`, and `DataError` where the last run cannot be read.
    """

    def published() -> None:
        on_published(result._replace(elapsed_seconds=elapsed()))

    with to.open(run, published) as place:
        _require_expected(run, guards, place.last)
        last, previous = (place.last, guards.previous) if to.compares else (None, None)
        changes, warnings = since_last_run(run.rows, run.lists, last, previous)
        past, of_past = past_of(run, last, previous)
        changes = changes._replace(past=past)
        warnings = [*run.warnings, *place.told, *warnings, *of_past]
        if guards.fail_on == "warning" and without_notes(warnings):
            raise CheckFailed(*without_notes(warnings), Diagnostic("there are warnings, so nothing was written"))
        result = with_changes(result_of(run, place.folder, warnings, dry_run=dry_run), changes)
        if place.table:
            result = in_table(result, place.table)
        result = named(result, run.loaded.stand_in)
        to.write(run, changes, place, lambda: result._replace(elapsed_seconds=elapsed()))
    return result._replace(elapsed_seconds=elapsed())


def _require_expected(run: Decision, guards: Guards, last: Path | None) -> None:
    """`CheckFailed` with every expectation that is broken; `last` is where the last run is, None for a first run."""

    def before(expect: Expect) -> Mapping[str, int] | None:
        if guards.previous is not None:
            return read_written(Path(guards.previous), must_exist=True)
        if expect.previous is not None:
            beside = Path() if is_address(expect.previous) else run.loaded.source.directory
            return read_written(beside / expect.previous, must_exist=True)
        return read_written(last, must_exist=False) if last else None

    rules, as_of = run.rules, run.evaluated.plan.context.as_of
    written = {name: run.tally.count("written", name) for name in run.chosen}
    last_days = {name: run.evaluated.computed.last_day(name) for name, t in rules.events.items() if t.expect}
    old = too_old(rules, last_days, as_of)
    findings = broken(rules, written, run.evaluated.computed.size, before, accept_changes=guards.accept_changes)
    diagnostics = [placed(run.loaded, finding) for finding in (*old, *findings)]
    if diagnostics:
        raise CheckFailed(*diagnostics, Diagnostic("expectations are broken, so nothing was written"))
