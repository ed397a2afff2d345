"""Personas: the clusters by their size, what each stands out by, and how many customers the rules put there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from segkit.columns.helpers import COUNT
from segkit.discoveries.cluster import Persona, Rule
from segkit.operations.discovering.cluster.points import Floats
from segkit.operations.discovering.cluster.tree import Tree, boxes, place_of

FAR = 0.5
"""So many standard deviations from the mean of all, a persona stands out."""
MOST = 3
"""More columns by which it stands out nobody keeps in mind."""
_CLUSTER, _PLACE = "\x1fcluster", "\x1fplace"


def name_of(cluster: int) -> str:
    """The name of a cluster, which is its place by size, from 0 on."""
    return f"persona-{cluster + 1}"


def by_size(clusters: Any, k: int) -> Any:
    """The clusters with new numbers: 0 is the largest; of two that are as large, that of an earlier customer."""
    sizes = np.bincount(clusters, minlength=k)
    first = [int(np.argmax(clusters == one)) for one in range(k)]
    new = np.empty(k, dtype=np.int64)
    new[sorted(range(k), key=lambda one: (-int(sizes[one]), first[one]))] = np.arange(k)
    return new[clusters]


def rules_of(columns: pl.DataFrame, clusters: Any, tree: Tree) -> tuple[Rule, ...]:
    """The leaves, and how many customers each has; by persona, the largest leaf first."""
    places = columns.with_columns(place_of(tree, columns.schema).alias(_PLACE))  # of a single leaf, one for all
    found = places.select(_PLACE, pl.Series(_CLUSTER, clusters))
    counts = {(place, cluster): number for place, cluster, number in found.group_by(_PLACE, _CLUSTER).len(COUNT).rows()}
    rules = []
    for place, box in enumerate(boxes(tree)):
        customers = sum(number for (here, _), number in counts.items() if here == place)
        rule = Rule(name_of(box.cluster), box.bounds, customers, counts.get((place, box.cluster), 0))
        rules.append((box.cluster, -customers, place, rule))
    return tuple(rule for *_, rule in sorted(rules, key=lambda one: one[:3]))


def medians_of(columns: pl.DataFrame) -> dict[str, float]:
    """The median of each column."""
    return columns.select(pl.all().cast(pl.Float64).median()).row(0, named=True)


def personas_of(
    columns: pl.DataFrame, scaled: Floats, clusters: Any, k: int, rules: Sequence[Rule]
) -> tuple[Persona, ...]:
    """The personas, the largest first; `clusters` are numbered by size, `scaled` are their points."""
    of_all = medians_of(columns)
    labelled = columns.select(pl.all().cast(pl.Float64)).with_columns(pl.Series(_CLUSTER, clusters))
    of_each = {row.pop(_CLUSTER): row for row in labelled.group_by(_CLUSTER).median().to_dicts()}
    found = []
    for cluster in range(k):
        chosen = clusters == cluster
        own = [rule for rule in rules if rule.persona == name_of(cluster)]
        medians = of_each[cluster]
        deviations = dict(zip(columns.columns, map(float, scaled[chosen].mean(axis=0)), strict=True))
        found.append(
            Persona(
                name=name_of(cluster),
                customers=int(chosen.sum()),
                share=100 * int(chosen.sum()) / len(columns),
                medians=medians,
                deviations=deviations,
                stands_out=_stands_out(deviations, medians, of_all),
                by_rules=sum(rule.customers for rule in own),
                agree=sum(rule.agree for rule in own),
            )
        )
    return tuple(found)


def _stands_out(
    deviations: Mapping[str, float], medians: Mapping[str, float], of_all: Mapping[str, float]
) -> tuple[str, ...]:
    """The columns whose mean is far from that of all, and whose median lies on the same side; at least the farthest."""
    told = [name for name in deviations if (medians[name] - of_all[name]) * deviations[name] > 0]
    told.sort(key=lambda name: -abs(deviations[name]))
    return tuple([name for name in told if abs(deviations[name]) >= FAR][:MOST] or told[:1])
