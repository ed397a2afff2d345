"""`basket`: what goes together, and who lacks it; of a file of events, or of a table of a rule file."""

from __future__ import annotations

import datetime as dt
import time as clock
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, NamedTuple

from segkit.diagnostics import Diagnostic, Severity, only_notes
from segkit.discoveries.basket import BasketResult, BasketRule, By, Least, Sort
from segkit.io.read import Workspace
from segkit.io.write import STDOUT
from segkit.operations.discovering.basket.asked import NO_DAY, Asked, of_events, of_rules, require_items
from segkit.operations.discovering.basket.baskets import Baskets, baskets_of
from segkit.operations.discovering.basket.frequent import Level, frequent
from segkit.operations.discovering.basket.returns import sent_back
from segkit.operations.discovering.basket.rows import as_results, as_rows
from segkit.operations.discovering.basket.rules import Found, rules_of
from segkit.operations.discovering.basket.segments import Items, items_of, offers_of, segments, told_of
from segkit.operations.discovering.basket.thresholds import min_count, refuse_least, resting_on_few, without_rules
from segkit.operations.discovering.basket.to_offer import with_offers
from segkit.operations.discovering.saved import save
from segkit.operations.evaluation.counts import tables_of
from segkit.operations.evaluation.evaluate import Evaluated, evaluate
from segkit.operations.orders_file.asked import is_rule_file
from segkit.operations.orders_file.targets import refuse_targets, spare_inputs, write_rows
from segkit.operations.orders_file.told import warnings_of, without_rule_file
from segkit.operations.orders_file.unnamed import refuse_unnamed
from segkit.operations.progress import Progress, silent
from segkit.results.parts import TableCounts
from segkit.words import listed, plural

NO_ITEM = "no_item"
"""Why a row is left out: it does not say what was bought."""


def basket(
    data: str | Path | Sequence[str | Path],
    *,
    key: str | None = None,
    time: str | None = None,
    id: str | None = None,
    item: str | None = None,
    where: str | None = None,
    sheet: str | None = None,
    events: str | None = None,
    by: By | None = None,
    least: Least,
    sort: Sort = "lift",
    top: int = 20,
    as_of: dt.date | None = None,
    save_rules: str | None = None,
    output: str | None = None,
    stdout: BinaryIO | None = None,
    progress: Progress = silent,
) -> BasketResult:
    """Which items are bought together, and how many customers have the one without the other.

    `data` is a rule file (`.toml`), or a path or glob of events, or a list of these, read as one table. `key`, `time`,
    `id`, `where` and `sheet` are as in `rfm`, and go with a file of events; `item` is the column with what was bought.
    Of a rule file, `events` names the table. `by` is what a basket is (default: an order, where its rows can be told).
    `save_rules` gets a segment for each of `top` right sides, `output` one row a rule.
    """
    started = clock.perf_counter()
    files = [str(path) for path in ([data] if isinstance(data, (str, Path)) else data)]
    columns = {"key": key, "time": time, "id": id, "where": where, "sheet": sheet}
    has_rules = is_rule_file(files, columns, {"events": events})
    refuse_least(least)
    refuse_targets({"-o": output, "--save-rules": save_rules})
    with Workspace() as ws:
        with nullcontext() if has_rules else without_rule_file("which `segkit basket` takes, too"):
            progress("opening the file")
            if has_rules:
                asked = of_rules(ws, Path(files[0]), events, item, by, as_of, progress)
            else:
                asked = of_events(ws, files, {**columns, "item": item}, by, as_of)
            if save_rules:
                for path in () if has_rules else files:
                    refuse_unnamed(path)
                save.refuse_target(asked.loaded, save_rules)
            loaded = asked.loaded._replace(rules=asked.rules)
            evaluated = evaluate(
                loaded, loaded.rules.today(), ws, progress, ready=lambda plan: require_items(plan, asked)
            )
        spare_inputs(evaluated, {"-o": output})
        if save_rules:
            save.spare_inputs(evaluated, save_rules)
        mined = _mined(evaluated, asked, least, sort, progress)
        result = _result(evaluated, asked, mined, least, sort, top)
        if save_rules:
            progress("writing")
            result = _saved(asked, mined, result, save_rules)
        if output is not None:
            progress("writing")
            write_rows(as_rows(mined.rules, least.length), output, ws, stdout, result.as_of)
            result = result._replace(path=None if output == STDOUT else output)
    return result._replace(elapsed_seconds=clock.perf_counter() - started)


class _Mined(NamedTuple):
    """The rules, and what they were found in."""

    baskets: Baskets
    items: Items
    least: int
    levels: Sequence[Level]
    found: Found
    rules: tuple[BasketRule, ...]


def _mined(evaluated: Evaluated, asked: Asked, least: Least, sort: Sort, progress: Progress) -> _Mined:
    plan = evaluated.plan
    progress("counting baskets")
    known = None if asked.columns else evaluated.computed.column(plan.match)
    baskets = baskets_of(plan.views[asked.table], asked.item, asked.by, known, asked.sign)
    number = baskets.number
    need = min_count(least, number)
    progress("finding what goes together")
    levels = list(frequent(baskets.lines, need, least.length, f"{asked.by}s"))
    sets = [level.sets for level in levels if level.sets.height] or [levels[0].sets]
    found = rules_of(sets, number, least, sort)
    progress("counting customers")
    rules = with_offers(found.rules, sets, None if asked.by == "customer" else baskets.of_customers)
    items = items_of(baskets.items)
    return _Mined(
        baskets=baskets,
        items=items,
        least=need,
        levels=levels,
        found=found,
        rules=tuple(as_results(rules, items.names)),
    )


def _result(evaluated: Evaluated, asked: Asked, mined: _Mined, least: Least, sort: Sort, top: int) -> BasketResult:
    plan, baskets = evaluated.plan, mined.baskets
    warnings = list(warnings_of(evaluated, asked.loaded, None))
    if not mined.rules:
        warnings.append(without_rules(baskets, mined.levels, mined.found, least, mined.least, asked.by))
    if asked.sign:
        warnings += sent_back(baskets.sent_back, asked.sign, asked.table)
    warnings += resting_on_few(len(mined.rules), mined.least, asked.by)
    return BasketResult(
        as_of=plan.context.as_of,
        by=asked.by,
        table=None if asked.columns else asked.table,
        item=asked.item,
        customers=baskets.customers,
        baskets=baskets.number,
        baskets_of_one=baskets.of_one,
        items=len(baskets.items),
        rows=baskets.rows - baskets.without_item,
        least=least,
        min_count=mined.least,
        sort=sort,
        top=top,
        rules=mined.rules,
        offers=(),
        guesses=asked.guesses,
        tables=_with_no_item(tables_of(plan, evaluated.tally), asked.table, baskets.without_item),
        warnings=tuple(warnings),
        notes=(*only_notes(evaluated.warnings), *_notes(asked, mined)),
        elapsed_seconds=0.0,
    )


def _with_no_item(tables: Sequence[TableCounts], name: str, rows: int) -> tuple[TableCounts, ...]:
    """What became of the rows of each table; those without an item are left out, too."""
    return tuple(
        table._replace(left_out={**table.left_out, NO_ITEM: rows}) if table.name == name else table for table in tables
    )


def _notes(asked: Asked, mined: _Mined) -> Iterator[Diagnostic]:
    """What one may want to know of the baskets, and of those to whom something is offered."""
    rules, rows = asked.loaded.rules, mined.baskets.without_id
    if rows:
        of_its_own = "each is an order of its own" if rows > 1 else "it is an order of its own"
        message = f"{plural(rows, 'row')} without `{rules.events[asked.table].id}`: {of_its_own}"
        yield Diagnostic(message, severity=Severity.NOTE)
    if asked.columns and asked.columns.chosen["time"] == NO_DAY:
        message = "no column says when something was bought, so all rows count"
        yield Diagnostic(message, hint="where one does, name it with `--time`", severity=Severity.NOTE)
    gates = {
        "consent": rules.consent,
        "frequency_cap": rules.frequency_cap,
        "assignment.control": rules.assignment.control,
    }
    if stopping := [f"[{name}]" for name, gate in gates.items() if gate]:
        message = f"those to offer to are counted before {listed(stopping)}, which stand in rules that are saved, too"
        hint = "`segkit apply FILE --dry-run` on the rules saved says how many are written"
        yield Diagnostic(message, hint=hint, severity=Severity.NOTE)


def _saved(asked: Asked, mined: _Mined, result: BasketResult, target: str) -> BasketResult:
    """The result with the segments that were written as a rule file; where nobody lacks anything, nothing is."""
    offers = offers_of(result.rules, result.top)
    if not offers:
        hint = "a file that is there from another day is as it was" if Path(target).exists() else None
        message = f"nobody to offer anything to, so `{target}` was not written"
        nothing = Diagnostic(message, hint=hint, severity=Severity.WARNING)
        return result._replace(warnings=(*result.warnings, nothing))
    save.save_rules(
        asked.loaded,
        target,
        segments(offers, asked.table, asked.item, mined.items, asked.by),
        command="basket",
        told=told_of(asked.by, result.as_of),
        given=asked.given,
    )
    return result._replace(offers=offers, rules_path=target)
