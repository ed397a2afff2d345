"""What `segkit check` says of a rule file."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal, NamedTuple

from segkit.diagnostics import Diagnostic
from segkit.results.parts import Overlap


class Mavr(NamedTuple):
    """Is a segment measurable (`m`), accessible (`a`), viable (`v`), profitable (`p`)? None where nothing tells.

    `known` is the least share of all customers with a value in a column that the criteria read, None where they read
    none; `reach` the share of the members who can be reached, None where neither consent, lists nor a contact tell,
    both in percent; `reached` counts them, all where nothing tells, and `needed` is how many there should be. `a_head`
    is what members are worth on average, `compared` the same in percent of that of all customers.
    """

    segment: str
    known: float | None
    reach: float | None
    reached: int
    needed: int
    a_head: Decimal | None
    compared: float | None
    m: bool | None
    a: bool | None
    v: bool
    p: bool | None


class Related(NamedTuple):
    """All customers of `segment` are in `other` (`within`), none is (`apart`), or both have the same (`equal`)."""

    relation: Literal["within", "apart", "equal"]
    segment: str
    other: str


class RuleChange(NamedTuple):
    """What a change of the rule file does to a segment, whatever the data are.

    `added` and `removed`: of the segment; `same`: the same customers; `wider`: all customers of before, and others
    may come; `narrower`: none but those of before; `apart`: none of those of before; `other`: customers may
    come and go; `unknown`: what it reads is computed in another way.
    """

    segment: str
    change: Literal["added", "removed", "same", "wider", "narrower", "apart", "other", "unknown"]


class CheckResult(NamedTuple):
    """Everything found in a rule file, as of a day where it can be read: errors and warnings, and what it defines.

    With the data, `mavr` has each segment that is written, and `overlaps` the pairs of them that share members.
    `relations` of segments, and `changes` against another rule file, are there where they were asked for. `of_older`
    are those diagnostics that are errors of that file, whose path is `older`.
    """

    path: str
    diagnostics: tuple[Diagnostic, ...]
    as_of: dt.date | None = None
    segments: int = 0
    columns: int = 0
    mavr: tuple[Mavr, ...] | None = None
    overlaps: tuple[Overlap, ...] = ()
    relations: tuple[Related, ...] | None = None
    changes: tuple[RuleChange, ...] | None = None
    older: str | None = None
    of_older: tuple[Diagnostic, ...] = ()
