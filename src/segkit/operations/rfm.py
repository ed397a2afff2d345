"""`rfm`: the RFM table of one file; a rule file made of options and guesses, run like any other."""

from __future__ import annotations

import datetime as dt
import json
import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import polars as pl

from segkit.columns.hidden import KEY
from segkit.columns.rfm import RAW, map_codes
from segkit.columns.views import as_money
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError, RuleError, SegkitError, WriteError
from segkit.io.publish import publish_file
from segkit.io.read import Table, Workspace, open_table
from segkit.io.write import FORMATS, format_of, sink
from segkit.operations.evaluate import Evaluated, evaluate
from segkit.operations.guess import date_like, guess
from segkit.operations.outputs import to_stream
from segkit.results import RfmResult, RfmSegment
from segkit.rules.features import RFM_COLUMNS, Rfm
from segkit.rules.loader import Loaded, load_rules_text
from segkit.rules.near import nearest
from segkit.rules.sources import Source

STDOUT = "-"
AMOUNT = "amount in SQL"
STALE_AFTER_DAYS = 366


def _silent(_: str) -> None:
    pass


@dataclass
class _Columns:
    """Which column plays which role, and which of these were guessed."""

    table: Table
    chosen: dict[str, str] = field(default_factory=dict)
    guesses: dict[str, str] = field(default_factory=dict)

    def take(self, role: str, given: str | None) -> str | None:
        """The column given for a role, or the one that fits it best."""
        found = given or guess(self.table, role, list(self.chosen.values()))
        if found:
            self.chosen[role] = found
            if given is None:
                self.guesses[role] = found
        return found


def rfm(
    data: str,
    *,
    key: str | None = None,
    time: str | None = None,
    amount: str | None = None,
    id: str | None = None,
    as_of: dt.date | None = None,
    bins: int = 5,
    method: str = "quantile",
    ties: str = "low",
    map: str = "standard",
    output: str | None = None,
    stdout: BinaryIO | None = None,
    progress: Callable[[str], None] = _silent,
) -> RfmResult:
    """Score the customers of a file of orders, or of a customer file that has the three values.

    Raises `DataError` where a column that is needed can neither be found nor guessed.
    """
    started = clock.perf_counter()
    if output is not None and Path(output).suffix.lstrip(".").lower() not in {*FORMATS, "", "txt"}:
        hint = f"the formats are {', '.join(FORMATS)}"
        raise RuleError.of(f"`{output}`: segkit does not write this format", hint=hint)
    with Workspace() as ws:
        progress("opening the file")
        columns = _columns(_open(ws, data), key=key, time=time, amount=amount, id=id)
        options = {"bins": bins, "method": method, "ties": ties, "map": map}
        loaded = load_rules_text(_rule_file(data, columns, options, as_of), "segkit rfm")
        try:
            found = evaluate(loaded, loaded.rules.today(), ws, progress)
        except SegkitError as error:
            raise type(error)(*(_without_place(d) for d in error.diagnostics)) from error
        if output is not None:
            progress("writing")
            _write(found, output, ws, stdout)
        return _result(found, loaded, columns, output, clock.perf_counter() - started)


def _open(ws: Workspace, data: str) -> Table:
    """The table, with dates written as 19970101 where the name of a column promises one."""
    spec = Source(path=data)
    table = open_table(ws, "data", spec, base=Path(), timezone="UTC")
    likely = date_like(table.columns)
    return open_table(ws, "data", spec, base=Path(), timezone="UTC", time_columns=likely) if likely else table


def _columns(table: Table, *, key: str | None, time: str | None, amount: str | None, id: str | None) -> _Columns:
    columns = _Columns(table)
    unknown = [(option, name) for option, name in (("--key", key), ("--time", time), ("--id", id)) if name]
    unknown = [(option, name) for option, name in unknown if name not in table.columns]
    if unknown:
        raise DataError(*(_unknown(table, option, name) for option, name in unknown))
    missing: list[tuple[str, str]] = []
    if not columns.take("key", key):
        missing.append(("--key", "the customer's key"))
    summary = {role: guess(table, role, list(columns.chosen.values())) for role in RAW.values()}
    if time is None and id is None and summary["recency_days"] and summary["frequency"]:
        columns.take("recency_days", None)
        columns.take("frequency", None)
        if not columns.take("monetary", amount):
            missing.append(("--amount", "the money of each customer"))
    else:
        if not columns.take("time", time):
            missing.append(("--time", "the day of each order"))
        columns.take("id", id)
        if not columns.take("amount", amount):
            missing.append(("--amount", "the money of each row, a column or SQL such as `Quantity * UnitPrice`"))
    if missing:
        raise DataError(*(_not_found(table, option, what) for option, what in missing))
    return columns


def _unknown(table: Table, option: str, name: str) -> Diagnostic:
    message = f"`{table.paths[0]}` has no column `{name}`, which `{option}` names"
    return Diagnostic(message, hint=table.one_column_hint() or nearest(name, table.columns))


def _not_found(table: Table, option: str, what: str) -> Diagnostic:
    names = ", ".join(f"`{c.name}` ({c.type})" for c in table.columns.values())
    hint = table.one_column_hint() or f"name it with `{option}`; the columns are {names}"
    return Diagnostic(f"cannot tell which column of `{table.paths[0]}` holds {what}", hint=hint)


def _rule_file(data: str, columns: _Columns, options: Mapping[str, object], as_of: dt.date | None) -> str:
    """The rule file that says what the options say."""
    chosen, table = columns.chosen, columns.table
    path, key = _toml(data), _toml(chosen["key"])
    lines = ["version = 1"] + ([f"as_of = {as_of}"] if as_of else [])
    if "time" in chosen:
        lines += ["[customers]", 'from = "data"', f"key = {key}", "[events.data]", f"path = {path}"]
        lines += [f"{role} = {_toml(chosen[role])}" for role in ("time", "id") if role in chosen]
        amount = chosen["amount"]
        if amount in table.columns:
            lines.append(f"amount = {_toml(amount)}")
        else:
            lines += [f"amount = {_toml(AMOUNT)}", f"derive = {{ {_toml(AMOUNT)} = {_toml(amount)} }}"]
        lines += ["[rfm]", 'events = "data"']
    else:
        lines += ["[customers]", f"path = {path}", f"key = {key}", "[rfm.columns]"]
        lines += [f"{role} = {_toml(chosen[role])}" for role in RAW.values()]
        lines += ["[rfm]"]
    lines += [f"{name} = {_toml(value)}" for name, value in options.items()]
    return (
        "\n".join([*lines, "[segment.customers]", "everyone = true", "[output]", f"columns = {_toml(RFM_COLUMNS)}"])
        + "\n"
    )


def _toml(value: object) -> str:
    """A text, number or list of texts as TOML; `${` of a file name is not the environment's."""
    return json.dumps(value, ensure_ascii=False).replace("${", "$${")


def _without_place(diagnostic: Diagnostic) -> Diagnostic:
    """A place in a rule file that the user has not written helps nobody."""
    place = diagnostic.location
    return Diagnostic(diagnostic.message, None if place and place.text else place, diagnostic.hint, diagnostic.severity)


def _write(found: Evaluated, output: str, ws: Workspace, stdout: BinaryIO | None) -> None:
    key = found.plan.rules.customers.key
    names = [name for name in RFM_COLUMNS if name != key]
    rows = found.computed.frame.lazy().select(pl.col(KEY).alias(key), *names)
    if output != STDOUT:
        if any(Path(output).resolve() == path.resolve() for _, path, _ in found.inputs):
            raise WriteError.of(f"`{output}` is the input: the table would take its place", hint="name another file")
        with publish_file(Path(output)) as target:
            pl.collect_all([sink(rows, target, format_of(Path(output)))])
        return
    assert stdout is not None, "rows for standard output need a stream"
    to_stream(rows, "csv", ws, stdout)


def _result(found: Evaluated, loaded: Loaded, columns: _Columns, output: str | None, elapsed: float) -> RfmResult:
    spec = loaded.rules.rfm
    assert spec is not None
    scored = found.computed.frame.filter(pl.col("rfm_segment").is_not_null())
    cells = scored.group_by("r_score", "f_score").len().rows()
    return RfmResult(
        as_of=found.plan.context.as_of,
        customers=len(scored),
        events=int(scored["frequency"].sum() or 0),
        bins=spec.bins,
        method=spec.method,
        ties=spec.ties,
        map=spec.map,
        segments=_segments(scored, spec),
        thresholds=found.computed.thresholds,
        grid={(r, f): count for r, f, count in sorted(cells)},
        guesses=columns.guesses,
        tables=found.tables,
        warnings=(*map(_without_place, found.warnings), *_stale(scored, found, columns)),
        elapsed_seconds=elapsed,
        path=None if output in (None, STDOUT) else output,
    )


def _stale(scored: pl.DataFrame, found: Evaluated, columns: _Columns) -> list[Diagnostic]:
    """A warning where the data ends long before `as_of`, so that every recency is large."""
    latest = scored["recency_days"].min()
    if "time" not in columns.chosen or not isinstance(latest, int) or latest <= STALE_AFTER_DAYS:
        return []
    last_day = found.plan.context.as_of - dt.timedelta(days=latest)
    message = f"the last event was on {last_day}, {latest:,} days before {found.plan.context.as_of}"
    hint = f"to look at the customers as they stood then: `--as-of {last_day}`"
    return [Diagnostic(message, hint=hint, severity=Severity.WARNING)]


def _segments(scored: pl.DataFrame, spec: Rfm) -> tuple[RfmSegment, ...]:
    """The segments that have customers, in the order of the map."""
    exact = scored.with_columns(as_money(pl.col("monetary"), scored.schema["monetary"]))
    total = exact["monetary"].sum()
    by_name = exact.group_by("rfm_segment").agg(
        pl.len().alias("customers"),
        pl.col("monetary").sum().alias("revenue"),
        *(pl.col(name).cast(pl.Float64).median().alias(f"median_{name}") for name in RAW.values()),
    )
    rows = {row["rfm_segment"]: row for row in by_name.iter_rows(named=True)}
    return tuple(
        RfmSegment(
            name=name,
            customers=row["customers"],
            share=100 * row["customers"] / len(scored),
            revenue=row["revenue"],
            revenue_share=float(100 * row["revenue"] / total) if total else None,
            recency_days=row["median_recency_days"],
            frequency=row["median_frequency"],
            monetary=row["median_monetary"],
        )
        for name in _order(spec, rows)
        if (row := rows[name])
    )


def _order(spec: Rfm, present: Mapping[str, object]) -> Sequence[str]:
    """The best codes first: a segment stands where its best code does in the map."""
    ranked = sorted(map_codes(spec).items(), key=lambda item: item[0], reverse=True)
    return [name for name in dict.fromkeys(name for _, name in ranked) if name in present]
