"""The variables of a rule file with the values that they may have, and which values go together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from segkit.proof.logic.formulas import Leaf

HIDDEN = "\x1f"
"""What names of variables begin with that no column can have."""


class Space:
    """All customers that there may be: for each variable its values, as bits, and pairs of values that go together.

    What is not known to be impossible is possible: a relation that is left out only makes more customers.
    """

    def __init__(self) -> None:
        self.full: dict[str, int] = {}
        self.allowed: dict[str, int] = {}
        self.values: dict[str, tuple[Any, ...]] = {}
        self.pairs: dict[tuple[str, str], list[int]] = {}
        self.neighbours: dict[str, list[str]] = {}
        self.links: dict[str, list[str]] = {}
        """Variable -> others that belong to it, and must be looked at wherever it is."""
        self.images: dict[tuple[str, str, int], int] = {}

    def add(self, name: str, values: Sequence[Any]) -> None:
        """A variable with these values."""
        self.values[name] = tuple(values)
        self.full[name] = self.allowed[name] = (1 << len(values)) - 1

    def leaf(self, name: str, holds: Callable[[Any], bool]) -> Leaf:
        """The variable has a value for which this holds."""
        return Leaf(name, bits(map(holds, self.values[name])), self.full[name])

    def opaque(self, name: str) -> Leaf:
        """Something of which nothing is known but that it is the same wherever it has this name."""
        name = f"{HIDDEN}{name}"
        if name not in self.full:
            self.add(name, (False, True))
        return Leaf(name, 0b10, 0b11)

    def restrict(self, name: str, allows: Callable[[Any], bool]) -> None:
        """The variable has no other values than those that are allowed."""
        self.allowed[name] &= self.leaf(name, allows).mask

    def relate(self, first: str, second: str, together: Callable[[Any, Any], bool], *, linked: bool = False) -> None:
        """Which values of two variables one customer may have."""
        rows = [bits(together(one, other) for other in self.values[second]) for one in self.values[first]]
        back = [bits(row >> n & 1 for row in rows) for n in range(len(self.values[second]))]
        for one, other, allowed in ((first, second, rows), (second, first, back)):
            known = self.pairs.get((one, other))
            self.pairs[one, other] = [a & b for a, b in zip(known, allowed, strict=True)] if known else allowed
            if other not in self.neighbours.setdefault(one, []):
                self.neighbours[one].append(other)
        if linked:
            self.links.setdefault(first, []).append(second)

    def image(self, first: str, second: str, left: int) -> int:
        """The values of the second variable that go with at least one of those left of the first."""
        key = (first, second, left)
        if key not in self.images:
            mask, rows = 0, self.pairs[first, second]
            for place in places(left):
                mask |= rows[place]
            self.images[key] = mask
        return self.images[key]


def bits(flags: Any) -> int:
    """Flags as bits, the first one lowest."""
    return sum(1 << place for place, flag in enumerate(flags) if flag)


def places(mask: int) -> list[int]:
    """The places of the bits that are set."""
    return [place for place in range(mask.bit_length()) if mask >> place & 1]
