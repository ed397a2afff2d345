"""The segments of a run, from matched to written, without the numbers of a few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from segkit.histories import Line
from segkit.operations.delivery.manifest import Manifest, ProfileOf, SegmentOf
from segkit.operations.reporting.hiding import Number, hidden, is_few, shown, shown_row
from segkit.reports import Figures, LedgerLine, Totals
from segkit.results import REASONS

_MATCHED, _WRITTEN = 0, 1


def ledger(
    manifest: Manifest, fewest: int, today: Mapping[str, Line], previous: Manifest | None
) -> tuple[LedgerLine, ...]:
    """The segments in their order.

    `today` are the lines of the history on the day of the run, by segment, without the numbers of a few.
    """
    before = dict(zip_written(previous, fewest)) if previous else {}
    known = {one.name for one in previous.segments} if previous else set()
    numbers = _numbers(manifest, fewest)
    return tuple(
        _line(one, numbers[one.name], fewest, today.get(one.name))._replace(
            before=before.get(one.name), is_new=previous is not None and one.name not in known
        )
        for one in manifest.segments
    )


def zip_written(manifest: Manifest, fewest: int) -> Iterator[tuple[str, int | None]]:
    """How many were written in each segment, None where that is hidden."""
    for name, numbers in _numbers(manifest, fewest).items():
        yield name, numbers[_WRITTEN]


def _numbers(manifest: Manifest, fewest: int) -> dict[str, list[int | None]]:
    """By segment: matched, written, and who was stopped for each reason; None where that is hidden.

    A row adds up. Of an exclusive run, the lists do so, too: all of them together are those who are in a list.
    """
    rows: list[list[Number]] = [_row(one) for one in manifest.segments]
    places = hidden(rows, fewest, columns=False)
    if manifest.assignment == "exclusive":
        lists = [row[_WRITTEN] for row in rows]
        covered: list[Number] = ["hidden" if (r, _WRITTEN) in places else number for r, number in enumerate(lists)]
        more = {(r, _WRITTEN) for _, r in hidden([covered], fewest, columns=False)}
        masked: list[list[Number]] = [
            ["hidden" if (r, c) in places | more else number for c, number in enumerate(row)]
            for r, row in enumerate(rows)
        ]
        places = hidden(masked, fewest, columns=False)
    return {
        one.name: [None if (r, c) in places else shown(number, 1) for c, number in enumerate(rows[r])]
        for r, one in enumerate(manifest.segments)
    }


def _row(one: SegmentOf) -> list[Number]:
    if not one.write:  # a building block has members, and nobody is written
        return [one.matched, None, *(None for _ in REASONS)]
    return [one.matched, one.written, *(one.excluded.get(reason, 0) for reason in REASONS)]


def _line(one: SegmentOf, numbers: Sequence[int | None], fewest: int, today: Line | None) -> LedgerLine:
    matched, written, *stopped = numbers
    entered, left = (today.entered, today.left) if today else (None, None)
    is_known = (written if one.write else matched) is not None
    return LedgerLine(
        name=one.name,
        label=one.label if one.label != one.name else "",
        write=one.write,
        matched=matched,
        excluded=dict(zip(REASONS, stopped, strict=True)),
        written=written,
        share=one.share if written is not None else None,
        figures={column: _figures(profile, fewest, is_known=is_known) for column, profile in one.profile.items()},
        variants=shown_row(one.variants, fewest) if is_known else dict.fromkeys(one.variants),
        entered=entered,
        left=left,
    )


def _figures(profile: ProfileOf, fewest: int, *, is_known: bool) -> Figures:
    """Nothing where fewer than `fewest` members have a value: total and mean tell how many they are."""
    if profile.total is None or profile.mean is None or not is_known:
        return Figures(None, None, None)
    if profile.mean and round(float(profile.total) / profile.mean) < fewest:
        return Figures(None, None, None)
    return Figures(profile.mean, profile.total, profile.share)


def totals(manifest: Manifest, fewest: int) -> Totals:
    """How many customers there are, and in lists; where one number would tell a small one, it is hidden, too."""

    def part(outside: int | None) -> int | None:
        if outside is None or is_few(outside, fewest):
            return None
        return shown(manifest.customers - outside, fewest)

    held_out = [one.excluded.get("holdout", 0) - one.control for one in manifest.segments]
    return Totals(
        customers=manifest.customers,
        matched=part(manifest.unmatched),
        listed=part(manifest.unlisted),
        several=shown(manifest.several, fewest),
        held_out=shown(sum(held_out), fewest),
        control=shown(manifest.control.customers, fewest) if manifest.control else 0,
    )
