"""Which numbers of a table would tell of a few customers, and which ones would tell those by addition."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

Number: TypeAlias = int | str | None
"""A count; a text such as `<5` for a few; None where the table has no cell."""
Key = TypeVar("Key")
Place = TypeVar("Place", bound=Hashable)


class Sum(NamedTuple, Generic[Place]):
    """Places whose numbers add up to that of another one; without it, the reader may know their sum otherwise."""

    parts: Sequence[Place]
    whole: Place | None = None


def is_few(number: Number, fewest: int) -> bool:
    """Whether so few customers are counted that it may tell who they are; nobody is nobody."""
    return isinstance(number, str) or (number is not None and 0 < number < fewest)


def shown(number: Number, fewest: int) -> int | None:
    """A count that stands alone; None where it is of a few."""
    return None if isinstance(number, str) or is_few(number, fewest) else number


def hidden(numbers: Mapping[Place, Number], sums: Sequence[Sum[Place]], fewest: int) -> set[Place]:
    """The places whose numbers must not stand there.

    Those are the small ones, and as long as subtraction would tell one that is hidden, or that several together are a
    few, the next smallest of the sum. Nobody is hidden only where there is nothing else.
    """
    found = {place for place, number in numbers.items() if is_few(number, fewest)}
    more = True
    while more:
        more = False
        for one in sums:
            while _tells(one, numbers, found, fewest) and (rest := list(_rest(one, numbers, found))):
                found.add(min(rest, key=lambda place: _rank(numbers[place])))
                more = True
    return found


def _tells(one: Sum[Place], numbers: Mapping[Place, Number], found: set[Place], fewest: int) -> bool:
    gone = [place for place in one.parts if place in found]
    if one.whole in found:
        return not gone
    if len(gone) < 2:
        return bool(gone)
    sizes = [_least(numbers[place]) for place in gone]
    return sum(sizes) < fewest and 0 not in sizes


def _rest(one: Sum[Place], numbers: Mapping[Place, Number], found: set[Place]) -> Iterator[Place]:
    wholes = [] if one.whole is None else [one.whole]
    return (place for place in (*one.parts, *wholes) if place not in found and numbers[place] is not None)


def _rank(number: Number) -> tuple[bool, int]:
    return not number, _least(number)


def _least(number: Number) -> int:
    """How many customers there are at least."""
    return 1 if isinstance(number, str) else number or 0


def without(numbers: Mapping[Place, Number], places: Iterable[Place]) -> dict[Place, int | None]:
    """The numbers, None for those that are hidden."""
    gone = set(places)
    return {place: None if place in gone else shown(number, 1) for place, number in numbers.items()}


def shown_row(numbers: Mapping[Key, Number], fewest: int) -> dict[Key, int | None]:
    """Numbers of which the sum is known, None for those that are hidden."""
    return without(numbers, hidden(numbers, [Sum([*numbers])], fewest))


def rows_and_columns(down: Sequence[Key], across: Sequence[Key]) -> Iterator[Sum[tuple[Key, Key]]]:
    """The sums of a table."""
    yield from (Sum([(r, c) for c in across]) for r in down)
    yield from (Sum([(r, c) for r in down]) for c in across)


def in_steps(numbers: Mapping[Key, Number], fewest: int) -> tuple[dict[Key, int | None], int]:
    """The numbers without those of a few, and the steps in which they are.

    With a few among them, each of the others is that of the nearest step of `fewest`: the difference to a total that is
    known elsewhere does not tell the few, and no number has to be hidden for their sake, however large.
    """
    if not any(is_few(number, fewest) for number in numbers.values()):
        return {key: shown(number, fewest) for key, number in numbers.items()}, 1
    known = {key: shown(number, fewest) for key, number in numbers.items()}
    return {key: number and fewest * round(number / fewest) for key, number in known.items()}, fewest
