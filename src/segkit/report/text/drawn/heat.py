"""A grid of counts, shaded by how large they are: in colours, or with blocks where there are no colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.style import Style
from rich.text import Text

from segkit.report.numbers import short
from segkit.words import count

WIDTH = 80
"""Columns that the grid fits into on every terminal: ten scores, and five characters for a number."""
COLORS = (("#000000", "#d7ffd7"), ("#000000", "#87d787"), ("#000000", "#5faf5f"), ("#ffffff", "#008700"),
          ("#ffffff", "#005f00"))  # fmt: skip
"""Ink and ground from few to many, of the 256 colours; with both given, light and dark terminals show the same."""
LABEL = 4
BLOCKS, ASCII = "·░▒▓█", ".:+*#"
"""The same steps as marks behind the number, for logs and files."""


class Heat(NamedTuple):
    """Customers by recency score (down, the best first) and frequency score (across), and what the shades stand for."""

    cells: Mapping[tuple[int, int], int]
    bins: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        marks = marks_on(console, options)
        most = max(self.cells.values(), default=0)
        room = (WIDTH - LABEL) // self.bins
        write = count if len(count(most)) <= room - 2 else short
        width = max(5, *(len(write(number)) + 2 for number in (0, *self.cells.values())))
        scores = range(1, self.bins + 1)
        yield Text.assemble(" " * LABEL, *((f"F{f} ".rjust(width), "bold") for f in scores))
        yield Text(("-" if options.ascii_only else "─") * (LABEL + self.bins * width))
        for r in reversed(scores):
            row = [self.cells.get((r, f), 0) for f in scores]
            cells = [shaded(write(n) if n else "-", step_of(n, most), marks, width) for n in row]
            yield Text.assemble((f"R{r}".ljust(LABEL), "bold"), *cells)
        if most:
            yield Text.assemble(" " * LABEL, *legend(most, marks))


def marks_on(console: Console, options: ConsoleOptions) -> str:
    """The marks that stand for the shades; none where there are colours."""
    colored = console.color_system is not None and not console.no_color
    return "" if colored else ASCII if options.ascii_only else BLOCKS


def step_of(number: int, most: int) -> int:
    """The step of a number on the scale, from 1 on, or 0 for nobody; all steps are equally long."""
    return -(-len(COLORS) * number // most) if number else 0


def shaded(text: str, step: int, marks: str, width: int, end: str = " ", none: str = "dim") -> Text:
    """The cell of a number on a step of the scale; `end` closes it, `none` is the style of a number on no step."""
    if marks:
        behind = f"{marks[step - 1]}{end}" if step else f"{end} "
        return Text(f"{text}{behind}".rjust(width), style="" if step else none)
    return Text(f"{text}{end}".rjust(width), style=_style(step) if step else none)


def _style(step: int) -> Style:
    ink, ground = COLORS[step - 1]
    return Style(color=ink, bgcolor=ground)


def legend(most: int, marks: str) -> list[Text]:
    """The range of counts of each step that has any."""
    write, texts = short if most > 9_999 else count, []
    for step in range(1, len(COLORS) + 1):
        first, last = most * (step - 1) // len(COLORS) + 1, most * step // len(COLORS)
        if first <= last:
            text = write(last) if first == last else f"{write(first)}-{write(last)}"
            texts.append(Text(f"{marks[step - 1]} {text}   ") if marks else Text(f" {text} ", style=_style(step)))
    return texts
