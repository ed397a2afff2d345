"""What the system says when it cannot write, in words that help."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segkit.addresses import is_address, without_secrets
from segkit.diagnostics import Diagnostic
from segkit.errors import WriteError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
ELSEWHERE = "write elsewhere with `-o`"
HINTS = {
    errno.ENOSPC: f"free some space there, or {ELSEWHERE}",
    errno.EDQUOT: f"ask for a larger quota, or {ELSEWHERE}",
    errno.EROFS: ELSEWHERE,
    errno.EIO: f"check the disk, or {ELSEWHERE}",
    errno.EFBIG: f"use a file system that holds files of this size, or {ELSEWHERE}",
    errno.ENAMETOOLONG: "choose shorter names",
    errno.EMFILE: "allow more open files (`ulimit -n 4096`), or write fewer segments at once with `--select`",
}
"""Errors that only writing makes -> what to do."""

PLACED_HINTS = {
    errno.EACCES: f"get permission to write there, or {ELSEWHERE}",
    errno.EPERM: f"get permission to write there, or {ELSEWHERE}",
    errno.ENOTDIR: "a part of the path is a file: choose another path",
    errno.EISDIR: "a folder is in the way: choose another path",
    errno.EEXIST: "something is in the way: choose another path",
    errno.ENOENT: f"no folder can be made there, or it went away: {ELSEWHERE}",
    errno.ENOTEMPTY: "something else writes there: run it again",
    errno.EBUSY: "something else uses it: run it again",
    errno.EXDEV: f"it is on another file system than the folder that holds it: {ELSEWHERE}",
}
"""Errors that reading makes, too, -> what to do; they are about writing only where they name the output."""


def write_error(error: BaseException, path: Path | str) -> WriteError | None:
    """The error for an output that could not be written, or None where this one is about something else.

    Polars raises a failed sink as an OSError without `errno`, or as a ComputeError; the number is in the text.
    """
    code = error_number(error)
    if code in PLACED_HINTS and _names(error, Path(path)):
        return _of(path, code, PLACED_HINTS[code])
    if code in HINTS:
        return _of(path, code, HINTS[code])
    return None


def require_local(path: str | Path) -> None:
    """WriteError for an address such as `s3://bucket/lists`, before a folder is called so."""
    if is_address(path):
        message = f"cannot write to `{without_secrets(str(path))}`: only local files are written"
        raise WriteError.of(message, hint="write to a local folder, and copy what is there")


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Turn failures to write inside the block into a WriteError that names the path."""
    try:
        yield
    except Exception as error:
        if error_number(error) == errno.EPIPE:
            raise BrokenPipeError from error
        if failure := write_error(error, path):
            raise failure from error
        raise


def _of(path: Path | str, code: int, hint: str) -> WriteError:
    place = "standard output" if str(path) == "-" else f"`{path}`"
    return WriteError(Diagnostic(f"cannot write {place}: {os.strerror(code)}", hint=hint))


def error_number(error: BaseException) -> int | None:
    """The system's number for what went wrong; an error of Polars has it only in its text."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    match = re.search(r"\(os error (\d+)\)", str(error))
    return int(match[1]) if match else None


def _names(error: BaseException, path: Path) -> bool:
    """Whether the error is about the target, a folder on the way to it, or what is built beside it."""
    target = Path(os.path.realpath(path))
    file = error.filename if isinstance(error, OSError) else None
    on_the_way = isinstance(file, str | os.PathLike) and target.is_relative_to(os.path.realpath(file))
    return on_the_way or f".{target.name}.segkit-" in f"{file} {error}"
