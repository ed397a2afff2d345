"""Values that conditions ask for and no row has: most often a spelling that the data does not share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import polars as pl

from segkit import codes
from segkit.columns.plan.mentions import Mention, mentions
from segkit.columns.plan.plan import Plan
from segkit.criteria.kinds import kind_of
from segkit.io.read.values.texts import WHITE
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.tables import CUSTOMERS
from segkit.words import nearest

ASKS = ("is", "in", "has_any", "has_all")
"""The operators that ask for values."""
MANY = 5_000
"""In a column with more different values than this, no similar value is looked for."""

Values = Mapping[tuple[str, str], Collection[Any]]
"""(Table, column) -> the values that occur in it."""


Hint: TypeAlias = Callable[[Mention, str, Sequence[str]], str | None]
"""Makes the next step of a condition, a value that it asks for, and the values that occur, in order."""


def near_values(_: Mention, asked: str, values: Sequence[str]) -> str | None:
    """The values that come near to what is asked for; those of a column with very many are not looked at."""
    return nearest(asked, values, "values") if len(values) <= MANY else None


def never_found(
    plan: Plan, customers: pl.DataFrame, within: Collection[KeyPath] = ((),), *, hint: Hint = near_values
) -> Iterator[Finding]:
    """A warning for each value that a condition asks for and that does not occur in the column.

    `within` are the paths of the conditions to look at. Looked at are columns of text, of true or false, and of lists,
    in tables and in bands: other computed columns have values that nobody may have today. `customers` are those of the
    run, with the columns that are joined or derived late.
    """
    asking = [m for m in mentions(plan.rules) if m.condition and any(_asked(m))]
    asking = [m for m in asking if any(m.path[: len(path)] == path for path in within)]
    occurring = _values(plan, customers, {(m.table, m.column) for m in asking})
    for mention in asking:
        values = occurring.get((mention.table, mention.column))
        if values is not None:
            yield from _missing(mention, values, hint)


def _asked(mention: Mention) -> Iterator[tuple[str, Any]]:
    """Each (operator, value) that the condition asks for."""
    assert mention.condition is not None
    for name, operand in mention.condition.operators():
        if name in ASKS:
            yield from ((name, value) for value in (operand if isinstance(operand, tuple) else (operand,)))


def _missing(mention: Mention, values: Collection[Any], hint: Hint) -> Iterator[Finding]:
    assert mention.condition is not None
    fold = str.lower if mention.condition.ignore_case else str
    known = {fold(_text(value)) for value in values}
    for operator, value in _asked(mention):
        text = _text(value)
        # As a whole, texts are compared without the white space around them, which values have lost, too.
        if fold(text if operator.startswith("has_") else text.strip(WHITE)) not in known:
            near = hint(mention, text, sorted(map(_text, values)))
            message = f"`{text}` does not occur in column `{mention.column}` of `{mention.table}`"
            yield Finding((*mention.path, operator), message, near, warning=True, code=codes.VALUE_NOT_FOUND)


def _values(plan: Plan, customers: pl.DataFrame, wanted: Collection[tuple[str, str]]) -> Values:
    """The values that occur in these columns, from one pass over each table."""
    occurring: dict[tuple[str, str], Collection[Any]] = {}
    for name, view in (*plan.views.items(), *plan.lookup_views.items()):
        columns = [column for table, column in sorted(wanted) if table == name and _counts(view.schema.get(column))]
        for column, values in _distinct(view.frame, columns).items():
            occurring[name, column] = values
    late = {name for step in plan.steps if step.path[0] in ("customers", "lookup") for name in step.names}
    columns = [c for t, c in sorted(wanted) if t == CUSTOMERS and c in late and _counts(customers.schema.get(c))]
    for column, values in _distinct(customers.lazy(), columns).items():
        occurring[CUSTOMERS, column] = values
    for name, trait in plan.rules.trait.items():
        if trait.bands and trait.bands.labels:
            occurring[CUSTOMERS, name] = trait.bands.labels
    return occurring


def _counts(dtype: pl.DataType | None) -> bool:
    return dtype is not None and kind_of(dtype) in ("text", "boolean", "list")


def _distinct(frame: pl.LazyFrame, columns: Iterable[str]) -> dict[str, list[Any]]:
    schema = frame.collect_schema()
    parts = []
    for name in columns:
        value = pl.col(name).explode() if isinstance(schema[name], pl.List) else pl.col(name)
        parts.append(value.drop_nulls().unique().implode())
    return frame.select(parts).collect().row(0, named=True) if parts else {}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
