"""Lists that go to a table of a database, while the output directory keeps what the run is known by later.

The transaction is committed when the new folder is complete, just before it takes the place of the old one. Where the
process ends between the two, the table has the new rows and the folder still tells of the run before: the next run
replaces those rows, or, where changes are appended, takes those of days after the last run away.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic
from segkit.errors import WriteError
from segkit.io.write.tables.stores import Load, Old, Waiting
from segkit.operations.decide import Decision
from segkit.operations.delivery.changes import Changes
from segkit.operations.delivery.destinations.bucket import InBucket, Mirror
from segkit.operations.delivery.destinations.labels import labels_of, spare_rows
from segkit.operations.delivery.destinations.places import Destination, Folder, Place, directory_of
from segkit.operations.delivery.destinations.target import Target, kinds_of, rows_of, target_of
from segkit.operations.delivery.digests import Digests
from segkit.operations.delivery.runs import Run
from segkit.operations.delivery.vanishing import goes_to_table_of
from segkit.operations.progress import Progress
from segkit.results.apply import ApplyResult
from segkit.rules.text.loader import Loaded


@dataclass(frozen=True)
class Table:
    """A table of a database, and the folder of what is known of the run."""

    folder: Folder
    target: Target
    compares: bool = True

    def prepare(self) -> None:
        """`WriteError` where lists or rows would vanish, or where the database or its table cannot be written to."""
        self.folder.prepare()
        self.target.look(directory_of(self.folder.loaded))
        self._spare_rows()

    def ready(self, plan: Plan) -> None:
        """`WriteError` where the table has other columns."""
        self.target.require_fit(plan)

    def _spare_rows(self) -> list[Diagnostic]:
        folder = self.folder
        directory = directory_of(folder.loaded)
        return spare_rows(self.target, directory, folder.chosen, replace=folder.replace, dry_run=False)

    @contextmanager
    def open(self, run: Decision, published: Callable[[], None]) -> Iterator[Place]:
        """The folder, which becomes the output directory once the table has its rows, when the block ends well."""
        told = self.target.told
        self.folder.progress(f"writing to {told.table} in {told.address}")
        waiting = Waiting(self.folder.wait, self.folder.progress)
        transaction = self.target.store.transaction(waiting)  # around the folder, which commits it
        with transaction as rows, self.folder.opened(run, rows.commit, published) as place:
            # Rows that come in the meantime are refused under the lock of the table.
            yield place._replace(told=[*place.told, *self._spare_rows()], table=told, transaction=rows)

    def write(self, run: Decision, changes: Changes, place: Place, result: Callable[[], ApplyResult]) -> None:
        """The files of the folder, then the rows of the table, which nobody sees before the folder is in its place."""
        self.folder.write(run, changes, place, result)
        assert place.transaction is not None
        place.transaction.write(list(self._loads(run, changes, place)))

    def _loads(self, run: Decision, changes: Changes, place: Place) -> Iterator[Load]:
        """What happens to the table, and to the one of those held out where anybody is, or was in the last run."""
        loaded, plan, as_of = run.loaded, run.evaluated.plan, run.evaluated.plan.context.as_of
        table, held_out = self.target.table, self.target.table.of_held_out
        labels = labels_of(loaded, directory_of(loaded), run.chosen)
        spared = {one: () if self.folder.replace else labels.spared(one, self.target) for one in (table, held_out)}
        old = Old(run.rules.output.label_column, labels.going)
        appended, adds_up = old, None
        if run.rules.output.writes_changes:
            before = self._before(changes, as_of)
            # Rows of days after the last run are of one that never ended; before the first one, nothing goes.
            appended = old._replace(after=dt.date.fromisoformat(before.as_of) if before else dt.date.max)
            listed = before.lists if before else ()
            adds_up = {one.name: one.written for one in listed if one.segment in old.labels}
        kinds = kinds_of(plan)
        rows = rows_of(changes, changes.files, list(kinds), as_of)
        yield Load(table, kinds, appended, rows, spared[table], adds_up)
        if self.target.holds_out:
            kinds = kinds_of(plan, held_out=True)
            rows = rows_of(changes, changes.not_written, list(kinds), as_of)
            yield Load(held_out, kinds, old, rows, spared[held_out])
        else:
            # Should somebody have been held out before.
            yield Load(held_out, {}, old, None, spared[held_out])

    def _before(self, changes: Changes, as_of: dt.date) -> Run | None:
        """The run since which changes are told; `WriteError` where it has not written to this table, or is younger."""
        before = changes.last
        if before is None:
            return None
        if not goes_to_table_of(before.manifest, self.folder.loaded):
            message = f"the last run, in `{before.shown}`, has not written to `{self.target.table}`"
            hint = "name another `directory`: in the first run there, all enter"
            raise WriteError.of(f"{message}: who entered it since is not known", hint=hint)
        if as_of.isoformat() < before.as_of:
            message = f"changes are appended up to {before.as_of}, and this run is of {as_of}"
            raise WriteError.of(message, hint="a history goes on: run it for that day, or a later one")
        return before


def published(
    loaded: Loaded,
    chosen: Sequence[str],
    *,
    digests: Digests,
    started: dt.datetime,
    replace: bool,
    wait: bool,
    progress: Progress,
    mirror: Mirror | None = None,
) -> Destination:
    """Where the lists of a rule file go that is not asked to write them elsewhere: a folder, a table, or a bucket.

    The bucket is the one that has a `mirror`.
    """
    folder = Folder(
        loaded=loaded,
        chosen=chosen,
        digests=digests,
        started=started,
        replace=replace,
        wait=wait,
        progress=progress,
    )
    if mirror:
        return InBucket(folder, mirror)
    target = target_of(loaded)
    return Table(folder, target) if target else folder
