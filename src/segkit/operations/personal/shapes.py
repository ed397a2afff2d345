"""How values look that may not be shown: their kinds of characters, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import polars as pl

_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def usual_shapes(frame: pl.LazyFrame, texts: Mapping[str, pl.Expr]) -> Mapping[str, str | None]:
    """Name -> the shape that most of these texts have; of several, the first in the alphabet; None without a text."""
    counted = (_alike(text).value_counts(name="rows").implode().alias(name) for name, text in texts.items())
    found = frame.select(counted).collect().row(0, named=True) if texts else {}
    return {name: _most(shapes) for name, shapes in found.items()}


def _alike(text: pl.Expr) -> pl.Expr:
    """Each text with one letter in place of all letters, and one digit in place of all digits."""
    return text.drop_nulls().str.replace_all(r"\p{L}", "a").str.replace_all(r"\p{Nd}", "0").alias("shape")


def _most(shapes: Sequence[Mapping[str, Any]]) -> str | None:
    if not shapes:
        return None
    return shape_of(min(shapes, key=lambda one: (-one["rows"], one["shape"]))["shape"])


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
