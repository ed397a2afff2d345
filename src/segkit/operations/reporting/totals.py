"""All customers of a run together, without the numbers of a few, and without those that would tell them."""

from __future__ import annotations

from segkit.operations.delivery.manifest import Manifest
from segkit.operations.reporting.hiding import is_few, shown
from segkit.operations.reporting.ledger import HELD_OUT, Counted
from segkit.reports import Totals


def totals(manifest: Manifest, numbers: Counted, fewest: int) -> Totals:
    """How many customers there are, how many match, are in lists, in several, and held out.

    Where the sizes of the segments, which the ledger has, would tell a small number with one of these, it is hidden.
    """
    lists = [one for one in manifest.segments if one.write]
    matched = _part(manifest, manifest.unmatched, sum(one.matched for one in lists), fewest)
    listed = _part(manifest, manifest.unlisted, sum(one.written for one in lists), fewest)
    several = shown(manifest.several, fewest)
    if manifest.assignment == "exclusive":
        listed = _part(manifest, manifest.unlisted, 0, fewest)
    elif _several_tells(manifest, fewest):
        several, listed = None, None if len(lists) == 2 else listed
    held_out = [numbers[one.name, HELD_OUT] for one in lists]
    return Totals(
        customers=manifest.customers,
        matched=matched,
        listed=listed,
        several=several,
        held_out=None if None in held_out else shown(sum(_held_out(manifest)), fewest),
        control=shown(manifest.control.customers, fewest) if manifest.control else 0,
    )


def _held_out(manifest: Manifest) -> list[int]:
    return [one.excluded.get("holdout", 0) - one.control for one in manifest.segments]


def _part(manifest: Manifest, outside: int | None, sizes: int, fewest: int) -> int | None:
    """Those who are not outside of all segments; None where few are, or where few are in several of these sizes."""
    if outside is None or is_few(outside, fewest):
        return None
    part = manifest.customers - outside
    return None if is_few(sizes - part, fewest) else shown(part, fewest)


def _several_tells(manifest: Manifest, fewest: int) -> bool:
    """Whether few are in one list alone, in all but one, or in three or more, and the sizes of the lists say so."""
    sizes = [one.written for one in manifest.segments if one.write]
    listed = manifest.customers - (manifest.unlisted or 0)
    rests = [listed - manifest.several, sum(sizes) - listed - manifest.several]
    if len(sizes) == 2:
        rests += [size - manifest.several for size in sizes]
    elif len(sizes) == 3:
        rests.append(manifest.several - rests[1])
    return any(is_few(rest, fewest) for rest in rests)
