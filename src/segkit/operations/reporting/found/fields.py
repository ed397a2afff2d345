"""Values of these files, and what is said in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import Field

from segkit.operations.reporting.few_in_words import without_few
from segkit.operations.reporting.sources import Names
from segkit.reports import Message

Counted: TypeAlias = Annotated[int, Field(ge=0)]
Some: TypeAlias = Annotated[int, Field(ge=1)]
Figure: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Scalar: TypeAlias = bool | int | Annotated[Decimal, Field(allow_inf_nan=False)] | str


@dataclass(frozen=True, kw_only=True)
class Said:
    """A warning."""

    message: str
    hint: str | None = None


def messages(warnings: Iterable[Said], names: Names, fewest: int) -> Iterator[Message]:
    """The warnings; none tells how many a few are, nor in which folder a file is."""
    for one in warnings:
        hint = names.without_folders(one.hint) if one.hint else None
        yield Message("warning", without_few(names.without_folders(one.message), fewest), hint)
