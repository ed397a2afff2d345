"""Who is written where: assignment, names of files, the output's own keys."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from segkit import codes
from segkit.rules.check.lists.audience import check_audience
from segkit.rules.check.lists.bucket import check_bucket
from segkit.rules.check.lists.headers import check_headers
from segkit.rules.check.publication import check_publication
from segkit.rules.check.table import check_table
from segkit.rules.findings import Finding
from segkit.rules.model.file import RuleFile
from segkit.words import nearest

_PLACEHOLDER = re.compile(r"\{(?!as_of\})[^{}]*\}")


def check_output(rules: RuleFile) -> Iterator[Finding]:
    """Everything about `[assignment]`, `[output]` and the segments' own outputs."""
    yield from _priority(rules)
    yield from _written(rules)
    yield from _combined(rules)
    yield from _workbook(rules)
    yield from _columns(rules)
    yield from _changes(rules)
    yield from check_bucket(rules)
    yield from check_publication(rules)
    yield from check_table(rules)
    yield from check_headers(rules)
    yield from check_audience(rules)


def _changes(rules: RuleFile) -> Iterator[Finding]:
    """A finding for each `max_change_percent` where each day has its own directory: the last run is not found there."""
    if "{as_of}" not in rules.output.directory:
        return
    for name, segment in rules.segment.items():
        expect = segment.expect
        if expect and expect.max_change_percent is not None and not expect.previous:
            message = "`max_change_percent` looks for the last run in the directory, and each `as_of` has its own"
            hint = 'name the run: `previous = "DIR"`, or write to one directory'
            yield Finding(("segment", name, "expect", "max_change_percent"), message, hint, code=codes.CONTRADICTION)


def _priority(rules: RuleFile) -> Iterator[Finding]:
    priority = rules.assignment.priority
    path = ("assignment", "priority")
    if priority and rules.assignment.mode == "overlapping":
        hint = 'add `mode = "exclusive"`, or take `priority` out'
        yield Finding(path, "`priority` has no effect: segments may overlap", hint, warning=True, code=codes.NO_EFFECT)
    for position, name in enumerate(priority):
        segment = rules.segment.get(name)
        if segment is None:
            known = nearest(name, rules.segment, "segments")
            yield Finding((*path, position), f"there is no `[segment.{name}]`", known, code=codes.UNKNOWN_NAME)
        elif not segment.write:
            hint = "take it out of `priority`: only written segments claim customers"
            yield Finding(
                (*path, position), f"`{name}` is not written, so it claims nobody", hint, code=codes.CONTRADICTION
            )
        elif name in priority[:position]:
            yield Finding((*path, position), f"`{name}` is there twice", code=codes.CONTRADICTION)


def _written(rules: RuleFile) -> Iterator[Finding]:
    for name, segment in rules.segment.items():
        if segment.each and not segment.write:
            hint = "take out `each`, or `write = false`"
            yield Finding(
                ("segment", name, "each"),
                "`each` has no effect: the segment is not written",
                hint,
                code=codes.CONTRADICTION,
            )
        if not segment.control and rules.assignment.control is None:
            hint = "take it out, or draw one: `[assignment]` with `control = 5`"
            message = "`control` has no effect: there is no control group"
            yield Finding(("segment", name, "control"), message, hint, warning=True, code=codes.NO_EFFECT)
        twice = [column for column, count in Counter(segment.each).items() if count > 1]
        for column in twice:
            yield Finding(("segment", name, "each"), f"`{column}` is there twice", code=codes.CONTRADICTION)
    if rules.segment and not any(segment.write for segment in rules.segment.values()):
        hint = "take out `write = false` where a file is wanted"
        yield Finding(("segment",), "no segment is written", hint, warning=True, code=codes.NO_EFFECT)


def _combined(rules: RuleFile) -> Iterator[Finding]:
    name = rules.output.combined
    if name is None:
        return
    path = ("output", "combined")
    stem, _, ending = name.rpartition(".")
    if not stem or not ending or re.search(r"[/\\:\0]", name):
        hint = "such as `all.csv`; the file stands in the output directory"
        yield Finding(path, f'"{name}" is not the name of a file', hint)
    elif ending.lower() == "xls":
        yield Finding(path, f"`{name}`: segkit does not write this format", "Excel opens `all.xlsx`, too")
    elif name == "manifest.json":
        yield Finding(
            path,
            "`manifest.json` is the run's own file",
            "choose another name, such as `all.csv`",
            code=codes.NAME_TAKEN,
        )
    elif stem.partition(".")[0] in rules.segment:
        owner = stem.partition(".")[0]
        yield Finding(
            path,
            f"`{name}` is the name of the file of `[segment.{owner}]`",
            "choose another name",
            code=codes.NAME_TAKEN,
        )


def _workbook(rules: RuleFile) -> Iterator[Finding]:
    name = rules.output.workbook
    if name is None:
        return
    path = ("output", "workbook")
    stem, _, ending = name.rpartition(".")
    if not stem or ending != "xlsx" or re.search(r"[/\\:\0]", name):
        hint = "such as `segments.xlsx`; the file stands in the output directory"
        yield Finding(path, f'"{name}" is not the name of a workbook', hint)
    elif stem.partition(".")[0] in rules.segment and rules.output.format == "xlsx":
        owner = stem.partition(".")[0]
        message = f"`{name}` is the name of the file of `[segment.{owner}]`"
        yield Finding(path, message, "choose another name", code=codes.NAME_TAKEN)
    elif rules.output.combined and rules.output.combined.rpartition(".")[0] == stem:
        message = f"`{name}` is the name of the combined file, or may become it"
        yield Finding(path, message, "choose another name", code=codes.NAME_TAKEN)


def _columns(rules: RuleFile) -> Iterator[Finding]:
    output = rules.output
    if output.label_column == rules.customers.key:
        hint = "choose another `label_column`"
        yield Finding(
            ("output", "label_column"), f"`{output.label_column}` is the key's column", hint, code=codes.NAME_TAKEN
        )
    if output.format == "csv" and output.decimal == "," and output.delimiter in {None, ","}:
        hint = 'add `delimiter = ";"`'
        yield Finding(
            ("output", "decimal"), "the decimal comma is also what separates the fields", hint, code=codes.CONTRADICTION
        )
    placeholder = _PLACEHOLDER.search(output.directory)
    if placeholder:
        message = f"`{placeholder[0]}` in `directory` stays as it is"
        yield Finding(("output", "directory"), message, "only `{as_of}` is replaced", warning=True)
