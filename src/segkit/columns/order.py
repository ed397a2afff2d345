"""Things in the order of what they need."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from graphlib import CycleError, TopologicalSorter


class Cycle(ValueError):
    """Things that need each other; `names` begins and ends with the same one."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(" -> ".join(names))
        self.names = names


def in_order(needs: Mapping[str, AbstractSet[str]]) -> list[str]:
    """The names, each after those it needs, else in the order given; needs that are no names are ignored.

    Raises `Cycle`.
    """
    sorter = TopologicalSorter({name: sorted(wanted & needs.keys()) for name, wanted in needs.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise Cycle(list(reversed(error.args[1]))) from error
    ordered: list[str] = []
    position = {name: i for i, name in enumerate(needs)}
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=position.__getitem__)
        ordered += ready
        sorter.done(*ready)
    return ordered
