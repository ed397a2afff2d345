"""What a run decides before anything is written: who is in which segment, who is written, and what is to be said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import polars as pl

from segkit.columns.plan.plan import Plan
from segkit.diagnostics import Diagnostic
from segkit.gates.ledger import Ledger, ledger, memberships
from segkit.io.read import Workspace
from segkit.operations.evaluation.evaluate import Evaluated, evaluate
from segkit.operations.evaluation.of_the_day import in_future, of_the_day
from segkit.operations.lists.lists import List, layout, lists_of, with_marks
from segkit.operations.lists.rows import Rows
from segkit.operations.progress import Progress
from segkit.operations.summary.count import shown, tally_of_customers
from segkit.operations.summary.profiles import Medians, medians
from segkit.operations.tally import Tally
from segkit.rules.model.file import RuleFile
from segkit.rules.text.loader import Loaded


class Decision(NamedTuple):
    """A run that is ready to be delivered.

    `chosen` are the segments that are written. All that the summary counts is in `tally`, the rest of what
    it says in `medians`.
    """

    loaded: Loaded
    evaluated: Evaluated
    chosen: Sequence[str]
    ledger: Ledger
    tally: Tally
    medians: Medians
    lists: Sequence[List]
    rows: Rows
    warnings: Sequence[Diagnostic]

    @property
    def rules(self) -> RuleFile:
        """The rule file."""
        return self.loaded.rules

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
    ready: Callable[[Plan], None] = lambda _: None,
) -> Decision:
    """Who goes where; nothing is written. Raises `RuleError` and `DataError`.

    With `leaves`, the customers also have what each criterion of a segment looks at, and those whose keys are `told`
    what is told beside it; with `whole`, all columns that are computed on the way; in any case those that are `kept`.
    Before anything is computed, `ready` may refuse the plan.
    """
    rules = loaded.rules
    evaluated = evaluate(
        loaded, rules.today(), ws, progress, leaves=leaves, told=told, whole=whole, kept=kept, ready=ready
    )
    progress("finding segments")
    customers = evaluated.computed.frame
    of_gates = ledger(rules, memberships(rules, customers), customers)
    tally = evaluated.tally.add(tally_of_customers(rules, customers, of_gates.lines, chosen))
    members = {name: of_gates.lines[name].written for name in shown(rules, chosen)}
    columns, of_layout = layout(evaluated.plan)
    return Decision(
        loaded=loaded,
        evaluated=evaluated,
        chosen=chosen,
        ledger=of_gates,
        tally=tally,
        medians=medians(customers, members, rules.output.profile),
        lists=lists_of(rules, tally, chosen),
        rows=Rows(with_marks(customers, of_gates.lines).lazy(), rules, columns, evaluated.plan.context.as_of),
        warnings=[*in_future(rules), *evaluated.warnings, *of_the_day(loaded, evaluated), *of_layout],
    )
