"""`apply --report FILE`: the page of the run that was just published."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from segkit.errors import RuleError, WriteError
from segkit.io.publish.errors import require_local
from segkit.io.write import STDOUT
from segkit.operations.delivery.destinations.places import directory_of
from segkit.operations.evaluation.evaluate import Evaluated
from segkit.operations.reporting.report import Page, Wanted, require_page, write_report
from segkit.rules.text.loader import Loaded


class ReportOf(NamedTuple):
    """The file of a report, and how it is drawn."""

    path: str
    page: Page


def refuse_report(loaded: Loaded, path: str, *, to_stdout: bool) -> None:
    """`RuleError` or `WriteError` for a report that cannot be written, before anything is computed."""
    if path == STDOUT:
        raise RuleError.of("`--report -`: a report is a file", hint="name one, or use `segkit report RUN -o -`")
    require_local(path)
    if to_stdout:
        message = "`--report` is of a run that is published, and `-o -` publishes none"
        raise RuleError.of(message, hint="write to a folder")
    target = Path(path)
    if target.is_dir():
        raise WriteError.of(f"cannot write `{path}`: it is a folder", hint="name a file in it")
    if not loaded.rules.output.in_bucket and directory_of(loaded).resolve() in target.resolve().parents:
        message = f"cannot write the report `{path}`: it lies in the output directory, which each run replaces"
        raise WriteError.of(message, hint="name another folder")
    _spare(path, [loaded.source.path, *(file.path for file in loaded.source.included.values())])
    require_page(target)


def spare_inputs(evaluated: Evaluated, path: str) -> None:
    """`WriteError` where the report would take the place of a file that was read."""
    _spare(path, [read.label.path for read in evaluated.inputs])


def _spare(path: str, read: Iterable[str]) -> None:
    if Path(path).resolve() in {Path(one).resolve() for one in read}:
        raise WriteError.of(f"`{path}` is an input: the report would take its place", hint="name another file")


def report_after(loaded: Loaded, asked: ReportOf, *, wait: bool, on_wait: Callable[[str], None]) -> str:
    """Write the page of the run in the output directory, and give its path."""
    return write_report(directory_of(loaded), asked.path, asked.page, Wanted(), wait=wait, on_wait=on_wait).path
