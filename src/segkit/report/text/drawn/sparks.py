"""A line of small bars in a table's cell: numbers over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from segkit.report.numbers import sparks
from segkit.report.text.drawn.bars import ROOMY


class Sparks(NamedTuple):
    """The lowest of the numbers has the lowest bar, the highest one the highest; None has none."""

    values: Sequence[float | None]
    short: int = 8
    long: int = 24

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(sparks(self.values, self._width(console), ascii_only=options.ascii_only), style="cyan")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self._width(console), self._width(console))

    def _width(self, console: Console) -> int:
        return min(len(self.values), self.long if console.width >= ROOMY else self.short)
