"""One run at a time for each output."""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from segkit.errors import WriteError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
"""What a file system without locks says: runs there are not serialised."""


@contextmanager
def locked(path: Path, target: Path, *, wait: bool, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file at `path` while the block runs.

    Where another run has it, `on_wait` is told which, and that run is waited for; without `wait`, it is a `WriteError`.
    """
    if fcntl is None:
        yield
        return
    handle = _acquire(path, target, wait=wait, on_wait=on_wait)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _acquire(path: Path, target: Path, *, wait: bool, on_wait: Callable[[str], None]) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _flock(handle, target, wait=wait, on_wait=on_wait)
            if _is_still(path, handle):
                os.ftruncate(handle, 0)
                os.write(handle, f"process {os.getpid()} on {platform.node()}".encode())
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its holder removed the file as it finished: lock the new one


def _flock(handle: int, target: Path, *, wait: bool, on_wait: Callable[[str], None]) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.pread(handle, 200, 0).decode(errors="replace") or "a process"
        if not wait:
            hint = "wait for it to end, or leave `--no-wait` out"
            raise WriteError.of(f"another run writes to `{target}`: {who}", hint=hint) from None
        on_wait(f"waiting for another run: {who}")
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
