"""segkit: customer segments as code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segkit.api.apply import apply
    from segkit.api.audit import Audit, audit
    from segkit.api.compile import compile_segment
    from segkit.api.rules import Rules, load
    from segkit.api.run import Run
    from segkit.errors import CheckFailed, DataError, RuleError, SegkitError, WriteError

__version__ = "0.1.0"
__all__ = [
    "Audit",
    "CheckFailed",
    "DataError",
    "RuleError",
    "Rules",
    "Run",
    "SegkitError",
    "WriteError",
    "__version__",
    "apply",
    "audit",
    "compile_segment",
    "load",
]
_PLACES = {
    "Audit": "api.audit",
    "Rules": "api.rules",
    "Run": "api.run",
    "apply": "api.apply",
    "audit": "api.audit",
    "compile_segment": "api.compile",
    "load": "api.rules",
}
"""Name -> the module that has it; errors are in `errors`."""


def __getattr__(name: str) -> Any:
    """The public names, loaded on first use: `segkit --help` must not wait for Polars."""
    if name not in __all__:
        raise AttributeError(f"module `segkit` has no attribute `{name}`")
    from importlib import import_module

    return getattr(import_module(f"segkit.{_PLACES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return __all__
