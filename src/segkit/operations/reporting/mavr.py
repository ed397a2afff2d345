"""The four questions to each segment, as the run has answered them."""

from __future__ import annotations

from collections.abc import Sequence

from segkit.operations.delivery.manifest import Manifest, MavrOf
from segkit.operations.reporting.hiding import is_few
from segkit.operations.reporting.ledger import alone
from segkit.reports import Answers


def answers(manifest: Manifest, kept: Sequence[MavrOf], fewest: int) -> tuple[Answers, ...]:
    """The answers for the segments of a run, in its order.

    Of a segment with few members, or of which few can be reached, neither number nor worth is told; whether they are
    enough is.
    """
    sizes = {one.name: one.matched for one in manifest.segments}
    kept = [one for one in kept if one.segment in sizes]
    hidden = {one.segment for one in kept if _is_of_few(one, sizes[one.segment], fewest)}
    worthless = hidden | alone(manifest, fewest) | _as_large(manifest, fewest)
    return tuple(
        Answers(
            segment=one.segment,
            known=None if one.known is None or _few_are_known(one.known, manifest.customers, fewest) else one.known,
            reach=None if one.segment in hidden else one.reach,
            reached=None if one.segment in hidden else one.reached,
            needed=one.needed,
            a_head=None if one.segment in worthless else one.a_head,
            compared=None if one.segment in worthless else one.index,
            measurable=one.m,
            accessible=one.a,
            viable=one.v,
            remunerative=one.p,
        )
        for one in kept
    )


def _is_of_few(one: MavrOf, size: int, fewest: int) -> bool:
    return one.reached is None or any(is_few(number, fewest) for number in (size, one.reached, size - one.reached))


def _few_are_known(percent: float, customers: int, fewest: int) -> bool:
    known = round(percent * customers / 100)
    return is_few(known, fewest) or is_few(customers - known, fewest)


def _as_large(manifest: Manifest, fewest: int) -> set[str]:
    """The segments with a few members less than another one that shares some: these few may be what it has more."""
    sizes = {one.name: one.matched for one in manifest.segments}
    return {
        min(pair.first, pair.second, key=lambda name: sizes[name])
        for pair in manifest.overlaps
        if {pair.first, pair.second} <= sizes.keys() and is_few(abs(sizes[pair.first] - sizes[pair.second]), fewest)
    } | {name for name, size in sizes.items() if is_few(manifest.customers - size, fewest)}
