"""Keys that cannot be right: all missing, twice the same customer, events of nobody."""

from __future__ import annotations

import polars as pl

from segkit.columns.compute import Computed
from segkit.columns.helpers import KEY
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import NO_KEY, View, kept_rows
from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError
from segkit.rules.model.sources import Customers, Events, Source
from segkit.rules.tables import CUSTOMERS


def refuse_keys(plan: Plan, computed: Computed) -> None:
    """`DataError` where keys are all missing, come twice, or match no customer."""
    customers = plan.views[CUSTOMERS]
    for name, counts in computed.counts.items():
        view = plan.view(name)
        rows, without = int(counts["rows"].item()), int(counts[NO_KEY].item() or 0)
        if rows and rows == without:
            raise _no_keys(view, _key_of(plan, view.spec), rows)
    _refuse_duplicates(customers, computed.frame)
    for name, matched in computed.matched.items():
        kept = kept_rows(computed.counts[name])
        if kept and not matched and len(computed.frame) and not _left_out_all(plan, plan.views[name]):
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
    # Comparing hashes takes a third of the time. The keys are compared only where two hashes are the same.
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


def _left_out_all(plan: Plan, events: View) -> bool:
    """Whether events have no customer only because `where` leaves those customers out."""
    everybody = plan.views[plan.rules.customers.from_ or CUSTOMERS]
    if not everybody.spec.where and not plan.rules.customers.where:
        return False
    keys = everybody.frame.select(KEY)
    return len(events.kept().join(keys, on=KEY, how="semi").select(KEY).head(1).collect()) > 0
