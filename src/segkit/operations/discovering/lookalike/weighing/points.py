"""Weights of a model become points: whole numbers that add up to 100 for whoever gives the best of all answers."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 100


def points_of(weights: Sequence[Sequence[float]], given: Sequence[Sequence[bool]]) -> list[list[int]]:
    """The points of each answer to each question, from 0; the best answers to all questions make 100.

    `given` says which answers anybody has given: the worst of these is worth nothing. The others, of whose weights
    nothing is known but that they are 0, stand in between. All points are 0 where all weights are the same.
    """
    worst = [_worst(*question) for question in zip(weights, given, strict=True)]
    above = [[max(w - low, 0.0) for w in of_one] for of_one, low in zip(weights, worst, strict=True)]
    best = [max(of_one) for of_one in above]
    most = _shared_out(best)
    return [
        [round(one / high * whole) if high > 0 else 0 for one in of_one]
        for of_one, high, whole in zip(above, best, most, strict=True)
    ]


def _worst(weights: Sequence[float], given: Sequence[bool]) -> float:
    return min(weight for weight, is_given in zip(weights, given, strict=True) if is_given)


def _shared_out(best: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to these that add up to `MOST`: rounded down, and up where the most is cut off."""
    total = sum(best)
    if total <= 0:
        return [0] * len(best)
    exact = [MOST * one / total for one in best]
    whole = [int(one) for one in exact]
    by_rest = sorted(range(len(best)), key=lambda place: (whole[place] - exact[place], place))
    for place in by_rest[: MOST - sum(whole)]:
        whole[place] += 1
    return whole
