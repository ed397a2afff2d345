"""How a measure spreads over the customers: a bar for each range of values, as plain numbers."""

from __future__ import annotations

from typing import NamedTuple

from segkit.report.html.words import amount
from segkit.report.numbers import short
from segkit.reports import Bar, Histogram
from segkit.words import count, plural

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BELOW = 340, 190, 40, 18, 24, 36
_LABELS = 7
_UNITS = {"recency": " days", "frequency": "", "monetary": ""}
_NAMES = {"recency": "days since the last one", "frequency": "how often", "monetary": "spent"}


class Drawn(NamedTuple):
    """A bar, in pixels; one without customers, or a hidden one, has no height."""

    x: float
    y: float
    width: float
    height: float
    title: str
    is_hidden: bool


class Mark(NamedTuple):
    """A number on an axis, and its place."""

    at: float
    shown: str


class Picture(NamedTuple):
    """All of it, in pixels."""

    width: int
    height: int
    left: int
    right: int
    floor: float
    name: str
    about: str
    median: Mark | None
    bars: tuple[Drawn, ...]
    up: tuple[Mark, ...]
    across: tuple[Mark, ...]


def histogram_picture(histogram: Histogram) -> Picture:
    """The picture of one measure; ranges have one width, whatever they hold."""
    unit = _UNITS[histogram.measure]
    bars = histogram.bars
    most = max([1, *(bar.customers or 0 for bar in bars)])
    floor = HEIGHT - BELOW
    room, step = floor - TOP, (WIDTH - LEFT - RIGHT) / len(bars)
    drawn = tuple(
        Drawn(
            x=round(LEFT + place * step + 1, 1),
            y=round(floor - room * (bar.customers or 0) / most, 1),
            width=round(step - 2, 1),
            height=round(room * (bar.customers or 0) / most, 1),
            title=f"{_range(bar, unit)}: {'not shown' if bar.customers is None else count(bar.customers)}",
            is_hidden=bar.customers is None,
        )
        for place, bar in enumerate(bars)
    )
    every = -(-len(bars) // _LABELS)
    edges = [bar.low for bar in bars] + [bars[-1].high]
    hidden = sum(bar.customers is None for bar in bars)
    return Picture(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        floor=floor,
        name=_NAMES[histogram.measure],
        about=f"{count(sum(bar.customers or 0 for bar in bars))} customers in {plural(len(bars) - hidden, 'range')}"
        + (f"; {hidden} more not shown" if hidden else ""),
        median=None if histogram.median is None else _median(histogram.median, bars, step, unit),
        bars=drawn,
        up=tuple(Mark(round(floor - room * at / most, 1), short(at)) for at in _steps(most)),
        across=tuple(
            Mark(round(LEFT + place * step, 1), short(edge))
            for place, edge in enumerate(edges)
            if edge is not None and place % every == 0
        ),
    )


def _median(value: float, bars: tuple[Bar, ...], step: float, unit: str) -> Mark:
    """Where the median lies: in its bar as far as between the bounds of this, in the middle of one without end."""
    place = next((place for place, bar in enumerate(bars) if bar.high is None or value < bar.high), len(bars) - 1)
    low, high = bars[place].low, bars[place].high
    along = 0.5 if low is None or high is None or high - low == 1 else (value - low) / (high - low)
    return Mark(round(LEFT + (place + along) * step, 1), f"median {amount(value)}{unit}")


def _range(bar: Bar, unit: str) -> str:
    if bar.low is None:
        return f"below {bar.high:,}{unit}"
    if bar.high is None:
        return f"{bar.low:,}{unit} or more"
    return f"{bar.low:,}{unit}" if bar.high == bar.low + 1 and not unit else f"{bar.low:,} to {bar.high:,}{unit}"


def _steps(most: int) -> list[int]:
    """Round numbers from 0 on, five at most."""
    step = next(digit * 10**place for place in range(30) for digit in (1, 2, 5) if most / (digit * 10**place) <= 4)
    return list(range(0, most + 1, step))
