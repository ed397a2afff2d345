"""What a run carries on of the runs before it: the history of its segments, and the columns that it tracks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError
from segkit.io.write import Sink
from segkit.operations.decide import Decision
from segkit.operations.delivery.manifest import HistoryOf, TrackedOf
from segkit.operations.delivery.past.history import History, history_of
from segkit.operations.delivery.past.lines import has_history
from segkit.operations.delivery.past.runs import last_run
from segkit.operations.delivery.past.tracked import Tracked, has_tracked, tracked_of
from segkit.operations.delivery.runs import Run, find_run
from segkit.operations.lists.protection import key_form


class Past(NamedTuple):
    """What a run keeps of the days until today."""

    history: History | None = None
    tracked: Tracked | None = None

    @property
    def names(self) -> list[str]:
        """The names of its files."""
        return [name for part in (self.history, self.tracked) if part for name in part.names]

    def sinks(self, folder: Path) -> list[Sink]:
        """What writes tables of customers."""
        return [one for part in (self.history, self.tracked) if part for one in part.sinks(folder)]

    def keep_lines(self, folder: Path) -> None:
        """Write the history into a folder of a run."""
        if self.history:
            self.history.keep_lines(folder)

    @property
    def in_manifest(self) -> tuple[HistoryOf | None, TrackedOf | None]:
        """What the manifest says of it."""
        return self.history and self.history.in_manifest, self.tracked and self.tracked.in_manifest


def past_of(run: Decision, last: Path | None, previous: str | None) -> tuple[Past, list[Diagnostic]]:
    """What this run carries on, and what is to be said of it.

    Raises `DataError` where what the last run has cannot go on.
    """
    output = run.rules.output
    told: list[Diagnostic] = [] if output.history else list(_end_of(last))
    if not (output.history or output.track):
        return Past(), told
    found = last_run(last, previous)
    goes_on = found if found and _has_same_keys(found, run) else None
    past = Past()
    if output.history:
        history, of_history = history_of(run, goes_on)
        past, told = past._replace(history=history), [*told, *of_history]
    if output.track:
        tracked, of_tracked = tracked_of(run, goes_on)
        past, told = past._replace(tracked=tracked), [*told, *of_tracked]
    return past, told


def _end_of(last: Path | None) -> Iterator[Diagnostic]:
    """The note that the last run has a history, and this one has none."""
    with suppress(DataError):  # what cannot be read of the last run is told where it is compared
        found = find_run(last) if last else None
        if found and has_history(found):
            message = f"the history in `{found.shown}` ends: the rules do not say `history = true` any more"
            yield Diagnostic(message, hint="copy its `run/history.csv` if somebody needs it", severity=Severity.NOTE)


def _has_same_keys(last: Run, run: Decision) -> bool:
    """Whether the last run has the keys of this one. DataError where it has not, and what it keeps would end."""
    try:
        last.key.require_same(key_form(run.rules), f"`{last.shown}`", "this run")
    except DataError:
        if has_history(last) or has_tracked(last):
            raise
        return False
    return True
