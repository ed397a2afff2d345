"""What every rule model shares: frozen, no unknown keys, scalars and durations as they stand in TOML."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from segkit.addresses import told_apart

DECIMALS = 10
"""The most decimals of what is exact: money, points."""
NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class Model(BaseModel):
    """A table of the rule file: frozen, and a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True, populate_by_name=True)
    may_be_addresses: ClassVar[tuple[str, ...]] = ()
    """The keys with an address, or several."""

    def __getstate__(self) -> dict[Any, Any]:
        """What is pickled, for other machines: no user, password or query of an address leaves this one."""
        state = super().__getstate__()
        told = {name: _shown(getattr(self, name)) for name in self.may_be_addresses}
        return {**state, "__dict__": {**state["__dict__"], **told}}


def _shown(at: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
    return at and (told_apart(at) if isinstance(at, str) else tuple(map(told_apart, at)))


UNITS = ("day", "week", "month", "quarter", "year")
_ISO_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_DURATION = re.compile(rf"^\s*(\d+)\s+({'|'.join(UNITS)})s?\s*$")


@dataclass(frozen=True, slots=True)
class Duration:
    """A number of calendar days, weeks, months, quarters or years."""

    number: int
    unit: str

    def __str__(self) -> str:
        return f"{self.number} {self.unit}{'' if self.number == 1 else 's'}"

    def before(self, day: dt.date) -> dt.date:
        """The day this long before `day`; months clip to the month's end."""
        return self._shift(day, -1)

    def after(self, day: dt.date) -> dt.date:
        """The day this long after `day`; months clip to the month's end."""
        return self._shift(day, 1)

    @property
    def offset(self) -> str:
        """The duration as Polars writes it, at most 10,000 years: beyond them, its dates are wrong without a word."""
        unit, most = {
            "day": ("d", 3_652_425), "week": ("w", 521_775), "month": ("mo", 120_000), "quarter": ("q", 40_000),
            "year": ("y", 10_000),
        }[self.unit]  # fmt: skip
        return f"{min(self.number, most)}{unit}"

    def _shift(self, day: dt.date, sign: int) -> dt.date:
        try:
            days = {"day": 1, "week": 7}.get(self.unit)
            if days is not None:
                return day + dt.timedelta(days=sign * self.number * days)
            return add_months(day, {"month": 1, "quarter": 3, "year": 12}[self.unit] * self.number * sign)
        except (OverflowError, ValueError):
            # Before or after all days that a calendar has.
            return dt.date.min if sign < 0 else dt.date.max


def add_months(day: dt.date, months: int) -> dt.date:
    """`day` moved by whole months, clipped to the end of the month it falls in."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    next_month = dt.date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (next_month - dt.timedelta(days=1)).day
    return dt.date(year, month + 1, min(day.day, last))


class Unfit(ValueError):
    """A value that is not what its key needs."""

    def __init__(self, value: Any, needed: str) -> None:
        super().__init__(f"{shown(value)} is not {needed}")
        self.value, self.needed = value, needed


class Contradiction(ValueError):
    """Keys that do not go together; `key` is the one to point at, `hint` the next step."""

    def __init__(self, message: str, hint: str | None = None, *, key: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint, self.key = message, hint, key


class Lacking(ValueError):
    """A key that a table needs, though not always."""

    def __init__(self, key: str) -> None:
        super().__init__(f"`{key}` is missing")
        self.key = key


def shown(value: Any) -> str:
    """A value as messages show it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, BaseModel)):
        return "a table"
    if isinstance(value, (list, tuple)):
        items = f"[{', '.join(shown(item) for item in value)}]"
        return items if len(items) <= 40 else "a list"
    return f'"{value}"' if isinstance(value, str) else str(value)


def parse_duration(value: Any) -> Duration:
    """A `Duration` from text such as `"90 days"`; `Unfit` otherwise."""
    if isinstance(value, Duration):
        return value
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise Unfit(value, 'a duration such as "90 days", "3 months" or "1 year"')
    return Duration(int(match[1]), match[2])


def parse_day(value: Any) -> dt.date:
    """A date, also as ISO text; a timestamp of TOML counts as its date."""
    day = _day(value)
    if day is None:
        raise Unfit(value, "a date such as 2024-03-01")
    return day


def _day(value: Any) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, str) and _ISO_DAY.match(value):
        with suppress(ValueError):
            return dt.date.fromisoformat(value)
    return value if isinstance(value, dt.date) else None


def parse_scalar(value: Any) -> Any:
    """A text, number, boolean or date, as TOML gave it; floats are exact decimals."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal) and not value.is_finite():
        raise Unfit(value, "a number that data can hold")
    if isinstance(value, (str, bool, int, Decimal, dt.date)):
        return value
    raise Unfit(value, "a text, number, true, false or date")


def parse_number(value: Any) -> Any:
    """An integer or an exact decimal."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise Unfit(value, "a number")
    return parse_scalar(value)


def parse_comparable(value: Any) -> Any:
    """A number or a date: what can be less or greater."""
    day = _day(value)
    if day is None and (isinstance(value, bool) or not isinstance(value, (int, float, Decimal))):
        raise Unfit(value, "a number, or a date such as 2024-03-01")
    return day or parse_scalar(value)


def parse_percent(value: Any) -> Any:
    """A number from 0 to 100."""
    share = parse_number(value)
    if not 0 <= share <= 100:
        raise Unfit(value, "a share in percent, from 0 to 100")
    return share


def parse_point_in_time(value: Any) -> dt.date | Duration:
    """A date, or a duration before `as_of`."""
    day = _day(value)
    if day is not None:
        return day
    try:
        return parse_duration(value)
    except Unfit:
        raise Unfit(value, 'a date such as 2024-03-01, or a duration before `as_of` such as "90 days"') from None


def as_list(value: Any) -> Any:
    """The value as a list; one value stands for a list of one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def freeze(value: Any) -> Any:
    """The same data with tuples for lists, which is what frozen, strict models take."""
    if isinstance(value, dict):
        return {key: freeze(item) for key, item in value.items()}
    return tuple(freeze(item) for item in value) if isinstance(value, (list, tuple)) else value


SCALAR_SCHEMA = {"type": ["string", "number", "boolean"]}
_DAY_SCHEMA = {"type": "string", "format": "date", "description": "a TOML date such as 2024-03-01"}
_DURATION_SCHEMA = {"type": "string", "pattern": r"^\s*\d+\s+(day|week|month|quarter|year)s?\s*$|\$\{"}

Scalar = Annotated[Any, PlainValidator(parse_scalar), WithJsonSchema(SCALAR_SCHEMA)]
Number = Annotated[Any, PlainValidator(parse_number), WithJsonSchema({"type": "number"})]
Percent = Annotated[
    Any, PlainValidator(parse_percent), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100})
]
Comparable = Annotated[
    Any, PlainValidator(parse_comparable), WithJsonSchema({"anyOf": [{"type": "number"}, _DAY_SCHEMA]})
]
Day = Annotated[dt.date, PlainValidator(parse_day), WithJsonSchema(_DAY_SCHEMA)]
Length = Annotated[Duration, PlainValidator(parse_duration), WithJsonSchema(_DURATION_SCHEMA)]
POINT_SCHEMA = {"anyOf": [_DAY_SCHEMA, _DURATION_SCHEMA]}
PointInTime = Annotated[dt.date | Duration, PlainValidator(parse_point_in_time), WithJsonSchema(POINT_SCHEMA)]
TextList = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda v: tuple(as_list(v))),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One text, or a list of them."""

Grouping = Annotated[TextList, AfterValidator(lambda names: tuple(dict.fromkeys(names)))]
"""A column whose values are groups, or several whose combinations are; each counts once."""


def parse_paths(value: Any) -> str | tuple[str, ...]:
    """A path or glob, or a list of these."""
    many = isinstance(value, (list, tuple)) and value and all(isinstance(path, str) for path in value)
    if not (many or isinstance(value, str)):
        raise Unfit(value, "a text in quotes, or a list of them")
    return tuple(value) if many else value


Paths = Annotated[
    str | tuple[str, ...],
    PlainValidator(parse_paths),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
