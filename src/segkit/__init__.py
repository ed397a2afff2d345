"""segkit: customer segments as code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segkit.operations.apply import apply
    from segkit.operations.check import check
    from segkit.operations.cohorts import cohorts
    from segkit.operations.diff import diff
    from segkit.operations.rfm import rfm

__version__ = "0.1.0"
__all__ = ["__version__", "apply", "check", "cohorts", "diff", "rfm"]


def __getattr__(name: str) -> Any:
    """The operations, loaded on first use: `segkit --help` must not wait for Polars."""
    if name not in ("apply", "check", "cohorts", "diff", "rfm"):
        raise AttributeError(f"module `segkit` has no attribute `{name}`")
    from importlib import import_module

    return getattr(import_module(f"segkit.operations.{name}"), name)
