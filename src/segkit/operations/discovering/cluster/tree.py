"""A decision tree that says of values of the columns, and of nothing else, which cluster a customer is in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import count
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from sklearn.tree import DecisionTreeClassifier

from segkit.criteria.kinds import literal
from segkit.discoveries.cluster import Bounds
from segkit.operations.discovering.cluster.thresholds import between

MOST_LEARNT = 100_000
"""The tree learns of so many customers, drawn at random; how often it is right is counted of all."""
FEWEST = 5
"""A leaf of fewer customers is chance; of many, one of fewer than half a percent."""


class Leaf(NamedTuple):
    """Customers of one cluster, as far as the tree can tell."""

    cluster: int


class Split(NamedTuple):
    """A number that parts the customers: those with less in a column, and those with as much or more."""

    column: str
    at: Decimal
    less: Tree
    rest: Tree


Tree: TypeAlias = Leaf | Split
_NO_BOUNDS: Mapping[str, Bounds] = MappingProxyType({})


class Box(NamedTuple):
    """A leaf as it is reached: its cluster, and the bounds of columns on the way."""

    cluster: int
    bounds: Mapping[str, Bounds]


class _Learnt(NamedTuple):
    """What scikit-learn has learnt of ranks, and the values of each column by their rank, which counts from 1."""

    model: Any
    names: Sequence[str]
    ranks: Any
    values: Sequence[pl.Series]


def grown(columns: pl.DataFrame, clusters: Any, leaves: int, seed: int) -> Tree:
    """The tree for the clusters of customers, whose columns have their exact values; `leaves` are the most it has.

    It learns of the first `MOST_LEARNT` of them, who come in a random order.
    """
    some = columns.head(MOST_LEARNT)
    # Ranks: the library learns of floats with seven digits, in which a rank is exact.
    ranks = some.select(pl.all().rank("dense").cast(pl.Int64)).to_numpy()
    fewest = max(FEWEST, len(some) // 200)
    model = DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=fewest, random_state=seed)
    values = [some[name].unique().sort() for name in columns.columns]
    learnt = _Learnt(model.fit(ranks, clusters[: len(some)]), columns.columns, ranks, values)
    return _of_node(learnt, 0, np.arange(len(some)))


def _of_node(learnt: _Learnt, node: int, rows: Any) -> Tree:
    nodes = learnt.model.tree_
    if nodes.children_left[node] == nodes.children_right[node]:  # of a leaf, both are -1
        return Leaf(int(learnt.model.classes_[int(np.argmax(nodes.value[node][0]))]))
    column = int(nodes.feature[node])
    ranks = learnt.ranks[rows, column]
    is_less = ranks <= nodes.threshold[node]
    less = _of_node(learnt, int(nodes.children_left[node]), rows[is_less])
    rest = _of_node(learnt, int(nodes.children_right[node]), rows[~is_less])
    if isinstance(less, Leaf) and less == rest:  # they differ in how sure it is, not in what it says
        return less
    values = learnt.values[column]
    low, high = values[int(ranks[is_less].max()) - 1], values[int(ranks[~is_less].min()) - 1]
    return Split(learnt.names[column], between(low, high), less, rest)


def boxes(tree: Tree, bounds: Mapping[str, Bounds] = _NO_BOUNDS) -> Iterator[Box]:
    """The leaves in their order; every customer who has the columns is in exactly one."""
    if isinstance(tree, Leaf):
        yield Box(tree.cluster, bounds)
        return
    here = bounds.get(tree.column, Bounds())
    yield from boxes(tree.less, {**bounds, tree.column: here._replace(below=tree.at)})
    yield from boxes(tree.rest, {**bounds, tree.column: here._replace(least=tree.at)})


def place_of(tree: Tree, schema: Mapping[str, pl.DataType], places: Iterator[int] | None = None) -> pl.Expr:
    """Which of the `boxes` a customer is in, from 0 on, by the comparison that a condition makes."""
    places = count() if places is None else places
    if isinstance(tree, Leaf):
        return pl.lit(next(places), pl.Int64)
    is_less = pl.col(tree.column) < literal(tree.at, schema[tree.column])
    less = place_of(tree.less, schema, places)
    return pl.when(is_less).then(less).otherwise(place_of(tree.rest, schema, places))
