"""Who is written: each gate takes customers out for one reason, and the ledger counts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from segkit.columns.hidden import KEY, hidden
from segkit.columns.permission import CONSENT, FREQUENCY_CAP, SUPPRESSED
from segkit.gates.draws import drawn, variants
from segkit.gates.limits import within
from segkit.results import REASONS
from segkit.rules.blocks import Segment
from segkit.rules.model import RuleFile


@dataclass(frozen=True)
class Line:
    """One segment's line: who matched, how many each gate took out, who is left to be written.

    `held` are those whom the holdout took out; `variants` has the variant of each written customer, where there are
    some.
    """

    name: str
    matched: int
    excluded: Mapping[str, int]
    written: pl.Series
    held: pl.Series | None = None
    variants: pl.Series | None = None


@dataclass
class _Queue:
    """The customers who have passed all gates so far, and how many each gate has taken out."""

    left: pl.Series
    excluded: dict[str, int]

    def take_out(self, reason: str, mask: pl.Series) -> pl.Series:
        """Those of the customers left for whom `mask` holds; they leave for this reason."""
        gone = self.left & mask
        self.excluded[reason] += int(gone.sum())
        self.left = self.left & ~mask
        return gone


def ledger(rules: RuleFile, memberships: pl.DataFrame, customers: pl.DataFrame) -> dict[str, Line]:
    """The lines of all segments, in file order; matched = written + sum(excluded), always.

    `customers` has the key and the columns of consent, suppression and contact pressure.
    """
    lines: dict[str, Line] = {}
    claimed = pl.Series("claimed", [False]).new_from_index(0, len(memberships))
    exclusive = rules.assignment.mode == "exclusive"
    for name in claim_order(rules):
        segment, matched = rules.segment[name], memberships[name]
        queue = _Queue(matched, dict.fromkeys(REASONS, 0))
        held = None
        if segment.write:
            _permitted(queue, segment, customers)
            if exclusive:
                queue.take_out("claimed", claimed)
            held = _drawn(queue, name, segment, customers)
            if exclusive:
                claimed = claimed | queue.left if held is None else claimed | queue.left | held
        variant = _variants(queue.left, name, segment, customers)
        lines[name] = Line(name, int(matched.sum()), queue.excluded, queue.left, held, variant)
    return {name: lines[name] for name in rules.segment}


def _permitted(queue: _Queue, segment: Segment, customers: pl.DataFrame) -> None:
    """Consent, suppression, contact pressure: the general rules, and those of the segment's channel."""
    for reason, refuses in ((CONSENT, False), (SUPPRESSED, True), (FREQUENCY_CAP, True)):
        for channel in ("", *([segment.channel] if segment.channel else [])):
            column = hidden(reason, channel)
            if column in customers.columns:
                queue.take_out(reason, customers[column] if refuses else ~customers[column])


def _drawn(queue: _Queue, name: str, segment: Segment, customers: pl.DataFrame) -> pl.Series | None:
    """Sample, limit and holdout; returns who is held out."""
    salt = segment.salt if segment.salt is not None else name
    if segment.sample is not None:
        queue.take_out("sample", ~drawn(customers[KEY], "sample", salt, segment.sample))
    if segment.limit is not None:
        queue.take_out("limit", ~within(segment.limit, customers, queue.left))
    if segment.holdout is None:
        return None
    return queue.take_out("holdout", drawn(customers[KEY], "holdout", salt, segment.holdout))


def _variants(written: pl.Series, name: str, segment: Segment, customers: pl.DataFrame) -> pl.Series | None:
    if segment.split is None:
        return None
    chosen = variants(customers[KEY], segment.salt if segment.salt is not None else name, segment.split)
    return chosen.zip_with(written, pl.Series([None], dtype=pl.String).new_from_index(0, len(written)))


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
