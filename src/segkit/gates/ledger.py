"""Who is written: each gate takes customers out for one reason, and the ledger counts them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from segkit.columns import helpers
from segkit.columns.features.permission import CONSENT, FREQUENCY_CAP, SUPPRESSED, permission_columns
from segkit.columns.helpers import KEY, member
from segkit.gates.draws import drawn, variants
from segkit.gates.limits import within
from segkit.gates.rows import spread
from segkit.results import REASONS
from segkit.rules.model.blocks import Segment
from segkit.rules.model.file import RuleFile


class Line(NamedTuple):
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


def memberships(rules: RuleFile, customers: pl.DataFrame) -> pl.DataFrame:
    """One Boolean column a segment, one row a customer: whether the criteria hold."""
    # Not by `select`, which copies what comes in several pieces: 0.05 s on 1 M customers.
    return pl.DataFrame([customers[member(name)].alias(name) for name in rules.segment])


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
    asked = frozenset(permission_columns(rules))
    for name in claim_order(rules):
        segment, matched = rules.segment[name], memberships[name]
        queue = _Queue(matched, dict.fromkeys(REASONS, 0))
        held = None
        if segment.write:
            _permitted(queue, segment, customers, asked)
            if exclusive:
                queue.take_out("claimed", claimed)
            held = _drawn(queue, name, segment, customers)
            if exclusive:
                claimed = claimed | queue.left if held is None else claimed | queue.left | held
        variant = _variants(queue.left, name, segment, customers)
        lines[name] = Line(
            name=name,
            matched=int(matched.sum()),
            excluded=queue.excluded,
            written=queue.left,
            held=held,
            variants=variant,
        )
    return {name: lines[name] for name in rules.segment}


def _permitted(queue: _Queue, segment: Segment, customers: pl.DataFrame, asked: Collection[str]) -> None:
    """Takes out customers by consent, suppression and contact pressure, in general and for the segment's channel.

    This fails if `customers` lacks a column that the rule file asks for: nobody passes by default.
    """
    for reason, refuses in ((CONSENT, False), (SUPPRESSED, True), (FREQUENCY_CAP, True)):
        for channel in ("", *([segment.channel] if segment.channel else [])):
            column = helpers.permission(reason, channel)
            if column in asked:
                queue.take_out(reason, customers[column] if refuses else ~customers[column])


def _drawn(queue: _Queue, name: str, segment: Segment, customers: pl.DataFrame) -> pl.Series | None:
    """Who is held out, after sample and limit; None where there is no holdout."""
    salt = _salt(name, segment)
    if segment.sample is not None:
        queue.take_out("sample", ~_among(queue.left, customers, "sample", salt, segment.sample))
    if segment.limit is not None:
        queue.take_out("limit", ~within(segment.limit, customers, queue.left))
    if segment.holdout is None:
        return None
    return queue.take_out("holdout", _among(queue.left, customers, "holdout", salt, segment.holdout))


def _salt(name: str, segment: Segment) -> str:
    return segment.salt if segment.salt is not None else name


def _among(left: pl.Series, customers: pl.DataFrame, purpose: str, salt: str, percent: Decimal | int) -> pl.Series:
    """Who of those left is drawn; only their keys are hashed."""
    chosen = drawn(customers[KEY].filter(left), purpose, salt, percent)
    return spread(left.arg_true().filter(chosen), True, len(left), False)


def _variants(written: pl.Series, name: str, segment: Segment, customers: pl.DataFrame) -> pl.Series | None:
    if segment.split is None:
        return None
    chosen = variants(customers[KEY].filter(written), _salt(name, segment), segment.split)
    return spread(written.arg_true(), chosen, len(written), None)


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
