"""The command line: parses, calls one operation, shows its result, returns an exit code."""

from segkit.cli.group import main

__all__ = ["main"]
