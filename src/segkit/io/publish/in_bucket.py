"""Runs in a bucket: below a prefix, a folder for each run, the manifest that names the last one, and copies of it.

    PREFIX/2024-06-30/...       a run, its own manifest.json last
    PREFIX/manifest.json        the same manifest, with the name of that folder: the last run
    PREFIX/latest/...           copies of its files
    PREFIX/lock                 while a run is on

A bucket has no step in which many objects change at once. So a run is put there under a name that nobody knows, until
the manifest names it, in one step. What a killed run leaves has a list, `unfinished.json`, of what it may hold; nothing
is removed that no list of segkit has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from segkit.errors import SegkitError, WriteError
from segkit.io.cloud.at_once import at_once
from segkit.io.cloud.store import Item
from segkit.io.publish.folder import MANIFEST, RUN
from segkit.io.publish.kept_runs import LATEST
from segkit.io.publish.lease import Lease
from segkit.io.publish.prefix import Prefix

UNFINISHED = "unfinished.json"
"""In the folder of a run: it is not complete."""
OF_ITS_OWN = "name a prefix of its own, with `-o` or `directory`"


class There(NamedTuple):
    """What is below a prefix: all objects by name, what the manifest says, and which files of `latest` are ours."""

    names: Mapping[str, Item]
    last: str | None
    manifest: bytes
    copied: frozenset[str]

    @property
    def folders(self) -> list[str]:
        """The names of all folders."""
        return sorted({name.partition("/")[0] for name in self.names if "/" in name})

    @property
    def runs(self) -> list[str]:
        """The folders of complete runs."""
        return [
            name
            for name in self.folders
            if RUN.fullmatch(name)
            and f"{name}/{MANIFEST}" in self.names
            and (name == self.last or f"{name}/{UNFINISHED}" not in self.names)
        ]


class Whole(NamedTuple):
    """A run that is complete, in a local folder: its files there, and the manifest of the prefix that names it."""

    name: str
    folder: Path
    files: Sequence[str]
    manifest: str


def look(prefix: Prefix) -> There:
    """What is below a prefix; `WriteError` where something else than runs of segkit would be overwritten."""
    names = prefix.items()
    content = prefix.read(MANIFEST) if MANIFEST in names else None
    last, files = _named(prefix, content, names) if content is not None else (None, frozenset())
    copied = {*files, *_listed(prefix.json(f"{LATEST}/{MANIFEST}") if f"{LATEST}/{MANIFEST}" in names else None)}
    in_latest = {name.removeprefix(f"{LATEST}/") for name in names if name.startswith(f"{LATEST}/")}
    if in_latest and not copied:
        message = f"cannot keep runs in `{prefix.shown}`: `{LATEST}` in it is not from segkit"
        raise WriteError.of(message, hint=OF_ITS_OWN)
    return There(names, last, content or b"", frozenset(copied & in_latest))


def _named(prefix: Prefix, content: bytes, names: Collection[str]) -> tuple[str, frozenset[str]]:
    """The run that the manifest names, and its files."""
    try:
        manifest = json.loads(content)
        _ = manifest["segkit_version"]
        run, files = manifest.get("run"), _listed(manifest)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"cannot write to `{prefix.shown}`: its `{MANIFEST}` is not from segkit"
        raise WriteError.of(message, hint=OF_ITS_OWN) from error
    if not isinstance(run, str) or not RUN.fullmatch(run):
        message = f"cannot write to `{prefix.shown}`: its `{MANIFEST}` is that of a run which lies there itself"
        raise WriteError.of(message, hint=OF_ITS_OWN)
    if f"{run}/{MANIFEST}" not in names:
        message = f"cannot write to `{prefix.shown}`: its `{MANIFEST}` names the run `{run}`, which is gone"
        raise WriteError.of(message, hint=f"restore it, or remove `{MANIFEST}` there to begin anew")
    return run, frozenset(files)


def _listed(manifest: Any) -> Iterable[str]:
    """The files of a run by its manifest, itself among them; none where it is not one of segkit."""
    try:
        _ = manifest["segkit_version"]
        return [MANIFEST, *(str(name) for name in manifest["files"])]
    except (KeyError, TypeError):
        return []


def refuse_clashes(prefix: Prefix, there: There, files: Iterable[str]) -> None:
    """`WriteError` where an object in `latest` that is not of segkit has the name of an output."""
    for name in files:
        if f"{LATEST}/{name}" in there.names and name not in there.copied:
            message = f"cannot write `{prefix.shown}/{LATEST}/{name}`: an object that is not of segkit is there"
            raise WriteError.of(message, hint=f"move it away, or {OF_ITS_OWN}")


def fetch_run(prefix: Prefix, run: str, files: Iterable[str], folder: Path) -> None:
    """Bring files of a run into a folder of its name."""
    at_once(lambda name: prefix.get_to(f"{run}/{name}", folder / run / name), files)


def cut_short(there: There) -> bool:
    """Whether the last run was killed once the manifest named it: `latest` may have nothing of it, or a part."""
    return f"{there.last}/{UNFINISHED}" in there.names


def clear_unfinished(prefix: Prefix, there: There) -> There:
    """Remove what killed runs left; one that was killed once the manifest named it is brought to its end."""
    gone: list[str] = []
    copied = there.copied
    for run in (name for name in there.folders if RUN.fullmatch(name) and f"{name}/{UNFINISHED}" in there.names):
        if run == there.last:
            copied = frozenset(_listed(json.loads(there.manifest)))
            complete(prefix, there, run, sorted(copied - {MANIFEST}))
            gone.append(f"{run}/{UNFINISHED}")
            continue
        files = _marked(prefix.json(f"{run}/{UNFINISHED}"))
        if files is not None:
            _remove(prefix, run, files)
            gone += [f"{run}/{name}" for name in (*files, UNFINISHED)]
    names = {name: found for name, found in there.names.items() if name not in gone}
    return there._replace(names=names, copied=copied)


def _marked(mark: Any) -> list[str] | None:
    """The files of a run by the mark that it is not complete; None where that is not one of segkit."""
    files = mark.get("files") if isinstance(mark, dict) and mark.get("segkit") == "unfinished" else None
    whole = isinstance(files, list) and all(isinstance(name, str) and ".." not in name.split("/") for name in files)
    return files if whole else None


def publish(prefix: Prefix, there: There, run: Whole, lease: Lease, published: Callable[[], None]) -> None:
    """Put a run there and name it as the last one; where that fails, nothing of it stays, and the last one is the last.

    `published` is called once it is named, also where the answer to that was not waited for.
    `WriteError` where another run has taken the place over, or has published.
    """
    lease.require()
    try:
        _put(prefix, run, lease)
        lease.require()
        _name(prefix, there, run)
        published()
    except BaseException:
        with suppress(SegkitError):  # then the next run does it, which finds the mark
            if _is_last(prefix, run.name):
                published()
            else:
                _remove(prefix, run.name, run.files)
        raise


def _put(prefix: Prefix, run: Whole, lease: Lease) -> None:
    """All files, and the manifest last. Nobody looks for the run before the manifest of the prefix names it."""

    def put(name: str) -> None:
        lease.check()
        prefix.put(run.folder / name, f"{run.name}/{name}")

    _mark(prefix, run.name, run.files)
    at_once(put, run.files)
    there = prefix.items(run.name)
    for name in run.files:
        found, written = there.get(f"{run.name}/{name}"), (run.folder / name).stat().st_size
        size = found.size if found else 0
        if found is None or size != written:
            message = f"`{prefix.shown}/{run.name}/{name}` has {size:,} bytes there, and should have {written:,}"
            raise WriteError.of(message, hint="see whether something else writes there, and run it again")
    prefix.put(run.folder / MANIFEST, f"{run.name}/{MANIFEST}")


def _name(prefix: Prefix, there: There, run: Whole) -> None:
    """Make the manifest name the run, in one step: from now on, it is the last one."""
    before, new = there.names.get(MANIFEST), run.manifest.encode()
    done = prefix.put_over(MANIFEST, new, before.etag) if before else prefix.put_new(MANIFEST, new)
    if not done and not _is_last(prefix, run.name):  # an answer that got lost: it was put, and asked for once more
        message = f"cannot publish in `{prefix.shown}`: its `{MANIFEST}` has changed while this run was on"
        raise WriteError.of(message, hint="see what else writes there, and run it again")


def _is_last(prefix: Prefix, run: str) -> bool:
    manifest = prefix.json(MANIFEST)
    return isinstance(manifest, dict) and manifest.get("run") == run


def _remove(prefix: Prefix, run: str, files: Iterable[str]) -> None:
    """Remove a run of which a mark says that it is not complete: the manifest first, the mark last."""
    if files:
        prefix.delete([f"{run}/{MANIFEST}"])
        prefix.delete([f"{run}/{name}" for name in files if name != MANIFEST])
    prefix.delete([f"{run}/{UNFINISHED}"])


def complete(prefix: Prefix, there: There, run: str, files: Sequence[str]) -> None:
    """Copy the files of the last run to `latest`, and take its mark away; `there` is what there was before."""
    with _published(prefix, run, f"`{LATEST}` there is not whole", f"copy it to `{LATEST}`"):
        _copy_latest(prefix, there, run, files)
    with _published(prefix, run, f"`{UNFINISHED}` in it is still there", "remove that"):
        prefix.delete([f"{run}/{UNFINISHED}"])


def _copy_latest(prefix: Prefix, there: There, run: str, files: Sequence[str]) -> None:
    """The manifest last; what the run before had, and this one has not, goes."""
    at_once(lambda name: prefix.copy(f"{run}/{name}", f"{LATEST}/{name}"), files)
    prefix.delete([f"{LATEST}/{name}" for name in sorted(there.copied - {*files, MANIFEST})])
    prefix.copy(f"{run}/{MANIFEST}", f"{LATEST}/{MANIFEST}")


@contextmanager
def _published(prefix: Prefix, run: str, what: str, step: str) -> Iterator[None]:
    """The error of something that fails once the run is published says so."""
    try:
        yield
    except SegkitError as error:
        message = f"the run is published as `{prefix.shown}/{run}`, and {what}: {error.diagnostics[0].message}"
        hint = f"read the run itself, or {step}; do not run it again"
        raise WriteError.of(message, hint=hint) from error


def prune(prefix: Prefix, there: There, keep: int, newest: str) -> None:
    """Remove all but the last runs: what their manifests list; a run to which somebody has added an object stays."""
    old = sorted(found for run in there.runs if run != newest and (found := _alone(prefix, there, run)))
    with _published(prefix, newest, "older ones are still there", "remove those"):
        for _, run, files in old[: max(0, len(old) - keep + 1)]:
            _mark(prefix, run, files)  # where this is cut short, the next run goes on with it
            _remove(prefix, run, files)


def _alone(prefix: Prefix, there: There, run: str) -> tuple[str, str, list[str]] | None:
    """When a run began, its name and its files; None where it is not one, or somebody has put an object into it."""
    manifest = prefix.json(f"{run}/{MANIFEST}")
    files = list(_listed(manifest))
    alone = {name for name in there.names if name.startswith(f"{run}/")} <= {f"{run}/{name}" for name in files}
    try:
        return (str(manifest["times"]["started"]), run, files) if alone else None
    except (KeyError, TypeError):
        return None


def _mark(prefix: Prefix, run: str, files: Iterable[str]) -> None:
    mark = {"segkit": "unfinished", "files": list(dict.fromkeys([*files, MANIFEST]))}
    prefix.put_bytes(f"{run}/{UNFINISHED}", json.dumps(mark).encode())
