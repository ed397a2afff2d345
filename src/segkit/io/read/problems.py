"""What can be wrong with a source, and where messages say it is."""

from __future__ import annotations

from collections.abc import Iterable

from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError
from segkit.io.read.label import Label


def problem(label: Label, message: str, *, hint: str | None = None, line: int | None = None) -> DataError:
    """The error for one thing that is wrong with a source."""
    return DataError(Diagnostic(message, SourceLocation(str(label), line), hint))


def expands(name: str) -> bool:
    """Polars takes this name for a pattern that names other columns."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def check_names(label: Label, names: Iterable[str], line: int | None = None) -> None:
    """DataError for a column that cannot be told by its name."""
    for name in filter(expands, names):
        hint = "give it another name in the file: `*` and `^...$` stand for other columns"
        raise problem(label, f"a column cannot have the name `{name}`", line=line, hint=hint)


def changed(label: Label) -> DataError:
    """The error for what is another one than it was when it was opened."""
    hint = "run this again once it stays as it is"
    return problem(label, f"`{label}` has changed since the run has opened it", hint=hint)
