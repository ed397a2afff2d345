"""Two runs side by side, as text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from segkit.report.text.tables import numeric, plain_table, spaced, titled
from segkit.results.diff import DiffResult, Move, RunInfo
from segkit.words import count, plural

ACROSS = 5
"""How many segments fit side by side; where there are more, the moves are a list."""
MOST_MOVES = 20
"""How many moves the list shows; JSON has them all."""
NONE = "in no segment"


def diff_summary(result: DiffResult) -> RenderableType:
    """Everything that differs between two runs, or that nothing does."""
    closing = None if result.differs else Text("Nobody entered, nobody left", style="green")
    return spaced([_headline(result), _segments(result), _moves(result), closing])


def _headline(result: DiffResult) -> Text:
    def line(mark: str, run: RunInfo) -> str:
        return f"{mark} {run.path}: {plural(run.customers, 'customer')} on {run.as_of}"

    return Text(f"{line('old', result.old)}\n{line('new', result.new)}", style="bold")


def _segments(result: DiffResult) -> RenderableType:
    table = plain_table()
    table.add_column("Segment", overflow="fold", min_width=12)
    numeric(table, "Old", "New", "Entered", "Left", "Stayed")
    for s in result.segments:
        name = Text(s.name, style="bold")
        if s.old is None or s.new is None:
            name.append(" (only in the new run)" if s.old is None else " (only in the old run)", style="dim")
        old, new = ("-" if number is None else count(number) for number in (s.old, s.new))
        table.add_row(name, old, new, _signed("+", s.entered), _signed("-", s.left), count(s.stayed))
    return table


def _signed(sign: str, number: int) -> str:
    return f"{sign}{count(number)}" if number else "0"


def _moves(result: DiffResult) -> RenderableType | None:
    if not result.moves:
        return None
    names = list(dict.fromkeys(s.name for s in result.segments))
    elsewhere = {m for move in result.moves for m in (move.old, move.new)} - {*names, None}
    if len(names) + len(elsewhere) <= ACROSS:
        return _matrix(result.moves, [*names, *sorted(filter(None, elsewhere))])
    return _list([move for move in result.moves if move.old != move.new])


def _matrix(moves: Sequence[Move], names: Sequence[str]) -> RenderableType:
    cells = {(move.old, move.new): move.customers for move in moves}
    table = plain_table()
    table.add_column("From", overflow="fold")
    for name in (*names, NONE):
        table.add_column(name, justify="right", overflow="fold")
    for old in (*names, None):
        numbers = [cells.get((old, new), 0) for new in (*names, None)]
        # Those in no segment of either run are not counted: a run lists members alone.
        shown = [
            "" if old is new is None else count(number) if number else "-"
            for number, new in zip(numbers, (*names, None), strict=True)
        ]
        table.add_row(Text(old or NONE, style="bold"), *shown)
    return titled("Moves: from the segment of the line to that of the column", table)


def _list(moves: Sequence[Move]) -> RenderableType | None:
    if not moves:
        return None
    table = plain_table()
    table.add_column("From", overflow="fold")
    table.add_column("To", overflow="fold")
    numeric(table, "Customers")
    for move in sorted(moves, key=lambda m: -m.customers)[:MOST_MOVES]:
        table.add_row(move.old or NONE, move.new or NONE, count(move.customers))
    if len(moves) > MOST_MOVES:
        table.add_row(Text(f"and {plural(len(moves) - MOST_MOVES, 'more move')}", style="dim"))
    return titled("Moves", table)
