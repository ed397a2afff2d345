"""What changed between two runs."""

from __future__ import annotations

from typing import NamedTuple


class SegmentDiff(NamedTuple):
    """One segment in two runs; `old` and `new` are the customers in it, None where the run has no such segment."""

    name: str
    old: int | None
    new: int | None
    entered: int
    left: int
    stayed: int


class Move(NamedTuple):
    """Customers of an exclusive run who were in one segment and are in another; None is no segment."""

    old: str | None
    new: str | None
    customers: int


class RunInfo(NamedTuple):
    """One of the two runs: where it is, its day and how many customers there were."""

    path: str
    as_of: str
    customers: int


class DiffResult(NamedTuple):
    """What changed between two runs; `moves` is None unless both are exclusive."""

    old: RunInfo
    new: RunInfo
    segments: tuple[SegmentDiff, ...]
    moves: tuple[Move, ...] | None

    @property
    def differs(self) -> bool:
        """Whether anybody entered, left or moved, or a segment came or went."""
        return any(s.entered or s.left or s.old is None or s.new is None for s in self.segments)
