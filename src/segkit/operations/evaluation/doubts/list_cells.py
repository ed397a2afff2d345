"""Cells that hold several values, and are not written as the rule file says."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from segkit.columns.helpers import cell
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.lists import FORMS, misshapen
from segkit.columns.tables.view import View
from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.io.read.values.column import NO_VALUE
from segkit.rules.findings import Finding
from segkit.rules.tables import CUSTOMERS
from segkit.words import plural

LONGEST = 60
"""Characters of a cell that are shown."""


def other_lists(plan: Plan) -> Iterator[Finding]:
    """A warning for each column that is split at a separator though cells of it are arrays of JSON or PostgreSQL."""
    customers, lists = plan.views[CUSTOMERS], plan.rules.customers.lists
    plain = [n for n, how in lists.items() if how not in FORMS and cell(n) in customers.frame.collect_schema()]
    looks = [_looks(pl.col(cell(name)), how).sum().alias(f"{how} {name}") for name in plain for how in FORMS]
    counts = customers.kept().select(looks).collect().row(0, named=True) if looks else {}
    for name in plain:
        for how, form in FORMS.items():
            if count := counts[f"{how} {name}"]:
                message = f"{plural(count, 'cell')} of column `{name}` {'is' if count == 1 else 'are'} {form.words}, "
                message += f"split at `{lists[name]}` all the same"
                yield Finding(("customers", "lists", name), message, f'write `{name} = "{how}"`', warning=True)


def _looks(text: pl.Expr, how: str) -> pl.Expr:
    return ~misshapen(text, how) & text.str.contains(r"^\s*[\[{]")


def misshapen_cells(view: View, name: str, count: int) -> Diagnostic:
    """The error for cells of a column that are not the arrays that they should be: how many, and the first."""
    how = view.doubts.cells[name]
    wrong = view.frame.with_row_index("row", offset=1).filter(misshapen(pl.col(cell(name)), how)).head(1)
    row, text = wrong.select("row", cell(name)).collect().row(0)
    shown = text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    what = f"{plural(count, 'cell')} of column `{name}` cannot be read as {FORMS[how].words}"
    hint = f'`lists = {{ {name} = "," }}` splits at a text; `bad_values = "missing"` counts such cells as missing'
    if text.strip() in NO_VALUE:
        hint = f'give `null_values = ["{text.strip()}"]` if that means nothing'
    return Diagnostic(f"{what}: `{shown}` in row {row:,}", SourceLocation(str(view.table.paths[0])), hint)
