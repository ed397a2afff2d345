"""A report that was written, as text."""

from __future__ import annotations

from segkit.reports import ReportWritten
from segkit.words import count


def report_summary(result: ReportWritten) -> str:
    """Where the page is, how long, and what is not in it."""
    size = f"{count(round(result.bytes / 1000))} kB" if result.bytes >= 1000 else f"{result.bytes} bytes"
    where = "standard output" if result.path == "-" else result.path
    lines = [f"{where}: the run of {result.as_of}, {size}"]
    widest = max(map(len, result.left_out), default=0)
    lines += [f"  without {name.ljust(widest)}  {why}" for name, why in result.left_out.items()]
    return "\n".join(lines)
