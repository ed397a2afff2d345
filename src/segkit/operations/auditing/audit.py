"""`audit`: what is in files, before anyone believes a segment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Literal, NamedTuple

import polars as pl

from segkit.addresses import database_of, is_address
from segkit.audits import AuditedTable, AuditResult
from segkit.errors import RuleError
from segkit.io.read import Table, Workspace, explain_failure
from segkit.io.write import FORMATS, STDOUT
from segkit.operations.auditing import key as keys
from segkit.operations.auditing import of_rows
from segkit.operations.auditing.addresses import checker, wrong_domains
from segkit.operations.auditing.columns import ROWS, Read, read_columns
from segkit.operations.auditing.figures import Figures, Sheet, counted
from segkit.operations.auditing.found import Found, Looked
from segkit.operations.auditing.of_columns import audited, of_columns, strays_asked
from segkit.operations.auditing.outputs import refuse_outputs, write_findings, write_found
from segkit.operations.auditing.promises import broken, promised
from segkit.operations.auditing.settled import settled
from segkit.operations.column_facts.readable import beyond_the_sample
from segkit.operations.evaluation.diagnose import refuse
from segkit.operations.evaluation.evaluate import without_data
from segkit.operations.evaluation.open_sources import open_tables
from segkit.operations.orders_file.columns import open_data
from segkit.operations.orders_file.no_header import refuse_no_header
from segkit.operations.orders_file.told import without_rule_file
from segkit.operations.progress import Progress, silent
from segkit.rules.model.base import Duration
from segkit.rules.model.file import today
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.loader import Loaded, Overrides, load_rules

Kind = Literal["customers", "events"]
OBSOLETE = Duration(3, "year")
"""For how long somebody may not have been seen."""


def audit(
    data: Sequence[str],
    *,
    key: str | None = None,
    kind: Kind | None = None,
    sheet: str | None = None,
    as_of: dt.date | None = None,
    obsolete: Duration | None = None,
    output: str | None = None,
    rows: str | None = None,
    stdout: BinaryIO | None = None,
    progress: Progress = silent,
    frames: Mapping[str, pl.LazyFrame] = MappingProxyType({}),
) -> AuditResult:
    """What stands in the columns of these files, each a table of its own, or of the sources of a rule file (`.toml`).

    `key` names the column that tells whose a row is, `kind` says what the rows are; both are guessed where not given.
    `frames` are those that addresses in `data` mean. `output` gets one row a finding, `rows` the rows that have one,
    for their owner alone. Raises `RuleError` and `DataError`; `WriteError` where an output would take the place of a
    file that was read.
    """
    has_rules = _has_rules(data, {"key": key, "kind": kind, "sheet": sheet})
    refuse_outputs(output, rows)
    with (
        Workspace(frames=frames) as ws,
        nullcontext() if has_rules else without_rule_file("which `segkit audit` takes, too"),
    ):
        loaded = _load(Path(data[0]), as_of) if has_rules else None
        day = loaded.rules.today() if loaded else as_of or today()
        if loaded:
            asked = list(_of_rules(loaded, ws, progress))
        else:
            asked = _distinct(_of_file(ws, path, key, kind, sheet, progress) for path in data)
        looked = [_looked(one, ws, day, obsolete or OBSOLETE, progress) for one in asked]
        found = [[*of_columns(one), *of_rows.of_rows(one)] for one in looked]
        if loaded and loaded.rules.audit:
            for number, promises in enumerate(promised(loaded, looked)):
                found[number] += broken(looked[number], promises)
        result = AuditResult(
            as_of=day,
            tables=tuple(
                _table(one, mine, key or one.key if loaded else key) for one, mine in zip(looked, found, strict=True)
            ),
            findings=tuple(one.finding for mine in found for one in mine),
            addresses=checker(),
            path=None if output == STDOUT else output,
            rows_path=rows,
        )
        if output is not None or rows is not None:
            progress("writing")
            inputs = [label.path for one in looked for label in one.sheet.table.labels]
            write_findings(result, output, inputs, ws, stdout)
            write_found(looked, found, rows, inputs)
    return result


class _Asked(NamedTuple):
    """A table, and what is known of it: its key, whether that was given, and what its rows are."""

    table: Table
    key: str | None = None
    kind: str | None = None


def _has_rules(data: Sequence[str], of_files: Mapping[str, str | None]) -> bool:
    rules = [path for path in data if Path(path).suffix.lower() == ".toml"]
    if rules and len(data) > 1:
        message = f"`{rules[0]}` is a rule file, and stands beside another file"
        raise RuleError.of(message, hint="give one rule file, or files")
    if rules and (given := next((name for name, value in of_files.items() if value is not None), None)):
        message = f"`--{given}` goes with a file of data, and `{rules[0]}` is a rule file"
        raise RuleError.of(message, hint=f"take `--{given}` out: the rule file says it")
    return bool(rules)


def _load(path: Path, as_of: dt.date | None) -> Loaded:
    loaded = load_rules(path, formats=FORMATS, overrides=Overrides(as_of=as_of), needs_segments=False)
    refuse(without_data(loaded))
    return loaded


def _of_rules(loaded: Loaded, ws: Workspace, progress: Progress) -> Iterator[_Asked]:
    rules = loaded.rules
    tables = open_tables(loaded, ws, progress)
    for name, table in tables.items():
        if name == CUSTOMERS and rules.customers.from_:
            continue  # the event table, once more
        if name == CUSTOMERS:
            yield _Asked(table, rules.customers.key, keys.CUSTOMERS)
        elif name in rules.events:
            yield _Asked(table, rules.events[name].key or rules.customers.key, keys.EVENTS)
        else:
            yield _Asked(table, None, keys.OTHER)


def _of_file(
    ws: Workspace, path: str, key: str | None, kind: str | None, sheet: str | None, progress: Progress
) -> _Asked:
    progress("opening the file")
    table = open_data(ws, [path], sheet)
    # As it was given, or where that may hold a password, as messages call it.
    table = table._replace(name=str(table.labels[0]) if is_address(path) or database_of(path) else path)
    refuse_no_header(table)  # what a column is called is told, and would be somebody's
    return _Asked(table, keys.require_column(table, key) if key else None, kind)


def _distinct(asked: Iterable[_Asked]) -> list[_Asked]:
    """The tables, each with a name of its own, by which its findings are found."""
    found: dict[str, _Asked] = {}
    for one in asked:
        name, number = one.table.name, 2
        while name in found:
            name, number = f"{one.table.name} ({number})", number + 1
        found[name] = one._replace(table=one.table._replace(name=name))
    return [*found.values()]


def _looked(asked: _Asked, ws: Workspace, day: dt.date, obsolete: Duration, progress: Progress) -> Looked:
    """A table with all that was counted; `DataError` where its files cannot be read to their ends."""
    asked.table.check_lines(ws, all_read=True)
    try:
        looked = _counted(asked, day, obsolete, progress)
        ws.verify()
    except pl.exceptions.PolarsError as error:
        if explained := explain_failure([asked.table]):
            raise explained from error
        raise
    return looked


def _counted(asked: _Asked, day: dt.date, obsolete: Duration, progress: Progress) -> Looked:
    table = beyond_the_sample(asked.table)
    progress("looking at columns")
    looked_at = table.frame.head(ROWS).collect()
    reads = read_columns(table, looked_at)
    sheet = _sheet(table, reads)
    key = asked.key if asked.kind == keys.OTHER else asked.key or keys.maybe_key(table, reads, looked_at)
    progress("counting")
    figures = counted(sheet, of_rows.questions(sheet, key, obsolete.before(day)))
    if (settled_reads := settled(sheet, figures)) is not sheet.reads:
        sheet = _sheet(table, settled_reads)
        figures = counted(sheet, of_rows.questions(sheet, key, obsolete.before(day)))
    if key is not None and asked.key is None and not keys.is_key(table, key, figures):
        key = None
    return Looked(
        sheet=sheet,
        figures=_with_strays(sheet, figures),
        kind=asked.kind or keys.kind_of_rows(sheet, key, figures, consents=bool(of_rows.consent_columns(sheet))),
        key=key,
        as_of=day,
        obsolete=obsolete,
    )


def _sheet(table: Table, reads: Sequence[Read]) -> Sheet:
    plain = Sheet(table, reads, ())
    e_mails = [plain.text(read) for read in reads if read.read_as == "e-mail"]
    return plain._replace(wrong_domains=wrong_domains(plain.frame, e_mails))


def _with_strays(sheet: Sheet, figures: Figures) -> Figures:
    asked = strays_asked(sheet, figures)
    return figures.with_answers(sheet, asked) if asked else figures


def _table(looked: Looked, found: Sequence[Found], given: str | None) -> AuditedTable:
    table = looked.sheet.table
    return AuditedTable(
        name=table.name,
        paths=tuple(label.path for label in table.labels),
        detected=tuple(f"{what} {how}" for what, how in table.detected.items() if not what.startswith("column ")),
        kind=looked.kind,
        key=looked.key,
        key_guessed=looked.key is not None and given is None,
        rows=looked.rows,
        equal_rows=looked.equal_rows,
        equal_but_key=looked.equal_but_key,
        columns=tuple(audited(looked, read, found) for read in looked.sheet.reads),
        consent=of_rows.consent_of(looked),
    )
