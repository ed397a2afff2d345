"""Runs that go to a bucket: as runs that are kept, in a folder that stands for it, and then as a whole to the bucket.

The folder has the last run of the bucket, as far as the next one asks about it: so all that compares with the last run,
and carries something on from it, reads a folder, and knows nothing of buckets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import RuleError
from segkit.io.publish import in_bucket
from segkit.io.publish.folder import MANIFEST, RUN, remove
from segkit.io.publish.in_bucket import There, Whole
from segkit.io.publish.kept_runs import LATEST
from segkit.io.publish.lease import Lease, leased
from segkit.io.publish.prefix import Prefix, unencrypted, written_to
from segkit.io.read import Workspace
from segkit.operations.decide import Decision
from segkit.operations.delivery.changes import Changes
from segkit.operations.delivery.destinations.places import Folder, Place
from segkit.operations.delivery.manifest import Manifest
from segkit.operations.delivery.runs import RUN_FOLDER
from segkit.results.apply import ApplyResult
from segkit.rules.check.lists.bucket import check_bucket
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded
from segkit.rules.text.stand_in import StandIn


class Mirror:
    """A folder of the workspace that keeps the last run of a prefix of a bucket."""

    def __init__(self, prefix: Prefix, folder: Path, ws: Workspace) -> None:
        self.prefix, self.folder, self.ws = prefix, folder, ws
        self._seen: bytes | None = None

    def look(self) -> There:
        """What is in the bucket now; of the last run, what the next one asks about is in the folder then."""
        there = in_bucket.look(self.prefix)
        self.folder.mkdir(exist_ok=True)
        if there.last and there.manifest != self._seen:
            remove(self.folder / there.last)
            with self.ws.filling():
                in_bucket.fetch_run(self.prefix, there.last, [MANIFEST], self.folder)
                in_bucket.fetch_run(self.prefix, there.last, _asked_about(self.folder / there.last), self.folder)
            remove(self.folder / LATEST)
            (self.folder / LATEST).symlink_to(there.last, target_is_directory=True)
            self._seen = there.manifest
        for name in there.folders:
            if RUN.fullmatch(name):  # no new run can have this name
                (self.folder / name).mkdir(exist_ok=True)
        return there


def _asked_about(run: Path) -> Sequence[str]:
    """The files of a run that the next one may read: what it keeps for later, and its lists where that lacks them."""
    with suppress(ValueError):  # told where it is compared
        manifest = Manifest.from_json((run / MANIFEST).read_text(encoding="utf-8"))
        lists = manifest.members is None
        return [name for name in manifest.files if lists or name.startswith(f"{RUN_FOLDER}/")]
    return []


def standing_in(loaded: Loaded, ws: Workspace, *, needs_last: bool = True) -> tuple[Loaded, Mirror | None]:
    """The rules with a folder in the place of their output directory, where that is in a bucket.

    Raises `RuleError` for keys that do not go with a bucket, and `WriteError` where runs cannot be kept there. Who does
    not compare with the last run `needs_last` not.
    """
    output = loaded.rules.output
    if not output.in_bucket:
        return loaded, None
    if findings := [*check_bucket(loaded.rules)]:
        raise RuleError(*(loaded.source.placed(one) for one in findings))
    prefix = written_to(output.directory.replace("{as_of}", loaded.rules.today().isoformat()))
    folder = Path(ws.new_file("").resolve())
    folder.mkdir()
    mirror = Mirror(prefix, folder, ws)
    if needs_last:
        mirror.look()
    return loaded._replace(stand_in=StandIn(folder, prefix.shown)), mirror


def bounds_changes(rules: RuleFile) -> bool:
    """Whether a segment is expected to be as large as in the last run, even where the lists go elsewhere."""
    bounds = (segment.expect for segment in rules.segment.values())
    return any(one and one.max_change_percent is not None and one.previous is None for one in bounds)


@dataclass(frozen=True)
class InBucket:
    """A prefix of a bucket, which has a folder for each run."""

    folder: Folder
    mirror: Mirror
    compares: bool = True

    def prepare(self) -> None:
        """`WriteError` where lists would vanish, `RuleError` without an extra that is needed."""
        self.folder.prepare()

    def ready(self, plan: Plan) -> None:
        """All columns fit."""

    @contextmanager
    def open(self, run: Decision, published: Callable[[], None]) -> Iterator[Place]:
        """A folder to write to, which becomes a run in the bucket when the block ends well."""
        prefix, progress = self.mirror.prefix, self.folder.progress
        lease = Lease(prefix, self.folder.started)
        with leased(lease, wait=self.folder.wait, on_wait=progress):
            # Which run is the last one is known only once no other run can publish.
            there = self.mirror.look()
            told = [*unencrypted(prefix), *lease.told, *_cut_short(prefix, there)]
            there = in_bucket.clear_unfinished(prefix, there)
            with self.folder.open(run, lambda: None) as place, self.mirror.ws.filling():
                yield place._replace(told=[*told, *place.told])
            assert place.folder is not None
            whole = _whole(place.folder)
            in_bucket.refuse_clashes(prefix, there, whole.files)
            progress(f"uploading {len(whole.files):,} files")
            in_bucket.publish(prefix, there, whole, lease, published)
            in_bucket.complete(prefix, there, whole.name, whole.files)
            in_bucket.prune(prefix, there, run.rules.output.kept or 1, whole.name)

    def write(self, run: Decision, changes: Changes, place: Place, result: Callable[[], ApplyResult]) -> None:
        """All files, and the manifest last."""
        self.folder.write(run, changes, place, result)


def _cut_short(prefix: Prefix, there: There) -> Iterator[Diagnostic]:
    """A warning where the last run has ended between being published and being copied."""
    if in_bucket.cut_short(there):
        message = f"the last run, `{prefix.shown}/{there.last}`, was cut short once it was published"
        hint = f"its lists may have been in `{LATEST}` in part, or not at all: see whether somebody has missed them"
        yield Diagnostic(message, hint=hint, severity=Severity.WARNING)


def _whole(folder: Path) -> Whole:
    """The run in a folder, and the manifest that names it."""
    manifest = Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8"))
    return Whole(folder.name, folder, manifest.files, replace(manifest, run=folder.name).to_json())
