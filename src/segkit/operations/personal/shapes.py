"""How values look that may not be shown: their kinds of characters, in order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import polars as pl

_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def usual_shape(values: pl.Series) -> str | None:
    """The shape that most of these texts have; of several, the first in the alphabet. None where there is no text."""
    letters = values.drop_nulls().str.replace_all(r"\p{L}", "a").str.replace_all(r"\p{Nd}", "0")
    if letters.is_empty():
        return None
    shapes = letters.alias("shape").value_counts(name="rows").sort("rows", "shape", descending=[True, False])
    return shape_of(shapes["shape"][0])


def shape_of(text: str) -> str:
    """The kinds of characters of a text, in order: `one letter, seven digits`."""
    return ", ".join(_shapes(text)) or "nothing"


def _shapes(text: str) -> Iterator[str]:
    for kind, run in groupby(text, _kind):
        size = len(list(run))
        number = _NUMBERS[size] if size < len(_NUMBERS) else str(size)
        yield f"{number} {kind}{'s' if size > 1 else ''}" if kind in ("letter", "digit") else f"`{kind * size}`"


def _kind(character: str) -> str:
    return "letter" if character.isalpha() else "digit" if character.isdigit() else character
