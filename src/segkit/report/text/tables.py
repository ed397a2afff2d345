"""The look of every table."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


def spaced(parts: Sequence[RenderableType | None]) -> Group:
    """The parts that are not None, with an empty line between two."""
    lines: list[RenderableType] = []
    for part in parts:
        if part is not None:
            lines += ([""] if lines else []) + [part]
    return Group(*lines)


def titled(title: str, table: Table) -> Group:
    """A table under its title, which may be wider than it."""
    return Group(Text(title, style="bold"), table)


def plain_table() -> Table:
    """A table in segkit's style: one rule under the header and nothing else."""
    return Table(
        box=box.SIMPLE_HEAD,
        header_style="bold",
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )


def numeric(table: Table, *names: str) -> None:
    """Add right-aligned columns that are never cut."""
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
