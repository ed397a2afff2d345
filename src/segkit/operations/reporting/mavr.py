"""The four questions to each segment, as `segkit check RULES --data --json` has answered them, read for a report."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from segkit.errors import DataError
from segkit.operations.delivery.runs import Run
from segkit.operations.reporting.hiding import is_few
from segkit.operations.reporting.json_files import read_json
from segkit.operations.reporting.sources import name_of
from segkit.reports import Answers

_WRITES = "segkit check RULES --data --json"


@dataclass(frozen=True, kw_only=True)
class _Segment:
    segment: str
    known: float | None
    reach: float | None
    reached: int
    needed: int
    a_head: Decimal | None
    index: float | None
    m: bool | None
    a: bool | None
    v: bool
    p: bool | None


@dataclass(frozen=True, kw_only=True)
class _File:
    path: str
    mavr: tuple[_Segment, ...]


def answers(path: Path, run: Run, fewest: int) -> tuple[Answers, ...]:
    """The answers for the segments of a run, in its order.

    Of a segment with few members, or of which few can be reached, neither number nor worth is told; whether they are
    enough is. `DataError` where the file is not of `check --data --json`, or is of another rule file.
    """
    found = read_json(path, _File, _WRITES)
    sizes = {one.name: one.matched for one in run.manifest.segments}
    by_name = {one.segment: one for one in found.mavr}
    rules = run.manifest.rules
    other = [name for name in by_name if name not in sizes]
    if other or (rules and name_of(found.path) != rules.path):
        message = f"`{path}` is of another rule file than `{run.shown}`"
        raise DataError.of(message, hint="check the rule file of this run")
    return tuple(_shown(by_name[name], size, fewest) for name, size in sizes.items() if name in by_name)


def _shown(one: _Segment, size: int, fewest: int) -> Answers:
    few = any(is_few(number, fewest) for number in (size, one.reached, size - one.reached))
    return Answers(
        segment=one.segment,
        known=one.known,
        reach=None if few else one.reach,
        reached=None if few else one.reached,
        needed=one.needed,
        a_head=None if few else one.a_head,
        compared=None if few else one.index,
        measurable=one.m,
        accessible=one.a,
        viable=one.v,
        remunerative=one.p,
    )
