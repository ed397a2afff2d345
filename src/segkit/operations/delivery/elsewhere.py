"""Runs in a bucket, read as those in a folder: manifests are copied here, and of the rest what is asked for.

The copies hold keys of customers. They are in a temporary folder, for their owner alone, until the process ends.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from segkit.addresses import is_bucket
from segkit.io.cloud.at_once import at_once
from segkit.io.publish.folder import MANIFEST, RUN
from segkit.io.publish.in_bucket import UNFINISHED
from segkit.io.publish.kept_runs import LATEST
from segkit.io.publish.prefix import Prefix, read_from


class Copied(NamedTuple):
    """A folder that has what was copied of a prefix; `seen` tells whether the runs there are still the same."""

    folder: Path
    prefix: Prefix
    seen: frozenset[tuple[str, str | None]]


_COPIES: list[Copied] = []


def address_of(path: Path) -> str | None:
    """The address that a path was made of, which has lost a slash; None for a path of this machine."""
    text = re.sub(r"^(\w+):/+", r"\1://", str(path))
    return text if is_bucket(text) else None


def here(path: Path) -> Path:
    """Where a run, or a directory of runs, is on this machine: copied from its bucket, if need be.

    Raises `DataError` for what the bucket refuses.
    """
    address = address_of(path)
    if address is None:
        return path
    place = address.removesuffix(f"/{MANIFEST}")
    parent, _, name = place.rpartition("/")
    if name == LATEST:  # which may be half of one run: the manifest beside it names a whole one
        return _copy_of(parent).folder
    return _copy_of(parent).folder / name if RUN.fullmatch(name) else _copy_of(place).folder


def bring(path: Path) -> None:
    """Copy a file of a run from its bucket, if it is of one, and not yet here."""
    copied = _of(path)
    if copied and not path.exists() and copied.prefix.find(name := str(path.relative_to(copied.folder))):
        copied.prefix.get_to(name, path)


def named(path: Path) -> str:
    """What people know a path by: in its bucket, if it is a copy."""
    copied = _of(path)
    if copied is None:
        return address_of(path) or str(path)
    return f"{copied.prefix.shown}/{path.relative_to(copied.folder)}".removesuffix("/.")


def _of(path: Path) -> Copied | None:
    return next((one for one in _COPIES if path.is_relative_to(one.folder)), None)


def _copy_of(address: str) -> Copied:
    prefix = read_from(address)
    items = prefix.items()
    folders = [name.partition("/")[0] for name in items if name.endswith(f"/{MANIFEST}") and name.count("/") == 1]
    runs = [name for name in folders if name == LATEST or RUN.fullmatch(name)]
    last = prefix.json(MANIFEST) if MANIFEST in items else None
    named = last.get("run") if isinstance(last, dict) else None  # a run that it names is whole, whatever marks it
    whole = [name for name in runs if name == named or f"{name}/{UNFINISHED}" not in items]
    manifests = [*([MANIFEST] if MANIFEST in items else []), *(f"{name}/{MANIFEST}" for name in whole)]
    seen = frozenset((name, item.etag) for name, item in items.items() if name.partition("/")[0] in (MANIFEST, *whole))
    for copied in _COPIES:
        if (copied.prefix.shown, copied.seen) == (prefix.shown, seen):
            return copied
    folder = Path(tempfile.mkdtemp(prefix="segkit-")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    at_once(lambda name: prefix.get_to(name, folder / name), manifests)
    _COPIES.append(Copied(folder, prefix, seen))
    return _COPIES[-1]
