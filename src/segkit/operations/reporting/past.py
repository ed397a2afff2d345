"""What the runs before tell: the history of the segments, and the moves between the values of tracked columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from segkit.histories import Line, SegmentHistory
from segkit.operations.delivery.manifest import MoveOf, TrackedOf
from segkit.operations.delivery.past.lines import lines_of
from segkit.operations.delivery.past.tracked import has_day, moves_between
from segkit.operations.delivery.runs import Run
from segkit.operations.reporting.hiding import Number, in_steps, is_few
from segkit.operations.reporting.ledger import WRITTEN, Counted
from segkit.reports import Flow, Moved, Past

_At: TypeAlias = tuple[str, str]
"""A day, and a segment."""


class Told(NamedTuple):
    """The lines of the history until the day of the run, without the numbers of a few.

    `moves_hidden` and `buyers_hidden` are the lines, by day and segment, of which these are known, and not told.
    """

    lines: tuple[Line, ...]
    moves_hidden: frozenset[_At]
    buyers_hidden: frozenset[_At]


def told(run: Run, ledger: Counted, fewest: int) -> Told:
    """What the history tells; today's size is hidden where the `ledger` hides it."""
    lines = [line for line in lines_of(run) if line.as_of <= run.as_of]
    begun: set[str] = set()
    with_buyers = {line.as_of for line in lines if line.buyers is not None}
    found, moves, buyers = list[Line](), set[_At](), set[_At]()
    for line in lines:
        at, of_today = (line.as_of, line.segment), line.as_of == run.as_of
        is_hidden = of_today and ledger.get((line.segment, WRITTEN), 0) is None
        safe = line._replace(customers=None) if is_hidden or is_few(line.customers, fewest) else line
        stayed = None if safe.customers is None or line.entered is None else safe.customers - line.entered
        if _are_few(line.entered, line.left, stayed, fewest=fewest):
            safe = safe._replace(entered=None, left=None, stayed_percent=None)
            moves |= {at} if line.segment in begun else set()
        others = None if safe.customers is None else safe.customers - (line.buyers or 0)
        if _are_few(line.buyers, others, fewest=fewest):
            safe = safe._replace(buyers=None, conversion=None, revenue=None, per_customer=None)
            buyers |= {at} if line.as_of in with_buyers else set()
        begun.add(line.segment)
        found.append(safe)
    return Told(tuple(found), frozenset(moves), frozenset(buyers))


def _are_few(*numbers: int | None, fewest: int) -> bool:
    """Whether one of these numbers is not there or of a few: with a size, either tells the others."""
    return any(number is None or is_few(number, fewest) for number in numbers)


def moved(history: Told, day: str) -> dict[str, Moved]:
    """Who entered and left on a day, by segment, where a day before is known."""
    return {
        line.segment: Moved(line.entered, line.left)
        for line in history.lines
        if line.as_of == day and (line.entered is not None or (day, line.segment) in history.moves_hidden)
    }


def past(history: Told, run: Run) -> Past:
    """The segments that were written on the day, over time."""
    names = [one.name for one in run.manifest.segments if one.write]
    kept = run.manifest.history
    return Past(
        days=tuple(dict.fromkeys(line.as_of for line in history.lines)),
        rules_changed=kept.rules_changed if kept else (),
        segments=tuple(
            SegmentHistory(name, of_segment)
            for name in names
            if (of_segment := tuple(line for line in history.lines if line.segment == name))
        ),
        moves_hidden=frozenset(segment for _, segment in history.moves_hidden),
        buyers_hidden=frozenset(segment for _, segment in history.buyers_hidden),
    )


def tracked_since(run: Run, before: Run | None, fewest: int) -> TrackedOf | None:
    """The moves since a run, without one since the last run of a day before; None where one of them tracks no column.

    Raises `DataError` where the values that a run keeps are not as it has written them.
    """
    if before is None or not (has_day(before) and has_day(run)):
        return None if before else run.manifest.tracked
    return moves_between(before, run, fewest)


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
            pairs = {(old, new): moves.get((old, new), 0) for old in values for new in values}
            yield Flow(column, tracked.since, values, *in_steps(pairs, fewest))


def _in_order(moves: Sequence[MoveOf]) -> tuple[str | None, ...]:
    """The values as the manifest has them, old and new ones in one order; no value comes last."""
    old = list(dict.fromkeys(one.old for one in moves))
    for one in moves:
        if one.new not in old:
            old.append(one.new)
    return tuple(value for value in old if value is not None) + ((None,) if None in old else ())
