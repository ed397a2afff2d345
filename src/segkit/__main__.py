"""`python -m segkit` and the console script."""

from __future__ import annotations

import sys
from io import TextIOWrapper

from segkit.cli import main as cli
from segkit.cli.boundary import interrupt_on_sigterm

FILES = 8_192


def main() -> None:
    """Run the command line and exit."""
    _allow_many_files()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a bar that a code page lacks is no reason to fail
    interrupt_on_sigterm()
    cli(prog_name="segkit")


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
