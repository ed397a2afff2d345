"""What is expected: of a segment, of events, of files. A run that breaks the first two publishes nothing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from segkit.rules.model.base import Contradiction, Length, Model, Number, Percent, TextList

Count = Annotated[int, Field(ge=0)]


class Expect(Model):
    """Bounds on the number of customers that a segment writes; where one is broken, nothing is published."""

    min_size: Count | None = None
    """At least this many customers."""
    max_size: Count | None = None
    """At most this many customers."""
    min_percent: Percent | None = None
    """At least this share of all customers, in percent."""
    max_percent: Percent | None = None
    """At most this share of all customers, in percent."""
    max_change_percent: Number | None = None
    """At most this change against the run before, up or down, in percent of it; the first run passes."""
    previous: str | None = None
    """The directory of the run to compare with; default: the last one in the output directory."""

    @model_validator(mode="after")
    def _bounds(self) -> Expect:
        if not self.model_fields_set - {"previous"}:
            raise Contradiction("`expect` needs a bound", "such as `min_size = 100`")
        for low, high in (("min_size", "max_size"), ("min_percent", "max_percent")):
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least > most:
                raise Contradiction(f"`{low}` is above `{high}`, so nothing is both", "swap them", key=low)
        return self


class ExpectEvents(Model):
    """How new an event table is; where it is older, nothing is published."""

    max_age: Length
    """The last event that counts, as `where` and `as_of` leave them, is at most this long before `as_of`."""


class Audit(Model):
    """What the files are to hold: `segkit audit RULES` ends with exit code 1 where they do not.

    A column is one of the customers, or stands behind the name of its table: `"orders.total"`.
    """

    required: TextList = ()
    """Columns in which every row has a value."""
    unique: TextList = ()
    """Columns in which no value comes twice."""
    max_missing_percent: dict[str, Percent] = {}
    """Columns of which at most this share may be missing, in percent."""
