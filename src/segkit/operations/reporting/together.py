"""Who is in which segments together: the largest combinations, and pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segkit.operations.delivery.manifest import AggregatesOf, Manifest
from segkit.operations.reporting.hiding import Number, is_few, shown_grid
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
    counts: dict[tuple[str, str], Number] = {}
    for one in manifest.overlaps:
        counts[one.first, one.second] = counts[one.second, one.first] = one.customers
    counts |= {(name, name): None for name in names}
    known = shown_grid(counts, names, names, fewest)
    shares: dict[tuple[str, str], float | None] = {}
    for first in names:
        for second in names:
            if first == second:
                continue
            both = known[first, second] if known[second, first] is not None else None
            size = sizes[first]
            if both == 0:
                shares[first, second] = 0.0
            else:
                shares[first, second] = None if both is None or not size or sizes[second] is None else 100 * both / size
    return shares
