"""Keys that cannot be right: all missing, twice the same customer, events of nobody."""

from __future__ import annotations

import re

import polars as pl

from segkit.columns.compute import Computed
from segkit.columns.helpers import KEY
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import NO_KEY, View, kept_rows
from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.errors import DataError
from segkit.io.read import Part
from segkit.rules.model.sources import Customers, Events, Source
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.toml import toml_key

TOTAL = re.compile(
    r"(?:grand |sub)?totals?|(?:general |overall )?sum|summe|gesamt(?:summe)?|somme|total général|totale|suma|totaal"
    r"|\d+ (?:rows?|records?|lignes?|zeilen)",
    re.IGNORECASE,
)
"""What the key of a line of totals says."""
SHORTENED = r"^[0-9](?:[.,][0-9]+)?E\+?[0-9]+$"
"""A long number as a spreadsheet shows it: 1.23457E+11."""


def refuse_keys(plan: Plan, computed: Computed) -> list[Diagnostic]:
    """`DataError` where keys cannot be right; warnings where they are doubtful."""
    customers = plan.views[CUSTOMERS]
    for name, counts in computed.counts.items():
        view = plan.view(name)
        rows, without = int(counts["rows"].item()), int(counts[NO_KEY].item() or 0)
        if rows and rows == without:
            raise _no_keys(view, _key_of(plan, view.spec), rows)
    _refuse_headers_and_totals(customers, computed.frame)
    _refuse_shortened(customers, computed.frame[KEY])
    _refuse_duplicates(customers, computed.frame)
    for name, matched in computed.matched.items():
        kept = kept_rows(computed.counts[name])
        if kept and not matched and len(computed.frame) and not _left_out_all(plan, plan.views[name]):
            raise _no_match(plan, plan.views[name], computed.frame)
    return []


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


def _refuse_headers_and_totals(view: View, customers: pl.DataFrame) -> None:
    """`DataError` for a line that repeats the header, and for a last line that is a total."""
    assert isinstance(view.spec, Customers)
    texts = [part for part in view.table.parts if part.text]
    if not texts or customers.is_empty() or view.spec.from_:
        return
    if view.spec.key in view.table.columns and customers[KEY].is_in([view.spec.key]).any():
        _refuse_header(view, view.spec.key)
    if view.spec.skip_footer is None:
        for part in texts:
            _refuse_total(view, part, customers[KEY])


def _refuse_header(view: View, key: str) -> None:
    for part in (part for part in view.table.parts if part.text):
        assert part.text is not None
        line = next(
            (line for line, fields in part.text.records() if [f.strip() for f in fields] == [*part.text.names]), 0
        )
        if line:
            hint = f'leave such lines out: `where.{toml_key(key)}.not = "{key}"`'
            raise DataError(Diagnostic("this line repeats the header", SourceLocation(str(part.path), line), hint))


def _refuse_total(view: View, part: Part, keys: pl.Series) -> None:
    """The last line is a total where its key says so, or has no digit as all others have, and fields are empty."""
    assert part.text is not None
    assert isinstance(view.spec, Customers)
    if view.spec.key not in part.names:
        return
    last = part.text.last_record()
    if last is None:
        return
    line, fields = last
    key = fields[part.names.index(view.spec.key)].strip()
    if key not in set(keys.tail(1000).to_list()):
        return
    alone = key and not re.search(r"\d", key) and any(not field.strip() for field in fields)
    others = keys.filter(keys != key)
    if TOTAL.fullmatch(key) or (alone and len(others) > 1 and others.str.contains(r"\d").all()):
        message = f"the last line, with the key `{key}`, looks like a total and not like a customer"
        hint = "leave it out with `skip_footer = 1`; if it is a customer, say so with `skip_footer = 0`"
        raise DataError(Diagnostic(message, SourceLocation(str(part.path), line), hint))


def _refuse_shortened(view: View, keys: pl.Series) -> None:
    """`DataError` for keys that lost digits in a spreadsheet."""
    assert isinstance(view.spec, Customers)
    shortened = keys.filter(keys.str.contains(SHORTENED)) if view.spec.normalise_keys != () else keys.head(0)
    if len(shortened):
        message = f"the key `{shortened[0]}` lost its last digits in a spreadsheet"
        hint = "export the keys as text; `[customers] normalise_keys = []` takes such keys as they are"
        raise DataError(Diagnostic(message, _place_of(view, shortened[0]), hint))


def _place_of(view: View, key: str) -> SourceLocation:
    """The file, and for text the line, of a customer's key."""
    assert isinstance(view.spec, Customers)
    for part in view.table.parts:
        if part.text and view.spec.key in part.names:
            column = part.names.index(view.spec.key)
            for line, fields in part.text.records():
                if fields[column].strip() == key:
                    return SourceLocation(str(part.path), line)
    return SourceLocation(str(view.table.paths[0]))


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
