"""How many clusters: for each number, are they the same in two halves of the customers, and is one of them small."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from segkit.discoveries.cluster import ChosenBy, TriedK
from segkit.operations.discovering.cluster.points import Floats

MOST_TRIED = 5_000
"""On so many customers, drawn at random, numbers are tried; a million would say the same, after minutes."""
HALVINGS = 8
"""How often halves are drawn. A heap that is cut in two is cut alike by chance, too: what counts is the mean less a
standard deviation. Of eight times four drawn heaps, it finds four in seven; the mean alone finds them in none."""
STARTS = 5
"""How often k-means begins anew; the best of the ends counts. With fewer, ends differ more than the customers do."""


class Trial(NamedTuple):
    """A number of clusters as it was tried, and the middles of its clusters."""

    tried: TriedK
    middles: Floats


class Chosen(NamedTuple):
    """The trial that counts, and why."""

    trial: Trial
    by: ChosenBy


def try_numbers(points: Floats, numbers: Sequence[int], seed: int) -> list[Trial]:
    """Each number, tried on the first `MOST_TRIED` of the points, which come in a random order."""
    some = points[:MOST_TRIED]
    halves = _halves(len(some), seed)
    return [_tried(some, k, halves, seed) for k in numbers]


def distinct(points: Floats) -> int:
    """How many different points numbers are tried on: there cannot be more clusters."""
    return len(np.unique(points[:MOST_TRIED], axis=0))


def choose(trials: Sequence[Trial], given: int | None) -> Chosen:
    """The number that is given; else the largest that holds; else the most stable without a cluster of nobody."""
    if given is not None:
        return Chosen(next(one for one in trials if one.tried.k == given), "given")
    if holding := [one for one in trials if one.tried.holds]:
        return Chosen(max(holding, key=lambda one: one.tried.k), "largest-stable")
    filled = [one for one in trials if one.tried.smallest] or trials
    return Chosen(max(filled, key=lambda one: (one.tried.stability, -one.tried.k)), "most-stable")


def clusters_of(points: Floats, trial: Trial, seed: int) -> Any:
    """The cluster of each customer: those of the trial, moved to where they lie best among all customers."""
    with _few_points():
        return KMeans(trial.tried.k, init=trial.middles, n_init=1, random_state=seed).fit(points).labels_


def _halves(number: int, seed: int) -> list[tuple[Any, Any]]:
    drawn = np.random.Generator(np.random.PCG64(seed))
    orders = [drawn.permutation(number) for _ in range(HALVINGS)]
    return [(np.sort(order[: number // 2]), np.sort(order[number // 2 :])) for order in orders]


def _tried(some: Floats, k: int, halves: Sequence[tuple[Any, Any]], seed: int) -> Trial:
    def fitted(points: Floats) -> Any:
        return KMeans(k, n_init=STARTS, random_state=seed).fit(points)

    with _few_points():
        whole = fitted(some)
        alike = [
            adjusted_rand_score(fitted(some[one]).predict(some), fitted(some[other]).predict(some))
            for one, other in halves
        ]
    sizes = np.bincount(whole.labels_, minlength=k)
    smallest = 100 * float(sizes.min()) / len(some)
    return Trial(TriedK(k, smallest, float(np.mean(alike) - np.std(alike, ddof=1))), whole.cluster_centers_)


@contextmanager
def _few_points() -> Iterator[None]:
    """Without scikit-learn's warning of fewer points than clusters: a cluster of nobody is refused later."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
