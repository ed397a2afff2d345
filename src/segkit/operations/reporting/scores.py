"""RFM tables, stages and grades, without the numbers of a few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from segkit.operations.delivery.manifest import AggregatesOf, BarOf, CellOf, ColumnOf, RfmOf, ValueOf
from segkit.operations.reporting.hiding import Number, Sum, hidden, rows_and_columns, shown_row, without
from segkit.reports import Bar, Cell, Grades, Group, Histogram, RfmTable

_Place: TypeAlias = tuple[int, int] | str | None
"""Scores (r, f), or an RFM segment."""


def rfm_tables(kept: AggregatesOf, fewest: int) -> Iterator[RfmTable]:
    """The RFM tables of which anybody has scores."""
    for one in kept.rfm:
        if one.grid:
            yield _table(one, fewest)


def _table(one: RfmOf, fewest: int) -> RfmTable:
    bins = max(max(cell.r, cell.f) for cell in one.grid)
    means = {(cell.r, cell.f): cell.mean for cell in one.grid}
    grid, segments = _together(one, bins, fewest)
    measures = {"recency": one.recency, "frequency": one.frequency, "monetary": one.monetary}
    groups = _groups([value for value in one.segments if value.value is not None], segments)
    return RfmTable(
        name=one.table,
        bins=bins,
        grid={at: Cell(count, means.get(at) if count else None) for at, count in grid.items()},
        segments=tuple(sorted(groups, key=lambda group: (group.revenue is None, -(group.revenue or 0)))),
        histograms=tuple(
            _histogram(measure, bars, one.medians.get(measure), fewest) for measure, bars in measures.items() if bars
        ),
    )


def _together(
    one: RfmOf, bins: int, fewest: int
) -> tuple[dict[tuple[int, int], int | None], dict[str | None, int | None]]:
    """The customers by their scores, and by RFM segment: a segment is made of cells, so that either tells the other."""
    scores = range(1, bins + 1)
    cells, segments = [(r, f) for r in scores for f in scores], [v.value for v in one.segments if v.value is not None]
    numbers: dict[_Place, Number] = dict.fromkeys(cells, 0)
    numbers |= {(cell.r, cell.f): cell.customers for cell in one.grid}
    numbers |= {value.value: value.customers for value in one.segments if value.value is not None}
    sums: list[Sum[_Place]] = [Sum([*segments])]
    sums += [Sum([*line.parts]) for line in rows_and_columns(scores, scores)]
    for of_cells, of_segments in _made_of(one.grid):
        alone = of_segments[0] if len(of_segments) == 1 else None
        sums.append(Sum([*of_cells], alone))
        if alone is None:
            sums.append(Sum([*of_segments]))
    known = without(numbers, hidden(numbers, sums, fewest))
    return {at: known[at] for at in cells}, {name: known[name] for name in segments}


def _made_of(grid: Sequence[CellOf]) -> list[tuple[list[tuple[int, int]], list[str]]]:
    """Cells and segments that have the same customers, in groups as small as can be."""
    found: list[tuple[list[tuple[int, int]], list[str]]] = []
    for cell in grid:
        same = [one for one in found if {*one[1]} & {*cell.segments}]
        cells = [(cell.r, cell.f), *(at for one in same for at in one[0])]
        names = dict.fromkeys([*cell.segments, *(name for one in same for name in one[1])])
        found = [*(one for one in found if one not in same), *([(cells, [*names])] if names else [])]
    return found


def _groups(values: Sequence[ValueOf], known: Mapping[str | None, int | None]) -> list[Group]:
    return [Group(v.value, known[v.value], v.monetary if known[v.value] is not None else None) for v in values]


def grades(columns: Sequence[ColumnOf], fewest: int) -> tuple[Grades, ...]:
    """The stages and grades in their order, nobody's, too."""
    return tuple(
        Grades(one.column, tuple(_groups(one.values, shown_row({v.value: v.customers for v in one.values}, fewest))))
        for one in columns
    )


def _histogram(measure: str, bars: Sequence[BarOf], median: float | None, fewest: int) -> Histogram:
    known = shown_row({place: bar.customers for place, bar in enumerate(bars)}, fewest)
    counts = [known[place] for place in range(len(bars))]
    shown = tuple(Bar(bar.low, bar.high, count) for bar, count in zip(bars, counts, strict=True))
    return Histogram(measure, shown, median if sum(map(_least, bars)) >= fewest else None)


def _least(bar: BarOf) -> int:
    """How many customers there are at least."""
    return 1 if isinstance(bar.customers, str) else bar.customers
