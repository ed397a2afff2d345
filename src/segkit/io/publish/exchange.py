"""Two paths exchanged in one step of the file system, where it has one."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

AT_FDCWD = -100
RENAME_EXCHANGE = RENAME_SWAP = 2


def exchange(first: Path, second: Path) -> bool:
    """Exchange two paths atomically; False where this system or file system cannot.

    renameat2 with RENAME_EXCHANGE on Linux, renamex_np with RENAME_SWAP on macOS.
    """
    if sys.platform not in ("linux", "darwin"):
        return False
    libc = ctypes.CDLL(None)
    paths = os.fsencode(first), os.fsencode(second)
    if sys.platform == "darwin":
        return not libc.renamex_np(*paths, RENAME_SWAP)
    if not hasattr(libc, "renameat2"):  # glibc before 2.28
        return False
    return not libc.renameat2(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE)
