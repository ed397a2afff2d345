"""Outputs appear whole or not at all: they are built beside their target and swapped in when complete.

Beside a target `segments` stand, only while a run is on, `.segments.segkit-lock` and `.segments.segkit-XXXX.new`; a
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
from segkit.io.lock import locked
from segkit.io.swap import exchange
from segkit.io.write_errors import ELSEWHERE, write_error, writing

__all__ = ["publish_file", "publishing", "write_error", "writing"]

MANIFEST = "manifest.json"


def _silent(_: str) -> None:
    pass


@contextmanager
def publishing(directory: Path, *, wait: bool = True, on_wait: Callable[[str], None] = _silent) -> Iterator[Path]:
    """Yield an empty folder; when the block ends well, that folder takes the place of `directory`, in one step.

    When the block raises, and when the process is killed, `directory` stays as it was. Files in it that its
    `manifest.json` does not list under `files` are the user's and stay. WriteError where that cannot be done, where
    one of them has the name of an output, and for whatever the system refuses to write inside the block.
    """
    target = Path(os.path.realpath(directory))
    with writing(directory):
        _refuse(target, directory)
        target.parent.mkdir(parents=True, exist_ok=True)
        with _beside(target, directory, wait=wait, on_wait=on_wait) as staging:
            staging.mkdir()
            yield staging
            _refuse(target, directory)
            if target.exists():
                _carry_over(target, staging, directory)
            _swap(staging, target)


@contextmanager
def publish_file(path: Path, *, wait: bool = True, on_wait: Callable[[str], None] = _silent) -> Iterator[Path]:
    """Yield a path to write to; when the block ends well, that file takes the place of `path`, in one step."""
    if path.exists() and not path.is_file() and not path.is_dir():
        with writing(path):
            yield path  # /dev/null, a named pipe: nothing to replace
        return
    target = Path(os.path.realpath(path))
    with writing(path):
        if target.is_dir():
            raise WriteError.of(f"cannot write `{path}`: it is a folder", hint="name a file in it")
        target.parent.mkdir(parents=True, exist_ok=True)
        with _beside(target, path, wait=wait, on_wait=on_wait) as staging:
            yield staging
            if target.exists():
                shutil.copymode(target, staging)
            staging.replace(target)


@contextmanager
def _beside(target: Path, shown: Path, *, wait: bool, on_wait: Callable[[str], None]) -> Iterator[Path]:
    """A path beside the target that is free, and is so again after the block; one at a time for each target."""
    prefix = f".{target.name}.segkit-"
    with locked(target.with_name(f"{prefix}lock"), shown, wait=wait, on_wait=on_wait):
        _clear_leftovers(target, prefix)
        staging = target.with_name(f"{prefix}{secrets.token_hex(4)}.new")
        try:
            yield staging
        finally:
            _remove(staging)


def _clear_leftovers(target: Path, prefix: str) -> None:
    """What killed runs left; an `.old` without a target is the last good run, caught between two renames."""
    ours = re.compile(re.escape(prefix) + r"[0-9a-f]{8}\.(new|old)")
    for entry in sorted(target.parent.iterdir()):
        if ours.fullmatch(entry.name):
            if entry.suffix == ".old" and not target.exists():
                entry.rename(target)
            else:
                _remove(entry)


def _refuse(target: Path, shown: Path) -> None:
    """WriteError where `target` is not a folder that may be replaced."""
    if not target.exists():
        return
    if not target.is_dir():
        raise WriteError.of(f"cannot write to `{shown}`: it is a file", hint="name a folder, with `-o` or `directory`")
    hint = "name a folder of its own in it, with `-o` or `directory`"
    if target.samefile(Path.cwd()):
        raise WriteError.of(f"cannot replace `{shown}`: it is the current folder", hint=hint)
    if os.path.ismount(target):
        raise WriteError.of(f"cannot replace `{shown}`: something is mounted there", hint=hint)
    listed = _listed(target, shown)
    folders = sorted(e.name for e in os.scandir(target) if e.is_dir(follow_symlinks=False))
    if foreign := [name for name in folders if name not in listed]:
        raise WriteError.of(f"cannot replace `{shown}`: it holds the folder `{foreign[0]}`", hint=hint)


def _listed(directory: Path, shown: Path) -> set[str]:
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


def _carry_over(old: Path, new: Path, shown: Path) -> None:
    shutil.copymode(old, new)
    listed = _listed(old, shown)
    for entry in list(os.scandir(old)):
        copy = new / entry.name
        if entry.name in listed:
            continue
        if os.path.lexists(copy):
            message = f"cannot write `{shown / entry.name}`: a file that is not of segkit's last run has this name"
            raise WriteError.of(message, hint=f"move it away, or {ELSEWHERE}")
        try:
            os.link(entry.path, copy, follow_symlinks=False)
        except OSError:  # a file system without hard links
            shutil.copy2(entry.path, copy, follow_symlinks=False)


def _swap(staging: Path, target: Path) -> None:
    """Afterwards `staging` holds the old folder, or nothing."""
    if not target.exists():
        staging.rename(target)
    elif not exchange(staging, target):
        old = staging.with_suffix(".old")
        target.rename(old)
        try:
            staging.rename(target)
        except BaseException:
            old.rename(target)
            raise
        _remove(old)


def _remove(path: Path) -> None:
    """Remove a file or a folder. Polars' threads may still create files for a moment after Ctrl-C: try again."""
    for pause in (0, 0.05, 0.2):
        time.sleep(pause)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        if not os.path.lexists(path):
            return
