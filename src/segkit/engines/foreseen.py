"""Whether a run may take more memory than there is, told before it does."""

from __future__ import annotations

import os
from pathlib import Path

from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic, Severity
from segkit.engines.spread import memory_of

MUCH = 0.6
"""From this share of the memory that there is, a note tells of it."""
_MOST = 30
"""Bytes in memory of a byte of a file, at most: where even that is little, nobody looks closer."""
_GB = 1_000_000_000
_CGROUPS = {"0": ("", "memory.max"), "memory": ("memory", "memory.limit_in_bytes")}
"""How a line of `/proc/self/cgroup` tells the version of a limit -> its folder, and the file that has it."""


def note_of_memory(plan: Plan) -> Diagnostic | None:
    """A note where all customers at once may take most of the memory; None where they do not, or nobody knows."""
    there = memory_there()
    parts = (part for view in plan.views.values() for part in view.table.parts)
    files = sum(part.bytes for part in parts if part.content.exists())  # frames have none
    if there is None or files * _MOST < MUCH * there:
        return None
    needed = memory_of(plan)
    if needed < MUCH * there:
        return None
    message = f"this run may take {needed / _GB:.1f} GB of memory, and there are {there / _GB:.1f} GB"
    half = max(there // 2 // _GB, 1)
    hint = f"`--memory {half}GB` computes the customers in buckets, with the same lists"
    return Diagnostic(message, hint=hint, severity=Severity.NOTE)


def memory_there() -> int | None:
    """Bytes of memory that this process may use: those of the machine, or of its control group."""
    try:
        of_machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # elsewhere, nobody says
        return None
    return min([of_machine, *_limits(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))])


def _limits(groups: Path, root: Path) -> list[int]:
    """The limits of the control groups that the process is in, and of those around them."""
    try:
        lines = groups.read_text(encoding="utf-8").splitlines()
    except OSError:  # no Linux
        return []
    found = []
    for number, controllers, path in (line.split(":", 2) for line in lines):
        names = [number, *controllers.split(",")]
        for folder, file in (_CGROUPS[name] for name in names if name in _CGROUPS):
            top = root / folder
            own = top / path.lstrip("/")
            for place in (own, *own.parents):
                if place.is_relative_to(top) and (place / file).is_file():
                    text = (place / file).read_text(encoding="ascii").strip()
                    found += [int(text)] if text.isdecimal() else []
    return found
