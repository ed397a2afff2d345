"""What the text of an option becomes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypeAlias

import click

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


DATE = DateType()
NAME_PATH = NamePathType()
