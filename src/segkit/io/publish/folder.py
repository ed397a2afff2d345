"""Outputs appear whole or not at all: they are built beside their target and swapped in when complete.

Only while a run is on, `.segments.segkit-lock` and `.segments.segkit-XXXX.new` stand beside a target `segments`. A
killed run leaves them, and the next one removes them. Nothing is synced to disk before the swap: it would double the
time of a run, and outputs that a power cut takes can be made again from the inputs.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from segkit.errors import WriteError
from segkit.io.publish.errors import ELSEWHERE, require_local, write_error, writing
from segkit.io.publish.exchange import exchange
from segkit.io.publish.lock import locked

__all__ = ["publish_file", "publishing", "write_error", "writing"]

MANIFEST = "manifest.json"
RUN = re.compile(r"\d{4}-\d\d-\d\d(\.\d{3,})?")
"""The name of a kept run: its day, and a number from the second run of a day on."""
OF_ITS_OWN = "name a folder of its own in it, with `-o` or `directory`"


def silent(_: str) -> None:
    """Say nothing."""


@contextmanager
def publishing(
    directory: Path,
    *,
    mode: int | None = None,
    wait: bool = True,
    on_wait: Callable[[str], None] = silent,
    before_swap: Callable[[], None] = lambda: None,
    after_swap: Callable[[], None] = lambda: None,
) -> Iterator[Path]:
    """An empty folder; when the block ends well, it takes the place of `directory`, in one step.

    `mode` gives the permissions of the files in it; those of the folder follow from them. `before_swap` is called when
    all else that could fail is done; where it raises, nothing is published; `after_swap` when it is.

    When the block raises, and when the process is killed, `directory` stays as it was. Files in it that its
    `manifest.json` does not list under `files` are the user's and stay. Raises `WriteError` where `directory` cannot be
    replaced, where a file of the user has the name of an output, and for whatever the system refuses to write inside
    the block.
    """
    target = Path(os.path.realpath(directory))
    with writing(directory):
        refuse(target, directory)
        target.parent.mkdir(parents=True, exist_ok=True)
        with beside(target, directory, wait=wait, on_wait=on_wait) as staging:
            make_folder(staging, mode)
            yield staging
            refuse(target, directory)
            set_modes(staging, mode)
            if target.exists():
                if mode is None:
                    shutil.copymode(target, staging)
                carry_over(target, staging, directory)
            before_swap()
            swap(staging, target, after_swap)


@contextmanager
def publish_file(path: Path, *, wait: bool = True, on_wait: Callable[[str], None] = silent) -> Iterator[Path]:
    """A path to write to; when the block ends well, the file there takes the place of `path`, in one step."""
    require_local(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        with writing(path):
            yield path  # /dev/null, a named pipe: nothing to replace
        return
    target = Path(os.path.realpath(path))
    with writing(path):
        if target.is_dir():
            raise WriteError.of(f"cannot write `{path}`: it is a folder", hint="name a file in it")
        target.parent.mkdir(parents=True, exist_ok=True)
        with beside(target, path, wait=wait, on_wait=on_wait) as staging:
            yield staging
            if target.exists():
                shutil.copymode(target, staging)
            staging.replace(target)


@contextmanager
def beside(target: Path, shown: Path, *, wait: bool, on_wait: Callable[[str], None]) -> Iterator[Path]:
    """A free path beside the target, which is free again after the block; each target has one at a time."""
    prefix = f".{target.name}.segkit-"
    with locked(target.with_name(f"{prefix}lock"), shown, wait=wait, on_wait=on_wait):
        clear_leftovers(target, prefix)
        staging = target.with_name(f"{prefix}{secrets.token_hex(4)}.new")
        try:
            yield staging
        finally:
            remove(staging)


def clear_leftovers(target: Path, prefix: str) -> None:
    """Remove what killed runs left.

    An `.old` without a target is the last good run, caught between two renames: it becomes the target again.
    """
    ours = re.compile(re.escape(prefix) + r"[0-9a-f]{8}\.(new|old)")
    for entry in sorted(target.parent.iterdir()):
        if ours.fullmatch(entry.name):
            if entry.suffix == ".old" and not target.exists():
                entry.rename(target)
            else:
                remove(entry)


def refuse(target: Path, shown: Path) -> None:
    """WriteError where `target` is not a folder that may be replaced."""
    refuse_place(target, shown)
    if not target.exists():
        return
    hint = OF_ITS_OWN
    if target.samefile(Path.cwd()):
        raise WriteError.of(f"cannot replace `{shown}`: it is the current folder", hint=hint)
    ours = listed(target, shown)
    folders = sorted(e.name for e in os.scandir(target) if e.is_dir(follow_symlinks=False))
    if foreign := [name for name in folders if name not in ours]:
        if is_run(target / foreign[0]):
            kept = "say `[output] keep`, or name another folder, with `-o` or `directory`"
            message = f"cannot replace `{shown}`: it keeps old runs, such as `{foreign[0]}`"
            raise WriteError.of(message, hint=kept)
        raise WriteError.of(f"cannot replace `{shown}`: it holds the folder `{foreign[0]}`", hint=hint)


def refuse_place(target: Path, shown: Path) -> None:
    """WriteError where `target` is no folder, or one that nothing can be moved into."""
    if target.exists() and not target.is_dir():
        raise WriteError.of(f"cannot write to `{shown}`: it is a file", hint="name a folder, with `-o` or `directory`")
    if os.path.ismount(target):
        raise WriteError.of(f"cannot replace `{shown}`: something is mounted there", hint=OF_ITS_OWN)


def is_run(folder: Path) -> bool:
    """Whether the folder is a kept run."""
    return bool(RUN.fullmatch(folder.name)) and (folder / MANIFEST).is_file() and not folder.is_symlink()


def listed(directory: Path, shown: Path) -> set[str]:
    """The names in the folder that a run says are its own; WriteError where the manifest is not one of segkit."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        _ = manifest["segkit_version"]
        return {MANIFEST, *(Path(path).parts[0] for path in manifest["files"])}
    except FileNotFoundError:
        return set()
    except (IsADirectoryError, ValueError, KeyError, TypeError, IndexError) as error:
        message = f"cannot replace `{shown}`: its `{MANIFEST}` is not from segkit"
        raise WriteError.of(message, hint=f"move that file away, or {ELSEWHERE}") from error


def carry_over(old: Path, new: Path, shown: Path) -> None:
    """Give `new` the files of the user in `old`; WriteError where one of them has the name of an output."""
    ours = listed(old, shown)
    for entry in list(os.scandir(old)):
        copy = new / entry.name
        if entry.name in ours:
            continue
        if os.path.lexists(copy):
            message = f"cannot write `{shown / entry.name}`: a file that is not of segkit's last run has this name"
            raise WriteError.of(message, hint=f"move it away, or {ELSEWHERE}")
        link(Path(entry.path), copy)


def link(file: Path, copy: Path) -> None:
    """The same file under another name; of a folder, all that is in it."""
    if file.is_dir() and not file.is_symlink():
        copy.mkdir()
        shutil.copymode(file, copy)
        for entry in os.scandir(file):
            link(Path(entry.path), copy / entry.name)
        return
    try:
        os.link(file, copy, follow_symlinks=False)
    except OSError:  # a file system without hard links
        shutil.copy2(file, copy, follow_symlinks=False)


def make_folder(path: Path, mode: int | None) -> None:
    """Make the folder in which outputs are built.

    Where permissions are asked for, it is for its owner alone until it has them.
    """
    path.mkdir(mode=0o777 if mode is None else 0o700)


def set_modes(folder: Path, mode: int | None) -> None:
    """Give all files of a folder these permissions, and folders those that let the same people in."""
    if mode is None:
        return
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            set_modes(Path(entry.path), mode)
        else:
            Path(entry.path).chmod(mode)
    folder.chmod(folder_mode(mode))


def folder_mode(mode: int) -> int:
    """The permissions of a folder whose files have these: who may read a file may enter its folder.

    0o700 for files of 0o600, 0o750 for 0o640.
    """
    return mode | (mode & 0o444) >> 2


def swap(staging: Path, target: Path, done: Callable[[], None] = lambda: None) -> None:
    """Put `staging` in the place of `target`; afterwards, `staging` holds the old folder, or nothing.

    `done` is called as soon as it is there.
    """
    if not target.exists():
        staging.rename(target)
        done()
    elif exchange(staging, target):
        done()
    else:
        old = staging.with_suffix(".old")
        target.rename(old)
        try:
            staging.rename(target)
        except BaseException:
            old.rename(target)
            raise
        done()
        remove(old)


def remove(path: Path) -> None:
    """Remove a file or a folder, in several tries.

    Polars' threads may still create files for a moment after Ctrl-C.
    """
    for pause in (0, 0.05, 0.2):
        time.sleep(pause)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        if not os.path.lexists(path):
            return
