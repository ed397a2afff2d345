"""Columns that segkit computes: traits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from pydantic import Field, model_validator

from segkit.rules.model.base import Contradiction, Grouping, Lacking, Model, Name, Number
from segkit.rules.model.measures import Measured

MOST_QUANTILES = 100
_ONE_WAY = "give the values at which bands begin, `edges = [18, 35]`, or how many bands there are, `quantiles = 10`"


class Bands(Model):
    """A number cut into ranges: at edges, each range from its edge on (left-closed), or into shares of equal size."""

    of: str
    """The column that is cut."""
    edges: tuple[Number, ...] | None = None
    """Rising edges."""
    quantiles: int | None = Field(None, ge=2, le=MOST_QUANTILES)
    """In place of `edges`: so many bands of as many customers each, 1 the lowest; equal values are in one band."""
    labels: tuple[str, ...] | None = None
    """One label more than there are edges; with `quantiles`, one for each band (default: their numbers)."""
    per: Grouping = ()
    """With `quantiles`: the bands are within each value of this column, or combination of several; a missing value is
    one too."""

    @model_validator(mode="after")
    def _one_way(self) -> Bands:
        if self.edges is not None and self.quantiles is not None:
            raise Contradiction("the bands are cut twice: by `edges` and by `quantiles`", _ONE_WAY, key="quantiles")
        if self.edges is None and self.quantiles is None:
            raise Contradiction("the bands have neither `edges` nor `quantiles`", _ONE_WAY)
        if self.per and self.quantiles is None:
            hint = "edges are the same for all customers: take `per` out, or cut by `quantiles`"
            raise Contradiction("`per` goes with `quantiles`, not with `edges`", hint, key="per")
        return self

    @model_validator(mode="after")
    def _fit(self) -> Bands:
        if self.edges is None:
            return self._labelled()
        if self.labels is None:
            raise Lacking("labels")
        if len(self.labels) != len(self.edges) + 1:
            raise Contradiction(
                f"{len(self.edges)} edges make {len(self.edges) + 1} bands, but there are {len(self.labels)} labels",
                "the first label is for what is below the first edge, the last for what is above the last one",
                key="labels",
            )
        if any(a >= b for a, b in pairwise(self.edges)):
            raise Contradiction("the edges do not rise", "put them in order, each one once", key="edges")
        return self

    def _labelled(self) -> Bands:
        if self.labels is not None and len(self.labels) != self.quantiles:
            message = f"`quantiles = {self.quantiles}` needs as many labels, but there are {len(self.labels)}"
            hint = "the first label is for the lowest values; without `labels`, bands are numbers, 1 the lowest"
            raise Contradiction(message, hint, key="labels")
        return self


_ONE_KIND = "give one of `events`, `years_since`, `days_since`, `sql`, `bands` or `mean_of`"
KINDS = ("events", "years_since", "days_since", "sql", "bands", "mean_of")


class Trait(Measured):
    """One computed column: a measure over events, or an expression on the customer's own columns."""

    events: str = ""
    """The event table that is measured."""
    years_since: str | None = None
    """Full years from this date column to `as_of`; counted from 29 February, they are full on 1 March in years without
    that day."""
    days_since: str | None = None
    """Days from this date column to `as_of`."""
    sql: str | None = None
    """An SQL expression over the customer's columns, row by row."""
    bands: Bands | None = None
    """A number cut into named ranges, or into shares of equal size."""
    mean_of: str | None = None
    """The mean of this number over all customers who have one; with `per`, over those of the same group."""
    per: Grouping = ()
    """With `mean_of`: the mean is within each value of this column, or combination of several; a missing value is one
    too."""

    @model_validator(mode="before")
    @classmethod
    def _no_periods(cls, value: Any) -> Any:
        if isinstance(value, dict) and "in_each" in value:
            hint = "a trait has one value for each customer: `active_months` counts months with events"
            raise Contradiction("`in_each` goes with `did` and `did_not`, not with a trait", hint, key="in_each")
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> Trait:
        given = [kind for kind in KINDS if getattr(self, kind)]
        if len(given) != 1:
            if given:
                message = f"the trait says twice what it computes: `{given[0]}` and `{given[1]}`"
                raise Contradiction(message, _ONE_KIND, key=given[1])
            raise Contradiction("the trait does not say what it computes", _ONE_KIND)
        if given != ["events"]:
            extra = (self.model_fields_set & set(Measured.model_fields)) - {"events"}
            if extra:
                key = min(extra).rstrip("_")
                raise Contradiction(f"`{key}` goes with `events`, not with `{given[0]}`", key=key)
        if self.per and not self.mean_of:
            inside = "write it inside: `bands = { of = ..., quantiles = ..., per = ... }`" if self.bands else None
            raise Contradiction(f"`per` goes with `mean_of`, not with `{given[0]}`", inside, key="per")
        return self


Traits = dict[Name, Trait]
