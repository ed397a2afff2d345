"""Values that cannot be read, and numbers that can be read in two ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import cycle

from segkit.columns.compute import Computed
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.view import View
from segkit.diagnostics import Diagnostic
from segkit.errors import DataError
from segkit.io.read import bad_values
from segkit.io.read.values.column import NUMERIC
from segkit.io.read.values.numbers import both_readings
from segkit.operations.evaluation.diagnose import about_table
from segkit.operations.evaluation.list_cells import misshapen_cells
from segkit.words import plural


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
    """The columns that are read as numbers with a decimal comma, although nothing settles that it is one."""
    names = []
    for name in sorted(view.reads.values & view.table.columns.keys()):
        column, (as_type, money) = view.table.columns[name], view.reads.type_of(view.table, name)
        if column.is_text and column.number.guessed and (money or (as_type or column.type) in NUMERIC):
            names.append(name)
    return names


def guessed(view: View, column: str) -> Diagnostic:
    """The warning about a column whose decimal comma nothing settles."""
    # Shows the form of the value alone: warnings stand in the manifest, which holds no customer's data.
    digits = cycle("123456789")
    text = re.sub(r"[0-9]", lambda _: next(digits), view.table.columns[column].number.guessed)
    read, other = both_readings(text)
    message = f"what is written like `{text}` in column `{column}` is read as {read}, with a decimal comma"
    hint = f'give the source `decimal = ","` for {read}, or `thousands = ","` for {other}'
    return about_table(f"{message}; it could be {other}, and no value settles it", view.table, hint)
