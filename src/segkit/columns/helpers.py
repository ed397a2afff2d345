"""Names of helper columns: they begin with a control character, which no header in a file has."""

from __future__ import annotations

_MARK = "\x1f"


def hidden(role: str, name: str = "") -> str:
    """The helper column that plays `role` for `name`."""
    return f"{_MARK}{role}:{name}"


def is_hidden(name: str) -> bool:
    """Whether a column is a helper."""
    return name.startswith(_MARK)


def is_visible(name: str) -> bool:
    """Whether a column is one that rules may name."""
    return not is_hidden(name)


KEY = hidden("key")
TIME = hidden("time")
ID = hidden("id")
AMOUNT = hidden("amount")
ROW = hidden("row")
COUNT = hidden("count")
KEPT = hidden("kept")
