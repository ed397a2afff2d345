"""A block of criteria as a tree: its leaves are conditions, each with the expression that it runs as.

The tree is the only truth. What runs is the tree folded into one expression; whoever says why a customer is in a
segment, or proves something about a rule file, reads the same tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import polars as pl

from segkit.rules.findings import KeyPath
from segkit.rules.model.blocks import EventCondition, Inside, Near
from segkit.rules.model.conditions import Condition


class On(NamedTuple):
    """A condition on one column."""

    column: str
    condition: Condition


class Member(NamedTuple):
    """Whether the criteria of another segment hold; the run has a column for it."""

    segment: str


class Sql(NamedTuple):
    """A true-or-false expression of the rule file."""

    text: str


Asked: TypeAlias = On | EventCondition | Near | Inside | Member | Sql
"""What a leaf asks."""


class Leaf(NamedTuple):
    """One condition: where it stands in the rule file, what it asks, and whether it holds (Boolean, never null)."""

    path: KeyPath
    asked: Asked
    holds: pl.Expr


class All(NamedTuple):
    """Holds where every part does; without parts, everywhere."""

    path: KeyPath
    parts: tuple[Tree, ...]


class Any(NamedTuple):
    """Holds where at least one part does."""

    path: KeyPath
    parts: tuple[Tree, ...]


class Not(NamedTuple):
    """Holds where its part does not."""

    part: Tree

    @property
    def path(self) -> KeyPath:
        """Where the part stands."""
        return self.part.path


Tree: TypeAlias = Leaf | All | Any | Not


def fold(tree: Tree) -> pl.Expr:
    """The tree as the one expression that runs: Boolean, never null."""
    match tree:
        case Leaf():
            return tree.holds
        case Not():
            return ~fold(tree.part)
        case Any():
            return pl.any_horizontal([fold(part) for part in tree.parts])
        case All():
            return pl.all_horizontal([fold(part) for part in tree.parts] or [pl.lit(True)])


def leaves(tree: Tree) -> Iterator[Leaf]:
    """The conditions of the tree, in the order in which they are looked at."""
    match tree:
        case Leaf():
            yield tree
        case Not():
            yield from leaves(tree.part)
        case _:
            for part in tree.parts:
                yield from leaves(part)
