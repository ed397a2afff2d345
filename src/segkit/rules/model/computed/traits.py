"""Columns that segkit computes: traits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from pydantic import model_validator

from segkit.rules.model.base import Contradiction, Model, Name, Number
from segkit.rules.model.measures import Measured


class Bands(Model):
    """A number cut into named ranges, each from its edge on (left-closed)."""

    of: str
    """The column that is cut."""
    edges: tuple[Number, ...]
    """Rising edges."""
    labels: tuple[str, ...]
    """One label more than there are edges."""

    @model_validator(mode="after")
    def _fit(self) -> Bands:
        if len(self.labels) != len(self.edges) + 1:
            raise Contradiction(
                f"{len(self.edges)} edges make {len(self.edges) + 1} bands, but there are {len(self.labels)} labels",
                "the first label is for what is below the first edge, the last for what is above the last one",
                key="labels",
            )
        if any(a >= b for a, b in pairwise(self.edges)):
            raise Contradiction("the edges do not rise", "put them in order, each one once", key="edges")
        return self


_ONE_KIND = "give one of `events`, `years_since`, `days_since`, `sql` or `bands`"
KINDS = ("events", "years_since", "days_since", "sql", "bands")


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
    """A number cut into named ranges."""

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
        return self


Traits = dict[Name, Trait]
