"""`python -m segkit` and the console script."""

from __future__ import annotations

import sys
from io import TextIOWrapper

from segkit.cli import main as cli
from segkit.cli.boundary import interrupt_on_sigterm


def main() -> None:
    """Run the command line and exit."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a bar that a code page lacks is no reason to fail
    interrupt_on_sigterm()
    cli(prog_name="segkit")


if __name__ == "__main__":
    main()
