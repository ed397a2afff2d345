"""Output to the screen, with colour codes or without a single one."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console, RenderableType
from rich.text import Text

from segkit.diagnostics import Diagnostic, Severity

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}


def show_on(stream: TextIO, *renderables: RenderableType, color: bool) -> None:
    """Print on a stream, with colour codes or without a single one."""
    system = ("auto" if stream.isatty() else "256") if color else None
    console = Console(
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
