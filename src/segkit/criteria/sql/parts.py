"""What the parts of an SQL expression are: their types, and how messages name them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import polars as pl

from segkit.criteria.kinds import kind_of
from segkit.criteria.sql.rewrites import cast

SqlKind = Literal["text", "number", "date", "boolean", "list", "timestamp", "duration", "nothing", "other"]
Place: TypeAlias = Literal["", "text", "moment"]
"""What is expected of a column: its value, the text of its field, its time of day."""
WORDS: dict[SqlKind, str] = {
    "text": "text",
    "number": "a number",
    "date": "a date",
    "boolean": "true or false",
    "list": "a list",
    "timestamp": "a timestamp",
    "duration": "a length of time",
    "nothing": "nothing",
    "other": "of a type that segkit does not have",
}
NUMBERS = ("number", "boolean")
DAYS = ("date", "timestamp")
LENGTH_OF_TIME = (
    "a length of time, such as the difference of two dates, is not a number",
    "take the days from `[trait.NAME] days_since`, or compare dates: d + INTERVAL '30 days' > as_of",
)
NO_TIME = "only `derive` of the table that has a column of timestamps sees their time of day"
LIST_HINT = "STRING_TO_ARRAY(..., ',') makes a list of a text, `[customers] lists` one for traits and segments"
TEXT_HINT = "ARRAY_TO_STRING(..., ',') makes a text of a list"
DATE_HINT = "TRY_CAST(... AS DATE) reads texts such as 2024-03-01, DATE(..., '%d.%m.%Y') others"


class Part(NamedTuple):
    """A part of an expression: its tree, its type, and how a message names it."""

    tree: Any
    dtype: pl.DataType
    shown: str

    @property
    def kind(self) -> SqlKind:
        """The kind of its values."""
        return sql_kind(self.dtype)

    @property
    def whole(self) -> bool:
        """It is a whole number, or a truth value that counts as one."""
        return self.dtype.is_integer() or self.kind == "boolean"

    @property
    def is_literal(self) -> bool:
        """It stands in the SQL as it is."""
        return "Literal" in self.tree


def sql_kind(dtype: pl.DataType) -> SqlKind:
    """The kind of values of a type that an expression may have on its way."""
    for kind, types in (("timestamp", pl.Datetime), ("duration", pl.Duration), ("nothing", pl.Null)):
        if isinstance(dtype, types):
            return kind  # type: ignore[return-value]
    return kind_of(dtype)


def counting(part: Part) -> Part:
    """The part as a number, where it is true or false."""
    return Part(cast(part.tree, pl.Int64()), pl.Int64(), part.shown) if part.kind == "boolean" else part


def go_together(one: SqlKind, other: SqlKind) -> bool:
    """Whether values of both kinds can be compared."""
    return {one, other} <= set(NUMBERS) or {one, other} <= set(DAYS)


def compared_hint(first: Part, second: Part) -> str | None:
    """What to write instead of comparing parts of these kinds."""
    kinds = {first.kind, second.kind}
    if kinds in ({"text", "date"}, {"text", "timestamp"}):
        return "write dates as DATE '2024-03-01'"
    if kinds == {"text", "number"}:
        return "write numbers without quotes, and texts in 'single quotes'"
    if kinds == {"text", "boolean"}:
        return "write TRUE or FALSE without quotes"
    return "ARRAY_CONTAINS(list, 'x') looks into a list" if kinds == {"text", "list"} else None


def computed_hint(part: Part) -> str | None:
    """What to write instead of computing with a part that is no number."""
    if part.kind in DAYS:
        return "a date moves by an INTERVAL: d + INTERVAL '30 days'"
    return "TRY_CAST(... AS DOUBLE) reads a number; || joins texts" if part.kind == "text" else None


def with_inputs(node: Any, inputs: Sequence[Any]) -> Any:
    """The node over other inputs."""
    if "BinaryExpr" in node:
        return {"BinaryExpr": {"left": inputs[0], "op": node["BinaryExpr"]["op"], "right": inputs[1]}}
    return {"Function": {**node["Function"], "input": list(inputs)}}


_FARTHEST = 700_000
"""Days from 1970 that are in the calendar, some 1,900 years."""


def shown_literal(node: Any) -> str:
    """A literal as a message shows it."""
    literal = node["Literal"]
    value = next(iter(literal.values())) if isinstance(literal, dict) else literal
    inner = next(iter(value.values())) if isinstance(value, dict) and value else ""
    if isinstance(value, dict) and "Date" in value and abs(int(inner)) < _FARTHEST:
        return f"`DATE '{dt.date(1970, 1, 1) + dt.timedelta(days=int(inner))}'`"
    if isinstance(inner, str) and inner != "Null":
        return f"`'{inner}'`"
    if isinstance(inner, bool):
        return f"`{str(inner).upper()}`"
    return f"`{inner}`" if isinstance(inner, int | float) else "what stands there"
