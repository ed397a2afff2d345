"""Where the lists of a run go: nowhere, to standard output, into a folder. All have one shape."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic
from segkit.errors import RuleError, WriteError
from segkit.io.publish.errors import require_local
from segkit.io.publish.folder import MANIFEST, publishing
from segkit.io.publish.kept_runs import keeping
from segkit.io.read import Workspace
from segkit.io.write import require_installed, require_no_terminal, write
from segkit.io.write.tables.stores import Open
from segkit.operations.decide import Decision
from segkit.operations.delivery.changes import Changes, output_names, output_sinks
from segkit.operations.delivery.destinations.labels import spare_rows
from segkit.operations.delivery.destinations.target import Target
from segkit.operations.delivery.destinations.workbook import write_workbook
from segkit.operations.delivery.digests import Digests
from segkit.operations.delivery.kept import keep_rules, kept_names
from segkit.operations.delivery.record import Written, manifest_of
from segkit.operations.delivery.vanishing import spare_lists
from segkit.operations.lists.audience import require_audience
from segkit.operations.lists.stream import to_stream
from segkit.operations.progress import Progress
from segkit.results.apply import ApplyResult, TableTarget
from segkit.rules.text.loader import Loaded


class Place(NamedTuple):
    """A destination that is open.

    `last` is where the last run is, none where this one is the first; `told` is what there is to say of it. Files are
    put together in `staging`, which becomes `folder`. Lists that go to no file go to `table`, in a `transaction`.
    """

    last: Path | None
    told: Sequence[Diagnostic] = ()
    folder: Path | None = None
    staging: Path | None = None
    table: TableTarget | None = None
    transaction: Open | None = None


class Destination(Protocol):
    """Where lists go."""

    @property
    def compares(self) -> bool:
        """Whether a run is compared with the last one there."""

    def prepare(self) -> None:
        """Refuse, before anything is read, what can be refused then."""

    def ready(self, plan: Plan) -> None:
        """Refuse, before anything is computed, what does not fit the columns that go out."""

    def open(self, run: Decision, published: Callable[[], None]) -> AbstractContextManager[Place]:
        """The place, held against other runs until the block ends; what is written appears when it ends well.

        `published` is called as soon as that is so: what comes then may still fail, or be interrupted.
        """

    def write(self, run: Decision, changes: Changes, place: Place, result: Callable[[], ApplyResult]) -> None:
        """Write the lists; `result` says how the run stands."""


def _require_formats(loaded: Loaded, *, workbook: bool) -> None:
    """`RuleError` where what the run writes needs an extra that is not installed."""
    output = loaded.rules.output
    require_installed(output.format)
    require_audience(loaded.rules)
    if workbook and output.workbook is not None:
        require_installed("xlsx")


def directory_of(loaded: Loaded) -> Path:
    """The output directory, or the folder that stands for it; `WriteError` for an address."""
    if loaded.stand_in:
        return loaded.stand_in.folder
    require_local(loaded.rules.output.directory)
    as_of = loaded.rules.today().isoformat()
    return loaded.source.directory / loaded.rules.output.directory.replace("{as_of}", as_of)


@dataclass(frozen=True)
class Nowhere:
    """A dry run: everything is computed and compared, nothing is written."""

    loaded: Loaded
    chosen: Sequence[str]
    replace: bool
    target: Target | None = None
    compares: bool = True

    def prepare(self) -> None:
        """`WriteError` for an address or a table that cannot be written to, `RuleError` without an extra."""
        _require_formats(self.loaded, workbook=True)
        directory = directory_of(self.loaded)
        if self.target:
            self.target.look(directory)

    def ready(self, plan: Plan) -> None:
        """`WriteError` where the table has other columns."""
        if self.target:
            self.target.require_fit(plan)

    @contextmanager
    def open(self, run: Decision, published: Callable[[], None]) -> Iterator[Place]:
        """The place of the last run, with what would vanish there as a warning."""
        directory, table = directory_of(self.loaded), self.target.told if self.target else None
        last, told = spare_lists(self.loaded, directory, self.chosen, replace=self.replace, dry_run=True)
        if self.target:
            told = [*told, *spare_rows(self.target, directory, self.chosen, replace=self.replace, dry_run=True)]
        yield Place(last, told, table=table)

    def write(self, run: Decision, changes: Changes, place: Place, result: Callable[[], ApplyResult]) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Stream:
    """Rows of all lists, one after the other."""

    loaded: Loaded
    stdout: BinaryIO | None
    ws: Workspace
    compares: bool = False

    def prepare(self) -> None:
        """`RuleError` for binary rows on a terminal, and without an extra that is needed."""
        _require_formats(self.loaded, workbook=False)
        if self.stdout is not None:
            require_no_terminal(self.loaded.rules.output.format, self.stdout)

    def ready(self, plan: Plan) -> None:
        """All columns fit."""

    @contextmanager
    def open(self, run: Decision, published: Callable[[], None]) -> Iterator[Place]:
        """The place of the last run: what is expected is compared with it.

        `RuleError` for several lists of an audience: nothing would tell the rows of one from those of another.
        """
        names = [list_.name for list_ in run.lists if list_.writes]
        if run.rules.output.audience and len(names) > 1:
            message = f"{len(names):,} lists of an audience cannot go to standard output: their rows have no label"
            raise RuleError.of(message, hint="choose one with `--select`, or write them into a folder")
        yield Place(directory_of(self.loaded))

    def write(self, run: Decision, changes: Changes, place: Place, result: Callable[[], ApplyResult]) -> None:
        """The rows, once everything else is done."""
        if self.stdout is not None:
            names = [Path(list_.name).stem for list_ in run.lists if list_.writes]
            style = run.rows.style._replace(sheet=names[0] if len(names) == 1 else "segments")
            to_stream(run.rows.of_all(run.lists), run.rules.output.format, self.ws, self.stdout, style)


@dataclass(frozen=True)
class Folder:
    """A folder, whose files are published together, or not at all."""

    loaded: Loaded
    chosen: Sequence[str]
    digests: Digests
    started: dt.datetime
    replace: bool
    wait: bool
    progress: Progress
    compares: bool = True

    def prepare(self) -> None:
        """`WriteError` where lists would vanish, `RuleError` without an extra that is needed."""
        _require_formats(self.loaded, workbook=True)
        self._last()

    def ready(self, plan: Plan) -> None:
        """All columns fit."""

    def _last(self) -> tuple[Path | None, list[Diagnostic]]:
        directory = directory_of(self.loaded)
        return spare_lists(self.loaded, directory, self.chosen, replace=self.replace, dry_run=False)

    def open(self, run: Decision, published: Callable[[], None]) -> AbstractContextManager[Place]:
        """A folder to write to, which becomes the output directory, or a run in it, when the block ends well."""
        self.progress(f"writing {len(run.lists):,} files")
        return self.opened(run, lambda: None, published)

    @contextmanager
    def opened(self, run: Decision, before_swap: Callable[[], None], published: Callable[[], None]) -> Iterator[Place]:
        """The same; `before_swap` is called when all else that could fail is done."""
        directory = directory_of(self.loaded)
        _spare_inputs(run, directory)
        as_of = run.evaluated.plan.context.as_of
        with self._published(directory, as_of, before_swap, published) as (staging, folder):
            # Which run is the last one is known only once no other run can publish.
            last, told = self._last()
            yield Place(last, told, folder, staging)

    @contextmanager
    def _published(
        self, directory: Path, as_of: dt.date, before_swap: Callable[[], None], published: Callable[[], None]
    ) -> Iterator[tuple[Path, Path]]:
        """The folder to write to, and the folder that it becomes when the block ends well."""
        output, wait, on_wait = self.loaded.rules.output, self.wait, self.progress
        if output.kept is None:
            place = publishing(
                directory,
                mode=output.mode,
                wait=wait,
                on_wait=on_wait,
                before_swap=before_swap,
                after_swap=published,
            )
            with place as staging:
                yield staging, directory
            return
        day = as_of.isoformat()
        kept = keeping(
            directory,
            day,
            output.kept,
            mode=output.mode,
            wait=wait,
            on_wait=on_wait,
            after_swap=published,
        )
        with kept as places:
            yield places

    def write(self, run: Decision, changes: Changes, place: Place, result: Callable[[], ApplyResult]) -> None:
        """All files, and the manifest last."""
        assert place.staging is not None
        keep_rules(self.loaded, place.staging)
        changes.past.keep_lines(place.staging)
        write(output_sinks(changes, place.staging), together=run.of_one_part is not None)
        write_workbook(result(), changes, place.staging)
        names = [*output_names(run.rules, run.lists, changes), *kept_names(self.loaded)]
        written = Written(place.staging, names, run.rows.columns)
        manifest = manifest_of(run, result(), changes, written, self.digests, self.started, directory_of(self.loaded))
        (place.staging / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")


def _spare_inputs(run: Decision, directory: Path) -> None:
    """`WriteError` where an output would take the place of a file that was read.

    With `keep`, outputs take no place: each run has a folder of its own.
    """
    if run.rules.output.kept is not None:
        return
    read = {Path(read.label.path).resolve() for read in run.evaluated.inputs} | {Path(run.loaded.source.path).resolve()}
    for name in [*output_names(run.rules, run.lists), *kept_names(run.loaded), MANIFEST]:
        if (directory / name).resolve() in read:
            hint = "give the outputs a directory of their own: `[output] directory`, or `-o`"
            raise WriteError.of(f"`{directory / name}` is an input: the outputs would take its place", hint=hint)
