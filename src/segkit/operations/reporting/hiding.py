"""Which numbers of a table would tell of a few customers, and which ones would tell those by subtraction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeVar

Place: TypeAlias = tuple[int, int]
Number: TypeAlias = int | str | None
"""A count; a text such as `<5` for a few; None where the table has no cell."""
Key = TypeVar("Key")


def is_few(number: Number, fewest: int) -> bool:
    """Whether so few customers are counted that it may tell who they are; nobody is nobody."""
    return isinstance(number, str) or (number is not None and 0 < number < fewest)


def shown(number: Number, fewest: int) -> int | None:
    """A count that stands alone; None where it is of a few."""
    return None if isinstance(number, str) or is_few(number, fewest) else number


def hidden(rows: Sequence[Sequence[Number]], fewest: int, *, columns: bool = True) -> set[Place]:
    """The places of a table whose numbers must not stand there.

    Those are the small ones, and where one number of a row alone is hidden, the next smallest, since whoever knows the
    sum would know it; with `columns`, so it is of columns. Nobody is hidden only where there is nothing else.
    """
    places = {(r, c): number for r, row in enumerate(rows) for c, number in enumerate(row) if number is not None}
    found = {place for place, number in places.items() if is_few(number, fewest)}
    lines = [[place for place in places if place[0] == r] for r in range(len(rows))]
    width = max(map(len, rows), default=0)
    lines += [[place for place in places if place[1] == c] for c in range(width)] if columns else []
    more = True
    while more:
        more = False
        for line in lines:
            rest = [place for place in line if place not in found]
            if len(line) - len(rest) == 1 and rest:
                found.add(min(rest, key=lambda place: _rank(places[place], place)))
                more = True
    return found


def _rank(number: Number, place: Place) -> tuple[bool, int, Place]:
    size = number if isinstance(number, int) else 0
    return size == 0, size, place


def shown_row(numbers: Mapping[Key, Number], fewest: int) -> dict[Key, int | None]:
    """Numbers of which the sum is known, None for those that are hidden."""
    places = hidden([[*numbers.values()]], fewest, columns=False)
    return {
        key: None if (0, place) in places else shown(number, 1) for place, (key, number) in enumerate(numbers.items())
    }


def shown_grid(
    numbers: Mapping[tuple[Key, Key], Number], down: Sequence[Key], across: Sequence[Key], fewest: int
) -> dict[tuple[Key, Key], int | None]:
    """Numbers by row and column, where a place without one is nobody; None for those that are hidden."""
    rows = [[numbers.get((r, c), 0) for c in across] for r in down]
    places = hidden(rows, fewest)
    return {
        (r, c): None if (i, j) in places else shown(rows[i][j], 1)
        for i, r in enumerate(down)
        for j, c in enumerate(across)
    }
