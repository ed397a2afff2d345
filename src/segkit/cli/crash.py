"""The report of a bug: where it happened, in which versions, and not a word of the user's data."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from segkit import __version__


def write_report(error: BaseException) -> str:
    """The path of the report of an exception, which is written to a temporary file.

    The report has types and frames only: the message of an exception may quote values of the data.
    """
    text = "\n".join([*_versions(), "", *_story(error)]) + "\n"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="segkit-crash-", suffix=".txt", delete=False) as file:
            file.write(text)
        return str(Path(file.name))
    except OSError:
        sys.stderr.write(text)
        return "the lines above"


def _versions() -> Iterator[str]:
    yield f"segkit {__version__}, Python {platform.python_version()}, {platform.platform()}"
    for name in ("polars", "polars-hash", "pydantic", "click", "rich"):
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} without metadata"


def _story(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _story(cause)
        yield "which led to:"
    yield f"{type(error).__module__}.{type(error).__qualname__} (message left out)"
    frames = traceback.extract_tb(error.__traceback__)
    yield from ("  " + line for line in "".join(traceback.format_list(frames)).splitlines())
