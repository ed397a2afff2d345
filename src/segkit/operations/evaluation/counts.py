"""What became of the rows of each table."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import polars as pl

from segkit.columns import helpers
from segkit.columns.compute import Computed
from segkit.columns.helpers import is_visible
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.read_lookup import DUPLICATES
from segkit.columns.tables.view import kept_rows
from segkit.criteria.places import on_the_map
from segkit.diagnostics import Diagnostic
from segkit.errors import DataError
from segkit.operations.summary.tally import Entry, Tally
from segkit.results.parts import TableCounts
from segkit.rules import walk
from segkit.rules.model.sources import Customers, Lookup
from segkit.rules.tables import CUSTOMERS, suppression_table
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
        if read > sum(rows) and computed.column(plan.match).is_duplicated().any():
            continue  # the events of a customer who is there twice are, too: his key is refused
        message = f"{read:,} of the {plural(sum(rows), 'row')} of `{name}` were read"
        hint = (
            'look for quotation marks that are left open, or give `quote = ""`; please send such lines to the authors'
        )
        lost.append(Diagnostic(message, view.table.place, hint))
    if lost:
        raise DataError(*lost)


def tally_of_lookups(plan: Plan) -> Tally:
    """The rows of the tables that are read once, whoever the customers are, and those left out for each reason."""
    return Tally({one: number for name, row in plan.lookup_counts.items() for one, number in _rows(plan, name, row)})


def _rows(plan: Plan, name: str, counts: pl.DataFrame) -> Iterator[tuple[Entry, int]]:
    found = {helpers.found(lookup) for lookup in plan.lookups_into(name)}
    for reason in counts.columns:
        if is_visible(reason) or reason in found:
            yield ("table", name, reason), int(counts[reason].item() or 0)


def tally_of_tables(plan: Plan, computed: Computed) -> Tally:
    """The rows of customers and of events, those left out for each reason, and what was found for whom."""
    numbers: dict[Entry, int | Decimal] = {("customers",): computed.size}
    for name, counts in computed.counts.items():
        if name in plan.lookup_counts:
            continue
        numbers |= _rows(plan, name, counts)
        if name in computed.matched:
            left_out = kept_rows(counts) - computed.matched[name]
            numbers["table", name, UNKNOWN] = left_out
        if name == CUSTOMERS and plan.rules.customers.duplicates != "error":
            numbers["table", name, DUPLICATES] = kept_rows(counts) - computed.size
    for file, column in plan.listed:
        numbers["listed", file, column] = int(computed.column(helpers.listed(file, column)).sum())
    if any(block.geographic.places for _, block in walk.blocks(plan.rules)):
        numbers["located",] = _located(plan.rules.customers, computed.customers)
    return Tally(numbers)


def tables_of(plan: Plan, tally: Tally) -> tuple[TableCounts, ...]:
    """What became of the rows of each table, and how it was read."""
    names = dict.fromkeys(entry[1] for entry in tally.numbers if entry[0] == "table")
    return tuple(_table(plan, tally, name) for name in names)


def _table(plan: Plan, tally: Tally, name: str) -> TableCounts:
    view, rows, customers = plan.view(name), tally.count("table", name, "rows"), tally.count("customers")
    reasons = [entry[2] for entry in tally.numbers if entry[:2] == ("table", name)]
    left_out = {reason: tally.count("table", name, reason) for reason in reasons if is_visible(reason)}
    del left_out["rows"]
    types = {f"column {c}": view.table.columns[c].how for c in sorted(view.reads.values & view.table.columns.keys())}
    detected = {**view.table.detected, **{column: how for column, how in types.items() if how}}
    for lookup in plan.lookups_into(name):
        at_once = lookup in view.doubts.lookups
        of = plural(rows, "row") if at_once else plural(customers, "customer")
        detected[f"lookup {lookup}"] = f"found for {tally.count('table', name, helpers.found(lookup)):,} of {of}"
    for (file, column), values in plan.listed.items():
        if name == suppression_table(file):
            found = tally.count("listed", file, column)
            detected[f"by {column}"] = f"{plural(len(values), 'value')}, {plural(found, 'customer')} found"
    if name == CUSTOMERS and ("located",) in tally.numbers:
        # Those without a place on the map are in no circle and no zone.
        detected["coordinates"] = f"{tally.count('located'):,} of {customers:,} customers"
    return TableCounts(
        name=name,
        rows=rows,
        left_out=left_out,
        detected=detected,
        paths=tuple(label.path for label in view.table.labels),
    )


def _located(spec: Customers, customers: pl.LazyFrame) -> int:
    """How many customers have a place on the map."""
    assert spec.latitude is not None and spec.longitude is not None, "checked before the run"
    degrees = [pl.col(name).cast(pl.Float64) for name in (spec.latitude, spec.longitude)]
    return int(customers.select(on_the_map(*degrees).sum()).collect().item() or 0)
