"""Conditions in words, as tables show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from segkit.report.numbers import plain

_LONGEST = 30
_YEARS = 10_000
"""Numbers below have no commas: most are years, or small."""

_ENDLESS = 2**63
"""Larger numbers are floats of more digits than anybody reads."""


def in_words(condition: Mapping[str, Any]) -> str:
    """What a condition asks of its column: `above 20, up to 40`."""
    said = [_part(operator, value) for operator, value in condition.items() if operator != "or_missing"]
    return ", ".join(said) + (" or missing" if condition.get("or_missing") else "")


def _part(operator: str, value: Any) -> str:
    match operator, value:
        case "is", bool():
            return "yes" if value else "no"
        case "is", _:
            return _shown(value)
        case "in", _:
            return " or ".join(map(_shown, value))
        case "not_in", _:
            return "any other"
        case "missing", _:
            return "missing" if value else "known"
        case "has_any", _:
            return f"has {' or '.join(map(_shown, value))}"
        case "has_none", _:
            return f"without {' and '.join(map(_shown, value))}"
    words = {"max": ("up to", "until"), "above": ("above", "after")}[operator]
    return f"{words[isinstance(value, (dt.date, str))]} {_shown(value)}"  # dates are texts where they come of JSON


def _shown(value: Any) -> str:
    if isinstance(value, str):
        text = "".join(c if c.isprintable() else "·" for c in value)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        exact = Decimal(value)
        if abs(exact) >= _ENDLESS:
            return f"{exact:.2E}"
        return plain(exact) if abs(exact) >= _YEARS else plain(exact).replace(",", "")
    return str(value)
