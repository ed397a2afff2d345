"""Columns that segkit computes: traits and RFM."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from segkit.rules.base import Contradiction, Model, Name, Number, Unfit
from segkit.rules.conditions import Conditions
from segkit.rules.measures import Measured, Window


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


def _score_range(value: Any) -> Any:
    pair = (value, value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not (isinstance(pair, tuple) and len(pair) == 2 and all(type(v) is int for v in pair)):
        raise Unfit(value, "a whole number, or a range such as [4, 5]")
    if pair[0] > pair[1]:
        raise Contradiction(f"the range [{pair[0]}, {pair[1]}] is empty", "the lower score comes first")
    return pair


ScoreRange = Annotated[
    tuple[int, int],
    BeforeValidator(_score_range),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer"},
                {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]


class MapRow(Model):
    """One row of an RFM map; the first that matches names the segment."""

    name: str
    """What `rfm_segment` is for these scores."""
    r: ScoreRange | None = None
    """Recency score or range; absent: any."""
    f: ScoreRange | None = None
    """Frequency score or range; absent: any."""
    m: ScoreRange | None = None
    """Monetary score or range; absent: any."""


class Cutoffs(Model):
    """Thresholds of your own, one fewer than `bins` for each."""

    recency: tuple[Number, ...]
    """Days, not falling."""
    frequency: tuple[Number, ...]
    """Events, not falling."""
    monetary: tuple[Number, ...]
    """Money, not falling."""

    @model_validator(mode="after")
    def _not_falling(self) -> Cutoffs:
        for name in ("recency", "frequency", "monetary"):
            values: tuple[int | Decimal, ...] = getattr(self, name)
            if any(a > b for a, b in pairwise(values)):
                raise Contradiction(f"the cutoffs of `{name}` fall: {', '.join(map(str, values))}", key=name)
        return self


class RfmColumns(Model):
    """Columns of the customer file that hold the three values already."""

    recency_days: str
    """Days since the last event."""
    frequency: str
    """Number of events."""
    monetary: str
    """Money."""


class Rfm(Window):
    """Recency, frequency and monetary value, their scores, and the segment that a map gives them."""

    events: str = ""
    """The event table that is scored."""
    where: Conditions = {}
    """Only rows that satisfy these conditions count."""
    columns: RfmColumns | None = None
    """Score these columns of the customer file instead of events."""
    bins: int = Field(5, ge=2, le=10)
    """How many scores there are, 1 the lowest."""
    method: Literal["quantile", "cutoffs"] = "quantile"
    """`quantile`: shares of equal size; `cutoffs`: your own thresholds."""
    cutoffs: Cutoffs | None = None
    """With `method = "cutoffs"`: the thresholds."""
    ties: Literal["low", "high", "split"] = "low"
    """Equal values get the score of the lowest or the highest of them, or are split by key."""
    monetary: Literal["sum", "mean"] = "sum"
    """The sum of the amounts, or the mean per event."""
    frequency: Literal["events", "days"] = "events"
    """Number of events, or of distinct days with one."""
    map: Literal["standard", "rf"] = "standard"
    """The map from scores to segments: `standard` reads R, F and M, `rf` reads R and F."""
    segment: tuple[MapRow, ...] = ()
    """A map of your own instead, `[[rfm.segment]]`; what no row takes is `other`."""

    @model_validator(mode="after")
    def _consistent(self) -> Rfm:
        if bool(self.events) == bool(self.columns):
            raise Contradiction("`[rfm]` reads either `events` or `[rfm.columns]`", "give one of them")
        if self.columns and (self.where or self.within or self.between or self.since or self.before):
            raise Contradiction("a window or `where` goes with `events`, not with `[rfm.columns]`")
        if (self.method == "cutoffs") != (self.cutoffs is not None):
            raise Contradiction('`cutoffs` and `method = "cutoffs"` go together', "give both, or neither")
        if self.cutoffs:
            for name in ("recency", "frequency", "monetary"):
                got = len(getattr(self.cutoffs, name))
                if got != self.bins - 1:
                    raise Contradiction(
                        f"{self.bins} bins need {self.bins - 1} cutoffs of `{name}`, but there are {got}",
                        key="cutoffs",
                    )
        if self.segment and "map" in self.model_fields_set:
            raise Contradiction("`map` and `[[rfm.segment]]` are two maps", "give one of them", key="map")
        return self


RFM_COLUMNS = (
    "recency_days", "frequency", "monetary", "r_score", "f_score", "m_score", "rfm_code", "rfm_segment",
)  # fmt: skip
Traits = dict[Name, Trait]
