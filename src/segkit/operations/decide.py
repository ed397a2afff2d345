"""What a run decides before anything is written: who is in which segment, who is written, and what is to be said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic
from segkit.gates.ledger import Ledger
from segkit.gates.parts import through_gates
from segkit.io.read import Workspace
from segkit.operations.checking.counting.counted import columns_asked, tally_of_questions
from segkit.operations.evaluation.evaluate import Evaluated, evaluate
from segkit.operations.evaluation.of_the_day import in_future, of_the_day
from segkit.operations.lists.audience import cut, with_phones
from segkit.operations.lists.lists import List, layout, lists_of, with_marks
from segkit.operations.lists.rows import Rows
from segkit.operations.progress import Progress
from segkit.operations.summary.aggregates import medians_of_measures
from segkit.operations.summary.count import shown, tally_of_customers
from segkit.operations.summary.profiles import Medians, medians
from segkit.operations.summary.tally import Tally
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded


class Decision(NamedTuple):
    """A run that is ready to be delivered.

    `chosen` are the segments that are written. All that the summary counts is in `tally`, the rest of what
    it says in `medians`; `of_measures` has those of the measures of RFM, by column. `limits` has the value of the last
    customer within the limit of a segment, where one value tells who is.
    """

    loaded: Loaded
    evaluated: Evaluated
    chosen: Sequence[str]
    of_one_part: Ledger | None
    limits: Mapping[str, Any]
    tally: Tally
    medians: Medians
    of_measures: Mapping[str, float]
    lists: Sequence[List]
    rows: Rows
    warnings: Sequence[Diagnostic]

    @property
    def rules(self) -> RuleFile:
        """The rule file."""
        return self.loaded.rules

    @property
    def ledger(self) -> Ledger:
        """The ledger of all customers, who are in one part: nobody else asks who was stopped where."""
        assert self.of_one_part is not None, "the customers are in several parts"
        return self.of_one_part

    @property
    def customers(self) -> pl.DataFrame:
        """One row a customer, with all computed columns."""
        return self.evaluated.computed.frame


def decide(
    loaded: Loaded,
    chosen: Sequence[str],
    ws: Workspace,
    progress: Progress,
    *,
    leaves: bool = False,
    told: frozenset[str] | None = None,
    whole: bool = False,
    kept: frozenset[str] = frozenset(),
    since: dt.date | None = None,
    delivered: bool = True,
    ready: Callable[[Plan], None] = lambda _: None,
) -> Decision:
    """Who goes where; nothing is written. Raises `RuleError` and `DataError`.

    With `leaves`, the customers also have what each criterion of a segment looks at, and those whose keys are `told`
    what is told beside it; with `whole`, all columns that are computed on the way; in any case those that are `kept`,
    and what was bought after the day of `since`. Where nothing is `delivered`, no list is made for a platform. Before
    anything is computed, `ready` may refuse the plan.
    """
    rules = loaded.rules
    evaluated = evaluate(
        loaded,
        rules.today(),
        ws,
        progress,
        leaves=leaves,
        told=told,
        whole=whole,
        kept=kept | columns_asked(rules),
        since=since,
        ready=ready,
    )
    progress("finding segments")
    gates = _through_gates(rules, evaluated.computed.parts, chosen, ws, delivered=delivered)
    tally = evaluated.tally.add(gates.tally)
    columns, of_layout = layout(evaluated.plan)
    lists, of_audience = lists_of(rules, tally, chosen), list[Diagnostic]()
    if delivered:
        lists, of_audience = cut(lists, gates.marked, rules)
    return Decision(
        loaded=loaded,
        evaluated=evaluated,
        chosen=chosen,
        of_one_part=gates.ledger,
        limits=gates.limits,
        tally=tally,
        medians=medians(gates.marked, shown(rules, chosen), rules.output.profile),
        of_measures=medians_of_measures(rules, gates.marked),
        lists=lists,
        rows=Rows(gates.marked, rules, columns, evaluated.plan.context.as_of),
        warnings=[*in_future(rules), *evaluated.warnings, *of_the_day(loaded, evaluated), *of_layout, *of_audience],
    )


class _Passed(NamedTuple):
    """What the gates leave: the customers with marks that say who is in which list, and what was counted of them."""

    marked: pl.LazyFrame
    tally: Tally
    limits: Mapping[str, Any]
    ledger: Ledger | None


def _through_gates(
    rules: RuleFile, parts: Sequence[pl.LazyFrame], chosen: Sequence[str], ws: Workspace, *, delivered: bool
) -> _Passed:
    tally, limits, paths = Tally(), dict[str, Any](), list[Path]()
    for customers, of_part in through_gates(rules, parts):
        marked = with_marks(customers, of_part.lines)
        if delivered:
            marked = with_phones(marked, rules, _listed(of_part, chosen))
        tally = tally.add(tally_of_customers(rules, customers, of_part.lines, chosen))
        tally = tally.add(tally_of_questions(rules, customers, of_part.lines))
        limits = _limits(of_part)  # each part is told the same
        if len(parts) == 1:
            return _Passed(marked.lazy(), tally, limits, of_part)
        paths.append(ws.new_file(".arrow"))
        with ws.filling():
            marked.write_ipc(paths[-1], compression="uncompressed")
    return _Passed(pl.concat(map(pl.scan_ipc, paths)), tally, limits, None)


def _listed(of_gates: Ledger, chosen: Sequence[str]) -> list[pl.Series]:
    """The marks of those in some list: written, held out, or in the control group."""
    lines = [of_gates.lines[name] for name in chosen]
    marks = [mark for line in lines for mark in (line.written, line.held, line.control) if mark is not None]
    return [mark.alias(str(number)) for number, mark in enumerate(marks)]


def _limits(of_gates: Ledger) -> dict[str, Any]:
    return {name: line.last for name, line in of_gates.lines.items() if line.last is not None}
