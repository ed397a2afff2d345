"""Personas, for a report: how many, who they are, and how often rules find them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from segkit.discoveries.cluster import WHY, ChosenBy, stands_out_by
from segkit.operations.reporting.found.fields import Counted, Figure, Said, Some, messages
from segkit.operations.reporting.hiding import is_few, shown, shown_row
from segkit.operations.reporting.sources import Names
from segkit.reports import ClusterFound, KTried, PersonaFound

MOST = 200
"""So many personas a page shows at most."""


@dataclass(frozen=True, kw_only=True)
class _Column:
    name: str
    median: Figure
    logarithm: bool


@dataclass(frozen=True, kw_only=True)
class _Tried:
    k: Some
    smallest: Figure
    stability: Figure


@dataclass(frozen=True, kw_only=True)
class _Persona:
    name: str
    customers: Counted
    medians: dict[str, Figure]
    stands_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ClusterFile:
    """What of the file is read."""

    as_of: str
    customers: Some
    left_out: Counted
    columns: tuple[_Column, ...]
    tried: tuple[_Tried, ...]
    tried_on: Counted
    k: Some
    chosen_by: ChosenBy
    personas: tuple[_Persona, ...]
    rules: tuple[Any, ...]
    agree: Counted
    warnings: tuple[Said, ...] = ()

    def __post_init__(self) -> None:
        """`ValueError` where a persona stands out by a column without a median."""
        of_all = {column.name for column in self.columns}
        if not all({*one.stands_out} <= one.medians.keys() & of_all for one in self.personas):
            raise ValueError("a persona stands out by another column")


def cluster_found(file: ClusterFile, names: Names, fewest: int) -> ClusterFound:
    """The personas by size; of those of a few, only the names."""
    few = any(is_few(number, fewest) for number in (file.agree, file.customers - file.agree))
    return ClusterFound(
        as_of=file.as_of,
        customers=file.customers,
        left_out=shown(file.left_out, fewest),
        columns=tuple(column.name for column in file.columns),
        logarithms=tuple(column.name for column in file.columns if column.logarithm),
        tried=tuple(_tried(one, file, fewest) for one in file.tried),
        tried_on=file.tried_on if file.tried_on < file.customers else None,
        k=file.k,
        personas=tuple(_personas(file, fewest)),
        rules=len(file.rules),
        agree=None if few else file.agree,
        warnings=tuple(messages(file.warnings, names, fewest)),
    )


def _tried(one: _Tried, file: ClusterFile, fewest: int) -> KTried:
    few = is_few(round(one.smallest * file.tried_on / 100), fewest)
    return KTried(one.k, None if few else one.smallest, one.stability, WHY[file.chosen_by] if one.k == file.k else "")


def _personas(file: ClusterFile, fewest: int) -> Iterator[PersonaFound]:
    of_all = {column.name: column.median for column in file.columns}
    sizes = shown_row({place: one.customers for place, one in enumerate(file.personas)}, fewest)
    for place, one in enumerate(file.personas[:MOST]):
        told = stands_out_by(one.stands_out, one.medians, of_all)
        yield PersonaFound(one.name, sizes[place], None if is_few(one.customers, fewest) else tuple(told))
