"""A bar in a table's cell."""

from __future__ import annotations

from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from segkit.report.numbers import bar

ROOMY = 100
"""The columns that a terminal needs for long bars."""


class Bar(NamedTuple):
    """A bar for `value`; one for `most` fills the cell, which has `long` columns where there is room, else `short`."""

    value: float
    most: float
    short: int = 10
    long: int = 24

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(bar(self.value, self.most, self._width(console), ascii_only=options.ascii_only), style="cyan")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self._width(console), self._width(console))

    def _width(self, console: Console) -> int:
        return self.long if console.width >= ROOMY else self.short
