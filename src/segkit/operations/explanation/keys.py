"""How keys look: the hint for a key that no customer has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import groupby

import polars as pl

from segkit.words import listed

LOOKED_AT = 1_000
"""How many keys tell how keys look, and how many neighbours in the alphabet are compared with an unknown one."""
_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def like_these(unknown: Sequence[str], keys: pl.Series, *, personal: bool) -> str | None:
    """The keys nearest to an unknown one, or, where keys may not be shown, how most of them look."""
    if keys.is_empty():
        return "the customer file has no customers"
    if personal:
        near = list(dict.fromkeys(key for one in unknown for key in _near(one, keys)))
        if near:
            return f"did you mean {listed(near[:5], 'or')}?"
    shapes = Counter(map(shape_of, keys.head(LOOKED_AT).to_list()))
    return f"keys look like this: {shapes.most_common(1)[0][0]}"


def _near(key: str, keys: pl.Series) -> list[str]:
    ordered = keys.sort()
    place = int(ordered.search_sorted(key))
    around = ordered.slice(max(place - LOOKED_AT // 2, 0), LOOKED_AT).to_list()
    alike = keys.filter(keys.str.to_lowercase() == key.strip().lower()).head(3).to_list()
    return [*alike, *get_close_matches(key, around, n=3, cutoff=0.8)]


def shape_of(key: str) -> str:
    """The kinds of characters of a key, in order: `one letter, seven digits`."""
    return ", ".join(_shapes(key)) or "nothing"


def _shapes(key: str) -> Iterator[str]:
    for kind, run in groupby(key, _kind):
        size = len(list(run))
        number = _NUMBERS[size] if size < len(_NUMBERS) else str(size)
        yield f"{number} {kind}{'s' if size > 1 else ''}" if kind in ("letter", "digit") else f"`{kind * size}`"


def _kind(character: str) -> str:
    return "letter" if character.isalpha() else "digit" if character.isdigit() else character
