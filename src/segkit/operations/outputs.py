"""What a run writes: one labelled file a segment, or one for each combination of the values of `each`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from segkit.columns.hidden import KEY, hidden
from segkit.columns.plan import Plan
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import RuleError
from segkit.gates.ledger import Line
from segkit.io.read import Workspace
from segkit.io.write import FORMATS, TextStyle, sink
from segkit.operations.protect import protected
from segkit.results import Output
from segkit.rules.model import RuleFile

MOST_COMBINATIONS = 1_000


@dataclass(frozen=True)
class File:
    """A file to write: its name, the rows as a mask over the customers, and what it is labelled with."""

    name: str
    segment: str
    rows: pl.Expr
    written: int
    values: Mapping[str, str | None]


def layout(plan: Plan) -> tuple[list[str], list[Diagnostic]]:
    """The columns after key and label; a column of the file that is named like one of these two gives way."""
    taken = {plan.rules.customers.key, plan.rules.output.label_column}
    columns = list(dict.fromkeys(c for c in plan.output_columns if c not in taken))
    gone = [c for c in plan.output_columns if c == plan.rules.output.label_column]
    warnings = [
        Diagnostic(
            f"the column `{name}` of the customers is left out: the label of the segment has this name",
            hint='name the label otherwise: `[output] label_column = "..."`',
            severity=Severity.WARNING,
        )
        for name in gone
    ]
    return columns, warnings


def files(rules: RuleFile, customers: pl.DataFrame, lines: Mapping[str, Line], chosen: Sequence[str]) -> list[File]:
    """The files of the chosen segments, in file order."""
    extension = FORMATS[rules.output.format].extension
    found: list[File] = []
    for name in chosen:
        mask, line = pl.col(hidden("written", name)), lines[name]
        each = rules.segment[name].each
        if not each:
            found.append(File(f"{name}.{extension}", name, mask, int(line.written.sum()), {}))
        else:
            found += _each(name, each, customers.filter(line.written), extension, mask)
    return found


def _each(name: str, each: Sequence[str], written: pl.DataFrame, extension: str, mask: pl.Expr) -> Iterator[File]:
    counts = written.group_by(each).len(hidden("count")).sort(each, nulls_last=True)
    if len(counts) > MOST_COMBINATIONS:
        message = f"`each` makes {len(counts):,} files of segment `{name}`; {MOST_COMBINATIONS:,} is the most"
        raise RuleError(Diagnostic(message, hint="choose columns with fewer values, or cut them into `bands`"))
    taken: set[str] = set()
    for row in counts.iter_rows(named=True):
        values = {column: row[column] for column in each}
        stem = _free(".".join([name, *(_slug(value) for value in values.values())]), taken)
        taken.add(stem)
        same = [pl.col(column).eq_missing(pl.lit(value)) for column, value in values.items()]
        shown = {column: None if value is None else _text(value) for column, value in values.items()}
        yield File(f"{stem}.{extension}", name, pl.all_horizontal([mask, *same]), row[hidden("count")], shown)


def _free(stem: str, taken: Collection[str]) -> str:
    """`stem`, or with the first number that makes it another name: `F` and `f` are two values."""
    return stem if stem not in taken else next(f"{stem}-{n}" for n in count(2) if f"{stem}-{n}" not in taken)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _slug(value: Any) -> str:
    """A value as part of a file name: lower case, and `-` for what a file name should not hold."""
    if value is None:
        return "missing"
    return re.sub(r"[^\w]+", "-", _text(value).lower()).strip("-_") or "other"


def with_marks(customers: pl.DataFrame, lines: Mapping[str, Line]) -> pl.DataFrame:
    """The customers with one hidden Boolean column a segment: who is written."""
    return customers.with_columns(line.written.alias(hidden("written", name)) for name, line in lines.items())


def rows_of(marked: pl.LazyFrame, rules: RuleFile, columns: Sequence[str], file: File) -> pl.LazyFrame:
    """The rows of one file: key, label, columns."""
    label = pl.lit(file.segment).alias(rules.output.label_column)
    rows = marked.filter(file.rows).select(pl.col(KEY).alias(rules.customers.key), label, *columns)
    return protected(rows, rules)


def combined_rows(marked: pl.LazyFrame, rules: RuleFile, columns: Sequence[str], chosen: Iterable[str]) -> pl.LazyFrame:
    """Every customer, with the names of its segments joined by `|`; missing where it is in none."""
    marks = {name: pl.col(hidden("written", name)) for name in chosen}
    names = [pl.when(mark).then(pl.lit(name)) for name, mark in marks.items()]
    joined = pl.concat_str(names, separator="|", ignore_nulls=True)
    label = pl.when(pl.any_horizontal(marks.values())).then(joined).alias(rules.output.label_column)
    return protected(marked.select(pl.col(KEY).alias(rules.customers.key), label, *columns), rules)


def style_of(rules: RuleFile) -> TextStyle:
    """How text formats are written."""
    output = rules.output
    return TextStyle(
        delimiter=output.delimiter,
        decimal=output.decimal,
        bom=output.bom,
        escape_formulas=output.escape_formulas,
        separators=rules.customers.lists,
    )


def combined_name(rules: RuleFile) -> str | None:
    """The name of the combined file, with the ending of the format where it has that of another one."""
    name, extension = rules.output.combined, FORMATS[rules.output.format].extension
    if name is None or Path(name).suffix.lstrip(".") not in {f.extension for f in FORMATS.values()}:
        return name
    return str(Path(name).with_suffix(f".{extension}"))


def sinks(
    marked: pl.LazyFrame, rules: RuleFile, columns: Sequence[str], chosen: Sequence[File], directory: Path
) -> list[pl.LazyFrame]:
    """One lazy sink for each file."""
    style, format_ = style_of(rules), rules.output.format
    return [sink(rows_of(marked, rules, columns, file), directory / file.name, format_, style) for file in chosen]


def combined_sinks(
    marked: pl.LazyFrame, rules: RuleFile, columns: Sequence[str], chosen: Sequence[File], directory: Path
) -> list[pl.LazyFrame]:
    """The lazy sink of the combined file, where it is asked for."""
    combined = combined_name(rules)
    if combined is None:
        return []
    segments = list(dict.fromkeys(file.segment for file in chosen))
    rows = combined_rows(marked, rules, columns, segments)
    return [sink(rows, directory / combined, rules.output.format, style_of(rules))]


def to_stream(
    rows: pl.LazyFrame, format_: str, ws: Workspace, stdout: BinaryIO, style: TextStyle | None = None
) -> None:
    """Rows to standard output, by way of a file, since a sink may seek."""
    path = ws.new_file(".rows")
    with ws.filling():
        pl.collect_all([sink(rows, path, format_, style)])
    with path.open("rb") as file:
        shutil.copyfileobj(file, stdout)
    stdout.flush()


def outputs_of(chosen: Sequence[File], segment: str, directory: Path | None) -> tuple[Output, ...]:
    """The files of one segment, as the summary names them."""
    return tuple(
        Output(str(directory / file.name) if directory else file.name, file.written, file.values)
        for file in chosen
        if file.segment == segment
    )
