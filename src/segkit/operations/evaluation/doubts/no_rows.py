"""Lines of a text that are no rows: headers that come again, totals; and rows that `skip_footer` takes for none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import polars as pl

from segkit import codes
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import SecondLook, View
from segkit.diagnostics import Diagnostic, Quotes, Severity, SourceLocation
from segkit.errors import DataError
from segkit.io.read import Opened
from segkit.io.read.values.texts import WHITE, trimmed
from segkit.rules.model.sources import Customers, Events, Lookup, Source
from segkit.rules.tables import CUSTOMERS
from segkit.rules.text.toml import toml_key

TOTAL = re.compile(
    r"(?:(?:grand |sub)?totals?|(?:general |overall )?sum|summe|gesamt(?:summe)?|somme|total général|totale|suma"
    r"|totaal)"
    r"(?:\s*[:=(].*)?"
    r"|\d+ (?:rows?|records?|lignes?|zeilen)",
    re.IGNORECASE,
)
"""What the key of a line of totals says."""
LAST = 3
"""Rows at the end of a sheet that may be totals."""


def refuse_headers(plan: Plan, looks: Mapping[str, SecondLook]) -> None:
    """`DataError` where a line of a table, which no `where` leaves out, is the header once more."""
    for name in (name for name, look in looks.items() if look.headers):
        _refuse_header(plan.view(name), key_of(plan, plan.view(name).spec))


def key_of(plan: Plan, spec: Source) -> str:
    """The column with the keys of customers in a source; several for a lookup."""
    if isinstance(spec, Customers):
        return spec.key
    if isinstance(spec, Events):
        return spec.key or plan.rules.customers.key
    return ", ".join(spec.on.values()) if isinstance(spec, Lookup) else ""


def refuse_headers_and_totals(plan: Plan, keys: pl.Series) -> None:
    """`DataError` for a line that repeats the header, and for a last line that is a total."""
    view = plan.views[plan.rules.customers.from_ or CUSTOMERS]
    texts = [part for part in view.table.parts if part.text]
    key = key_of(plan, view.spec)
    if view.spec.skip_footer != 0:
        _refuse_totals_of_sheets(view, key_of(plan, view.spec), keys)
    for part in (part for part in view.table.parts if part.text is None and key in part.names):
        _refuse_header_of_frame(view, part, key, keys)
        if part.numbers is None:
            _refuse_totals_of_frame(part, key, keys)
    if not texts or keys.is_empty():
        return
    if key not in view.table.columns and not view.spec.where:
        again = view.table.repeats_header()
        if again is not None and not view.table.frame.filter(again).head(1).collect().is_empty():
            _refuse_header(view, key)
    was = texts[0].headers.get(key)
    if was and len(_named(keys, was)):
        _refuse_header(view, key)
    if view.spec.skip_footer != 0:
        _refuse_totals(view, key, keys)


def _named(keys: pl.Series, name: str) -> pl.Series:
    """The keys that are this name in any case; few keys are as long."""
    as_long = keys.filter(keys.str.len_chars() == len(name))
    return as_long.filter(as_long.str.to_lowercase() == name.lower())


def _refuse_header(view: View, key: str) -> None:
    for part in (part for part in view.table.parts if part.text):
        assert part.text is not None
        line = next((line for line, fields in part.text.records() if _seen(fields) == _seen(part.text.names)), 0)
        if line:
            name = next((name for name in key.split(", ") if name in part.own_names), part.own_names[0])
            hint = f'leave such lines out: `where.{toml_key(name)}.not = "{part.headers[name]}"`'
            raise DataError(Diagnostic("this line repeats the header", SourceLocation(part.label.path, line), hint))


def _refuse_header_of_frame(view: View, part: Opened, key: str, keys: pl.Series) -> None:
    """`DataError` where a row, which counts as a customer's, has in each column of texts the name of it."""
    was = view.spec.rename.get(key, key)
    named = _named(keys, was)
    schema = part.frame.collect_schema()
    if named.is_empty() or schema[key] != pl.String:
        return
    again = [
        trimmed(pl.col(name)).str.to_lowercase() == view.spec.rename.get(name, name).lower()
        if dtype == pl.String
        else pl.col(name).is_null()
        for name, dtype in schema.items()
    ]
    counts = trimmed(pl.col(key)).is_in(named.implode())
    found = part.frame.filter(counts, *again).select(key).head(1).collect()
    if found.is_empty():
        return
    hint = f'leave such rows out: `where.{toml_key(key)}.not = "{found.item()}"`'
    raise DataError(Diagnostic("a row repeats the names of the columns", part.place(), hint))


def _refuse_totals_of_frame(part: Opened, column: str, keys: pl.Series) -> None:
    """`DataError` where a row says that it is a total, if it counts as a customer's; it may stand anywhere."""
    totals = keys.filter(keys.str.contains(f"(?i)^(?:{TOTAL.pattern})$"))
    for key in totals.head(1):
        others = keys.filter(~keys.is_in(totals.implode()))
        if _is_unlike(key, others) or (len(others) > 1 and "@" not in key and others.str.contains("@").all()):
            message = f"the row with the key `{key}` looks like a total and not like a customer"
            hint = f'leave it out with `where.{toml_key(column)}.not = "{key}"`'
            raise DataError(Diagnostic(message, part.place(), hint, quotes=Quotes(column, (key,))))


def _seen(fields: Iterable[str]) -> list[str]:
    return [field.strip(WHITE).lower() for field in fields]


class _Total(NamedTuple):
    """A line of totals that counts as a customer's, and how many lines there are from it to the end."""

    line: int
    key: str
    lines: int


def _refuse_totals(view: View, column: str, keys: pl.Series) -> None:
    """`DataError` where one of the last lines of a file is a total, if it counts as a customer's."""
    texts = [part for part in view.table.parts if part.text]
    totals = [(part, found) for part in texts if (found := _total_of(view, part, column, keys))]
    if not totals:
        return
    part, total = totals[0]
    message = f"the last line, with the key `{total.key}`, looks like a total and not like a customer"
    skip = f"`skip_footer = {(view.spec.skip_footer or 0) + total.lines}`"
    if len(totals) < len(texts):
        # `skip_footer` would take a row of the other files.
        hint = f'other files have none: leave it out with `where.{toml_key(column)}.not = "{total.key}"`'
    else:
        hint = f"leave it out with {skip}; if it is a customer, say so with `skip_footer = 0`"
    place, quotes = SourceLocation(part.label.path, total.line), Quotes(column, (total.key,))
    raise DataError(Diagnostic(message, place, hint, quotes=quotes))


def _refuse_totals_of_sheets(view: View, column: str, keys: pl.Series) -> None:
    """`DataError` where one of the last rows of a sheet says that it is a total, if it counts as a customer's."""
    for part in (part for part in view.table.parts if part.numbers is not None and column in part.names):
        assert part.numbers is not None
        last = part.frame.select(pl.col(column).cast(pl.String)).tail(LAST).collect().to_series()
        for row, value in zip(part.numbers.tail(LAST), last, strict=True):
            key = (value or "").strip()
            if TOTAL.fullmatch(key) and keys.is_in([key]).any():
                message = f"the row with the key `{key}` looks like a total and not like a customer"
                lines = int(part.numbers.filter(part.numbers >= row).len())
                skip = f"`skip_footer = {(view.spec.skip_footer or 0) + lines}`"
                hint = f"leave it out with {skip}; if it is a customer, say so with `skip_footer = 0`"
                raise DataError(Diagnostic(message, part.place(row), hint, quotes=Quotes(column, (key,))))


def _total_of(view: View, part: Opened, column: str, keys: pl.Series) -> _Total | None:
    """The first of the last lines of a file that is a total, and counts as a customer's.

    A customer of events may come in any row, and has other rows: only words tell there.
    """
    assert part.text is not None
    last = part.text.last_records()
    place = part.own_names.index(column) if column in part.own_names else None
    if place is None:  # derived: the customers are in the order of the file, but for those of events
        key = str(keys[-1])
        told = last and isinstance(view.spec, Customers) and not view.spec.where
        is_total = told and any(TOTAL.fullmatch(field.strip()) for field in (key, last[0][1][0]))
        return _Total(part.text.line_before_end(last[0][0]), key, 1) if is_total else None
    for lines in range(len(last), 0, -1):
        behind, fields = last[lines - 1]
        key = fields[place].strip()
        if TOTAL.fullmatch(key) and keys.is_in([key]).any():
            return _Total(part.text.line_before_end(behind), key, lines)
    if not last or not isinstance(view.spec, Customers) or view.spec.skip_footer is not None:
        return None
    behind, fields = last[0]
    key = fields[place].strip()
    if all(field.strip() for field in fields) or not _is_unlike(key, keys) or not keys.is_in([key]).any():
        return None
    return _Total(part.text.line_before_end(behind), key, 1)


def rows_in_footers(plan: Plan) -> list[Diagnostic]:
    """A warning for each file where `skip_footer` leaves out a line that reads as a row."""
    warnings = []
    for name in (name for name in plan.views if name != CUSTOMERS or not plan.rules.customers.from_):
        view = plan.views[name]
        key = key_of(plan, view.spec)
        for part in (part for part in view.table.parts if part.text and part.text.footer and key in part.own_names):
            assert part.text is not None
            place = part.own_names.index(key)
            rows = [line for line, fields in part.text.rows_of_footer() if not TOTAL.match(fields[place].strip())]
            if rows:
                message = f"`skip_footer` leaves out line {rows[0]:,} of `{part.label.name}`, which reads as a row"
                hint = "it counts for each file: leave out the totals with `where`, if only some files have one"
                warnings.append(
                    Diagnostic(
                        message,
                        SourceLocation(part.label.path, rows[0]),
                        hint,
                        Severity.WARNING,
                        code=codes.DOUBTFUL_DATA,
                    )
                )
    return warnings


def _is_unlike(key: str, keys: pl.Series) -> bool:
    """Whether a key has no digit, or is words and a number, where all others have digits and no spaces."""
    others = keys.filter(keys != key)
    digit, space = bool(re.search(r"\d", key)), bool(re.search(r"\s", key) and re.search(r"[^\W\d_]{3}", key))
    if not key or len(others) < 2 or (digit and not space) or not others.str.contains(r"\d").all():
        return False
    return not digit or not others.str.contains(r"\s").any()
