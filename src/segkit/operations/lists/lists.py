"""What a run writes: one labelled file a segment, or one for each combination of the values of `each`."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from segkit.columns import helpers
from segkit.columns.helpers import COUNT
from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import RuleError
from segkit.gates.draws import VARIANT
from segkit.gates.ledger import Line
from segkit.io.write import FORMATS
from segkit.operations.summary.tally import Tally
from segkit.results.apply import WrittenFile
from segkit.results.terms import CONTROL, HELD_OUT, WRITTEN
from segkit.rules.model.file import RuleFile

MOST_COMBINATIONS = 1_000


class Part(NamedTuple):
    """A file of a list for a platform: the customers whom it can find, from `offset` on, and their lines."""

    name: str
    offset: int
    customers: int
    lines: int


class List(NamedTuple):
    """A list of a segment: the name of its file, the rows as a mask over the customers, and what it is labelled with.

    `outcome` tells who is in it: those written, those held out of the segment, or those of the control group, which
    stand in one file for all segments.
    """

    name: str
    segment: str
    rows: pl.Expr
    written: int
    values: Mapping[str, str | None]
    outcome: str = WRITTEN
    parts: tuple[Part, ...] = ()
    """The files that it is cut into, where a platform takes it; else it is one file, of its name."""

    @property
    def files(self) -> tuple[str, ...]:
        """The names of its files."""
        return tuple(part.name for part in self.parts) or (self.name,)

    @property
    def writes(self) -> bool:
        """Whether its customers are written."""
        return self.outcome == WRITTEN


def layout(plan: Plan) -> tuple[list[str], list[Diagnostic]]:
    """The columns after key, label and variant, and warnings about columns that are left out.

    A column of the customers that has the name of one of these three gives way to it.
    """
    output = plan.rules.output
    if output.audience is not None:
        return list(plan.output_columns), []  # nothing stands before them
    label, of_table = output.label_column, output.table_columns
    taken = {plan.rules.customers.key, label, *([VARIANT] if has_variants(plan.rules) else []), *of_table}
    columns = list(dict.fromkeys(c for c in plan.output_columns if c not in taken))
    gone = {
        label: ("the label of the segment", 'name the label otherwise: `[output] label_column = "..."`'),
        VARIANT: ("the variant of `split`", f'give it another name: `rename = {{ other_name = "{VARIANT}" }}`'),
    }
    for name in of_table:
        gone[name] = ("a column of every table", f'give it another name: `rename = {{ other_name = "{name}" }}`')
    warnings = [
        Diagnostic(
            f"the column `{name}` of the customers is left out: {what} has this name",
            hint=hint,
            severity=Severity.WARNING,
        )
        for name, (what, hint) in gone.items()
        if name in taken and name in plan.output_columns
    ]
    return columns, warnings


def has_variants(rules: RuleFile) -> bool:
    """Whether some segment splits its customers."""
    return any(segment.split for segment in rules.segment.values())


def lists_of(rules: RuleFile, tally: Tally, chosen: Sequence[str]) -> list[List]:
    """The lists of the chosen segments, in file order."""
    extension = FORMATS[rules.output.format].extension
    lists: list[List] = []
    for name in chosen:
        mask, each = pl.col(helpers.written(name)), rules.segment[name].each
        if not each:
            written = tally.count("written", name)
            lists.append(List(name=f"{name}.{extension}", segment=name, rows=mask, written=written, values={}))
        else:
            lists += _each(rules, name, tally.frames["each", name], extension, mask)
        lists += _not_written(rules, name, tally, extension)
    return lists


def _not_written(rules: RuleFile, name: str, tally: Tally, extension: str) -> Iterator[List]:
    """The lists of those held out of a segment, and of those of the control group."""
    segment = rules.segment[name]
    control = tally.count(CONTROL, name)
    if segment.holdout is not None:
        held, rows = tally.count("stopped", name, "holdout") - control, pl.col(helpers.held(name))
        stem = f"{_held(name)}.{extension}"
        yield List(name=stem, segment=name, rows=rows, written=held, values={}, outcome=HELD_OUT)
    if rules.assignment.control and segment.control:
        rows, file = pl.col(helpers.control(name)), f"{CONTROL}.{extension}"
        yield List(name=file, segment=name, rows=rows, written=control, values={}, outcome=CONTROL)


def _held(name: str) -> str:
    """The file name of those held out of a segment, without the extension."""
    return f"{name}.holdout"


def _each(rules: RuleFile, name: str, counts: pl.DataFrame, extension: str, mask: pl.Expr) -> Iterator[List]:
    """One list for each combination of the values of `each`, which `counts` has."""
    each, of_customers = rules.segment[name].each, rules.segment[name].each_columns
    counts = counts.sort(each, nulls_last=True)
    if len(counts) > MOST_COMBINATIONS:
        message = f"`each` makes {len(counts):,} files of segment `{name}`; {MOST_COMBINATIONS:,} is the most"
        raise RuleError(Diagnostic(message, hint="choose columns with fewer values, or cut them into `bands`"))
    rows = counts.to_dicts()
    for row, stem in zip(rows, _stems(name, [[row[column] for column in each] for row in rows]), strict=True):
        values = {column: row[column] for column in each}
        same = [
            pl.col(column if column in of_customers else helpers.variant(name)).eq_missing(pl.lit(value))
            for column, value in values.items()
        ]
        shown = {column: None if value is None else _text(value) for column, value in values.items()}
        yield List(
            name=f"{stem}.{extension}",
            segment=name,
            rows=pl.all_horizontal([mask, *same]),
            written=row[COUNT],
            values=shown,
        )


def _stems(name: str, rows: Sequence[Sequence[Any]]) -> list[str]:
    """The file name of each combination of values, without the extension; no two are the same.

    Where several would have one name (`F` and `f`), or one would have that of the holdout, each ends with a digest of
    its own values. A name that depended on the others could go to other customers when a value comes or goes.
    """
    plain = [".".join([name, *map(_slug, values)]) for values in rows]
    alike = {_held(name), *(stem for stem, times in Counter(plain).items() if times > 1)}
    for length in (6, 64):
        named = [
            f"{stem}-{_digest(values)[:length]}" if stem in alike else stem
            for stem, values in zip(plain, rows, strict=True)
        ]
        if len(set(named)) == len(named):
            break
    return named


def _digest(values: Sequence[Any]) -> str:
    text = "\x1f".join("\x00" if value is None else _text(value) for value in values)
    return hashlib.sha256(text.encode()).hexdigest()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _slug(value: Any) -> str:
    """A value as part of a file name: lower case, and `-` for what a file name should not hold."""
    if value is None:
        return "missing"
    return re.sub(r"[^\w]+", "-", _text(value).lower()).strip("-_") or "other"


def with_marks(customers: pl.DataFrame, lines: Mapping[str, Line]) -> pl.DataFrame:
    """The customers with hidden columns for each segment: who is written or held out, and who gets which variant."""
    marks: list[pl.Series] = []
    for name, line in lines.items():
        named = {
            helpers.written(name): line.written,
            helpers.control(name): line.control,
            helpers.held(name): line.held,
            helpers.variant(name): line.variants,
        }
        marks += [mark.alias(column) for column, mark in named.items() if mark is not None]
    return customers.with_columns(marks)


def control_name(rules: RuleFile) -> str | None:
    """The name of the file of the control group; None where there is no such group, or no file."""
    if rules.assignment.control is None or rules.output.to is not None:
        return None
    return f"{CONTROL}.{FORMATS[rules.output.format].extension}"


def combined_name(rules: RuleFile) -> str | None:
    """The name of the combined file; an ending of another format gives way to that of the format written."""
    name, extension = rules.output.combined, FORMATS[rules.output.format].extension
    if name is None or Path(name).suffix.lstrip(".") not in {f.extension for f in FORMATS.values()}:
        return name
    return str(Path(name).with_suffix(f".{extension}"))


def outputs_of(chosen: Sequence[List], segment: str, directory: Path | None) -> tuple[WrittenFile, ...]:
    """The files of one segment, as the summary names them."""
    return tuple(
        written
        for file in chosen
        if file.segment == segment and file.writes
        for written in _written_files(file, directory)
    )


def _written_files(file: List, directory: Path | None) -> Iterator[WrittenFile]:
    """The files of a list: those into which a platform wants it cut, with the customers whom it can find."""
    for part in file.parts or (Part(file.name, 0, file.written, 0),):
        path, lines = str(directory / part.name) if directory else part.name, part.lines if file.parts else None
        yield WrittenFile(path=path, written=part.customers, values=file.values, rows=lines)


def without_identifier(chosen: Sequence[List], segment: str) -> int | None:
    """How many customers who are written in a segment the platform cannot find; None where there is no platform."""
    lists = [file for file in chosen if file.segment == segment and file.writes]
    if not any(file.parts for file in lists):
        return None
    return sum(file.written - sum(part.customers for part in file.parts) for file in lists)


def holdout_of(chosen: Sequence[List], segment: str, directory: Path | None) -> WrittenFile | None:
    """The file of those who are held out of one segment."""
    found = (file for file in chosen if file.segment == segment and file.outcome == HELD_OUT)
    return next((next(_written_files(file, directory)) for file in found), None)
