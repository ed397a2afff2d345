"""What an operation says while it runs: to whom, is the caller's affair."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str], None]


def silent(_: str) -> None:
    """Tell nobody."""
