"""Files before their content: temporary space, globs, what a file is by its first bytes, decompression."""

from __future__ import annotations

import glob
import gzip
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import TracebackType

import polars as pl

from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError, WriteError
from segkit.io.publish.errors import FULL, error_number
from segkit.words import nearest

STDIN = Path("-")

KINDS = {
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".parquet": "parquet",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
    ".arrow": "ipc",
    ".feather": "ipc",
    ".ipc": "ipc",
}
"""Extension -> how the file is read; any other file is text."""

MAGIC = {b"PAR1": "parquet", b"ARROW1": "ipc", b"\xff\xff\xff\xff": "ipc_stream"}
"""First bytes that tell more than the extension."""

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

FOREIGN = {
    b"PK\x03\x04": "an Excel workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"FEA1": "a Feather file of version 1",
}
"""First bytes of files that are not tables -> what to call them."""


TMPDIR = "free some space there, or name another folder in the environment variable `TMPDIR`"


class Workspace:
    """Temporary files of one run (decompressed and transcoded text) and checks beside it; a `with` block ends both.

    `on_open` is told each file as soon as it is there: the file itself, or the copy of what came through a pipe.
    """

    def __init__(self, on_open: Callable[[Path], object] = lambda _: None) -> None:
        self.on_open = on_open

    def __enter__(self) -> Workspace:
        try:
            self._directory = tempfile.TemporaryDirectory(prefix="segkit-")
        except OSError as error:
            raise WriteError.of(f"cannot make a temporary folder: {error.strerror}", hint=TMPDIR) from error
        self._count = 0
        self._checker = ThreadPoolExecutor(1, "segkit-lines")
        self._checks: dict[Hashable, Future[DataError | None]] = {}
        self._left = Event()
        self.unpacked: dict[Path, tuple[Path, str]] = {}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._checker.shutdown(cancel_futures=True)
        self._directory.cleanup()

    def check_later(self, name: Hashable, check: Callable[[Callable[[], bool]], DataError | None]) -> None:
        """Run the check in the background, once a name; it is told when to stop."""
        if name not in self._checks:
            self._checks[name] = self._checker.submit(check, self._left.is_set)

    def verify(self) -> None:
        """Wait for the checks in the background; DataError with what they found."""
        errors = [error for error in (check.result() for check in self._checks.values()) if error]
        if errors:
            raise DataError(*(found for error in errors for found in error.diagnostics))

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
            raise WriteError.of(message, hint=TMPDIR) from error

    def new_file(self, suffix: str) -> Path:
        """A path that is free, in the workspace."""
        self._count += 1
        return Path(self._directory.name) / f"{self._count}{suffix}"


def problem(path: Path, message: str, *, hint: str | None = None, line: int | None = None) -> DataError:
    """The error for one thing that is wrong with a file."""
    return DataError(Diagnostic(message, SourceLocation(shown(path), line), hint))


def expands(name: str) -> bool:
    """Polars takes this name for a pattern that names other columns."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def check_names(path: Path, names: Iterable[str], line: int | None = None) -> None:
    """DataError for a column that cannot be told by its name."""
    for name in filter(expands, names):
        hint = "give it another name in the file: `*` and `^...$` stand for other columns"
        raise problem(path, f"a column cannot have the name `{name}`", line=line, hint=hint)


def shown(path: Path) -> str:
    """The path as messages have it."""
    return "standard input" if path == STDIN else str(path)


def expand(text: str, base: Path) -> tuple[Path, ...]:
    """The files that a path or glob names, sorted; DataError where there is none."""
    if text == "-":
        return (STDIN,)
    if "://" in text:
        raise DataError(
            Diagnostic(f"cannot read `{text}`: only local files are read", hint="download it first, and give its path")
        )
    path = base / text
    if path.is_file():
        return (path,)
    if path.is_dir():
        raise problem(path, f"`{text}` is a directory", hint=f"name its files with a glob such as `{text}/*.csv`")
    if glob.has_magic(text):
        found = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 (absolute patterns)
        files = tuple(Path(name) for name in found if Path(name).is_file())
        if files:
            return files
        raise problem(path, f"no file matches `{text}`", hint=_neighbours(path))
    if path.exists():
        return (path,)  # a named pipe, as `<(command)` gives
    raise problem(path, f"there is no file `{text}`", hint=_neighbours(path))


def _neighbours(path: Path) -> str:
    folder = path.parent
    while not folder.is_dir():
        folder = folder.parent
    if folder != path.parent:
        return f"there is no folder `{path.parent}`"
    names = sorted(child.name for child in folder.iterdir() if child.is_file())
    near = nearest(path.name, names)
    if near:
        return near
    if names:
        return f"`{folder}` holds " + ", ".join(f"`{name}`" for name in names[:5]) + (", ..." if names[5:] else "")
    return f"`{folder}` holds no files"


def unpack(ws: Workspace, path: Path) -> tuple[Path, str]:
    """The file itself, or its decompressed copy in the workspace, and the kind of its content; once a path."""
    if path not in ws.unpacked:
        ws.unpacked[path] = _unpack(ws, path)
    return ws.unpacked[path]


def plain(ws: Workspace, path: Path) -> Path:
    """The file itself, or its decompressed copy in the workspace."""
    with ws.filling():
        packed = _spooled(ws, path)
        start = _start(path, packed)
        unpacked = packed
        if start.startswith(GZIP):
            unpacked = _gunzip(ws, path, packed)
        elif start.startswith(ZSTD):
            unpacked = _unzstd(ws, path, packed)
        ws.on_open(path if packed == path else unpacked)
        return unpacked


def _unpack(ws: Workspace, path: Path) -> tuple[Path, str]:
    copy = plain(ws, path)
    suffixes = [s.lower() for s in path.suffixes if s.lower() not in (".gz", ".zst")]
    start = _start(path, copy)
    for magic, what in FOREIGN.items():
        if start.startswith(magic):
            raise problem(path, f"`{path.name}` looks like {what}, not a table", hint="save it as CSV or Parquet")
    by_magic = next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None)
    kind = by_magic or KINDS.get(suffixes[-1] if suffixes else "", "text")
    if kind == "text" and path == STDIN and start.lstrip()[:1] in (b"{", b"["):
        kind = "json"
    return copy, kind


def _spooled(ws: Workspace, path: Path) -> Path:
    """The file itself; what comes through a pipe, which can be read once, as a copy."""
    if path.is_file():
        return path
    copy = ws.new_file("")
    with copy.open("wb") as out:
        if path == STDIN:
            shutil.copyfileobj(sys.stdin.buffer, out, 1 << 20)
        else:
            with path.open("rb") as pipe:
                shutil.copyfileobj(pipe, out, 1 << 20)
    return copy


def _start(path: Path, plain: Path) -> bytes:
    try:
        with plain.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise problem(path, f"cannot read `{path.name}`: {error.strerror}") from error
    if not start:
        raise problem(path, f"`{path.name}` is empty")
    return start


def _gunzip(ws: Workspace, path: Path, packed: Path) -> Path:
    copy = ws.new_file("")
    try:
        with gzip.open(packed) as data, copy.open("wb") as out:
            shutil.copyfileobj(data, out, 1 << 20)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise problem(path, f"`{path.name}` is truncated or damaged gzip", hint="copy the file again") from error
    return copy


def _unzstd(ws: Workspace, path: Path, packed: Path) -> Path:
    """Polars reads zstd: lines go through as they are, since no text holds the separator NUL."""
    copy = ws.new_file("")
    lines = pl.scan_csv(
        packed, has_header=False, infer_schema=False, separator="\0", quote_char=None, new_columns=["line"]
    )
    try:
        lines.sink_csv(copy, include_header=False, separator="\0", quote_style="never")
    except (pl.exceptions.PolarsError, OSError) as error:
        if error_number(error):
            raise
        if "utf-8" in str(error):
            raise problem(path, f"`{path.name}` is not UTF-8", hint="decompress it, and give its `encoding`") from error
        raise problem(path, f"`{path.name}` is truncated or damaged zstd", hint="copy the file again") from error
    return copy
