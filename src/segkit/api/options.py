"""What callers give beside tables, where it is not what the option takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from segkit.errors import RuleError
from segkit.words import nearest


def require_known(option: str, value: str | None, values: Sequence[str | None]) -> None:
    """`RuleError` for a value that the option does not take."""
    if value not in values:
        hint = nearest(str(value), [one for one in values if one], "values")
        raise RuleError.of(f"`{option}` is `{value}`", hint=hint)


def require_day(as_of: dt.date | None) -> None:
    """`RuleError` for an `as_of` that is no day."""
    if as_of is not None and type(as_of) is not dt.date:
        raise RuleError.of(f"`as_of` is a day, not `{type(as_of).__name__}`", hint="give a `datetime.date`")
