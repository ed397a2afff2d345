"""Old runs are kept: a directory with a folder for each run, and `latest`, a link to the newest.

A folder is named by the day of its run, `2024-06-30`, then `2024-06-30.002` for the second run of that day, and so on.
Each is built beside the directory and moved in when it is complete. Then `latest` is turned to it, in one step, and
then the oldest runs go. Where the system has no symbolic links, `latest` is a folder with hard links to the same files.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from segkit.errors import WriteError
from segkit.io.publish.errors import ELSEWHERE, writing
from segkit.io.publish.folder import (
    MANIFEST,
    beside,
    carry_over,
    clear_leftovers,
    folder_mode,
    is_run,
    link,
    listed,
    make_folder,
    refuse,
    refuse_place,
    remove,
    set_modes,
    silent,
    swap,
)

LATEST = "latest"
_KEPT = re.compile(r"\d{4}-\d{2}-\d{2}(\.\d{3,})?")
_PREFIX = f".{LATEST}.segkit-"


@contextmanager
def keeping(
    directory: Path,
    day: str,
    keep: int,
    *,
    mode: int | None = None,
    wait: bool = True,
    on_wait: Callable[[str], None] = silent,
    after_swap: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Path, Path]]:
    """An empty folder, and the path in `directory` that it has once the block ends well.

    The last `keep` runs stay, this one among them. A run that lies in `directory` itself, from before runs were kept,
    becomes the first of the kept ones. `after_swap` is called when this one is the last run. Files that are not of a
    run stay, and so does an old run to which somebody has added a file. Raises `WriteError` where `latest` is not
    segkit's, and for whatever the system refuses.
    """
    target = Path(os.path.realpath(directory))
    with writing(directory):
        _refuse(target, directory)
        target.parent.mkdir(parents=True, exist_ok=True)
        with beside(target, directory, wait=wait, on_wait=on_wait) as staging:
            make_folder(staging, mode)
            plain = (target / MANIFEST).exists()
            before = _day_of(target) if plain else None
            name = _next_name(target, day, [before] if before else [])
            yield staging, directory / name
            _refuse(target, directory)
            set_modes(staging, mode)
            if before:
                _from_plain(target, before, staging, name, directory, mode)
            else:
                _move_in(target, staging, name, mode)
            after_swap()
            _prune(target, keep, name)


def kept_in(directory: Path) -> list[Path]:
    """The runs that a directory keeps, by day, then in the order in which they were published."""
    if not directory.is_dir():
        return []
    folders = (path for path in directory.iterdir() if _KEPT.fullmatch(path.name))  # others are runs side by side
    return sorted((path for path in folders if (path / MANIFEST).is_file()), key=lambda path: path.name)


def _published(run: Path) -> str | None:
    """When a kept run began; None where it is not one, or somebody has put a file into it."""
    try:
        manifest = json.loads((run / MANIFEST).read_text(encoding="utf-8"))
        alone = {entry.name for entry in os.scandir(run)} <= listed(run, run)
        return str(manifest["times"]["started"]) if alone else None
    except (OSError, ValueError, KeyError, TypeError, WriteError):
        return None


def _refuse(target: Path, shown: Path) -> None:
    """WriteError where runs cannot be kept there."""
    if (target / MANIFEST).exists():
        _refuse_copy(target, shown)
        refuse(target, shown)
        return
    refuse_place(target, shown)
    latest = target / LATEST
    if latest.is_symlink():
        ours = latest.readlink().name == str(latest.readlink())
    else:
        ours = not latest.exists() or (latest / MANIFEST).is_file()
    if not ours:
        message = f"cannot keep runs in `{shown}`: `{LATEST}` in it is not from segkit"
        raise WriteError.of(message, hint=f"move it away, or {ELSEWHERE}")


def _refuse_copy(target: Path, shown: Path) -> None:
    """WriteError for a copy of what is in a bucket: its manifest would go on naming the run of then."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        if json.loads((target / MANIFEST).read_text(encoding="utf-8"))["run"]:
            message = f"cannot keep runs in `{shown}`: it is a copy of runs in a bucket"
            raise WriteError.of(message, hint=f"write to the bucket, or {ELSEWHERE}")


def _day_of(run: Path) -> str:
    return str(json.loads((run / MANIFEST).read_text(encoding="utf-8"))["as_of"])


def _next_name(target: Path, day: str, more: list[str]) -> str:
    """The name of the next run: the day, with the next number where there is something of that day already."""
    names = [*more, *(path.name for path in (target.iterdir() if target.exists() else ()))]
    same = [name.removeprefix(day) for name in names if name.startswith(day)]
    numbers = [int(rest[1:]) if rest[1:].isdigit() else 1 for rest in same]
    return f"{day}.{max(numbers) + 1:03}" if numbers else day


def _move_in(target: Path, staging: Path, name: str, mode: int | None) -> None:
    if not target.exists():
        target.mkdir()
        if mode is not None:
            target.chmod(folder_mode(mode))
    clear_leftovers(target / LATEST, _PREFIX)
    staging.rename(target / name)
    _point(target, name)


def _from_plain(target: Path, before: str, staging: Path, name: str, shown: Path, mode: int | None) -> None:
    """Exchange the directory, which is a run itself, for one that keeps this run and the new one."""
    layout = staging.with_name(f"{staging.name.rpartition('-')[0]}-{secrets.token_hex(4)}.new")
    try:
        make_folder(layout, mode)
        if mode is not None:
            layout.chmod(folder_mode(mode))
        (layout / before).mkdir()
        for file in listed(target, shown):
            if (target / file).exists():
                link(target / file, layout / before / file)
        staging.rename(layout / name)
        _point(layout, name)
        carry_over(target, layout, shown)
        swap(layout, target)
    finally:
        remove(layout)


def _point(target: Path, name: str) -> None:
    """Make `latest` the run of this name, in one step."""
    latest, made = target / LATEST, target / f"{_PREFIX}{secrets.token_hex(4)}.new"
    try:
        made.symlink_to(name, target_is_directory=True)
    except (OSError, NotImplementedError):
        made.mkdir()
        for entry in os.scandir(target / name):
            link(Path(entry.path), made / entry.name)
    if made.is_symlink() and (latest.is_symlink() or not latest.exists()):
        made.replace(latest)
    else:
        swap(made, latest)
        remove(made)


def _prune(target: Path, keep: int, newest: str) -> None:
    """Remove all but the last runs; what cannot be removed now goes another time."""
    runs = [Path(entry.path) for entry in os.scandir(target) if is_run(Path(entry.path)) and entry.name != newest]
    ages = sorted((age, run.name, run) for run in runs if (age := _published(run)))
    for _, _, run in ages[: max(0, len(ages) - keep + 1)]:
        gone = target / f"{_PREFIX}{secrets.token_hex(4)}.new"
        with suppress(OSError):
            run.rename(gone)  # a run is there whole, or not at all
            remove(gone)
