"""How customers moved between the values of columns, as text."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from segkit.histories import Move, MovesResult
from segkit.report.numbers import percent, share
from segkit.report.text.tables import numeric, plain_table, spaced
from segkit.words import count, plural

NONE = "no value"
MOST = 20


def moves_summary(result: MovesResult) -> RenderableType:
    """For each column, how many kept their value, then the moves, the largest first."""
    return spaced([Text(_head(result), style="bold"), *(_column(result, name) for name in result.columns)])


def _head(result: MovesResult) -> str:
    if result.since is None:
        return f"{result.path}, {result.as_of}: the first run, so nobody has moved yet"
    others = f"{count(result.came)} came, {count(result.gone)} are gone"
    return f"{result.path}, {result.since} to {result.as_of}: {plural(result.customers, 'customer')}, {others}"


def _column(result: MovesResult, name: str) -> RenderableType | None:
    moves = [move for move in result.moves if move.column == name]
    if not moves:
        return None
    moved = sorted((move for move in moves if move.old != move.new), key=lambda move: -(move.customers or 0))
    table = plain_table()
    table.add_column(name, overflow="fold", min_width=12)
    table.add_column("To", overflow="fold")
    numeric(table, "Customers", "Of those before")
    for move in moved[:MOST]:
        table.add_row(*_cells(move, moves, result.fewest))
    return spaced([table, *(Text(line, style="dim") for line in _foot(result, moves, moved))])


def _cells(move: Move, moves: list[Move], fewest: int) -> Iterator[str]:
    before = [one.customers for one in moves if one.old == move.old]
    yield move.old or NONE
    yield move.new or NONE
    yield f"<{fewest}" if move.customers is None else count(move.customers)
    known = move.customers is not None and None not in before
    yield percent(share(move.customers or 0, sum(one or 0 for one in before))) if known else ""


def _foot(result: MovesResult, moves: list[Move], moved: list[Move]) -> Iterator[str]:
    stayed = [move.customers for move in moves if move.old == move.new]
    least = "at least " if None in stayed else ""  # a few have a value, and nobody may know how many
    same = sum(customers or 0 for customers in stayed)
    more = f"; {plural(len(moved) - MOST, 'more move')}" if len(moved) > MOST else ""
    yield f"{least}{count(same)} have the same value as before{more}"
