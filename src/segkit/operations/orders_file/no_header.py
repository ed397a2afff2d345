"""Files whose first line is one of their rows, and names no columns."""

from __future__ import annotations

import re

import polars as pl

from segkit.errors import DataError
from segkit.io.read import Table

COMPARED = 1_000
"""How many rows are compared with the first line."""
NUMBER = r"[\d.,]+"
NAMED_ABOVE = "write a line above the rows that names their columns, such as `customer_id`"
EMAIL_IN_NAME = r"\S@\S+\.\w"


def refuse_no_header(table: Table) -> None:
    """`DataError` for a delimited text whose first line is like those below it, or names few columns."""
    text = table.parts[0].text
    if text is None:
        return
    path, names = table.labels[0].path, [name for name in text.names if name in table.columns]
    if 2 * sum(bool(re.fullmatch(r"column_\d+", name)) for name in names) > len(names):
        raise DataError.of(f"the first line of `{path}` names few columns", hint=f"{NAMED_ABOVE}, and nothing above it")
    rows = table.frame.head(COMPARED).select(pl.col(names).cast(pl.String)).collect()
    shaped = [name for n, name in enumerate(names) if _shaped_alike(name, rows[name].drop_nulls(), first=n == 0)]
    reaching = [name for name in names if re.search(EMAIL_IN_NAME, name)]
    repeated = [name for name in names if name in rows[name] and not re.fullmatch(NUMBER, name)]
    if shaped or reaching or 2 <= len(repeated) < len(names):
        position = names.index([*shaped, *reaching, *repeated][0]) + 1
        message = f"the first line of `{path}` has values, not names of columns: see column {position}"
        raise DataError.of(message, hint=NAMED_ABOVE)


def _shaped_alike(name: str, values: pl.Series, *, first: bool) -> bool:
    """Whether a name is written as all values are, but for the digits; numbers are names, too, but not of the first."""
    if not re.search(r"\d", name) or values.is_empty() or (re.fullmatch(NUMBER, name) and not first):
        return False
    shape = re.sub(r"\d+", r"\\d+", re.escape(name.strip()))
    return bool(values.str.strip_chars().str.contains(f"^{shape}$").all())
