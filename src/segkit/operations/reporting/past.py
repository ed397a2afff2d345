"""What the runs before tell: the history of the segments, and the moves between the values of tracked columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segkit.histories import Line, SegmentHistory
from segkit.operations.delivery.manifest import MoveOf, TrackedOf
from segkit.operations.delivery.past.lines import lines_of
from segkit.operations.delivery.runs import Run
from segkit.operations.reporting.hiding import Number, is_few, shown, shown_grid
from segkit.reports import Flow, LedgerLine, Past


def lines(run: Run, fewest: int) -> list[Line]:
    """The lines of the history until the day of the run, without the numbers of a few."""
    return [_safe(line, fewest) for line in lines_of(run) if line.as_of <= run.as_of]


def _safe(line: Line, fewest: int) -> Line:
    line = line._replace(customers=shown(line.customers, fewest))
    if line.customers is None or line.entered is None or line.left is None or _is_few(line, fewest):
        line = line._replace(entered=None, left=None, stayed_percent=None)
    if line.customers is None or is_few(line.buyers, fewest):
        line = line._replace(buyers=None, conversion=None, revenue=None, per_customer=None)
    return line


def _is_few(line: Line, fewest: int) -> bool:
    """With the sizes of both days, one of the two tells the other."""
    return is_few(line.entered, fewest) or is_few(line.left, fewest)


def past(found: Sequence[Line], run: Run, segments: Sequence[LedgerLine]) -> Past:
    """The segments that were written on the day, over time; today's size is hidden where the ledger hides it."""
    hidden = {line.name for line in segments if line.write and line.written is None}
    kept = run.manifest.history
    told = [
        line._replace(customers=None, entered=None, left=None, stayed_percent=None)
        if line.as_of == run.as_of and line.segment in hidden
        else line
        for line in found
    ]
    names = [line.name for line in segments if line.write]
    return Past(
        days=tuple(dict.fromkeys(line.as_of for line in found)),
        rules_changed=kept.rules_changed if kept else (),
        segments=tuple(
            SegmentHistory(name, of_segment)
            for name in names
            if (of_segment := tuple(line for line in told if line.segment == name))
        ),
    )


def flows(tracked: TrackedOf, fewest: int) -> Iterator[Flow]:
    """The moves of each column since the day before, without those of a few."""
    if tracked.since is None:
        return
    for column in tracked.columns:
        moves: dict[tuple[str | None, str | None], Number] = {
            (one.old, one.new): one.customers for one in tracked.moves if one.column == column
        }
        values = _in_order([one for one in tracked.moves if one.column == column])
        if moves:
            yield Flow(column, tracked.since, values, shown_grid(moves, values, values, fewest))


def _in_order(moves: Sequence[MoveOf]) -> tuple[str | None, ...]:
    """The values as the manifest has them, old and new ones in one order; no value comes last."""
    old = list(dict.fromkeys(one.old for one in moves))
    for one in moves:
        if one.new not in old:
            old.append(one.new)
    return tuple(value for value in old if value is not None) + ((None,) if None in old else ())
