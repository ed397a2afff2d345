"""What a run did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from segkit.diagnostics import Diagnostic
from segkit.results.parts import Distribution, FittedModel, Overlap, TableCounts, Threshold
from segkit.results.terms import MEMBERS


class WrittenFile(NamedTuple):
    """One file of a segment; `values` are those of its `each` columns, `holds` says whom it holds.

    `written` counts the customers in it; `rows` its lines, where an advertising platform takes it.
    """

    path: str
    written: int
    values: Mapping[str, str | None] = MappingProxyType({})
    holds: str = MEMBERS
    rows: int | None = None


class Change(NamedTuple):
    """How many customers entered and left a segment since the last run."""

    entered: int
    left: int


class Profile(NamedTuple):
    """The figures of one column in one segment; `share` is of the total over all customers, in percent."""

    mean: float | None
    median: float | None
    total: Decimal | None
    share: float | None


class SegmentResult(NamedTuple):
    """One segment's line of the ledger: matched - sum(excluded) = written.

    `share` is `written` in percent of all customers. `control` is how many of `excluded["holdout"]` are in the control
    group, `holdout` the list of the others of them; `variants` counts the written customers who get each variant.
    `without_identifier` counts those written whom an advertising platform cannot find; none where there is no platform.
    """

    name: str
    label: str
    matched: int
    excluded: Mapping[str, int]
    written: int
    share: float
    outputs: tuple[WrittenFile, ...] = ()
    control: int = 0
    holdout: WrittenFile | None = None
    variants: Mapping[str, int] = MappingProxyType({})
    write: bool = True
    profile: Mapping[str, Profile] = MappingProxyType({})
    change: Change | None = None
    without_identifier: int | None = None


class TableTarget(NamedTuple):
    """The table in which lists go, and that of who is held out; `address` is its database, without any secret."""

    address: str
    table: str
    holdout: str | None
    load: str


class ControlGroup(NamedTuple):
    """The control group: the share of all customers that is drawn for it, and what it is drawn with.

    `customers` counts those of it whom some segment would have written, who are listed at `path`.
    """

    percent: Decimal
    salt: str
    customers: int
    path: str | None


class ApplyResult(NamedTuple):
    """What a run of a rule file did.

    `unmatched` counts the customers who match no segment, `unlisted` those who are written in no list, `several` those
    who are written in more than one. `cutoffs` are the files of saved cutoffs,
    `report` is that of the report. Where the lists go to a `table`, the
    paths of files are names of lists.
    """

    as_of: dt.date
    customers: int
    segments: tuple[SegmentResult, ...]
    unmatched: int
    several: int
    overlaps: tuple[Overlap, ...]
    tables: tuple[TableCounts, ...]
    thresholds: tuple[Threshold, ...]
    warnings: tuple[Diagnostic, ...]
    elapsed_seconds: float
    directory: str | None
    dry_run: bool = False
    distributions: tuple[Distribution, ...] = ()
    models: tuple[FittedModel, ...] = ()
    notes: tuple[Diagnostic, ...] = ()
    unlisted: int = 0
    cutoffs: tuple[str, ...] = ()
    report: str | None = None
    table: TableTarget | None = None
    control: ControlGroup | None = None
