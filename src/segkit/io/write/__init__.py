"""Frames to files; Polars is imported only when a sink is made, since the command line lists the formats."""

from segkit.io.write.formats import (
    FORMATS,
    STDOUT,
    Format,
    Sink,
    Target,
    TextStyle,
    format_of,
    keys_of,
    require_installed,
    require_no_terminal,
    sink,
    write,
)

__all__ = [
    "FORMATS",
    "STDOUT",
    "Format",
    "Sink",
    "Target",
    "TextStyle",
    "format_of",
    "keys_of",
    "require_installed",
    "require_no_terminal",
    "sink",
    "write",
]
