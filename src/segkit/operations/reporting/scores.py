"""RFM tables, stages and grades, without the numbers of a few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segkit.operations.delivery.manifest import AggregatesOf, BarOf, ColumnOf, RfmOf, ValueOf
from segkit.operations.reporting.hiding import Number, shown_grid, shown_row
from segkit.reports import Bar, Cell, Grades, Group, Histogram, RfmTable


def rfm_tables(kept: AggregatesOf, fewest: int) -> Iterator[RfmTable]:
    """The RFM tables of which anybody has scores."""
    for one in kept.rfm:
        if one.grid:
            yield _table(one, fewest)


def _table(one: RfmOf, fewest: int) -> RfmTable:
    bins = max(max(cell.r, cell.f) for cell in one.grid)
    scores = range(1, bins + 1)
    counts: dict[tuple[int, int], Number] = {(cell.r, cell.f): cell.customers for cell in one.grid}
    means = {(cell.r, cell.f): cell.mean for cell in one.grid}
    known = shown_grid(counts, scores, scores, fewest)
    measures = {"recency": one.recency, "frequency": one.frequency, "monetary": one.monetary}
    groups = _groups([value for value in one.segments if value.value is not None], fewest)
    return RfmTable(
        name=one.table,
        bins=bins,
        grid={at: Cell(count, means.get(at) if count else None) for at, count in known.items()},
        segments=tuple(sorted(groups, key=lambda group: (group.revenue is None, -(group.revenue or 0)))),
        histograms=tuple(_histogram(measure, bars, fewest) for measure, bars in measures.items() if bars),
    )


def _groups(values: Sequence[ValueOf], fewest: int) -> list[Group]:
    known = shown_row({value.value: value.customers for value in values}, fewest)
    return [Group(v.value, known[v.value], v.monetary if known[v.value] is not None else None) for v in values]


def grades(columns: Sequence[ColumnOf], fewest: int) -> tuple[Grades, ...]:
    """The stages and grades in their order, nobody's, too."""
    return tuple(Grades(one.column, tuple(_groups(one.values, fewest))) for one in columns)


def _histogram(measure: str, bars: Sequence[BarOf], fewest: int) -> Histogram:
    known = shown_row({place: bar.customers for place, bar in enumerate(bars)}, fewest)
    counts = [known[place] for place in range(len(bars))]
    shown = tuple(Bar(bar.low, bar.high, count) for bar, count in zip(bars, counts, strict=True))
    return Histogram(measure, shown, _median(bars))


def _median(bars: Sequence[BarOf]) -> int | None:
    """The bar with the median, whatever the numbers of a few are; None where that depends on them."""

    def place(few: int) -> int | None:
        counts = [bar.customers if isinstance(bar.customers, int) else few for bar in bars]
        for at in range(len(counts)):
            if 2 * sum(counts[: at + 1]) > sum(counts):
                return at
        return None

    most = max((int(str(bar.customers)[1:]) - 1 for bar in bars if isinstance(bar.customers, str)), default=0)
    first, last = place(0), place(most)
    return first if first == last else None
