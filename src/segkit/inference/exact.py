"""Exact tests of counts: the chance of all outcomes that are no likelier than the one that came."""

from __future__ import annotations

from collections.abc import Callable, Iterator

_SLACK = 1 + 1e-7
"""Outcomes whose chances differ by rounding alone are equally likely."""
_NEVER = 1e-30
"""What is so much less likely than the likeliest does not count."""


def fisher(ones: int, of: int, others: int, of_others: int) -> float:
    """The chance, on either side, that so many of one group and of the other do something, if they do not differ."""
    both, everybody = ones + others, of + of_others

    def ratio(k: int) -> float:
        return (both - k) * (of - k) / ((k + 1) * (of_others - both + k + 1))

    low, high = max(0, both - of_others), min(both, of)
    return _as_unlikely(ones, low, high, both * of // everybody, ratio)


def binomial(ones: int, of: int, share: float) -> float:
    """The chance, on either side, that so many are drawn where each is with the chance `share`."""
    odds = share / (1 - share)
    return _as_unlikely(ones, 0, of, int(of * share), lambda k: (of - k) / (k + 1) * odds)


def _as_unlikely(came: int, low: int, high: int, likely: int, ratio: Callable[[int], float]) -> float:
    """The share of the outcomes from `low` to `high` that are no likelier than `came`.

    `ratio` is by how much each is less likely than the next one, `likely` one near the likeliest.
    """
    start = min(max(likely, low), high)
    weights = {start: 1.0, **dict(_walk(start, high, 1, ratio)), **dict(_walk(start, low, -1, ratio))}
    most = weights.get(came, 0.0) * _SLACK
    return min(1.0, sum(sorted(w for w in weights.values() if w <= most)) / sum(sorted(weights.values())))


def _walk(start: int, end: int, step: int, ratio: Callable[[int], float]) -> Iterator[tuple[int, float]]:
    weight, place = 1.0, start
    while place != end and weight > _NEVER:
        weight *= ratio(place) if step > 0 else 1 / ratio(place - 1)
        place += step
        yield place, weight
