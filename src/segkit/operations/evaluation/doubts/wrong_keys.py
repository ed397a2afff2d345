"""Keys that cannot be right: all missing, twice the same customer, events of nobody."""

from __future__ import annotations

import polars as pl

from segkit.addresses import database_of
from segkit.columns.compute import Computed
from segkit.columns.helpers import KEY
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import NO_KEY, View, kept_rows
from segkit.diagnostics import Diagnostic, Quotes
from segkit.errors import DataError
from segkit.operations.evaluation.diagnose import place_of
from segkit.operations.evaluation.doubts.no_rows import key_of, refuse_headers_and_totals
from segkit.operations.evaluation.doubts.unknown_keys import has_workbook, spelled_alike
from segkit.rules.model.sources import Customers, Events, Lookup
from segkit.rules.tables import CUSTOMERS, suppression_table
from segkit.words import plural

SHORTENED = r"^[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+$"
"""A long number as a spreadsheet shows it: 1.23457E+11."""
LARGEST_EXACT = 2**53
"""From here on a float does not tell whole numbers apart."""


def refuse_keys(plan: Plan, computed: Computed) -> None:
    """`DataError` where keys cannot be right."""
    customers = plan.views[CUSTOMERS]
    for name, counts in computed.counts.items():
        view = plan.view(name)
        rows, without = int(counts["rows"].item()), int(counts[NO_KEY].item() or 0)
        if rows and rows == without:
            raise _no_keys(view, key_of(plan, view.spec), rows)
    keys = computed.column(KEY)
    refuse_headers_and_totals(plan, keys)
    _refuse_shortened(plan, customers, keys)
    for name, unknown in computed.unknown.items():
        _refuse_shortened(plan, plan.views[name], unknown.keys)
    for (file, column), values in plan.listed.items():
        if column == plan.rules.customers.key:
            _refuse_shortened(plan, plan.view(suppression_table(file)), values)
    _refuse_duplicates(customers, computed.customers.select({KEY, plan.match}).collect(), plan.match)
    for name, matched in computed.matched.items():
        kept = kept_rows(computed.counts[name])
        if kept and not matched and computed.size and not _left_out_all(plan, plan.views[name]):
            raise _no_match(plan, plan.views[name], computed)


def _no_keys(view: View, key: str, rows: int) -> DataError:
    place = view.table.place
    message = f"none of the {rows:,} rows has a key in column `{key}`"
    of_people = isinstance(view.spec, (Customers, Events))
    hint = "name the column that identifies the customer: `key = ...`" if of_people else "is it the right column?"
    return DataError(Diagnostic(message, place, hint))


def _refuse_shortened(plan: Plan, view: View, keys: pl.Series) -> None:
    """`DataError` for keys that lost digits: in a spreadsheet, or as floats."""
    if plan.rules.customers.normalise_keys == ():
        return
    column = plan.rules.customers.key if isinstance(view.spec, Lookup) else key_of(plan, view.spec)
    typed = view.table.columns.get(column)
    lost = keys.str.contains(SHORTENED)
    if typed is not None and typed.dtype.is_float():
        lost |= (keys.cast(pl.Int128, strict=False).abs() >= LARGEST_EXACT).fill_null(value=False)
    shortened = keys.filter(lost).sort()
    if len(shortened):
        how = "in a spreadsheet" if typed is None or typed.is_text else "as a float, which some value of its column is"
        message = f"the key `{shortened[0]}` lost its last digits {how}"
        hint = "export the keys as text; `[customers] normalise_keys = []` takes such keys as they are"
        quotes = Quotes(column, (shortened[0],))
        raise DataError(Diagnostic(message, place_of(view.table, column, shortened[0]), hint, quotes=quotes))


def _refuse_duplicates(view: View, frame: pl.DataFrame, match: str) -> None:
    assert isinstance(view.spec, Customers)
    # Comparing hashes takes a third of the time. The keys are compared only where two hashes are the same.
    if view.spec.duplicates != "error" or frame[match].hash().n_unique() == len(frame):
        return
    twice = frame.filter(pl.col(KEY).is_duplicated())[KEY].unique(maintain_order=True)
    if twice.is_empty():
        _refuse_alike(view, frame, match)
        return
    shown = ", ".join(f"`{key}`" for key in twice.head(5).to_list())
    more = f" and {len(twice) - 5:,} more" if len(twice) > 5 else ""
    keep = 'keep one row of each: `[customers] duplicates = "first"` or `"last"`'
    if isinstance(view.spec.path, str) and database_of(view.spec.path):
        keep += ", with a `query` that ends in `order by`"
    raise DataError(
        Diagnostic(
            f"customer keys come more than once: {shown}{more}",
            place_of(view.table, view.spec.key, twice[0]),
            keep,
            quotes=Quotes(view.spec.key, tuple(twice.head(5))),
        )
    )


def _refuse_alike(view: View, frame: pl.DataFrame, match: str) -> None:
    """`DataError` for two customers whose keys are one in the form in which they are compared."""
    assert isinstance(view.spec, Customers)
    alike = frame.filter(pl.col(match).is_duplicated())
    if alike.is_empty():
        return
    one, other = alike.filter(pl.col(match) == alike[match][0])[KEY].head(2).to_list()
    more = f", and {plural(rest, 'other key')}" if (rest := alike[match].n_unique() - 1) else ""
    message = f"`{one}` and `{other}` are one key with this `normalise_keys`{more}"
    hint = 'take out what makes them one, or keep one row of each: `[customers] duplicates = "first"` or `"last"`'
    quotes = Quotes(view.spec.key, (one, other))
    raise DataError(Diagnostic(message, place_of(view.table, view.spec.key, other), hint, quotes=quotes))


def _no_match(plan: Plan, view: View, computed: Computed) -> DataError:
    customers, given = computed.column(KEY), plan.rules.customers.normalise_keys
    alike = spelled_alike(computed.unknown[view.name].keys, customers, given)
    if alike:
        (event, customer), hint = alike.example, alike.hint(given, in_workbook=has_workbook(plan, view.name))
        become_one = alike.become_one
    else:
        become_one = ()
        event, customer = view.kept().select(KEY).head(1).collect().item(), customers[0]
        hint = "name the columns that hold the same key: `[customers] key` and `[events.NAME] key`"
    message = f"no key of `{view.name}` is a key of the customers: `{event}` there, `{customer}` among the customers"
    quotes = Quotes(plan.rules.customers.key, (event, customer, *become_one))
    return DataError(Diagnostic(message, view.table.place, hint, quotes=quotes))


def _left_out_all(plan: Plan, events: View) -> bool:
    """Whether events have no customer only because `where` leaves those customers out."""
    everybody = plan.views[plan.rules.customers.from_ or CUSTOMERS]
    if not everybody.spec.where and not plan.rules.customers.where:
        return False
    keys = everybody.frame.select(pl.col(plan.match if everybody.name == CUSTOMERS else KEY).alias(KEY))
    return len(events.kept().join(keys, on=KEY, how="semi").select(KEY).head(1).collect()) > 0
