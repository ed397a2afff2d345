"""Names of further readings of a column that SQL may ask for, beside its value."""

from __future__ import annotations

_MARK = "\x1f"


def field_text(column: str) -> str:
    """The text of the field that a number or boolean was read from, trimmed; for text functions."""
    return f"{_MARK}text:{column}"


def moment(column: str) -> str:
    """The timestamp of a date column, in the time zone of the rules; for the time of day."""
    return f"{_MARK}moment:{column}"


def is_field_text(name: str) -> bool:
    """Whether a column is one of `field_text`."""
    return name.startswith(field_text(""))
