"""From a rule file to the computed columns of every customer, and what was found on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from segkit.columns.compute import Computed
from segkit.columns.features.rfm.score_shares import drift, scored_columns
from segkit.columns.features.rfm.top_scores import out_of_reach
from segkit.columns.plan.faults import faults
from segkit.columns.plan.plan import Plan
from segkit.criteria.context import Context
from segkit.diagnostics import Diagnostic
from segkit.io.read import Label, Table, Workspace
from segkit.operations.column_facts.readable import beyond_the_sample, readable_columns
from segkit.operations.evaluation.counts import tally_of_lookups, tally_of_tables
from segkit.operations.evaluation.diagnose import placed, refuse
from segkit.operations.evaluation.doubts.bad_values import (
    refuse_bad_values,
    refuse_currencies,
    refuse_guesses,
)
from segkit.operations.evaluation.doubts.hidden_columns import readable_again
from segkit.operations.evaluation.doubts.idle_rules import idle
from segkit.operations.evaluation.doubts.list_cells import other_lists
from segkit.operations.evaluation.doubts.no_rows import refuse_headers, rows_in_footers
from segkit.operations.evaluation.doubts.repeated_events import repeated_events
from segkit.operations.evaluation.doubts.two_digit_years import two_digit_years
from segkit.operations.evaluation.doubts.unknown_keys import unknown_keys
from segkit.operations.evaluation.doubts.wrong_keys import refuse_keys
from segkit.operations.evaluation.open_sources import open_tables
from segkit.operations.evaluation.open_zones import TABLE as ZONES
from segkit.operations.evaluation.open_zones import open_zones
from segkit.operations.evaluation.other_keys import other_keys_by_name
from segkit.operations.evaluation.settle import settle
from segkit.operations.progress import Progress
from segkit.operations.summary.tally import Tally
from segkit.rules.check.references import check_references
from segkit.rules.check.windows import empty_windows
from segkit.rules.findings import dotted
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.loader import Loaded, by_place
from segkit.rules.text.passwords import literal_passwords, other_forms
from segkit.rules.text.row_order import not_reading, without_order


class Input(NamedTuple):
    """A file that was read: of which table, what it is called, and where its content is, or a copy from a pipe.

    Of what was read in a bucket where it is, the content says which one that was; `size` is how long it is itself.
    """

    table: str
    label: Label
    content: Path
    size: int | None = None

    @property
    def bytes(self) -> int:
        """How long the file is."""
        return self.content.stat().st_size if self.size is None else self.size


class Evaluated(NamedTuple):
    """A plan, its computed columns, what was counted of its tables, and warnings."""

    plan: Plan
    computed: Computed
    tally: Tally
    warnings: tuple[Diagnostic, ...]
    inputs: tuple[Input, ...]


def evaluate(
    loaded: Loaded,
    as_of: dt.date,
    ws: Workspace,
    progress: Progress,
    *,
    leaves: bool = False,
    told: frozenset[str] | None = None,
    whole: bool = False,
    kept: frozenset[str] = frozenset(),
    all_columns: bool = False,
    of_these: Collection[str] = (),
    given: frozenset[str] = frozenset(),
    unknown: frozenset[str] = frozenset(),
    since: dt.date | None = None,
    ready: Callable[[Plan], None] = lambda _: None,
) -> Evaluated:
    """Every computed column of every customer that an output asks for, and those that are `kept`.

    With `leaves`, also what each criterion of a segment looks at, and of those whose keys are `told`, or of all, what
    is told beside it; with `whole`, all that is computed on the way; with `all_columns`, all that rules could read, or
    what is `of_these`.

    The tables have the columns that are `given`: these are not computed, nor are those that are `unknown`, which look
    at all customers. With `since`, customers also have what they bought after that day. Before anything is computed,
    `ready` may refuse the plan.

    Raises `RuleError` for what does not fit, `DataError` for what cannot be read.
    """
    warnings = refuse(without_data(loaded))
    warnings += [placed(loaded, finding) for finding in empty_windows(loaded.rules, as_of)]
    tables = open_tables(loaded, ws, progress)
    zones, nowhere = open_zones(loaded, ws)
    refuse(placed(loaded, finding) for finding in nowhere)
    also: Mapping[str, frozenset[str]] = {}
    if all_columns:
        tables = {name: beyond_the_sample(table) for name, table in tables.items()}
        readable = readable_columns(loaded.rules, tables)[CUSTOMERS]
        also = {CUSTOMERS: readable.intersection(of_these) if of_these else readable}
    context = Context(
        as_of,
        zones=zones.areas,
        leaves=leaves,
        told=told,
        whole=whole,
        kept=kept,
        also=also,
        given=given,
        unknown=unknown,
        since=since,
    )
    settled = settle(loaded, tables, context, ws, progress, ready)
    plan, computed = settled.plan, settled.computed
    refuse_headers(plan, settled.looks)
    warnings += refuse_bad_values(plan, {name: look.bad for name, look in settled.looks.items() if look.bad}, computed)
    parts = [part for table in settled.tables.values() for part in table.parts]
    warnings += dict.fromkeys(note for part in parts for note in part.notes)  # once a file
    warnings += [placed(loaded, finding) for finding in other_lists(plan)]
    refuse_currencies(plan, computed.counts)
    warnings += repeated_events(plan, computed, ws)
    warnings += refuse_guesses(plan, settled.guessed)
    refuse_keys(plan, computed)
    warnings += unknown_keys(plan, computed)
    warnings += rows_in_footers(plan)
    warnings += [placed(loaded, finding) for finding in readable_again(plan)]
    warnings += two_digit_years(plan)
    for name, rfm in loaded.rules.rfm.items():
        scored = computed.customers.select(scored_columns(name)).collect()
        of_scores = (*drift(name, rfm, scored), *out_of_reach(name, rfm, scored))
        warnings += [placed(loaded, finding) for finding in of_scores]
    warnings += sorted((placed(loaded, finding) for finding in idle(plan, computed)), key=by_place)
    inputs = _inputs(loaded, settled.tables, zones.files)
    tally = tally_of_lookups(plan).add(tally_of_tables(plan, computed))
    return Evaluated(plan=plan, computed=computed, tally=tally, warnings=tuple(warnings), inputs=inputs)


def _inputs(loaded: Loaded, tables: Mapping[str, Table], zone_files: Mapping[Path, Path]) -> tuple[Input, ...]:
    """The files that a run read: of tables, of zones, and rule files that are included."""
    inputs = [
        Input(name, part.label, part.content, part.size) for name, table in tables.items() for part in table.parts
    ]
    inputs += [Input(ZONES, Label(str(path)), content) for path, content in zone_files.items()]
    included = [(dotted(place), f.path) for place, f in loaded.source.included.items()]
    return tuple(inputs + [Input(place, Label(path), Path(path)) for place, path in included])


def without_data(loaded: Loaded) -> list[Diagnostic]:
    """The errors and warnings of a rule file that show without the data, in the order of the file."""
    problems = [
        *check_references(loaded),
        *other_keys_by_name(loaded),
        *(placed(loaded, fault) for fault in faults(loaded.rules)),
        *map(loaded.source.placed, (*other_forms(loaded.rules), *literal_passwords(loaded.source))),
        *map(loaded.source.placed, (*without_order(loaded.rules), *not_reading(loaded.rules))),
    ]
    return sorted(dict.fromkeys(problems), key=by_place)
