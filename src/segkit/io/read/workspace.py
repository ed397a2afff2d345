"""Temporary files of one run, and what is checked beside it."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, TypeVar

import polars as pl

from segkit.diagnostics import Diagnostic
from segkit.errors import DataError, WriteError
from segkit.io.cloud.store import Object
from segkit.io.publish.errors import FULL, error_number
from segkit.io.read.label import Origin

T = TypeVar("T")
TMPDIR = "free some space there, or name another folder in the environment variable `TMPDIR`"
WORK = "give `--work` a folder that is there, has space, and may be written to"


class Bounds(NamedTuple):
    """In what the customers of a run are computed: in so many bytes of memory, in so many buckets, on which engine."""

    memory: int | None = None
    buckets: int | None = None
    engine: Any = None
    """One with machines of its own, where there is one."""


class CacheIn(NamedTuple):
    """Where large texts are kept from one run to the next, by which version of segkit."""

    folder: Path
    version: str


class Workspace:
    """Temporary files of one run (decompressed and transcoded text) and checks beside it; a `with` block ends both.

    `on_open` is told each file as soon as it is there: the file itself, or the copy of what came through a pipe.
    `frames` are tables that are no files, by the paths that sources give for them. `bounds` say in what the customers
    are computed; None where all are at once. `notes` gets what has to be said at once. The files are in `folder`, in
    place of the one of the system. Large texts are kept in `cache_in`, where that is set. `at_end` are called last, and
    are told whether all went well, and the lines of all texts were checked.
    """

    def __init__(
        self,
        on_open: Callable[[Path], object] = lambda _: None,
        frames: Mapping[str, pl.LazyFrame] = MappingProxyType({}),
        bounds: Bounds | None = None,
        notes: Callable[[Diagnostic], object] = lambda _: None,
        folder: Path | None = None,
    ) -> None:
        self.on_open = on_open
        self.frames = frames
        self.bounds = bounds
        self._notes = notes
        self._noted: set[Diagnostic] = set()
        self._folder = folder

    def __enter__(self) -> Workspace:
        where = self._folder and self._folder.absolute()
        try:
            self._directory = tempfile.TemporaryDirectory(prefix="segkit-", dir=where)
        except OSError as error:
            place = f" in `{self._folder}`" if self._folder else ""
            message = f"cannot make a temporary folder{place}: {error.strerror}"
            raise WriteError.of(message, hint=WORK if self._folder else TMPDIR) from error
        self._count = 0
        self._latest: Path | None = None
        self._checker = ThreadPoolExecutor(1, "segkit-lines")
        self._checks: dict[Hashable, Future[DataError | None]] = {}
        self._left = Event()
        self.unpacked: dict[Path, tuple[Path, str]] = {}
        self.fetched: dict[str, Origin] = {}
        self.objects: dict[Path, Object] = {}
        """The file that stands here for an object of a bucket -> the object, which is read where it is."""
        self.connections: dict[str, Any] = {}
        self.spooled: dict[Hashable, tuple[Path, Any] | DataError] = {}
        self._copies: dict[str, Path] = {}
        self._made: dict[Hashable, Any] = {}
        self.cache_in: CacheIn | None = None
        self.at_end: list[Callable[[bool], None]] = []
        self.explains: list[Callable[[BaseException], DataError | None]] = []
        """What tells whether a failure of Polars, wherever it comes, is that of a bucket that is read where it is."""
        self._verified = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self.disconnect()
        self._checker.shutdown(cancel_futures=True)
        for call in self.at_end:
            call(error is None and self._verified)
        self._end(error)
        if isinstance(error, (pl.exceptions.PolarsError, OSError)):
            for told in filter(None, (explain(error) for explain in self.explains)):
                raise told from None

    def _end(self, error: BaseException | None) -> None:
        """Remove the folder; what keeps it from that is told unless something else is."""
        try:
            self._remove()
        except OSError as left:
            if error is None:
                message = f"cannot remove the temporary folder `{self._directory.name}`: {left.strerror}"
                raise WriteError.of(
                    message, hint="remove it, since it holds rows of customers; all else is done"
                ) from left

    def _remove(self) -> None:
        """Remove the folder; machines that have just been let go may still be putting a file there."""
        for _ in range(20):
            with suppress(OSError):
                return self._directory.cleanup()
            time.sleep(0.25)
        return self._directory.cleanup()

    def note(self, note: Diagnostic) -> None:
        """Say this at once, and once."""
        if note not in self._noted:
            self._noted.add(note)
            self._notes(note)

    def disconnect(self) -> None:
        """End the transactions with databases, each of which shows the tables of one moment to all who read it."""
        while self.connections:
            self.connections.popitem()[1].close()

    def has(self, path: Path) -> bool:
        """Whether a file is one of these."""
        return path.is_relative_to(self._directory.name)

    def once(self, name: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once a name: for what takes long, and several commands ask for more than once."""
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made

    def check_later(self, name: Hashable, check: Callable[[Callable[[], bool]], DataError | None]) -> None:
        """Run the check in the background, once a name; it is told when to stop."""
        if name not in self._checks:
            self._checks[name] = self._checker.submit(check, self._left.is_set)

    def verify(self) -> None:
        """Wait for the checks in the background; DataError with what they found."""
        errors = [error for error in (check.result() for check in self._checks.values()) if error]
        if errors:
            raise DataError(*(found for error in errors for found in error.diagnostics))
        self._verified = True

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Turn a full disk inside the block, where only temporary files are written, into a WriteError."""
        try:
            yield
        except (OSError, pl.exceptions.PolarsError) as error:
            code = error_number(error)
            if code not in FULL:
                raise
            place = Path(self._directory.name).parent
            message = f"cannot write to the temporary folder `{place}`: {os.strerror(code)}"
            raise WriteError.of(message, hint=WORK if self._folder else TMPDIR) from error

    def new_file(self, suffix: str) -> Path:
        """A path that is free, in the workspace."""
        self._count += 1
        return Path(self._directory.name) / f"{self._count}{suffix}"

    def new_folder(self) -> Path:
        """A folder that is empty, in the workspace; the one before it goes: what was there is computed anew."""
        if self._latest:
            shutil.rmtree(self._latest, ignore_errors=True)
        self._latest = self.new_file("")
        self._latest.mkdir()
        return self._latest

    def copy_of(self, frame: str) -> Path:
        """The file that holds a frame once `copy_frames` has run: what a manifest says of it is that of this file."""
        if frame not in self._copies:
            self._copies[frame] = self.new_file(".parquet")
        return self._copies[frame]

    def copy_frames(self) -> None:
        """Write the frames that were opened, unless that is done: only a run that is published needs them as files."""
        with self.filling():
            for name, path in self._copies.items():
                if not path.exists():
                    self.frames[name].sink_parquet(path)
