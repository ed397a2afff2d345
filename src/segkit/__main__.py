"""`python -m segkit` and the console script."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from io import TextIOWrapper

from segkit.cli import main as cli
from segkit.cli.signals import listen

FILES = 8_192


def main() -> None:
    """Run the command line and exit."""
    gc.disable()  # 0.03 s of the imports; what a run holds in circles is little
    _allow_many_files()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a bar that a code page lacks is no reason to fail
    listen()
    try:
        cli(prog_name="segkit")
    except SystemExit as end:
        _leave(end)


def _leave(end: SystemExit) -> None:
    """Leave without freeing a gigabyte piece by piece, which takes 0.1 s; files are closed and streams flushed."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # a terminal that has hung up
            stream.flush()
    os._exit(end.code if isinstance(end.code, int) else 0 if end.code is None else 1)


def _allow_many_files() -> None:
    """All outputs of a run are open at once; macOS allows 256 files to those who do not ask for more."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


if __name__ == "__main__":
    main()
