"""One file of a table."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.io.read.text.delimited import TextFile


class Part(NamedTuple):
    """One file of a table."""

    path: Path
    source: Path
    """The file itself, or its decompressed copy."""
    kind: str
    frame: pl.LazyFrame
    """The columns under their new names, in the order of this file."""
    names: tuple[str, ...]
    """The same names."""
    text: TextFile | None = None

    @property
    def lines(self) -> bool:
        """Rows have a line in the file."""
        return self.text is not None or self.kind == "ndjson"
