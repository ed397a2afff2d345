"""Who is written: each gate takes customers out for one reason, and the ledger counts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from segkit.results import REASONS
from segkit.rules.model import RuleFile


@dataclass(frozen=True)
class Line:
    """One segment's line: who matched, how many each gate took out, who is left to be written."""

    name: str
    matched: int
    excluded: Mapping[str, int]
    written: pl.Series


def ledger(rules: RuleFile, memberships: pl.DataFrame) -> dict[str, Line]:
    """The lines of all segments, in file order; matched = written + sum(excluded), always."""
    lines: dict[str, Line] = {}
    claimed = pl.Series("claimed", [False]).new_from_index(0, len(memberships))
    for name in claim_order(rules):
        matched = left = memberships[name]
        excluded = dict.fromkeys(REASONS, 0)
        if rules.assignment.mode == "exclusive" and rules.segment[name].write:
            excluded["claimed"] = int((left & claimed).sum())
            left = left & ~claimed
            claimed = claimed | left
        lines[name] = Line(name, int(matched.sum()), excluded, left)
    return {name: lines[name] for name in rules.segment}


def claim_order(rules: RuleFile) -> list[str]:
    """The segments in the order in which they claim customers: by priority, then as in the file."""
    first = [name for name in rules.assignment.priority if name in rules.segment]
    return [*first, *(name for name in rules.segment if name not in first)]


def overlaps(written: Mapping[str, pl.Series]) -> Iterator[tuple[str, str, int]]:
    """Each pair of segments that share customers, and how many; none in an exclusive run."""
    names: Sequence[str] = list(written)
    for position, first in enumerate(names):
        for second in names[position + 1 :]:
            shared = int((written[first] & written[second]).sum())
            if shared:
                yield first, second, shared
