"""Who is in which segments together: the largest combinations, and pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

from segkit.operations.delivery.manifest import AggregatesOf, Manifest
from segkit.operations.reporting.hiding import is_few
from segkit.reports import Combination, LedgerLine, Overlap

MOST_COMBINATIONS = 18
MOST_SEGMENTS = 25
"""As many rows a picture has, and as many columns a table of pairs; the largest segments are shown."""


def overlap(manifest: Manifest, kept: AggregatesOf, lines: Sequence[LedgerLine], fewest: int) -> Overlap | None:
    """What is known of lists that share customers; None where there are no two."""
    sizes = {line.name: line.written for line in lines if line.write}
    largest = sorted(sizes, key=lambda name: -(sizes[name] or 0))[:MOST_SEGMENTS]
    paired = tuple(name for name in sizes if name in largest)
    hidden = {name for name, size in sizes.items() if size is None}  # the combinations would tell their size
    combinations = [
        Combination(one.segments, one.customers)
        for one in kept.combinations
        if one.segments and one.customers >= fewest and set(one.segments) <= set(largest) - hidden
    ][:MOST_COMBINATIONS]
    if len(paired) < 2:
        return None
    return Overlap(
        rows=paired,
        combinations=tuple(_without_rests(combinations, manifest, fewest)),
        pairs=_pairs(manifest, paired, sizes, fewest),
    )


def _without_rests(combinations: list[Combination], manifest: Manifest, fewest: int) -> list[Combination]:
    """The combinations without those that would tell, with the size of a list, how many the few others are."""
    written = {one.name: one.written for one in manifest.segments if one.write}
    left = list(combinations)
    while True:
        rests = {
            name: size - sum(one.customers for one in left if name in one.segments) for name, size in written.items()
        }
        told = [name for name, rest in rests.items() if is_few(rest, fewest)]
        telling = [one for one in left if set(one.segments) & set(told)]
        if not telling:
            return left
        left.remove(min(telling, key=lambda one: one.customers))


def _pairs(
    manifest: Manifest, names: Sequence[str], sizes: Mapping[str, int | None], fewest: int
) -> dict[tuple[str, str], float | None]:
    """By pair, what percent of the first is in the second; None where few are in both, or few in one of them alone."""
    counts = {frozenset((one.first, one.second)): one.customers for one in manifest.overlaps}
    shares: dict[tuple[str, str], float | None] = {}
    for first, second in permutations(names, 2):
        both, size, other = counts.get(frozenset((first, second)), 0), sizes[first], sizes[second]
        if size is None or other is None or any(is_few(one, fewest) for one in (both, size - both, other - both)):
            shares[first, second] = None
        else:
            shares[first, second] = 100 * both / size if size else 0.0
    return shares
