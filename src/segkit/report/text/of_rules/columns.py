"""The columns of each table, a block a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, JustifyMethod, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from segkit.report.numbers import percent, share, shortened
from segkit.report.text.tables import spaced
from segkit.results.columns import ColumnsResult, ColumnValues, KnownColumn, KnownTable
from segkit.words import count, plural, spelled_out

USERS = 6
"""How many of those who use a column are named; JSON has all."""
LONGEST = 40
"""Characters of a value that are shown."""
LONGEST_SHAPE = 60
GAP = 2
WITH_NAME = ("lookup", "score", "rfm")
"""Origins that say more with the name of their section."""


def columns_text(result: ColumnsResult) -> RenderableType:
    """What conditions can be written on."""
    return spaced([_block(table) for table in result.tables])


def _block(table: KnownTable) -> RenderableType:
    told = plural(len(table.columns), "column")
    told = told if table.rows is None else f"{plural(table.rows, 'row')}, {told}"
    body = _origins(table) if table.rows is None else _values(table, table.rows)
    return Group(Text.assemble((table.name, "bold"), f"  {told}"), Padding(body, (0, 0, 0, 2)))


def _origins(table: KnownTable) -> RenderableType:
    """A line a column: its type, where it comes from, who uses it."""
    lines = Table.grid(padding=(0, 2), expand=True)
    lines.add_column(overflow="fold", max_width=24)
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold", max_width=16)
    lines.add_column(ratio=1, overflow="fold")
    lines.add_row(*_head("column", "type", "from", "used by"))
    for column in table.columns:
        lines.add_row(column.name, column.type, _origin(column), _used(column))
    return lines


def _values(table: KnownTable, rows: int) -> RenderableType:
    """A line a column: its type and its values; a second one says where it comes from and who uses it."""
    width = min(max(len(name) for name in ("column", *(column.name for column in table.columns))), 24)
    parts: list[RenderableType] = [_line(width, *_head("column", "type", "filled", "values"))]
    for column in table.columns:
        values = column.values
        filled = percent(share(values.filled, rows)) if values else ""
        parts.append(_line(width, column.name, column.type, filled, Whole(_shown(values, rows)) if values else ""))
        used = f"used by {_used(column)}" if column.used_by else ""
        origin = "" if column.origin == "file" else _origin(column)
        if said := ", ".join(part for part in (origin, used) if part):
            parts.append(Padding(Text(said, style="dim", overflow="fold"), (0, 0, 0, 2)))
    return Group(*parts)


def _line(width: int, name: str | Text, kind: str | Text, filled: str | Text, values: RenderableType) -> Table:
    # The gaps stand in the cells: versions of Rich differ in whether a width has its padding within.
    line = Table.grid(expand=True)
    for size in (width, len("boolean"), len("100.0 %")):
        line.add_column(width=size + GAP)
    line.add_column(ratio=1, overflow="fold")
    line.add_row(_cell(name), _cell(kind), _cell(filled, justify="right"), values)
    return line


def _cell(said: str | Text, justify: JustifyMethod = "left") -> Padding:
    text = said if isinstance(said, Text) else Text(said)
    text.overflow, text.justify = "fold", justify
    return Padding(text, (0, GAP, 0, 0))


def _head(*names: str) -> list[Text]:
    return [Text(name, style="dim") for name in names]


def _origin(column: KnownColumn) -> str:
    return column.section.replace(".", " ", 1) if column.origin in WITH_NAME else column.origin


def _used(column: KnownColumn) -> str:
    more = len(column.used_by) - USERS
    return ", ".join(column.used_by[:USERS]) + (f" and {count(more)} more" if more > 0 else "")


class Whole(NamedTuple):
    """Parts of a list, with commas between them, of which none goes over the end of a line that has room for it."""

    parts: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = ""
        for part in (*(f"{part}," for part in self.parts[:-1]), *self.parts[-1:]):
            if line and cell_len(f"{line} {part}") > options.max_width:
                yield Text(line)
                line = part
            else:
                line = f"{line} {part}" if line else part
        yield Text(line, overflow="fold")


def _shown(values: ColumnValues, rows: int) -> list[str]:
    parts = []
    if values.personal:
        parts.append(f"{values.personal}, not shown")
    elif values.frequent:
        alone = all(one.rows == 1 for one in values.frequent)
        parts += [_text(one.value) + ("" if alone else f" {percent(share(one.rows, rows))}") for one in values.frequent]
        more = (values.distinct or 0) - len(values.frequent)
        parts += [f"{count(more)} more"] if more else []
    elif values.distinct:
        parts.append("all differ" if values.distinct == values.filled else f"{plural(values.distinct, 'value')}")
    elif values.lowest is not None:
        low, high = _text(values.lowest), _text(values.highest)
        parts.append(low if low == high else f"{low} to {high}")
    if values.shape:
        parts[-1] += f"; like this: {_cut(values.shape)}"
    if values.unreadable:
        parts.append(f"{count(values.unreadable)} cannot be read")
    return parts


def _cut(shape: str) -> str:
    """A shape of which so many parts are left as fit a line."""
    if len(shape) <= LONGEST_SHAPE:
        return shape
    return f"{shape[:LONGEST_SHAPE].rpartition(', ')[0]}, …"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (Decimal, float)):
        return shortened(Decimal(str(value)))
    if isinstance(value, int):
        return count(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    text = " ".join(str(value).split())
    return f'"{spelled_out(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")}"'
