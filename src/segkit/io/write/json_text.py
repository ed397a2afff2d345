"""JSON with the digits of a Decimal, which the standard library cannot write."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from decimal import Decimal
from typing import Any


def json_text(value: Any, indent: str = "\n") -> str:
    """The value as JSON, with two spaces of indent.

    A Decimal is a number with its own digits, a number that is not finite is null, and a dataclass is a table of its
    fields.
    """
    inner = indent + "  "
    match value:
        case Decimal():
            text = f"{value:f}"
            return (text.rstrip("0").rstrip(".") if "." in text else text) if value.is_finite() else "null"
        case float() if not math.isfinite(value):
            return "null"
        case Mapping() if not value:
            return "{}"
        case Mapping():
            items = (json.dumps(str(k), ensure_ascii=False) + ": " + json_text(v, inner) for k, v in value.items())
            return "{" + inner + ("," + inner).join(items) + indent + "}"
        case list() | tuple() if value:
            return "[" + inner + ("," + inner).join(json_text(v, inner) for v in value) + indent + "]"
        case _ if is_dataclass(value):
            return json_text(vars(value), indent)
        case _:
            return json.dumps(value, ensure_ascii=False)
