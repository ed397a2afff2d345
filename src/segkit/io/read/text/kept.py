"""Large texts, kept as Parquet from one run to the next: every column as text, as it came.

An entry is of one file, read in one way, as it was at one time: at its place, with its length, times and inode. Whoever
publishes compares the digest, too. Only texts whose lines have been checked are kept. Entries are written beside, and
renamed, so that several runs may share the folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from segkit.errors import WriteError
from segkit.io.publish.errors import error_number, writing
from segkit.io.read.text.delimited import TextFile, scan

VERSION = 1
"""Raise it when the same file makes another entry."""
UNUSED, REPLACED = 30 * 86_400, 86_400
"""Seconds that an entry stays which nobody uses, and one whose file has changed since."""
YOUNG = 2
"""Seconds for which a file is not kept: what changes it again within one tick of the clock would not show."""
_BESIDE, _ENTRY = ".segkit-", ".kept"
"""How the folders begin in which entries are made, and how those of entries end: nothing else is ever removed."""
_ROWS, _TEXT, _FACTS, _USED = "rows.parquet", "text.csv", "facts", "used"
_UNREADABLE = (
    OSError, EOFError, pickle.UnpicklingError, ImportError, AttributeError, IndexError, TypeError, ValueError,
)  # fmt: skip
"""What is raised where there is no entry, or one that is not whole."""
_HINT = "give the cache a folder that has space, and that you may write to (`--cache`, `[cache]`), or do without"
How: TypeAlias = Mapping[str, Any]
"""The keys that say how a file is read, and what it is called."""


class Seen(NamedTuple):
    """What tells a file from what it was before."""

    size: int
    modified: int
    changed: int
    device: int
    inode: int

    @property
    def is_young(self) -> bool:
        """Whether it has been changed just now."""
        return time.time() - max(self.modified, self.changed) / 1e9 < YOUNG

    @staticmethod
    def of(path: Path) -> Seen:
        """The file as it is right now."""
        found = path.stat()
        return Seen(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_dev, found.st_ino)


class _Facts(NamedTuple):
    """What is known of a file beside its rows."""

    digest: str
    text: TextFile
    has_copy: bool
    sizes: Mapping[str, int]
    """How long its files are: one of which a crash of the machine has left a part is not used."""


class _Made(NamedTuple):
    """An entry that is made; it is kept once the run has gone well."""

    path: Path
    seen: Seen
    entry: Path
    facts: _Facts


class Cache:
    """A folder with texts as Parquet, for its owner alone; entries are of one version of segkit."""

    def __init__(self, folder: Path, version: str) -> None:
        self._folder, self._version = folder, version
        self._made: dict[Path, _Made] = {}
        self.used: dict[Path, tuple[Path, str]] = {}
        """An entry -> its file as the run names it, and the digest when the entry was made."""

    def find(self, path: Path, how: How) -> TextFile | None:
        """The text of a file that is read so, whose rows are kept; None where there is no entry.

        One that cannot be used is removed, so that it is made anew.
        """
        entry = self._entry(path, Seen.of(path), how)
        facts = _facts_of(entry)
        if facts is None:
            drop(entry)
            return None
        self.used[entry] = (path, facts.digest)
        text = facts.text._replace(kept=(entry / _ROWS).absolute(), large=False)
        return text._replace(source=entry / _TEXT) if facts.has_copy else text

    def keep(self, path: Path, how: How, seen: Seen, text: TextFile, *, is_copy: bool) -> TextFile:
        """The text of a file, as it was `seen` before it was read, with its rows as Parquet.

        `is_copy` says that its source goes with the run. One that Polars cannot read to its end is not kept: the run
        says why. Raises `WriteError`.
        """
        with _keeping(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = Path(tempfile.mkdtemp(prefix=_BESIDE, dir=self._folder))
            try:
                scan([text]).sink_parquet(beside / _ROWS, compression="lz4")
                if is_copy:
                    shutil.copyfile(text.source, beside / _TEXT)
                for file in beside.iterdir():
                    file.chmod(0o600)
            except BaseException as error:
                drop(beside)
                if isinstance(error, pl.exceptions.PolarsError) and not error_number(error):
                    return text
                raise
        self._made[beside] = _Made(path, seen, self._entry(path, seen, how), _Facts("", text, is_copy, {}))
        return text._replace(kept=(beside / _ROWS).absolute())

    def end(self, keep: bool) -> None:
        """The run is over; `keep` what was made where all went well."""
        if keep:
            self._commit()
        self._tidy()

    def _commit(self) -> None:
        """Keep what was made of files that are still what they were."""
        for beside, made in self._made.items():
            with suppress(OSError), made.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                if Seen.of(made.path) == made.seen:
                    facts = made.facts._replace(digest=digest, sizes=_sizes(beside))
                    (beside / _FACTS).touch(0o600)
                    (beside / _FACTS).write_bytes(pickle.dumps(facts))
                    (beside / _USED).touch(0o600)
                    beside.rename(made.entry)  # fails where another run was faster: it has made the same

    def _tidy(self) -> None:
        """Remove what was not kept, what nobody has used for long, and what was kept of files that have changed."""
        replaced = {made.entry.name.partition("-")[0] for made in self._made.values()}
        for beside in self._made:
            drop(beside)
        self._made.clear()
        now = time.time()
        for entry in entries_in(self._folder):
            with suppress(OSError):
                unused = now - (entry / _USED).stat().st_mtime
                if unused > (REPLACED if entry.name.partition("-")[0] in replaced else UNUSED):
                    drop(entry)
        for beside in begun_in(self._folder):  # a run that was killed has left it
            with suppress(OSError):
                if now - beside.stat().st_mtime > REPLACED:
                    drop(beside)

    def _entry(self, path: Path, seen: Seen, how: How) -> Path:
        of_file = _digest([VERSION, self._version, pl.__version__, str(path.resolve()), how])
        return self._folder / f"{of_file}-{_digest(seen)}{_ENTRY}"


@contextmanager
def _keeping(folder: Path) -> Iterator[None]:
    """Turn failures to write inside the block into a WriteError that names the cache."""
    try:
        with writing(folder):
            yield
    except WriteError as error:
        raise WriteError(*(replace(one, hint=_HINT) for one in error.diagnostics)) from error


def _facts_of(entry: Path) -> _Facts | None:
    """What is known of an entry that can be used, which is noted; None where there is none."""
    try:
        for part in (entry, entry / _FACTS):
            there = part.lstat()
            if there.st_uid != os.getuid() or there.st_mode & 0o022:
                return None  # somebody else may have written it
        facts: _Facts = pickle.loads((entry / _FACTS).read_bytes())
        if not facts.sizes.items() <= _sizes(entry).items():
            return None
        (entry / _USED).touch()
    except _UNREADABLE:
        return None
    return facts


def _sizes(entry: Path) -> dict[str, int]:
    """How long each of its files is."""
    return {file.name: file.stat().st_size for file in entry.iterdir()}


def entries_in(folder: Path) -> list[Path]:
    """The folders of all entries of a cache."""
    return sorted(folder.glob(f"*{_ENTRY}"))


def begun_in(folder: Path) -> list[Path]:
    """The folders in which runs make entries, or have made some before they were killed."""
    return sorted(folder.glob(f"{_BESIDE}*"))


def drop(entry: Path) -> None:
    """Remove an entry."""
    shutil.rmtree(entry, ignore_errors=True)


def _digest(of: Any) -> str:
    return hashlib.sha256(json.dumps(of, sort_keys=True, default=str).encode()).hexdigest()[:32]
