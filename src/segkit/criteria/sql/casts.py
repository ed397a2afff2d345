"""What TRY_CAST makes of which kinds of values."""

from __future__ import annotations

from typing import Any

from segkit.criteria.sql import rewrites

CAST_KINDS = {
    **dict.fromkeys(("Int8", "Int16", "Int32", "Int64", "Int128", "UInt8", "UInt16", "UInt32", "UInt64"), "number"),
    **dict.fromkeys(("Float32", "Float64", "Decimal"), "number"),
    "Boolean": "boolean",
    "Date": "date",
    "Datetime": "timestamp",
}
CAST_WORDS = {name: "true or false" if k == "boolean" else k for name, k in CAST_KINDS.items()}
CASTS: dict[str, dict[str, Any]] = {
    "number": {"number": None, "boolean": rewrites.zero_or_one, "text": rewrites.trimmed},
    "boolean": {"number": None, "boolean": None, "text": rewrites.boolean},
    "date": {"date": None, "timestamp": None, "text": rewrites.day},
    "timestamp": {"date": None, "timestamp": None, "text": rewrites.timestamp},
}
"""What TRY_CAST makes of which kinds, and how it reads them where a cast alone does not."""
