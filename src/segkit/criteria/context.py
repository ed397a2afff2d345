"""What criteria look at beside the row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from segkit.io.read.geojson import Area
from segkit.rules.model.blocks import EventCondition, Inside
from segkit.rules.model.conditions import Condition, Share


class ShareOfAll(NamedTuple):
    """The highest or lowest values of a column, as a share of all customers that have one.

    With `per`, of the customers of each group: those who have the same values in these columns.
    """

    column: str
    operator: str
    percent: Decimal
    per: tuple[str, ...] = ()

    @property
    def is_top(self) -> bool:
        """Whether these are the highest values."""
        return self.operator == "top_percent"


def shares_of_all(column: str, condition: Condition) -> Iterator[ShareOfAll]:
    """The shares of all customers that a condition asks about."""
    for name, operand in condition.operators():
        if name in ("top_percent", "bottom_percent"):
            yield share_of(column, name, operand)


def share_of(column: str, operator: str, share: Share) -> ShareOfAll:
    """The share that an operator asks about."""
    # 10 and 10.0 are one share.
    return ShareOfAll(column, operator, Decimal(f"{Decimal(share.percent).normalize():f}"), share.per)


def _nobody_knows(share: ShareOfAll) -> pl.Expr:
    raise NotImplementedError(f"`{share.operator}` of `{share.column}` outside of a block")


ANY_DAY = dt.date(2000, 1, 1)
"""Stands for `as_of` where only types matter: from here, an INTERVAL leads to no day that is not in the calendar."""


class Context(NamedTuple):
    """What conditions look at beside the row: the day that is now, shares of all customers, zones on the map.

    With `leaves`, the run keeps what each criterion looks at, not only the segments that they make, and what is told
    beside it, of the customers whose keys are `told`, or of all of them; with `whole`, all columns with names that it
    computes. Customers keep the columns of `kept` as an output would, though none asks for
    them; `also` are columns, by table, whose values are read or computed though no rule names them. `given` are
    computed columns that the customers bring with them: nothing computes them. Of the columns in `unknown`, which are
    found over all customers, nobody has a value: a few customers are no population. `since` is the day of an earlier
    run: customers also have what they bought after it.
    """

    as_of: dt.date
    share: Callable[[ShareOfAll], pl.Expr] = _nobody_knows
    zones: Mapping[Inside, Area] = MappingProxyType({})
    leaves: bool = False
    told: frozenset[str] | None = None
    whole: bool = False
    kept: frozenset[str] = frozenset()
    also: Mapping[str, AbstractSet[str]] = MappingProxyType({})
    given: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    since: dt.date | None = None


class Names(NamedTuple):
    """How a block finds what is not a plain column: results of event conditions, segments, coordinates."""

    event_condition: Callable[[EventCondition], pl.Expr]
    segment: Callable[[str], pl.Expr]
    latitude: str | None
    longitude: str | None
