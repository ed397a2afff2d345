"""Values that cannot be read, and numbers that can be read in two ways."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle

import polars as pl

from segkit.columns.compute import Computed
from segkit.columns.helpers import as_it_came
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import View
from segkit.criteria.sql.parse import sql_columns
from segkit.diagnostics import Diagnostic, Quotes
from segkit.errors import DataError
from segkit.io.read import bad_values
from segkit.io.read.values.column import NUMERIC
from segkit.io.read.values.numbers import both_readings, currency_of
from segkit.io.read.values.vocabulary.currencies import distinct
from segkit.operations.evaluation.diagnose import about_table
from segkit.operations.evaluation.doubts.list_cells import misshapen_cells
from segkit.rules import walk
from segkit.rules.tables import CUSTOMERS
from segkit.words import listed, plural


def refuse_bad_values(plan: Plan, bad: Mapping[str, Mapping[str, int]], computed: Computed) -> list[Diagnostic]:
    """Warnings for bad values that count as missing; `DataError` for all others, of all tables at once."""
    errors: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    for name, columns in bad.items():
        view = plan.view(name)
        if view.spec.bad_values == "error":
            as_read = {c: view.reads.type_of(view.table, c) for c in columns if c not in view.doubts.cells}
            errors += bad_values(view.table, as_read).diagnostics if as_read else ()
            errors += [misshapen_cells(view, c, count) for c, count in columns.items() if c in view.doubts.cells]
        else:
            warnings += [
                about_table(f"{_unread(count, column)} as missing", view.table) for column, count in columns.items()
            ]
    if errors:
        raise DataError(*errors)
    return warnings


def _unread(count: int, column: str) -> str:
    return f"{plural(count, 'value')} of `{column}` cannot be read and {'counts' if count == 1 else 'count'}"


def guessed_numbers(view: View) -> list[str]:
    """The columns that are read as numbers with a mark before three digits, which nothing settles: `1.234`."""
    names = []
    for name in sorted(view.reads.values & view.table.columns.keys()):
        column, (as_type, money) = view.table.columns[name], view.reads.type_of(view.table, name)
        if column.is_text and column.number.guessed and (money or (as_type or column.type) in NUMERIC):
            names.append(name)
    return names


def refuse_guesses(plan: Plan, names: Mapping[str, Sequence[str]]) -> list[Diagnostic]:
    """Warnings for numbers that read two ways; `DataError` where they are added up, which makes totals of thousands.

    In files separated by commas or tabs `1,234` is grouped, as spreadsheets write it: only sums warn of it.
    """
    added = {(table, column) for table, column in _added_up(plan)}
    errors: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    for table, columns in names.items():
        view = plan.view(table)
        for column in columns:
            guess = view.table.columns[column].number
            is_added = (table, column) in added or column in view.reads.money
            is_added = is_added or any(
                (table, name) in added and column in sql_columns(text) for name, text in view.spec.derive.items()
            )
            grouped = guess.decimal == "." and "," in guess.guessed
            plain = grouped and view.table.given.delimiter in (",", "\t")
            if is_added and not plain:
                errors.append(_two_readings(view, column))
            elif is_added or not plain:
                warnings.append(_guess(view, column))
    if errors:
        raise DataError(*errors)
    return warnings


def _added_up(plan: Plan) -> Iterator[tuple[str, str]]:
    """The columns whose values a rule adds up, by table."""
    for _, measured in walk.measures(plan.rules):
        if measured.of is not None and measured.measure in ("sum", "mean", "median", "share"):
            yield measured.events, measured.of
    if plan.rules.value and plan.rules.value.cost is not None:
        yield CUSTOMERS, plan.rules.value.cost
    for rfm in plan.rules.rfm.values():
        if rfm.columns:
            yield CUSTOMERS, rfm.columns.monetary


def _two_readings(view: View, column: str) -> Diagnostic:
    text = view.table.columns[column].number.guessed
    decimal, grouped = both_readings(text)
    mark = "," if "," in text else "."
    message = f"`{text}` in column `{column}` is {decimal} or {grouped}: no value settles which, and it is added up"
    hint = f'give the source `decimal = "{mark}"` for {decimal}, or `thousands = "{mark}"` for {grouped}'
    quotes = Quotes(column, (text,), (str(decimal), str(grouped)))
    return Diagnostic(message, view.table.place, hint, quotes=quotes)


def _guess(view: View, column: str) -> Diagnostic:
    # Shows the form of the value alone: warnings stand in the manifest, which holds no customer's data.
    digits = cycle("123456789")
    style = view.table.columns[column].number
    text = re.sub(r"[0-9]", lambda _: next(digits), style.guessed)
    decimal, grouped = both_readings(text)
    mark = "," if "," in text else "."
    is_decimal = style.decimal == mark
    read, other = (decimal, grouped) if is_decimal else (grouped, decimal)
    how = f"with a decimal {'comma' if mark == ',' else 'point'}" if is_decimal else f"with `{mark}` between groups"
    message = f"what is written like `{text}` in column `{column}` is read as {read}, {how}"
    hint = f'give the source `decimal = "{mark}"` for {decimal}, or `thousands = "{mark}"` for {grouped}'
    return about_table(f"{message}; it could be {other}, and no value settles it", view.table, hint)


def refuse_currencies(plan: Plan, tables: Iterable[str]) -> None:
    """`DataError` where amounts of several currencies are read as numbers of one column, in the rows that are kept."""
    errors = []
    for table in tables:
        view = plan.view(table)
        for name in sorted(view.reads.values & view.table.columns.keys()):
            column, (as_type, money) = view.table.columns[name], view.reads.type_of(view.table, name)
            is_read = column.is_text and (money or (as_type or column.type) in NUMERIC)
            if is_read and len(column.number.currencies) > 1:
                mark = currency_of(pl.col(as_it_came(name)))
                marks = distinct(view.kept().select(mark.drop_nulls().unique()).collect().to_series())
                errors += [_mixed(view, name, marks)] if len(marks) > 1 else []
    if errors:
        raise DataError(*errors)


def _mixed(view: View, column: str, marks: Sequence[str]) -> Diagnostic:
    message = f"column `{column}` has amounts in several currencies: {listed(marks)}"
    hint = 'keep the rows of one, with `where` on a column that tells the currency: `where.currency = "EUR"`'
    return Diagnostic(message, view.table.place, hint)
