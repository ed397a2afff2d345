"""How keys look: the hint for a key that no customer has."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import polars as pl

from segkit.operations.personal.shapes import usual_shapes
from segkit.words import listed

LOOKED_AT = 1_000
"""How many neighbours in the alphabet are compared with an unknown key."""


def like_these(unknown: Sequence[str], keys: pl.Series, *, personal: bool) -> str | None:
    """The keys nearest to an unknown one, or, where keys may not be shown, how most of them look."""
    if keys.is_empty():
        return "the customer file has no customers"
    if personal:
        near = list(dict.fromkeys(key for one in unknown for key in _near(one, keys)))
        if near:
            return f"did you mean {listed(near[:5], 'or')}?"
    return f"keys look like this: {usual_shapes(keys.to_frame().lazy(), {'key': pl.col(keys.name)})['key']}"


def _near(key: str, keys: pl.Series) -> list[str]:
    ordered = keys.sort()
    place = int(ordered.search_sorted(key))
    around = ordered.slice(max(place - LOOKED_AT // 2, 0), LOOKED_AT).to_list()
    alike = keys.filter(keys.str.to_lowercase() == key.strip().lower()).head(3).to_list()
    return [*alike, *get_close_matches(key, around, n=3, cutoff=0.8)]
