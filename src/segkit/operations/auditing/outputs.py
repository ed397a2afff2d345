"""The files of an audit: its findings, and the rows that have one, which only their owner may read."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl

from segkit.audits import AuditResult
from segkit.errors import RuleError, WriteError
from segkit.io.publish.folder import publish_file
from segkit.io.read import Workspace
from segkit.io.write import STDOUT, TextStyle, format_of, sink, write
from segkit.operations.auditing.figures import ROW
from segkit.operations.auditing.found import Found, Looked
from segkit.operations.orders_file.targets import refuse_targets, write_rows

OWNER_ALONE = 0o600
_SAID = "\x1fsaid"


def refuse_outputs(output: str | None, rows: str | None) -> None:
    """`RuleError` for what cannot be written."""
    refuse_targets({"-o": output, "--rows": rows})
    if rows == STDOUT:
        raise RuleError.of("`--rows` takes a file, which only you can read", hint="name one, such as rows.csv")
    if rows is not None:
        format_of(Path(rows))


def write_findings(
    result: AuditResult, output: str | None, inputs: Sequence[str], ws: Workspace, stdout: BinaryIO | None
) -> None:
    """One row a finding."""
    if output is None:
        return
    _spare(inputs, output)
    write_rows(findings_of(result).lazy(), output, ws, stdout, result.as_of)


def findings_of(result: AuditResult) -> pl.DataFrame:
    """One row a finding; values are one text, with bars between them."""
    schema = {
        "table": pl.String(), "column": pl.String(), "kind": pl.String(), "severity": pl.String(), "rows": pl.Int64(),
        "values": pl.String(), "message": pl.String(),
    }  # fmt: skip
    rows = [
        [one.table, one.column, one.kind, str(one.severity), one.rows, " | ".join(map(str, one.values)), one.message]
        for one in result.findings
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def write_found(
    looked: Sequence[Looked], found: Sequence[Sequence[Found]], path: str | None, inputs: Sequence[str]
) -> None:
    """The rows that have something to repair, with their number and what it is; of several tables, with their names."""
    if path is None:
        return
    _spare(inputs, path)
    taken = {name for one in looked for name in one.sheet.table.columns}
    of_table, number, what = (_free(name, taken) for name in ("table", "row", "findings"))
    parts = [_with_findings(one, mine, number, what) for one, mine in zip(looked, found, strict=True)]
    if len(looked) > 1:
        named = [pl.lit(one.sheet.table.name).alias(of_table) for one in looked]
        parts = [part.select(name, pl.all()) for part, name in zip(parts, named, strict=True)]
    chosen = pl.concat(parts, how="diagonal_relaxed") if len(parts) > 1 else parts[0]
    if Path(path).is_file():
        Path(path).chmod(OWNER_ALONE)  # the new one takes its permissions
    with publish_file(Path(path)) as target:
        if not target.exists():
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, OWNER_ALONE))
        write([sink(chosen, target, format_of(Path(path)), TextStyle(day=looked[0].as_of))])


def _with_findings(looked: Looked, found: Sequence[Found], number: str, what: str) -> pl.LazyFrame:
    told = [
        pl.when(one.flag.fill_null(value=False)).then(
            pl.lit(f"{one.finding.kind}: {one.finding.column}" if one.finding.column else one.finding.kind)
        )
        for one in found
        if one.flag is not None
    ]
    said = pl.concat_str(told, separator="; ", ignore_nulls=True) if told else pl.lit("")
    rows = looked.sheet.frame.with_row_index(ROW, offset=1).with_columns(said.alias(_SAID)).filter(pl.col(_SAID) != "")
    columns = [*looked.sheet.table.columns]
    return rows.select(pl.col(ROW).cast(pl.Int64).alias(number), pl.col(_SAID).alias(what), *columns)


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _spare(inputs: Sequence[str], path: str) -> None:
    read = {Path(one).resolve() for one in inputs}
    if path != STDOUT and Path(path).resolve() in read:
        raise WriteError.of(f"`{path}` is an input: the output would take its place", hint="name another file")
