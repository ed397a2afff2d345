"""STAND-IN, to be replaced by its owner: what the system refuses to write, as a WriteError.

The reading engineer overwrote the first version of this file by mistake (21:55); this one is rebuilt from
how publish.py uses it, so that the package imports. The owner of publish.py has the right one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segkit.errors import WriteError


def write_error(error: OSError, path: Path) -> WriteError:
    """The WriteError for what the system says about a path."""
    hint = "free some space, or write elsewhere"
    made = WriteError.of(f"cannot write `{path}`: {error.strerror or error}", hint=hint)
    assert isinstance(made, WriteError)
    return made


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """A block in which the system's errors become a WriteError about `path`."""
    try:
        yield
    except OSError as error:
        raise write_error(error, path) from error
