"""From a rule file to the computed columns of every customer, and what was found on the way."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

import polars as pl

from segkit.columns.compute import Computed, compute
from segkit.columns.faults import faults
from segkit.columns.fit import Misfits
from segkit.columns.hidden import KEY, hidden, is_hidden
from segkit.columns.lookups import DUPLICATES
from segkit.columns.mentions import CUSTOMERS
from segkit.columns.permission import CONSENT, listed_column, suppression_lists, suppression_table
from segkit.columns.plan import Plan, make_plan
from segkit.columns.shares import drift
from segkit.columns.view import NO_KEY, SHORT, View, kept_rows
from segkit.criteria.conditions import Context
from segkit.criteria.zones import on_the_map
from segkit.diagnostics import Diagnostic, Severity, SourceLocation
from segkit.errors import DataError, RuleError
from segkit.io.numbers import both_readings
from segkit.io.read import ColumnType, Part, Table, Workspace, explain_failure
from segkit.operations.sources import open_tables
from segkit.operations.zones import TABLE as ZONES
from segkit.operations.zones import open_zones
from segkit.results import TableCounts
from segkit.rules import walk
from segkit.rules.check import check_references
from segkit.rules.findings import Finding
from segkit.rules.loader import Loaded, by_place
from segkit.rules.sources import Customers, Events, Source
from segkit.rules.windows import empty_windows

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Evaluated:
    """A plan, its computed columns, the counts of its tables, and warnings."""

    plan: Plan
    computed: Computed
    tables: tuple[TableCounts, ...]
    warnings: tuple[Diagnostic, ...]
    inputs: tuple[tuple[str, Path, Path], ...]
    """Table, path, and the file that has its content: the path itself, or a copy of what came through a pipe."""


def evaluate(loaded: Loaded, as_of: dt.date, ws: Workspace, progress: Progress) -> Evaluated:
    """Every computed column of every customer.

    Raises `RuleError` for what does not fit, `DataError` for what cannot be read.
    """
    warnings = refuse(without_data(loaded))
    warnings += [placed(loaded, finding) for finding in empty_windows(loaded.rules, as_of)]
    progress("opening files")
    tables = open_tables(loaded, ws, Context(as_of))
    zones, unknown = open_zones(loaded, ws)
    refuse(placed(loaded, finding) for finding in unknown)
    context = Context(as_of, zones=zones.areas)
    settled = _settled(loaded, tables, context, ws, progress)
    plan, computed = settled.plan, settled.computed
    warnings += _refuse_bad_values(plan, settled.bad, computed)
    warnings += [_guess(_view(plan, name), column) for name, columns in settled.guessed.items() for column in columns]
    _refuse_keys(plan, computed)
    if loaded.rules.rfm:
        warnings += [placed(loaded, finding) for finding in drift(loaded.rules.rfm, computed.frame)]
    idle = [*_idle_lists(plan, computed), *_idle_consent(plan, computed)]
    warnings += [placed(loaded, finding) for finding in idle]
    counts = tuple(_table_counts(plan, computed, name) for name in computed.counts)
    inputs = [(name, part.path, _content(part)) for name, table in settled.tables.items() for part in table.parts]
    inputs += [(ZONES, path, content) for path, content in zones.files.items()]
    included = [(".".join(map(str, place)), Path(f.path)) for place, f in loaded.source.included.items()]
    inputs += [(place, path, path) for place, path in included]
    return Evaluated(plan, computed, counts, tuple(warnings), tuple(inputs))


@dataclass(frozen=True)
class _Settled:
    """What was computed with all that is known of the tables: unreadable values, and numbers that nothing settles."""

    plan: Plan
    computed: Computed
    tables: Mapping[str, Table]
    bad: Mapping[str, Mapping[str, int]]
    guessed: Mapping[str, Sequence[str]]


def _settled(
    loaded: Loaded, tables: Mapping[str, Table], context: Context, ws: Workspace, progress: Progress
) -> _Settled:
    """Compute, and start again with what is known then, while the whole tables show other than their samples did."""
    while True:
        plan, computed = _computed(loaded, tables, context, ws, progress)
        if computed.padded:
            tables = {**tables, **{name: replace(tables[name], trims=True) for name in computed.padded}}
            continue
        bad = _bad_values(plan, computed)
        guessed = {name: _guessed_numbers(_view(plan, name)) for name in computed.counts}
        doubtful = {name: [*bad.get(name, ()), *guessed[name]] for name in guessed}
        looked_at = {name: tables[name].settle(columns) for name, columns in doubtful.items()}
        changed = {name: table for name, table in looked_at.items() if table is not tables[name]}
        if not changed:
            return _Settled(plan, computed, tables, bad, guessed)
        tables = {**tables, **changed}


def _computed(
    loaded: Loaded, tables: Mapping[str, Table], context: Context, ws: Workspace, progress: Progress
) -> tuple[Plan, Computed]:
    """The plan and its columns; the lines of large texts are checked beside that."""
    try:
        plan = plan_for(loaded, tables, context)
        progress(f"reading {', '.join(plan.views)}")
        _check_lines(plan, tables, ws)
        computed = compute(plan)
        _check_lines(plan, tables, ws, computed)
        ws.verify()
    except pl.exceptions.PolarsError as error:
        explained = explain_failure(tables.values()) or _overflow(error)
        if explained is None:
            raise
        raise explained from error
    return plan, computed


def _check_lines(plan: Plan, tables: Mapping[str, Table], ws: Workspace, computed: Computed | None = None) -> None:
    """Have the lines of large texts checked; once all is computed, those that may be short after all."""
    for name, table in tables.items():
        view = plan.views.get(name)
        if computed is None:
            table.check_lines(ws, all_read=view is not None and view.reads_all)
        elif name in computed.counts and SHORT in computed.counts[name] and computed.counts[name][SHORT].item():
            table.check_lines(ws, all_read=False)


def _content(part: Part) -> Path:
    return part.path if part.path.is_file() else part.source


def _overflow(error: pl.exceptions.PolarsError) -> DataError | None:
    reason = str(error).strip().splitlines()[0]
    if "overflow" not in reason:
        return None
    message = f"a computed number is too large: `{reason}`"
    return DataError(Diagnostic(message, hint="look for it in `sql` and `derive`"))


def without_data(loaded: Loaded) -> list[Diagnostic]:
    """Errors and warnings of a rule file that needs no data to be found out, in the order of the file."""
    found = [*check_references(loaded), *(placed(loaded, fault) for fault in faults(loaded.rules))]
    return sorted(dict.fromkeys(found), key=by_place)


def plan_for(loaded: Loaded, tables: Mapping[str, Table], context: Context) -> Plan:
    """The plan, or `RuleError` with all that does not fit these tables."""
    try:
        return make_plan(loaded.rules, tables, context)
    except Misfits as error:
        raise RuleError(*sorted((placed(loaded, finding) for finding in error.findings), key=by_place)) from error


def placed(loaded: Loaded, finding: Finding) -> Diagnostic:
    """The finding with its place in the rule file."""
    severity = Severity.WARNING if finding.warning else Severity.ERROR
    return Diagnostic(finding.message, loaded.source.at(*finding.path), finding.hint, severity)


def refuse(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The warnings among these; `RuleError` where there are errors."""
    found = list(diagnostics)
    if any(d.severity is Severity.ERROR for d in found):
        raise RuleError(*(d for d in found if d.severity is Severity.ERROR))
    return found


def _bad_values(plan: Plan, computed: Computed) -> dict[str, dict[str, int]]:
    """Table -> column -> how many values cannot be read, where there are any."""
    bad: dict[str, dict[str, int]] = {}
    for name, counts in computed.counts.items():
        view = _view(plan, name)
        suspect = [column for column in view.suspects if counts[hidden("suspects", column)].item()]
        found = view.bad_values(suspect) if suspect else {}
        if found:
            bad[name] = found
    return bad


def _view(plan: Plan, name: str) -> View:
    return plan.views[name] if name in plan.views else plan.lookup_views[name]


def _refuse_bad_values(plan: Plan, bad: Mapping[str, Mapping[str, int]], computed: Computed) -> list[Diagnostic]:
    """Warnings for bad values that count as missing; `DataError` for the others, all tables at once."""
    errors: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    for name, columns in bad.items():
        view = _view(plan, name)
        if view.spec.bad_values == "error":
            as_read = {column: view.reads.type_of(view.table, column) for column in columns}
            errors += view.table.bad_values_error(as_read).diagnostics
        else:
            warnings += [
                _warning(f"{count:,} values of `{column}` cannot be read and count as missing", view.table)
                for column, count in columns.items()
            ]
    if errors:
        raise DataError(*errors)
    return warnings


def _guessed_numbers(view: View) -> list[str]:
    """The columns that are read as numbers with a decimal comma for want of anything that settles it."""
    numbers = (ColumnType.INTEGER, ColumnType.NUMBER)
    found = []
    for name in sorted(view.reads.values & view.table.columns.keys()):
        column, (as_type, money) = view.table.columns[name], view.reads.type_of(view.table, name)
        if column.is_text and column.number.guessed and (money or (as_type or column.type) in numbers):
            found.append(name)
    return found


def _guess(view: View, column: str) -> Diagnostic:
    # Its form, not the value: warnings stand in the manifest, and that holds no customer's data.
    digits = cycle("123456789")
    text = re.sub(r"[0-9]", lambda _: next(digits), view.table.columns[column].number.guessed)
    read, other = both_readings(text)
    message = f"what is written like `{text}` in column `{column}` is read as {read}, with a decimal comma"
    hint = f'give the source `decimal = ","` for {read}, or `thousands = ","` for {other}'
    return _warning(f"{message}; it could be {other}, and no value settles it", view.table, hint)


def _warning(message: str, table: Table, hint: str | None = None) -> Diagnostic:
    return Diagnostic(message, SourceLocation(str(table.paths[0])), hint, Severity.WARNING)


def _refuse_keys(plan: Plan, computed: Computed) -> None:
    """`DataError` where keys are all missing, come twice, or match no customer."""
    customers = plan.views[CUSTOMERS]
    for name, counts in computed.counts.items():
        view = _view(plan, name)
        rows, without = int(counts["rows"].item()), int(counts[NO_KEY].item() or 0)
        if rows and rows == without:
            raise _no_keys(view, _key_of(plan, view.spec), rows)
    _refuse_duplicates(customers, computed.frame)
    for name, matched in computed.matched.items():
        kept = kept_rows(computed.counts[name])
        if kept and not matched and len(computed.frame) and not _left_out_all(plan.views[name], customers):
            raise _no_match(plan, plan.views[name], computed.frame)


def _key_of(plan: Plan, spec: Source) -> str:
    if isinstance(spec, Customers):
        return spec.key
    if isinstance(spec, Events):
        return spec.key or plan.rules.customers.key
    return ", ".join(spec.on.values()) if hasattr(spec, "on") else ""


def _no_keys(view: View, key: str, rows: int) -> DataError:
    place = SourceLocation(str(view.table.paths[0]))
    message = f"none of the {rows:,} rows has a key in column `{key}`"
    of_people = isinstance(view.spec, (Customers, Events))
    hint = "name the column that identifies the customer: `key = ...`" if of_people else "is it the right column?"
    return DataError(Diagnostic(message, place, hint))


def _refuse_duplicates(view: View, frame: pl.DataFrame) -> None:
    assert isinstance(view.spec, Customers)
    # Hashes first: a third of the time. Only where two are the same are the keys compared.
    if view.spec.duplicates != "error" or frame[KEY].hash().n_unique() == len(frame):
        return
    twice = frame.filter(pl.col(KEY).is_duplicated())[KEY].unique(maintain_order=True)
    if twice.is_empty():
        return
    shown = ", ".join(f"`{key}`" for key in twice.head(5).to_list())
    more = f" and {len(twice) - 5:,} more" if len(twice) > 5 else ""
    raise DataError(
        Diagnostic(
            f"customer keys come more than once: {shown}{more}",
            SourceLocation(str(view.table.paths[0])),
            'keep one row of each: `[customers] duplicates = "first"` or `"last"`',
        )
    )


def _no_match(plan: Plan, view: View, customers: pl.DataFrame) -> DataError:
    event = view.kept().select(KEY).head(1).collect().item()
    customer = customers[KEY][0]
    hint = "name the columns that hold the same key: `[customers] key` and `[events.NAME] key`"
    if any(key.endswith(".0") for key in (event, customer)):
        hint = "one side writes whole numbers with `.0`: export the keys as text, without it"
    message = f"no key of `{view.name}` is a key of the customers: `{event}` there, `{customer}` among the customers"
    return DataError(Diagnostic(message, SourceLocation(str(view.table.paths[0])), hint))


def _idle_lists(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning for each suppression list that has values, and none of a customer: it may be written otherwise."""
    for (file, column), path in suppression_lists(plan.rules).items():
        name = suppression_table(file)
        kept = kept_rows(computed.counts[name])
        if kept and len(computed.frame) and not computed.frame[listed_column(file, column)].any():
            message = (
                f"`{file}` suppresses nobody: of its {kept:,} values, none is in column `{column}` of the customers"
            )
            hint = "are both written alike, without a `.0` behind whole numbers? else the list is not needed"
            yield Finding(path, message, hint, warning=True)


def _idle_consent(plan: Plan, computed: Computed) -> Iterator[Finding]:
    """A warning where nobody consents: what is asked for may be written otherwise in the data."""
    for path, channel, permission in walk.permissions(plan.rules):
        asked = permission.require
        if asked and len(computed.frame) and not computed.frame[hidden(CONSENT, channel)].any():
            message = f"nobody consents: of {len(computed.frame):,} customers, none is as `require` asks"
            hint = f"is {' and '.join(f'`{name}`' for name in asked)} written so? `segkit check --data` looks"
            yield Finding((*path, "require"), message, hint, warning=True)


def _left_out_all(events: View, customers: View) -> bool:
    """Whether events have no customer only because `where` leaves those customers out."""
    if not customers.spec.where:
        return False
    everybody = customers.frame.select(KEY)
    return len(events.kept().join(everybody, on=KEY, how="semi").select(KEY).head(1).collect()) > 0


UNKNOWN = "unknown_customer"


def _table_counts(plan: Plan, computed: Computed, name: str) -> TableCounts:
    counts, view = computed.counts[name], _view(plan, name)
    reasons = [column for column in counts.columns if column != "rows" and not is_hidden(column)]
    left_out = {reason: int(counts[reason].item() or 0) for reason in reasons}
    if name in computed.matched:
        left_out[UNKNOWN] = kept_rows(counts) - computed.matched[name]
    if isinstance(view.spec, Customers) and view.spec.duplicates != "error":
        left_out[DUPLICATES] = kept_rows(counts) - len(computed.frame)
    types = {f"column {c}": view.table.columns[c].how for c in sorted(view.reads.values & view.table.columns.keys())}
    detected = {**view.table.detected, **{column: how for column, how in types.items() if how}}
    if isinstance(view.spec, Customers) and any(block.geographic.places for _, block in walk.blocks(plan.rules)):
        detected["coordinates"] = _located(view.spec, computed.frame)
    return TableCounts(name, int(counts["rows"].item()), left_out, detected, tuple(str(p) for p in view.table.paths))


def _located(spec: Customers, customers: pl.DataFrame) -> str:
    """How many customers have a place on the map; those without are in no circle and no zone."""
    assert spec.latitude is not None and spec.longitude is not None, "checked before the run"
    degrees = [pl.col(name).cast(pl.Float64) for name in (spec.latitude, spec.longitude)]
    known = customers.select(on_the_map(*degrees).sum()).item()
    return f"{int(known or 0):,} of {len(customers):,} customers"
