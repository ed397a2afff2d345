"""What the manifest keeps of the four questions to each segment, without the numbers of a few."""

from __future__ import annotations

from collections.abc import Iterator

from segkit.operations.checking.counting.counted import ALL, MEMBER
from segkit.operations.checking.questions import mavr
from segkit.operations.decide import Decision
from segkit.operations.delivery.manifest import MavrOf
from segkit.results.check import Mavr

DIGITS = 6


def answers(run: Decision, fewest: int) -> Iterator[MavrOf]:
    """The answers for the segments that are written, as `check --data` gives them."""
    if not run.tally.count(ALL):
        return
    for one in mavr(run.rules, run.tally):
        if one.segment in run.chosen:
            yield _kept(one, run.tally.count(MEMBER, one.segment), run.tally.count(ALL), fewest)


def _kept(one: Mavr, members: int, customers: int, fewest: int) -> MavrOf:
    """Whether they are enough is told of a few, too; how many of them there are, and what they are worth, is not."""

    def few(*numbers: int) -> bool:
        return any(0 < number < fewest for number in numbers)

    known = None if one.known is None else round(one.known * customers / 100)
    hide = few(members, one.reached, members - one.reached)
    return MavrOf(
        segment=one.segment,
        known=None if known is None or few(known, customers - known) else _rounded(one.known),
        reach=None if hide else _rounded(one.reach),
        reached=None if hide else one.reached,
        needed=one.needed,
        a_head=None if hide else one.a_head,
        index=None if hide else _rounded(one.compared),
        m=one.m,
        a=one.a,
        v=one.v,
        p=one.p,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
