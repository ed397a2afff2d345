"""What can be wrong with a file, and how messages name it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError

STDIN = Path("-")


def problem(path: Path, message: str, *, hint: str | None = None, line: int | None = None) -> DataError:
    """The error for one thing that is wrong with a file."""
    return DataError(Diagnostic(message, SourceLocation(shown(path), line), hint))


def expands(name: str) -> bool:
    """Polars takes this name for a pattern that names other columns."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def check_names(path: Path, names: Iterable[str], line: int | None = None) -> None:
    """DataError for a column that cannot be told by its name."""
    for name in filter(expands, names):
        hint = "give it another name in the file: `*` and `^...$` stand for other columns"
        raise problem(path, f"a column cannot have the name `{name}`", line=line, hint=hint)


def shown(path: Path) -> str:
    """The path as messages have it."""
    return "standard input" if path == STDIN else str(path)
