"""What all rows say of how a column is read, where those that were looked at said something else."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from segkit.operations.auditing.columns import FEW, ROWS, Read, usual_shape
from segkit.operations.auditing.figures import Figures, Sheet, may_hide
from segkit.operations.personal.contents import DIGITS, KINDS
from segkit.operations.personal.kinds import LOOKS_SO, REACHES, kind_seen


def settled(sheet: Sheet, figures: Figures) -> Sequence[Read]:
    """The columns as all rows say; those of the sheet themselves where nothing changes."""
    reads = [_settled(read, figures) for read in sheet.reads]
    changed = [read for read, before in zip(reads, sheet.reads, strict=True) if read is not before]
    if not changed:
        return sheet.reads
    shapes = {read.name: _shape(sheet, read) for read in changed}
    return [read._replace(shape=shapes.get(read.name, read.shape)) for read in reads]


def _settled(read: Read, figures: Figures) -> Read:
    nothing = sum(one.rows for one in figures.counts("placeholders", read.name))
    filled, personal = figures.number("filled", read.name) - nothing, read.personal
    reaching = figures.number("reaching", read.name)
    if may_hide(read):
        looks = _looks(read, figures)
        personal = kind_seen(filled, looks) or figures.of("kind of the first", read.name)
        reaching = looks.get(personal or "", 0)
    read_as = str(read.column.type) if read.read_as in REACHES else read.read_as
    if read.column.is_text and personal in REACHES and filled and reaching >= LOOKS_SO * filled:
        read_as = personal
    if (personal, read_as) == (read.personal, read.read_as):
        return read
    return read._replace(personal=personal, read_as=read_as, few=figures.number("distinct", read.name) <= FEW)


def _looks(read: Read, figures: Figures) -> dict[str, int]:
    """Of so many rows, the value looks like it; digits alone are those of phones where they are many."""
    kinds = {one.value: one.rows for one in figures.counts("kinds", read.name)}
    return {kind: kinds.get(kind, 0) + (kinds.get(DIGITS, 0) if kind == "phone" else 0) for kind in KINDS}


def _shape(sheet: Sheet, read: Read) -> str | None:
    texts = sheet.frame.select(sheet.text(read).drop_nulls().head(ROWS)).collect(engine="streaming").to_series()
    return usual_shape(texts.cast(pl.String))
