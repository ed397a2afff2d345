"""Frames to files, without Polars until a sink is made: the command line lists the formats."""

from segkit.io.write.formats import FORMATS, STDOUT, Format, Target, TextStyle, format_of, require_format, sink

__all__ = ["FORMATS", "STDOUT", "Format", "Target", "TextStyle", "format_of", "require_format", "sink"]
