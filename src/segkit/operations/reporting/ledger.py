"""The segments of a run, from matched to written, without the numbers of a few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TypeAlias

from segkit.operations.delivery.manifest import Manifest, ProfileOf, SegmentOf
from segkit.operations.reporting.hiding import Number, Sum, hidden, is_few, shown_row, without
from segkit.reports import Figures, LedgerLine, Moved
from segkit.results.terms import REASONS

MATCHED, WRITTEN, HELD_OUT = "matched", "written", "holdout"
FOUND, UNFOUND = "found", "unfound"
"""Of those written, for whom the platform that a list is for has an identifier, and for whom it has none."""
Counted: TypeAlias = Mapping[tuple[str, str], int | None]
"""By segment and what is counted: `MATCHED`, `WRITTEN`, `FOUND`, `UNFOUND`, or a reason. None for what is hidden."""


def ledger(
    manifest: Manifest, fewest: int, moved: Mapping[str, Moved], previous: Manifest | None
) -> tuple[LedgerLine, ...]:
    """The segments in their order; `moved` says by segment who entered and left, without the numbers of a few."""
    before = dict(_written(previous, fewest)) if previous else {}
    numbers = counted(manifest, fewest)
    telling = alone(manifest, fewest)
    return tuple(
        _line(one, numbers, fewest, has_figures=one.name not in telling)._replace(
            moved=moved.get(one.name),
            before=before.get(one.name),
            is_new=previous is not None and one.name not in before,
        )
        for one in manifest.segments
    )


def _written(manifest: Manifest, fewest: int) -> Iterator[tuple[str, int | None]]:
    """How many were written in each segment, None where that is hidden."""
    for (name, what), number in counted(manifest, fewest).items():
        if what == WRITTEN:
            yield name, number


def counted(manifest: Manifest, fewest: int) -> Counted:
    """Who matched, was written and found by a platform or not, and was stopped for each reason.

    A line adds up. Of an exclusive run, the lists do so, too: all of them together are those who are in a list.
    """
    numbers = {(one.name, what): number for one in manifest.segments for what, number in _row(one).items()}
    lists = [one.name for one in manifest.segments if one.write]
    sums = [Sum([(name, what) for what in (WRITTEN, *REASONS)], (name, MATCHED)) for name in lists]
    sums += [Sum([(name, FOUND), (name, UNFOUND)], (name, WRITTEN)) for name in lists if (name, FOUND) in numbers]
    if manifest.assignment == "exclusive":
        sums.append(Sum([(name, WRITTEN) for name in lists]))
    return without(numbers, hidden(numbers, sums, fewest))


def _row(one: SegmentOf) -> dict[str, Number]:
    if not one.write:  # a building block has members, and nobody is written
        return {MATCHED: one.matched}
    row: dict[str, Number] = {
        MATCHED: one.matched,
        WRITTEN: one.written,
        **{reason: one.excluded.get(reason, 0) for reason in REASONS},
    }
    if one.without_identifier is not None:
        row |= {FOUND: one.written - one.without_identifier, UNFOUND: one.without_identifier}
    return row


def alone(manifest: Manifest, fewest: int) -> set[str]:
    """The segments whose totals would tell what a few spent: all but a few of another segment, or of all customers."""
    shared = {frozenset((one.first, one.second)): one.customers for one in manifest.overlaps}
    lists = sorted((one for one in manifest.segments if one.write), key=lambda one: one.written)
    found: set[str] = set()
    for place, one in enumerate(lists):
        apart = [
            one.written + other.written - 2 * shared.get(frozenset((one.name, other.name)), 0)
            for other in lists[place + 1 :]
        ]
        if any(is_few(number, fewest) for number in (*apart, manifest.customers - one.written)):
            found.add(one.name)
    return found


def _line(one: SegmentOf, numbers: Counted, fewest: int, *, has_figures: bool) -> LedgerLine:
    written = numbers.get((one.name, WRITTEN))
    known = numbers[one.name, WRITTEN if one.write else MATCHED] is not None
    return LedgerLine(
        name=one.name,
        label=one.label if one.label != one.name else "",
        write=one.write,
        matched=numbers[one.name, MATCHED],
        excluded={reason: numbers[one.name, reason] if one.write else 0 for reason in REASONS},
        written=written,
        share=one.share if written is not None else None,
        figures={
            column: _figures(profile, fewest, is_known=known and has_figures) for column, profile in one.profile.items()
        },
        variants=shown_row(one.variants, fewest) if known else dict.fromkeys(one.variants),
        unfound=numbers.get((one.name, UNFOUND), 0),
    )


def _figures(profile: ProfileOf, fewest: int, *, is_known: bool) -> Figures | None:
    """Nothing where fewer than `fewest` members have a value: total and mean tell how many they are."""
    if profile.total is None or profile.mean is None:
        return None
    if not is_known or (profile.mean and _with_value(profile.total, profile.mean) < fewest):
        return Figures(None, None, None)
    return Figures(profile.mean, profile.total, profile.share)


def _with_value(total: Decimal, mean: float) -> int:
    return round(float(total) / mean)
