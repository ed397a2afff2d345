"""Who is one condition away from a segment: all for whom it would hold if that condition alone were turned.

A segment that another one names is opened: what turns is a condition of it. A condition that stands in several places
turns in all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.criteria.tree import All, Leaf, Member, Not, Tree, fold
from segkit.operations.decide import Decision
from segkit.operations.explanation.criteria import Reader
from segkit.operations.explanation.gaps import gap
from segkit.operations.explanation.words import said
from segkit.results.explain import Distance, NearCondition, NearCustomer, NearMisses
from segkit.rules.findings import dotted

_GAP = "\x1fgap"
_FAR = 2**31
"""More conditions than there are: what no turn makes hold."""


class _Turned(NamedTuple):
    """A condition, the places where it stands, and the column with whether it holds.

    It stands there `once` where no other place, and no segment that is named twice, has it again. It is `negated` where
    the first of these places asks that it does not hold.
    """

    leaf: Leaf
    places: tuple[str, ...]
    held: str
    negated: bool
    once: bool


def near_misses(run: Decision, trees: Mapping[str, All], name: str, most: int, readers: Readers) -> NearMisses:
    """Of each condition of a segment, how many customers are in if it is turned, and the nearest of them."""
    tree = opened(trees[name], trees)
    turned = list(_conditions(tree))
    names = {place: one.held for one in turned for place in one.places}
    frame = run.customers.select(KEY, *(one.leaf.holds.alias(one.held) for one in turned))
    held = frame.drop(KEY)
    asked = _with_columns(tree, names)
    matched = run.ledger.lines[name].matched
    would = held.lazy().select(fold(_turn(asked, one.held)).alias(one.held) for one in turned)
    masks = [column & ~matched for column in would.collect().iter_columns()]
    conditions = [_condition(run, readers, one, mask, most) for one, mask in zip(turned, masks, strict=True)]
    one_away = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(run.customers))
    for mask in masks:
        one_away = one_away | mask
    segment = run.rules.segment[name]
    return NearMisses(
        name=name,
        label=segment.label or name,
        members=int(matched.sum()),
        distances=tuple(_distances(held, asked, matched, one_away)),
        exact=all(one.once for one in turned),
        conditions=tuple(sorted(conditions, key=lambda one: -one.customers)),
    )


def opened(tree: Tree, trees: Mapping[str, All]) -> Tree:
    """The tree with the criteria of the segments that it names, in place of their names."""
    match tree:
        case Leaf(asked=Member(segment=name)):
            return opened(trees[name], trees)
        case Leaf():
            return tree
        case Not():
            return Not(opened(tree.part, trees))
    return tree._replace(parts=tuple(opened(part, trees) for part in tree.parts))


def _conditions(tree: Tree) -> Iterator[_Turned]:
    """Each condition once, in the order in which they stand in the tree."""
    alike: dict[str, list[tuple[Leaf, bool]]] = {}
    for leaf, negated in _signed(tree):
        alike.setdefault(repr(leaf.asked), []).append((leaf, negated))
    for number, same in enumerate(alike.values()):
        places = tuple(dict.fromkeys(dotted(leaf.path) for leaf, _ in same))
        first, negated = same[0]
        yield _Turned(first, places, held=f"\x1fheld {number}", negated=negated, once=len(same) == 1)


def _signed(tree: Tree, *, negated: bool = False) -> Iterator[tuple[Leaf, bool]]:
    """The conditions, and whether the segment asks that they do not hold."""
    match tree:
        case Leaf():
            yield tree, negated
        case Not():
            yield from _signed(tree.part, negated=not negated)
        case _:
            for part in tree.parts:
                yield from _signed(part, negated=negated)


def _with_columns(tree: Tree, held: Mapping[str, str]) -> Tree:
    """The tree over columns that say whether each condition holds."""
    match tree:
        case Leaf():
            return tree._replace(holds=pl.col(held[dotted(tree.path)]))
        case Not():
            return Not(_with_columns(tree.part, held))
    return tree._replace(parts=tuple(_with_columns(part, held) for part in tree.parts))


def _turn(tree: Tree, column: str) -> Tree:
    """The tree with one condition turned."""
    match tree:
        case Leaf():
            return tree._replace(holds=~tree.holds) if tree.holds.meta.output_name() == column else tree
        case Not():
            return Not(_turn(tree.part, column))
    return tree._replace(parts=tuple(_turn(part, column) for part in tree.parts))


class Readers:
    """Reads what conditions look at, of one customer after the other."""

    def __init__(self, run: Decision, trees: Mapping[str, All]) -> None:
        self._run, self._trees = run, trees
        self._known: dict[int, Reader] = {}

    def actual(self, leaf: Leaf, place: int) -> tuple[str | None, bool]:
        """What a condition of one of the trees finds in a row, and whether there is no value."""
        if place not in self._known:
            run = self._run
            self._known[place] = Reader(run.loaded.source, run.evaluated.plan, self._trees, run.customers[place])
        found = self._known[place].criterion(leaf)
        return found.actual, found.missing


def _condition(run: Decision, readers: Readers, turned: _Turned, mask: pl.Series, most: int) -> NearCondition:
    leaf = turned.leaf
    subject, wanted, _ = said(Not(leaf) if turned.negated else leaf)
    plan = run.evaluated.plan
    distance = gap(leaf, plan.schema, plan.context.as_of, run.rules.customers, negated=turned.negated)
    rows = run.customers.lazy().with_row_index("place").filter(mask)
    ordered = rows.select(KEY, "place", distance.alias(_GAP)).sort(_GAP, KEY, nulls_last=True)
    return NearCondition(
        path=turned.places[0],
        paths=turned.places,
        subject=subject,
        wanted=wanted,
        customers=int(mask.sum()),
        nearest=tuple(
            NearCustomer(key, *readers.actual(leaf, place)) for key, place, _ in ordered.head(most).collect().rows()
        ),
    )


def _distances(held: pl.DataFrame, tree: Tree, matched: pl.Series, one_away: pl.Series) -> Iterator[Distance]:
    """How many customers are how many conditions away; beyond one, as if conditions in several places were several."""
    needed = held.select(_needed(tree, wanted=True).alias("needed")).to_series() if held.width else None
    if needed is None:
        yield Distance(0, int(matched.sum()))
        return
    plain = needed.clip(lower_bound=2)
    exact = pl.select(pl.when(matched).then(0).when(one_away).then(1).otherwise(plain.cast(pl.Int64)).alias("away"))
    for away, customers in exact.group_by("away").len().sort("away").rows():
        yield Distance(None if away >= _FAR else away, customers)


def _needed(tree: Tree, *, wanted: bool) -> pl.Expr:
    """How many conditions must turn so that the tree holds, or does not."""
    match tree:
        case Leaf():
            return (tree.holds if not wanted else ~tree.holds).cast(pl.Int64)
        case Not():
            return _needed(tree.part, wanted=not wanted)
    parts = [_needed(part, wanted=wanted) for part in tree.parts]
    all_of = isinstance(tree, All) is wanted
    if not parts:
        return pl.lit(0 if all_of else _FAR, pl.Int64)
    return pl.sum_horizontal(parts).clip(upper_bound=_FAR) if all_of else pl.min_horizontal(parts)
