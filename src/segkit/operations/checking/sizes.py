"""How many customers a segment needs: as many as are wanted, or as an experiment needs to tell its arms apart."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from math import ceil, sqrt
from statistics import NormalDist
from typing import NamedTuple

from segkit.rules.model.blocks import Segment
from segkit.rules.model.mavr import Mavr

ERROR, POWER = 0.05, 0.80
"""The chance to see a difference where there is none, on either side; the chance to see one that is there."""


class Needed(NamedTuple):
    """How many customers must be reached, and whether the rule file itself says so."""

    customers: int
    is_given: bool


def needed(segment: Segment, mavr: Mavr) -> Needed:
    """The larger of the size that is wanted and that of its experiment, if it is one."""
    given = mavr.model_fields_set
    expected = segment.expect.min_size if segment.expect else None
    wanted = mavr.min_size if expected is None else expected
    tells = max(_experiments(segment, mavr), default=0)
    if tells > wanted:
        return Needed(tells, bool(given & {"base_percent", "lift_percent"}))
    return Needed(wanted, expected is not None or "min_size" in given)


def _experiments(segment: Segment, mavr: Mavr) -> Iterator[int]:
    """How many must be reached to compare those held out with the others, and each variant with each other.

    A sample is drawn before, so that more must be reached for the same experiment.
    """
    base = float(mavr.base_percent) / 100
    lifted = base * (1 + float(mavr.lift_percent) / 100)
    whole, held = _share(segment.sample, 100), _share(segment.holdout, 0)
    written = whole * (1 - held)
    if segment.holdout is not None and written and held:
        yield in_all(whole * held, written, base, lifted)
    variants = [written * share for share in map(_share, (segment.split or {}).values()) if share]
    for one, other in combinations(variants, 2) if written else ():
        yield max(in_all(one, other, base, lifted), in_all(other, one, base, lifted))


def in_all(one: Fraction, other: Fraction, base: float, lifted: float) -> int:
    """Of how many customers these shares are enough, where `one` has the base rate and `other` the lifted one."""
    return ceil(an_arm(base, lifted, float(other / one)) / one)


def an_arm(base: float, lifted: float, ratio: float) -> int:
    """How many customers the arm with the base rate needs where the other one has `ratio` times as many.

    The two-sided test of two proportions, in its normal approximation with pooled variance.
    """
    pooled = (base + ratio * lifted) / (1 + ratio)
    by_chance = NormalDist().inv_cdf(1 - ERROR / 2) * sqrt((1 + 1 / ratio) * pooled * (1 - pooled))
    in_truth = NormalDist().inv_cdf(POWER) * sqrt(base * (1 - base) + lifted * (1 - lifted) / ratio)
    return ceil(((by_chance + in_truth) / (lifted - base)) ** 2)


def _share(percent: object, otherwise: int = 0) -> Fraction:
    return Fraction(str(otherwise if percent is None else percent)) / 100
