"""Who moved from one value of a column to another: bands between two stacks, as plain numbers."""

from __future__ import annotations

from typing import NamedTuple

from segkit.report.html.words import cut
from segkit.reports import Flow
from segkit.words import count

WIDTH, SIDE, THICK, GAP, TOP = 1010, 190, 12, 10, 26
COLORS = 8
_LONGEST = 18


class Node(NamedTuple):
    """A value on one of the days, and the customers that are shown of it."""

    y: float
    height: float
    color: int
    name: str
    shown: str
    customers: str


class Band(NamedTuple):
    """Those who went from a value to another one, or stayed."""

    path: str
    color: int
    stayed: bool
    title: str


class Picture(NamedTuple):
    """All of it, in pixels: `left` and `right` are where the stacks end and begin."""

    width: int
    height: int
    left: int
    right: int
    thick: int
    old: tuple[Node, ...]
    new: tuple[Node, ...]
    bands: tuple[Band, ...]


def flow_picture(flow: Flow) -> Picture | None:
    """The picture of the moves that are shown; None where none are."""
    moves = {pair: number for pair, number in flow.moves.items() if number}
    if not moves:
        return None
    all_of_them = sum(moves.values())
    old = [value for value in flow.values if any(pair[0] == value for pair in moves)]
    new = [value for value in flow.values if any(pair[1] == value for pair in moves)]
    height = max(280, 34 * max(len(old), len(new)))
    colors = {value: place % COLORS for place, value in enumerate(flow.values)}
    scale = (height - GAP * (max(len(old), len(new)) - 1)) / all_of_them
    tops: list[dict[str | None, float]] = []
    stacks: list[tuple[Node, ...]] = []
    for side, values in enumerate((old, new)):
        y, nodes, at = float(TOP), [], {}
        for value in values:
            customers = sum(number for pair, number in moves.items() if pair[side] == value)
            at[value] = y
            nodes.append(_node(y, customers, scale, colors[value], value))
            y += customers * scale + GAP
        tops.append(at)
        stacks.append(tuple(nodes))
    left, right = SIDE + THICK, WIDTH - SIDE - THICK
    bands = []
    for first in old:
        for second in new:
            if number := moves.get((first, second)):
                thick = number * scale
                a, b = tops[0][first], tops[1][second]
                tops[0][first] += thick
                tops[1][second] += thick
                title = f"{named(first)} to {named(second)}: {count(number)} customers"
                path = _path(left, right, a, b, thick)
                bands.append(Band(path, colors[second], first == second, title))
    return Picture(WIDTH, height + TOP + 8, left, right, THICK, stacks[0], stacks[1], tuple(bands))


def named(value: str | None) -> str:
    """The value, or that there is none."""
    return "no value" if value is None else value


def _node(y: float, customers: int, scale: float, color: int, value: str | None) -> Node:
    name = named(value)
    height = round(max(1.0, customers * scale), 1)
    return Node(round(y, 1), height, color, name, cut(name, _LONGEST), count(customers))


def _path(left: int, right: int, a: float, b: float, thick: float) -> str:
    middle = (left + right) / 2
    low, high = f"{a:.1f}", f"{b:.1f}"
    under, over = f"{b + thick:.1f}", f"{a + thick:.1f}"
    return (
        f"M{left} {low}C{middle:.0f} {low} {middle:.0f} {high} {right} {high}"
        f"V{under}C{middle:.0f} {under} {middle:.0f} {over} {left} {over}Z"
    )
