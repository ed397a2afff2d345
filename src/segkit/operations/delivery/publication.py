"""Where the files of a run go, and what the last run left there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError, RuleError
from segkit.io.publish.folder import publishing
from segkit.io.publish.kept_runs import keeping
from segkit.operations.delivery.changes import Changes, compare
from segkit.operations.delivery.lists import List
from segkit.operations.delivery.runs import find_run
from segkit.results import ApplyResult, WrittenFile
from segkit.rules.model.file import Output, RuleFile


@contextmanager
def published(
    output: Output, directory: Path, as_of: dt.date, *, wait: bool, on_wait: Callable[[str], None]
) -> Iterator[tuple[Path, Path]]:
    """The folder to write to, and the folder that it becomes when the block ends well."""
    if output.keep is None:
        with publishing(directory, mode=output.mode, wait=wait, on_wait=on_wait) as staging:
            yield staging, directory
        return
    day = as_of.isoformat()
    with keeping(directory, day, output.keep, mode=output.mode, wait=wait, on_wait=on_wait) as places:
        yield places


def in_folder(result: ApplyResult, folder: Path) -> ApplyResult:
    """The result with its files in this folder."""

    def moved(output: WrittenFile) -> WrittenFile:
        return output._replace(path=str(folder / Path(output.path).name))

    segments = tuple(
        s._replace(outputs=tuple(map(moved, s.outputs)), holdout=moved(s.holdout) if s.holdout else None)
        for s in result.segments
    )
    return result._replace(segments=segments, directory=str(folder))


def since_last_run(
    rules: RuleFile, marked: pl.LazyFrame, files: Sequence[List], directory: Path | None, previous: str | None
) -> tuple[Changes, list[Diagnostic]]:
    """The changes since the last run in `directory`, or since the run at `previous`; without both, it is the first.

    A run that cannot be read gives a warning. Where the changes are what is written, it raises `DataError` instead: all
    customers would go out as new ones. Raises `RuleError` where there is no run at `previous`.
    """
    try:
        place = Path(previous) if previous else directory
        last = find_run(place) if place else None
        if last is None and previous:
            raise RuleError.of(f"`{previous}` holds no run: there is no `manifest.json`")
        if last and not rules.output.changes and last.key.column != rules.customers.key:
            last = None  # the run of another rule file: other customers
        return compare(last, rules, marked, files), []
    except DataError as error:
        problem = error.diagnostics[0]
        if rules.output.changes:
            hint = "restore it, or name another run with `--previous`"
            anew = "" if previous else f"; with `{directory}` moved away, all count as entered"
            raise DataError(problem._replace(hint=hint + anew)) from error
        message = f"what changed since the last run is not known: {problem.message}"
        return compare(None, rules, marked, files), [Diagnostic(message, hint=problem.hint, severity=Severity.WARNING)]
