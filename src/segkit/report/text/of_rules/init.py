"""What `init` wrote, what it guessed, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from segkit.report.text.tables import spaced
from segkit.results.init import Guess, InitResult
from segkit.words import plural


def init_text(result: InitResult) -> RenderableType:
    """What was read, the guesses with their reasons, what was left out."""
    return spaced([*_read(result), *_guesses(result), *_left_out(result)])


def next_text(result: InitResult) -> str:
    """The files that were written, and the commands to go on with, each on a line of its own to be copied."""
    path = shlex.quote(result.path)
    made = f" ({plural(len(result.segments), 'segment')})" if result.segments else ""
    data = [name for name in result.files if Path(result.path).name != name]
    lines = [f"{result.path} is written{made}", *([f"beside it, made up: {', '.join(data)}"] if data else [])]
    lines += [f"next: segkit apply {path}", f"      segkit columns {path} --values"]
    day = next((f" --as-of {guess.value}" for guess in result.guesses if guess.role == "as_of"), "")  # as it was found
    for name, number in result.audits.items():
        lines.append(f"      segkit audit {shlex.quote(name)}{day}  # {plural(number, 'finding')}")
    return "\n".join(lines)


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
