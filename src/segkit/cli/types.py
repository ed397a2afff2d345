"""What the text of an option becomes."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import click
from click.shell_completion import CompletionItem

from segkit.cli.completion import event_tables
from segkit.io.write import FORMATS

if TYPE_CHECKING:
    from segkit.rules.model.base import Duration

LEAST = 512_000_000
"""The least memory, in bytes, that a run can plan with."""
Pairs: TypeAlias = Sequence[tuple[str, str]]


class DateType(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5 only
    """An ISO date."""

    name = "date"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            self.fail(f"'{value}' is not a date such as 2024-03-31", param, ctx)


class NamePathType(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5 only
    """`NAME=PATH`."""

    name = "pair"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "NAME=PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            self.fail(f"'{value}' is not NAME=PATH, such as orders=orders.csv", param, ctx)
        return name, path

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(f"{one.value}=", help=one.help) for one in event_tables(ctx, param, incomplete)]


class EventsType(NamePathType):
    """`NAME=PATH`, or a path alone, which has an empty name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        return ("", value) if isinstance(value, str) and "=" not in value else super().convert(value, param, ctx)


class WeightsType(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5 only
    """`NAME=NUMBER`, several with commas between them."""

    name = "weights"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "A=50,B=50"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Mapping[str, Fraction]:
        if not isinstance(value, str):
            return cast("Mapping[str, Fraction]", value)
        weights: dict[str, Fraction] = {}
        for part in value.split(","):
            name, equals, number = part.rpartition("=")
            weight = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*", number)
            if not (name.strip() and equals and weight) or not Fraction(weight[1]):
                self.fail(f"'{part}' is not NAME=NUMBER, such as A=50,B=50", param, ctx)
            if name.strip() in weights:
                self.fail(f"'{name.strip()}' is there twice", param, ctx)
            weights[name.strip()] = Fraction(weight[1])
        return weights


class KeyValueType(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5 only
    """`KEY=VALUE`."""

    name = "setting"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "KEY=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, equals, setting = value.partition("=")
        if not (key and equals):
            self.fail("it is KEY=VALUE, such as spark.executor.memory=4g", param, ctx)
        return key, setting


class FormatType(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5 only
    """The name of a format, of those that there are when it is asked for."""

    name = "choice"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        return self._choice().get_metavar(param, ctx)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(self._choice().convert(value, param, ctx))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return self._choice().shell_complete(ctx, param, incomplete)

    def _choice(self) -> click.Choice[str]:
        return click.Choice(list(FORMATS))


class MemoryType(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5 only
    """A number of bytes, such as 4GB or 512 MB."""

    name = "size"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        written = re.fullmatch(r"(\d+(?:\.\d+)?) ?([MGT])(?:i?B)?", value.strip(), re.IGNORECASE)
        if written is None:
            self.fail(f"'{value}' is not a size such as 4GB or 800MB", param, ctx)
        size = int(Decimal(written[1]) * 1000 ** ("MGT".index(written[2].upper()) + 2))
        if size < LEAST:
            self.fail(f"'{value}' is too little: segkit itself needs some, so plan with 512MB or more", param, ctx)
        return size


class LengthType(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5 only
    """A length of time, such as 30 days."""

    name = "length"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Duration:
        from segkit.rules.model.base import parse_duration  # with pydantic: 0.05 s

        if not isinstance(value, str):
            return cast("Duration", value)
        try:
            return parse_duration(value)
        except ValueError:
            self.fail(f"'{value}' is not a length of time such as 30 days", param, ctx)


class ExactType(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5 only
    """A number that is not negative, with all its digits: a threshold is exactly what is written."""

    name = "number"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "NUMBER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        if isinstance(value, Decimal):
            return value
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value.strip(), re.ASCII):
            self.fail(f"'{value}' is not a number such as 25 or 0.6, of nine decimals at most", param, ctx)
        return Decimal(value.strip())


DATE = DateType()
EVENTS = EventsType()
EXACT = ExactType()
FORMAT = FormatType()
KEY_VALUE = KeyValueType()
LENGTH = LengthType()
MEMORY = MemoryType()
NAME_PATH = NamePathType()
WEIGHTS = WeightsType()
