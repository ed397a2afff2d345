"""`rfm`: the RFM table of one file, by a rule file that is made of options and guesses and run like any other."""

from __future__ import annotations

import datetime as dt
import time as clock
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import polars as pl

from segkit.columns.features.rfm.cuts import RAW
from segkit.columns.helpers import KEY
from segkit.columns.money import as_money
from segkit.diagnostics import only_notes
from segkit.errors import RuleError
from segkit.io.publish.folder import publish_file
from segkit.io.read import Workspace
from segkit.io.write import FORMATS, STDOUT
from segkit.operations.evaluation.counts import tables_of
from segkit.operations.evaluation.evaluate import Evaluated, evaluate
from segkit.operations.orders_file.columns import Chosen, choose, open_data
from segkit.operations.orders_file.rules import rule_file
from segkit.operations.orders_file.targets import refuse_targets, spare_inputs, write_rows
from segkit.operations.orders_file.told import RULES, warnings_of, without_rule_file
from segkit.operations.progress import Progress, silent
from segkit.operations.rfm_table.rules import facts, rfm_sections
from segkit.operations.rfm_table.save_cutoffs import cutoffs_text
from segkit.results.rfm import RfmResult, RfmSegment
from segkit.rules.model.computed.rfm import RFM_COLUMNS, Rfm
from segkit.rules.model.computed.rfm_maps import map_codes
from segkit.rules.text.loader import Loaded, load_rules_text


class Chart(NamedTuple):
    """A picture to write beside the table: where, and what draws it."""

    path: str
    draw: Callable[[RfmResult], bytes]


def rfm(
    data: str | Path | Sequence[str | Path],
    *,
    key: str | None = None,
    time: str | None = None,
    amount: str | None = None,
    id: str | None = None,
    where: str | None = None,
    sheet: str | None = None,
    as_of: dt.date | None = None,
    bins: int | None = None,
    method: str | None = None,
    ties: str | None = None,
    cutoffs: str | None = None,
    map: str = "standard",
    output: str | None = None,
    save_cutoffs: str | None = None,
    chart: Chart | None = None,
    stdout: BinaryIO | None = None,
    progress: Progress = silent,
) -> RfmResult:
    """The scores of the customers in a file of orders, or in a customer file that has the three values.

    `data` is a path or glob, or a list of these, read as one table; `where` is SQL that holds for the rows that count,
    `sheet` the sheet of a workbook.
    `cutoffs` is a file that `save_cutoffs` wrote: it says how scores are cut. The defaults are 5 bins, by quantiles,
    with ties low. Raises `DataError` where a column that is needed can neither be found nor guessed.
    """
    started = clock.perf_counter()
    files = [str(path) for path in ([data] if isinstance(data, (str, Path)) else data)]
    options = _options({"bins": bins, "method": method, "ties": ties, "cutoffs": cutoffs, "map": map})
    targets = {"-o": output, "--save-cutoffs": save_cutoffs, "--chart": chart.path if chart else None}
    _refuse_cutoffs(save_cutoffs, ties)
    refuse_targets(targets)
    with Workspace() as ws:
        progress("opening the file")
        with without_rule_file("which has `[rfm]` too"):
            columns = choose(open_data(ws, files, sheet), key=key, time=time, amount=amount, id=id, of_customers=True)
            sections = rfm_sections(columns, options)
            text = rule_file(files, columns, where, as_of, sections, sheet)
            loaded = load_rules_text(text, RULES, formats=FORMATS)
            evaluated = evaluate(loaded, loaded.rules.today(), ws, progress)
        spare_inputs(evaluated, targets)
        result = _result(evaluated, loaded, columns, targets, started)
        contents: dict[str, bytes] = {}
        if save_cutoffs is not None:
            contents[save_cutoffs] = cutoffs_text(evaluated, "", facts(files, columns, where, _spec(loaded))).encode()
        if chart is not None:
            contents[chart.path] = chart.draw(result)
        if any(targets.values()):
            progress("writing")
        if output is not None:
            write_rows(_rows(evaluated), output, ws, stdout, evaluated.plan.context.as_of)
        for path, content in contents.items():
            with publish_file(Path(path)) as target:
                target.write_bytes(content)
    return result._replace(elapsed_seconds=clock.perf_counter() - started)


def _options(given: Mapping[str, object]) -> dict[str, object]:
    """The keys of `[rfm]`.

    A file of cutoffs says how scores are cut; `RuleError` where `method` or `ties` is given beside it.
    """
    options = {name: value for name, value in given.items() if value is not None}
    if "cutoffs" not in options:
        return options
    if other := next((name for name in ("method", "ties") if name in options), None):
        message = f"`--{other}` and `--cutoffs` both say how scores are cut"
        raise RuleError.of(message, hint=f"take `--{other}` out: the file knows it")
    return options | {"method": "cutoffs"}


def _refuse_cutoffs(save_cutoffs: str | None, ties: str | None) -> None:
    """`RuleError` for cutoffs that cannot be saved, before anything is read."""
    if save_cutoffs == STDOUT:
        raise RuleError.of("`--save-cutoffs -`: cutoffs are saved in a file", hint="name one, such as rfm.cutoffs.toml")
    if save_cutoffs is not None and ties == "split":
        message = "`--ties split` tells equal values apart by key: there are no cutoffs that another day could use"
        raise RuleError.of(message, hint="save those of `--ties low` or `--ties high`")


def _spec(loaded: Loaded) -> Rfm:
    return loaded.rules.rfm[""]


def _rows(evaluated: Evaluated) -> pl.LazyFrame:
    """One row a customer: the key, the three values, the scores, the segment."""
    key = evaluated.plan.rules.customers.key
    names = [name for name in RFM_COLUMNS if name != key]
    return evaluated.computed.frame.lazy().select(pl.col(KEY).alias(key), *names)


def _result(
    evaluated: Evaluated, loaded: Loaded, columns: Chosen, targets: Mapping[str, str | None], started: float
) -> RfmResult:
    spec = _spec(loaded)
    scored = evaluated.computed.frame.filter(pl.col("rfm_segment").is_not_null())
    cells = scored.group_by("r_score", "f_score").len().rows()
    return RfmResult(
        as_of=evaluated.plan.context.as_of,
        customers=len(scored),
        events=int(scored["frequency"].sum() or 0),
        bins=spec.bins,
        method=spec.method,
        ties=(spec.cutoffs.ties if spec.cutoffs else None) or spec.ties,
        map=spec.map,
        segments=_segments(scored, spec),
        thresholds=evaluated.computed.thresholds,
        grid={(r, f): count for r, f, count in sorted(cells)},
        guesses=columns.guesses,
        rows_are_orders=columns.rows_are_orders,
        tables=tables_of(evaluated.plan, evaluated.tally),
        warnings=warnings_of(evaluated, loaded, columns),
        notes=only_notes(evaluated.warnings),
        elapsed_seconds=clock.perf_counter() - started,
        path=None if targets["-o"] == STDOUT else targets["-o"],
        cutoffs=targets["--save-cutoffs"],
        chart=targets["--chart"],
    )


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
    """The segments that have customers, the best first: each stands where its best code does in the map."""
    ranked = sorted(map_codes(spec).items(), key=lambda item: item[0], reverse=True)
    return [name for name in dict.fromkeys(name for _, name in ranked) if name in present]
