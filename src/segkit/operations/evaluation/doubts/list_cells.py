"""Cells that hold several values, and are not written as the rule file says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from segkit import codes
from segkit.columns.helpers import cell
from segkit.columns.plan.plan import Plan
from segkit.columns.tables.lists import FORMS, misshapen
from segkit.columns.tables.view import View
from segkit.diagnostics import Diagnostic, Quotes
from segkit.io.read.values.column import NO_VALUE
from segkit.operations.evaluation.diagnose import place_of
from segkit.rules.findings import Finding
from segkit.rules.tables import CUSTOMERS
from segkit.words import plural

SEPARATORS = (",", ";", "|")
MANY = 0.1
"""The share of cells with another separator that tells that the given one is wrong."""
LONGEST = 60
"""Characters of a cell that are shown."""


def other_lists(plan: Plan) -> Iterator[Finding]:
    """A warning for each column that is split at a separator though its cells are written in another way.

    That is cells that are arrays of JSON or PostgreSQL, and a separator that no cell has, where many have another.
    """
    customers, lists = plan.views[CUSTOMERS], plan.rules.customers.lists
    plain = [n for n, how in lists.items() if how not in FORMS and cell(n) in customers.frame.collect_schema()]
    looks = [_looks(pl.col(cell(name)), how).sum().alias(f"{how} {name}") for name in plain for how in FORMS]
    looks += [
        pl.col(cell(name)).str.contains(mark, literal=True).sum().alias(f"{mark} {name}")
        for name in plain
        for mark in {*SEPARATORS, lists[name]}
    ]
    looks += [pl.col(cell(name)).count().alias(f"all {name}") for name in plain]
    counts = customers.kept().select(looks).collect().row(0, named=True) if looks else {}
    for name in plain:
        for how, form in FORMS.items():
            if count := counts[f"{how} {name}"]:
                message = f"{plural(count, 'cell')} of column `{name}` {'is' if count == 1 else 'are'} {form.words}, "
                message += f"split at `{lists[name]}` all the same"
                yield Finding(
                    ("customers", "lists", name),
                    message,
                    f'write `{name} = "{how}"`',
                    warning=True,
                    code=codes.DOUBTFUL_DATA,
                )
        yield from _other_separator(name, lists[name], counts)


def _other_separator(name: str, given: str, counts: Mapping[str, int]) -> Iterator[Finding]:
    """A warning where no cell has the separator, and more than `MANY` of them have another one."""
    others = [mark for mark in SEPARATORS if counts[f"{mark} {name}"] > MANY * counts[f"all {name}"]]
    if not others or counts[f"{given} {name}"] > MANY * max(counts[f"{mark} {name}"] for mark in others):
        return
    mark = max(others, key=lambda mark: counts[f"{mark} {name}"])
    own, other = counts[f"{given} {name}"], counts[f"{mark} {name}"]
    has = (
        f"{plural(own, 'cell')} of column `{name}` {'has' if own == 1 else 'have'}"
        if own
        else f"no cell of `{name}` has"
    )
    message = f"{has} a `{given}` to split at; {plural(other, 'cell')} {'has' if other == 1 else 'have'}"
    yield Finding(
        ("customers", "lists", name),
        f"{message} `{mark}`",
        f'is it `{name} = "{mark}"`?',
        warning=True,
        code=codes.DOUBTFUL_DATA,
    )


def _looks(text: pl.Expr, how: str) -> pl.Expr:
    return ~misshapen(text, how) & text.str.contains(r"^\s*[\[{]")


def misshapen_cells(view: View, name: str, count: int) -> Diagnostic:
    """The error for cells of a column that are not the arrays that they should be: how many, and the first."""
    how = view.doubts.cells[name]
    text = view.frame.filter(misshapen(pl.col(cell(name)), how)).select(cell(name)).head(1).collect().item()
    shown = text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    what = f"{plural(count, 'cell')} of column `{name}` cannot be read as {FORMS[how].words}"
    hint = f'`lists = {{ {name} = "," }}` splits at a text; `bad_values = "missing"` counts such cells as missing'
    if text.strip() in NO_VALUE:
        hint = f'give `null_values = ["{text.strip()}"]` if that means nothing'
    place = place_of(view.table, name, text)
    if place.line is None:
        rows = view.frame.with_row_index("row", offset=1).filter(misshapen(pl.col(cell(name)), how)).head(1)
        what = f"{what}: `{shown}` in row {rows.collect()['row'].item():,}"
    else:
        what = f"{what}: `{shown}`"
    return Diagnostic(what, place, hint, quotes=Quotes(name, (shown, text.strip())))
