"""Writes values and keys as TOML has them."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from decimal import Decimal

_LARGE = 2**63
"""From here on, a number without a point is none that all readers of TOML can read."""


def toml_value(value: object) -> str:
    """A text, number, day, Boolean, list or table on one line; decimals with all their digits."""
    if isinstance(value, Mapping):
        pairs = [f"{toml_key(str(key))} = {toml_value(item)}" for key, item in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}" if abs(value) < _LARGE else f"{value:E}"
    if isinstance(value, (int, float, dt.date)):
        return str(value)
    # JSON writes control characters as TOML does, except for this one: JSON leaves it as it is, and TOML refuses it.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(name: str) -> str:
    """The name, in quotation marks where it needs them."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_value(name)
