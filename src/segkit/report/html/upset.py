"""Which segments customers are written in together: bars above a table of dots, as plain numbers."""

from __future__ import annotations

from typing import NamedTuple

from segkit.report.html.words import cut
from segkit.report.numbers import short
from segkit.reports import LedgerLine, Overlap
from segkit.words import count

WIDTH, LABELS, SIZES = 1010, 190, 70
TOP, BARS, ROW = 22, 104, 20
_LONGEST = 24


class Row(NamedTuple):
    """A segment: its place, its name, as it fits and whole, and its bar."""

    y: float
    shown: str
    name: str
    bar: float
    size: str


class Column(NamedTuple):
    """A combination: its place, its bar, and the rows of its dots."""

    x: float
    y: float
    height: float
    shown: str
    title: str
    on: tuple[float, ...]
    off: tuple[float, ...]


class Picture(NamedTuple):
    """All of it, in pixels."""

    width: int
    height: float
    labels: int
    bar: float
    row: int
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]


def shown_size(size: int | None) -> str:
    """The customers of a segment, or that they are not shown."""
    return "not shown" if size is None else count(size)


def upset_picture(overlap: Overlap, lines: tuple[LedgerLine, ...]) -> Picture:
    """The picture of the combinations; there is at least one."""
    sizes = {line.name: line.written for line in lines}
    largest = max([1, *(sizes[name] or 0 for name in overlap.rows)])
    below = TOP + BARS + 12
    rows = tuple(
        Row(
            y=below + place * ROW,
            shown=cut(name, _LONGEST),
            name=name,
            bar=round(SIZES * (sizes[name] or 0) / largest, 1),
            size=shown_size(sizes[name]),
        )
        for place, name in enumerate(overlap.rows)
    )
    most = max(one.customers for one in overlap.combinations)
    left = LABELS + SIZES + 20
    step = (WIDTH - left) / max(8, len(overlap.combinations))
    columns = []
    for place, one in enumerate(overlap.combinations):
        height = BARS * one.customers / most
        dots = {row.name: row.y + ROW / 2 for row in rows}
        columns.append(
            Column(
                x=round(left + (place + 0.5) * step, 1),
                y=round(TOP + BARS - height, 1),
                height=round(height, 1),
                shown=short(one.customers),
                title=f"{' & '.join(one.segments)}: {count(one.customers)} customers",
                on=tuple(y for name, y in dots.items() if name in one.segments),
                off=tuple(y for name, y in dots.items() if name not in one.segments),
            )
        )
    height = below + ROW * len(rows) + 6
    return Picture(WIDTH, height, LABELS, round(step * 0.64, 1), ROW, rows, tuple(columns))
