"""A summary as a picture, for documents."""

from __future__ import annotations

import io

from rich.console import Console, RenderableType


def svg(renderable: RenderableType, *, title: str = "segkit", width: int = 80) -> str:
    """What a terminal would show, as SVG; the same input gives the same text."""
    console = Console(file=io.StringIO(), record=True, width=width, force_terminal=True, color_system="truecolor")
    console.print(renderable, highlight=False, markup=False, emoji=False)
    return console.export_svg(title=title, unique_id="segkit")
