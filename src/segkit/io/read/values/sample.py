"""Enough of a table to tell what its columns hold: all of it when it is small."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from segkit.io.read.text.delimited import TextFile

SMALL = 2_000_000
"""Bytes of text that are looked at as a whole, over all files of a table."""
BUDGET = 120_000
"""Bytes that are looked at of what is larger: settling the types of 10 MB/s must not take longer than reading."""
FILES = 24
"""Files that are looked at, evenly spaced, where there are many."""
ROWS = 3_000
"""Rows of a typed source that are looked at."""


def of_text(files: Sequence[tuple[TextFile, Sequence[str]]]) -> tuple[pl.DataFrame, bool]:
    """Rows as text, and whether they are all there are; larger files give head, middle and end.

    Each file comes with the names that its columns have now; all have those of the first.
    """
    total = sum(text.source.stat().st_size for text, _ in files)
    whole = total <= SMALL
    looked_at = files if whole else files[:: -(-len(files) // FILES)]
    budget = None if whole else BUDGET // len(looked_at)
    columns = list(files[0][1])
    frames = [
        rows.rename(dict(zip(text.names, names, strict=True))).select(columns)
        for text, names in looked_at
        for rows in _pieces(text, budget)
    ]
    return pl.concat(frames), whole


def of_typed(frame: pl.LazyFrame, names: list[str]) -> tuple[pl.DataFrame, bool]:
    """The first rows of the columns, and whether they are all there are."""
    rows = frame.select(names).head(ROWS).collect(engine="streaming")
    return rows, rows.height < ROWS


def _pieces(file: TextFile, budget: int | None) -> list[pl.DataFrame]:
    size = file.source.stat().st_size
    if budget is None or size <= budget:
        return [_rows(file, file.source.read_bytes(), header=True)]
    length = budget // 3
    frames = []
    with file.source.open("rb") as text:
        for start in (0, (size - length) // 2, size - length):
            text.seek(start)
            lines = _whole_lines(text.read(length), file.quote, first=start == 0)
            frames.append(_rows(file, lines, header=start == 0))
    return frames


def _whole_lines(piece: bytes, quote: str | None, *, first: bool) -> bytes:
    """The piece from its first line (after a cut one) to its last, or to the last that leaves no quote open."""
    begin = 0 if first else piece.find(b"\n") + 1
    end = piece.rfind(b"\n") + 1
    mark = (quote or "\0").encode()
    while end > begin and piece.count(mark, begin, end) % 2:
        end = piece.rfind(b"\n", begin, piece.rfind(mark, begin, end)) + 1
    return piece[begin:end]


def _rows(file: TextFile, piece: bytes, *, header: bool) -> pl.DataFrame:
    """The lines as text; none where the piece began inside a quoted field and cannot be split."""
    names = list(file.names)
    try:
        rows = pl.read_csv(
            piece,
            has_header=header,
            new_columns=names,
            separator=file.delimiter,
            quote_char=file.quote,
            infer_schema=False,
            truncate_ragged_lines=True,
        )
        return rows.select(names)
    except pl.exceptions.PolarsError:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
