"""What `init` wrote, what it guessed, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from segkit.report.text.tables import spaced
from segkit.results import Guess, InitResult
from segkit.words import count, plural


def init_text(result: InitResult) -> RenderableType:
    """The files, the guesses with their reasons, the next commands."""
    return spaced([*_read(result), *_guesses(result), *_left_out(result), _next(result)])


def _read(result: InitResult) -> Iterator[RenderableType]:
    if result.tables:
        yield Text("\n".join(f"{name}: {plural(rows, 'row')}" for name, rows in result.tables.items()))


def _guesses(result: InitResult) -> Iterator[RenderableType]:
    if not result.guesses:
        return
    table = Table.grid(padding=(0, 2), expand=True)
    for _ in range(2):
        table.add_column(overflow="fold", max_width=30)
    table.add_column(ratio=1, overflow="fold")
    for guess in result.guesses:
        table.add_row(_role(guess), guess.value, guess.why)
    yield Group(Text("Guessed", style="bold"), Padding(table, (0, 0, 0, 2)))


def _role(guess: Guess) -> str:
    return f"{guess.table}.{guess.role}" if guess.table else guess.role


def _left_out(result: InitResult) -> Iterator[RenderableType]:
    if result.left_out:
        lines = "\n".join(f"  {name}: {why}" for name, why in result.left_out.items())
        yield Text(f"Left out, since the data speak against it\n{lines}", overflow="fold")


def _next(result: InitResult) -> RenderableType:
    path = shlex.quote(result.path)
    made = f" ({count(len(result.segments))} segments)" if result.segments else ""
    others = [name for name in result.files if not result.path.endswith(name)]
    beside = f"\nbeside it, made up: {', '.join(others)}" if others else ""
    told = f"{result.path} is written{made}{beside}"
    return Text(f"{told}\nnext: segkit apply {path}\n      segkit columns {path} --values", overflow="fold")
