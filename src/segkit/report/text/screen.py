"""Output to the screen, with colour codes or without a single one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from segkit.diagnostics import Diagnostic, Severity
from segkit.words import readable

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}


class _Screen(Console):
    """A console on which nothing from a file of customers commands the terminal.

    Such characters have no width for Rich, so that they go; what shows a value makes it `readable` before.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=readable(segment.text, ""))


def show_on(stream: TextIO, *renderables: RenderableType, color: bool) -> None:
    """Print on a stream, with colour codes or without a single one."""
    system = ("auto" if stream.isatty() else "256") if color else None
    console = _Screen(
        file=stream,
        color_system=system,  # type: ignore[arg-type]
        force_terminal=color,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
    )
    with console.capture() as capture:
        console.print(*renderables, sep="\n")
    text = capture.get()
    # Rich fills cells up with spaces, which only get in the way of those who compare or wrap a log.
    stream.write(text if color else "".join(line.rstrip() + "\n" for line in text.splitlines()))


def told(diagnostic: Diagnostic) -> Text:
    """A diagnostic as text, its first word coloured."""
    text = Text(diagnostic.render())
    text.stylize(STYLES[diagnostic.severity], 0, len(diagnostic.severity))
    return text
