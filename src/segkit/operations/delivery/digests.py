"""The sha256 of input files, computed beside the run."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from segkit.io.read.text.encoding import CHUNK


class Digests:
    """The sha256 of input files, computed on a thread while Polars reads the files, too."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, initializer=_yield_to_others)
        self._found: dict[Path, Future[str]] = {}
        self._closed = threading.Event()

    def start(self, path: Path) -> None:
        """Begin with this file, if it has not been begun."""
        if path not in self._found:
            self._found[path] = self._pool.submit(digest, path, self._closed.is_set)

    def close(self) -> None:
        """Stop, and drop the digests that are not done."""
        self._closed.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __getitem__(self, path: Path) -> str:
        self.start(path)
        return self._found[path].result()


def _yield_to_others() -> None:
    """Let this thread have the processor when no other thread wants it."""
    if sys.platform == "linux":  # elsewhere, only whole processes have a priority
        with suppress(OSError):  # a sandbox may forbid it: then the thread has its share
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def digest(path: Path, stopped: Callable[[], bool] = lambda: False) -> str:
    """The sha256 of a file in hexadecimal, or of a part of it where `stopped` says so."""
    hasher, buffer = hashlib.sha256(), memoryview(bytearray(CHUNK))
    with path.open("rb", buffering=0) as file:
        while (size := file.readinto(buffer)) and not stopped():
            hasher.update(buffer[:size])
    return hasher.hexdigest()
