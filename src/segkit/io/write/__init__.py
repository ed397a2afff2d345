"""Frames to files; Polars is imported only when a sink is made, since the command line lists the formats."""

from segkit.io.write.formats import (
    FORMATS,
    STDOUT,
    Format,
    Target,
    TextStyle,
    format_of,
    keys_of,
    require_no_terminal,
    sink,
)

__all__ = [
    "FORMATS",
    "STDOUT",
    "Format",
    "Target",
    "TextStyle",
    "format_of",
    "keys_of",
    "require_no_terminal",
    "sink",
]
