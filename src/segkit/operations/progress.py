"""What an operation says while it runs; the caller decides to whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str], None]


def silent(_: str) -> None:
    """Tell nobody."""
