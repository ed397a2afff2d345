"""Things in the order of what they need, and the circles that have no such order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

Needs = Mapping[str, AbstractSet[str]]


class Cycle(ValueError):
    """Things that need each other; `names` begins and ends with the same one."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(" -> ".join(names))
        self.names = names


def in_order(needs: Needs) -> list[str]:
    """The names, each after those it needs, else in the order given; needs that are no names are ignored.

    Raises `Cycle`.
    """
    for names in cycles(needs):
        raise Cycle(names)
    sorter = _prepared(needs)
    ordered: list[str] = []
    position = {name: i for i, name in enumerate(needs)}
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=position.__getitem__)
        ordered += ready
        sorter.done(*ready)
    return ordered


def cycles(needs: Needs) -> Iterator[list[str]]:
    """Each circle, from its first name in the order of `needs` to that name again; no step is in two circles."""
    position = {name: i for i, name in enumerate(needs)}
    left = {name: set(wanted & needs.keys()) for name, wanted in needs.items()}
    while names := _circle(left):
        start = names.index(min(names, key=position.__getitem__))
        circle = [*names[start:], *names[:start], names[start]]
        yield circle
        for name, needed in pairwise(circle):
            left[name].discard(needed)


def _circle(needs: Needs) -> list[str]:
    """Names of which each needs the next, and the last the first; none where there is no circle."""
    try:
        _prepared(needs)
    except CycleError as error:
        names: list[str] = error.args[1]  # each is needed by the next, the first again at the end
        return names[:0:-1]
    return []


def _prepared(needs: Needs) -> TopologicalSorter[str]:
    sorter = TopologicalSorter({name: sorted(wanted & needs.keys()) for name, wanted in needs.items()})
    sorter.prepare()
    return sorter
