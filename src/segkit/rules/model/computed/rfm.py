"""`[rfm]`: recency, frequency, monetary value; how they are cut into scores, and the map from scores to segments.

`[rfm.NAME]` is a table of its own beside that without a name, or in its place. Among the tables, the one without a name
has the name "", also in paths: they begin with `rfm`, NAME.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from segkit.rules.model.base import NAME_PATTERN, Contradiction, Model, Unfit
from segkit.rules.model.computed.cutoffs import MEASURES, Cutoffs
from segkit.rules.model.conditions import Conditions
from segkit.rules.model.measures import Window

RFM_COLUMNS = (
    "recency_days", "frequency", "monetary", "r_score", "f_score", "m_score", "rfm_code", "rfm_segment",
)  # fmt: skip
"""What an RFM table computes; the columns of one with a name begin with it, `NAME_recency_days`."""
CUTOFFS_FILE = "rfm"
"""What the file of saved cutoffs is called of the table without a name; those of the others have their names."""


def rfm_column(table: str, column: str) -> str:
    """What a column is called in the RFM table of this name."""
    return f"{table}_{column}" if table else column


def rfm_columns(table: str) -> tuple[str, ...]:
    """The columns of the RFM table of this name."""
    return tuple(rfm_column(table, column) for column in RFM_COLUMNS)


def rfm_section(table: str) -> str:
    """The section of the rule file, without brackets: `rfm` or `rfm.NAME`."""
    return f"rfm.{table}" if table else "rfm"


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


class RfmColumns(Model):
    """Columns of the customer file that hold the three values already."""

    recency_days: str
    """Days since the last event."""
    frequency: str
    """Number of events."""
    monetary: str
    """Money."""


def _table(value: Any) -> Any:
    if not isinstance(value, (dict, Cutoffs)):
        raise Unfit(value, "`{ recency = [...], frequency = [...], monetary = [...] }`, or the name of a file")
    return value


SavedOrGiven = Annotated[
    Cutoffs,
    BeforeValidator(_table),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Cutoffs"}]}),
]


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
    method: Literal["quantile", "nested", "cutoffs"] = "quantile"
    """`quantile`: shares of equal size; `nested`: the same within the scores before; `cutoffs`: your own thresholds."""
    cutoffs: SavedOrGiven | None = None
    """With `method = "cutoffs"`: the thresholds, or the file that `--save-cutoffs` of `segkit rfm` or `segkit apply`
    wrote."""
    ties: Literal["low", "high", "split"] = "low"
    """Equal values get the score of the lowest or the highest of them, or are split by key."""
    monetary: Literal["sum", "mean"] = "sum"
    """The sum of the amounts, or the mean per event."""
    frequency: Literal["events", "days"] = "events"
    """Number of events, or of distinct days with one."""
    map: Literal["standard", "rf"] = "standard"
    """The map from scores to segments: `standard` reads R, F and M, `rf` reads R and F."""
    segment: tuple[MapRow, ...] = ()
    """A map of your own instead, `[[rfm.segment]]`, `[[rfm.NAME.segment]]`; what no row takes is `other`."""

    @model_validator(mode="before")
    @classmethod
    def _bins_of_saved_cutoffs(cls, value: Any) -> Any:
        if isinstance(value, dict) and "bins" not in value and isinstance(value.get("cutoffs"), dict):
            bins = value["cutoffs"].get("bins")
            return value | {"bins": bins} if type(bins) is int and 2 <= bins <= 10 else value
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Rfm:
        if bool(self.events) == bool(self.columns):
            raise Contradiction("RFM reads either `events` or `columns`", "give one of them")
        if self.columns and (self.where or self.within or self.between or self.since or self.before):
            raise Contradiction("a window or `where` goes with `events`, not with `columns`")
        if (self.method == "cutoffs") != (self.cutoffs is not None):
            raise Contradiction('`cutoffs` and `method = "cutoffs"` go together', "give both, or neither")
        if self.cutoffs:
            self._fit(self.cutoffs)
        if self.segment and "map" in self.model_fields_set:
            raise Contradiction("`map` and `segment` are two maps", "give one of them", key="map")
        return self

    def _fit(self, cutoffs: Cutoffs) -> None:
        """`Contradiction` where the cutoffs are not for these scores."""
        if cutoffs.bins not in (None, self.bins):
            message = f"the cutoffs are saved for {cutoffs.bins} bins, not for {self.bins}"
            raise Contradiction(message, "save them anew, or take `bins` out: the cutoffs know it", key="bins")
        for name in MEASURES:
            cutoffs.check_count(name, self.bins, key="cutoffs")
        for name in ("frequency", "monetary"):
            saved = getattr(cutoffs.events, name, None)
            if self.events and saved not in (None, getattr(self, name)):
                message = f'the cutoffs are saved for `{name} = "{saved}"`, not for `"{getattr(self, name)}"`'
                raise Contradiction(message, "save them anew, or measure the same as then", key=name)


KEYS = frozenset(field.alias or name for name, field in Rfm.model_fields.items())
"""The keys of an RFM table, none of which can be the name of one."""


def written_tables(section: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The RFM tables that the section `[rfm]` of a file holds: that of its own keys, where it has any, and others.

    What is neither a key of a table nor a table counts as a key of the one without a name, which does not know it.
    """
    named = {key: value for key, value in section.items() if key and key not in KEYS and _is_table(value)}
    own = {key: value for key, value in section.items() if key not in named}
    return {"": own, **named} if own or not named else dict(named)


def _is_table(value: Any) -> bool:
    """Whether a value has what an RFM table needs: `columns`, or `events`, which are a table in saved cutoffs alone."""
    return isinstance(value, dict) and ("columns" in value or not isinstance(value.get("events", {}), dict))


def _tables(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    # A condition in `where` may be on a column `events`.
    if key := next((k for k in value if k in KEYS - {"columns", "where"} and _is_table(value[k])), None):
        raise Contradiction(f"`{key}` cannot be the name of an RFM table: it is a key of `[rfm]`", _RENAME, key=key)
    if _is_table(value.get(CUTOFFS_FILE)):
        message = f"`{CUTOFFS_FILE}` cannot be the name of an RFM table: the cutoffs of `[rfm]` are saved under it"
        raise Contradiction(message, _RENAME, key=CUTOFFS_FILE)
    return written_tables(value)


_RENAME = "give the table another name"
RfmTables = Annotated[
    dict[Annotated[str, Field(pattern=f"^$|{NAME_PATTERN}")], Rfm],
    BeforeValidator(_tables),
    WithJsonSchema({"type": "object"}),
]
"""RFM tables by name; in the file, those with names stand among the keys of the one without."""
