"""What became of the rows of each table."""

from __future__ import annotations

import polars as pl

from segkit.columns import helpers
from segkit.columns.compute import Computed
from segkit.columns.helpers import is_hidden
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.read_lookup import DUPLICATES
from segkit.columns.tables.view import kept_rows
from segkit.criteria.places import on_the_map
from segkit.diagnostics import Diagnostic
from segkit.errors import DataError
from segkit.results import TableCounts
from segkit.rules import walk
from segkit.rules.model.sources import Customers, Lookup
from segkit.rules.tables import suppression_table
from segkit.words import plural

UNKNOWN = "unknown_customer"


def refuse_lost_rows(plan: Plan, computed: Computed) -> None:
    """`DataError` where not as many rows were read of a text as it has: a list must not lack customers in silence."""
    lost = []
    for name, counts in computed.counts.items():
        view = plan.view(name)
        spec = view.spec
        made = (isinstance(spec, Customers) and spec.from_) or (isinstance(spec, Lookup) and spec.explode)
        rows = [part.rows for part in view.table.parts if part.rows is not None]
        read = int(counts["rows"].item())
        if made or len(rows) < len(view.table.parts) or sum(rows) == read:
            continue
        message = f"{read:,} of the {plural(sum(rows), 'row')} of `{name}` were read"
        hint = (
            'look for quotation marks that are left open, or give `quote = ""`; please send such lines to the authors'
        )
        lost.append(Diagnostic(message, view.table.place, hint))
    if lost:
        raise DataError(*lost)


def table_counts(plan: Plan, computed: Computed, name: str) -> TableCounts:
    """How many rows a table has, how many are left out for each reason, and how the table was read."""
    counts, view = computed.counts[name], plan.view(name)
    reasons = [column for column in counts.columns if column != "rows" and not is_hidden(column)]
    left_out = {reason: int(counts[reason].item() or 0) for reason in reasons}
    if name in computed.matched:
        left_out[UNKNOWN] = kept_rows(counts) - computed.matched[name]
    if isinstance(view.spec, Customers) and view.spec.duplicates != "error":
        left_out[DUPLICATES] = kept_rows(counts) - len(computed.frame)
    types = {f"column {c}": view.table.columns[c].how for c in sorted(view.reads.values & view.table.columns.keys())}
    detected = {**view.table.detected, **{column: how for column, how in types.items() if how}}
    for lookup in plan.lookups_into(name):
        at_once = lookup in view.doubts.lookups
        of = plural(int(counts["rows"].item()), "row") if at_once else plural(len(computed.frame), "customer")
        detected[f"lookup {lookup}"] = f"found for {int(counts[helpers.found(lookup)].item() or 0):,} of {of}"
    for (file, column), values in plan.listed.items():
        if name == suppression_table(file):
            found = int(computed.frame[helpers.listed(file, column)].sum())
            detected[f"by {column}"] = f"{plural(len(values), 'value')}, {plural(found, 'customer')} found"
    if isinstance(view.spec, Customers) and any(block.geographic.places for _, block in walk.blocks(plan.rules)):
        detected["coordinates"] = _located(view.spec, computed.frame)
    return TableCounts(
        name=name,
        rows=int(counts["rows"].item()),
        left_out=left_out,
        detected=detected,
        paths=tuple(label.path for label in view.table.labels),
    )


def _located(spec: Customers, customers: pl.DataFrame) -> str:
    """How many customers have a place on the map; those without are in no circle and no zone."""
    assert spec.latitude is not None and spec.longitude is not None, "checked before the run"
    degrees = [pl.col(name).cast(pl.Float64) for name in (spec.latitude, spec.longitude)]
    known = customers.select(on_the_map(*degrees).sum()).item()
    return f"{int(known or 0):,} of {len(customers):,} customers"
