"""The errors that segkit raises on purpose; each class is one exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from segkit.diagnostics import Diagnostic, SourceLocation


class SegkitError(Exception):
    """An error with one diagnostic or several; the command line prints them all and exits with `exit_code`."""

    exit_code = 70

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("\n\n".join(d.render() for d in diagnostics))
        self.diagnostics: Sequence[Diagnostic] = diagnostics

    def __reduce__(self) -> tuple[type[Self], tuple[Diagnostic, ...]]:
        """It is made again of its diagnostics, not of their text: what another machine raises comes back whole."""
        return type(self), tuple(self.diagnostics)

    @classmethod
    def of(cls, message: str, *, hint: str | None = None, location: SourceLocation | None = None) -> Self:
        """The error for a single problem."""
        return cls(Diagnostic(message, location, hint))


class CheckFailed(SegkitError):
    """A check, guard or `--fail-on` found something."""

    exit_code = 1


class RuleError(SegkitError):
    """The rule file, or the way segkit was called, is wrong."""

    exit_code = 2


class DataError(SegkitError):
    """The input data cannot be read as the rule file asks."""

    exit_code = 3


class WriteError(SegkitError):
    """The outputs cannot be written; the last good ones are untouched."""

    exit_code = 4


def require_extra(extra: str, module: str, what: str) -> None:
    """`RuleError` where an extra is not installed, by which `what` is done; `module` tells whether it is."""
    from importlib.util import find_spec

    try:
        is_there = find_spec(module) is not None
    except ValueError:  # it was taken out of the modules that there are
        is_there = False
    if not is_there:
        hint = f'install it: `pip install "segkit-cli[{extra}]"`'
        raise RuleError.of(f"{what} by an extra of segkit, `{extra}`, which is not installed", hint=hint)
