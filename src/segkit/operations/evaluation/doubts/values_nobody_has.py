"""Values that conditions ask for and no row has: most often a spelling that the data does not share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from segkit import codes
from segkit.columns.plan.mentions import Mention, mentions
from segkit.columns.plan.plan import Plan
from segkit.criteria.conditions import TEXTS
from segkit.criteria.kinds import kind_of
from segkit.io.read.values.texts import WHITE
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.tables import CUSTOMERS

IGNORE_CASE = "with `ignore_case = true`, capitals make no difference"
PARTS = ("contains", "starts_with", "ends_with")
"""The operators that ask for a part of a text."""
ASKS = ("is", "in", "has_any", "has_all")
"""The operators that ask for values."""
Values = Mapping[tuple[str, str], Mapping[Any, int | None]]
"""(Table, column) -> the values that occur in it, and how many rows have each; None for names of the rule file."""


class Asked(NamedTuple):
    """A value that a condition asks for and no row has, with the values that occur in the column and their rows."""

    mention: Mention
    operator: str
    value: str
    occurring: Mapping[str, int | None]

    @property
    def minds_case(self) -> bool:
        """Whether `ignore_case` could be added."""
        assert self.mention.condition is not None
        return self.operator in ("is", "in") and not self.mention.condition.ignore_case


Hint: TypeAlias = Callable[[Asked], str | None]
"""Makes the next step."""


def never_found(
    plan: Plan, customers: pl.LazyFrame, within: Collection[KeyPath] = ((),), *, hint: Hint | None = None
) -> Iterator[Finding]:
    """A warning for each value that a condition asks for and that does not occur in the column.

    `within` are the paths of the conditions to look at. Looked at are columns of text, of true or false, and of lists,
    in tables and in bands: other computed columns have values that nobody may have today. `customers` are those of the
    run, with the columns that are joined or derived late.
    """
    asking = [m for m in mentions(plan.rules) if m.condition]
    asking = [m for m in asking if any(m.path[: len(path)] == path for path in within)]
    occurring = _values(plan, customers, {(m.table, m.column) for m in asking if any(_asked(m))})
    for mention in asking:
        values = occurring.get((mention.table, mention.column))
        if values is not None:
            yield from _missing(mention, values, hint)
    for table, columns, frame in _frames(plan, customers, {(m.table, m.column) for m in asking if any(_parts(m))}):
        yield from _in_another_case([m for m in asking if m.table == table and m.column in columns], frame)


def _asked(mention: Mention) -> Iterator[tuple[str, Any]]:
    """Each (operator, value) that the condition asks for."""
    assert mention.condition is not None
    for name, operand in mention.condition.operators():
        if name in ASKS:
            yield from ((name, value) for value in (operand if isinstance(operand, tuple) else (operand,)))


def _parts(mention: Mention) -> Iterator[tuple[str, str]]:
    """Each (operator, part of a text) that the condition asks for, if capitals make a difference."""
    assert mention.condition is not None
    for name, operand in mention.condition.operators():
        if name in PARTS and not mention.condition.ignore_case:
            yield from ((name, part) for part in operand)


def _in_another_case(asking: Sequence[Mention], frame: pl.LazyFrame) -> Iterator[Finding]:
    """A warning for each part of a text that no value has as it is written, but some has in another case."""
    parts = [(m, operator, part) for m in asking for operator, part in _parts(m)]
    tests = []
    for place, (mention, operator, part) in enumerate(parts):
        value, test = pl.col(mention.column), TEXTS[operator]
        folded = test(value.str.to_lowercase(), part.lower())
        tests.append((folded.any() & ~test(value, part).any()).alias(str(place)))
    found = frame.select(tests).collect().row(0) if tests else ()
    for (mention, operator, part), other_case in zip(parts, found, strict=True):
        if other_case:
            message = f"`{part}` does not occur in column `{mention.column}` of `{mention.table}`"
            hint = f"it occurs in another case: {IGNORE_CASE}"
            yield Finding((*mention.path, operator), message, hint, warning=True, code=codes.VALUE_NOT_FOUND)


def _missing(mention: Mention, values: Mapping[Any, int | None], hint: Hint | None) -> Iterator[Finding]:
    assert mention.condition is not None
    fold = str.lower if mention.condition.ignore_case else str
    texts = {_text(value): rows for value, rows in values.items()}
    known = set(map(fold, texts))
    for operator, value in _asked(mention):
        text = _text(value)
        # As a whole, texts are compared without the white space around them, which values have lost, too.
        if fold(text if operator.startswith("has_") else text.strip(WHITE)) not in known:
            near = hint(Asked(mention, operator, text, texts)) if hint else None
            message = f"`{text}` does not occur in column `{mention.column}` of `{mention.table}`"
            yield Finding((*mention.path, operator), message, near, warning=True, code=codes.VALUE_NOT_FOUND)


def _values(plan: Plan, customers: pl.LazyFrame, wanted: Collection[tuple[str, str]]) -> Values:
    """The values that occur in these columns, from one pass over each table."""
    occurring: dict[tuple[str, str], Mapping[Any, int | None]] = {}
    for table, columns, frame in _frames(plan, customers, wanted):
        occurring |= {(table, column): values for column, values in _counted(frame, columns).items()}
    for name, trait in plan.rules.trait.items():
        if trait.bands and trait.bands.labels:
            occurring[CUSTOMERS, name] = dict.fromkeys(trait.bands.labels)
    return occurring


def _frames(
    plan: Plan, customers: pl.LazyFrame, wanted: Collection[tuple[str, str]]
) -> Iterator[tuple[str, Sequence[str], pl.LazyFrame]]:
    """Those of these columns whose values can be told, by table, with the rows in which they stand."""
    for name, view in (*plan.views.items(), *plan.lookup_views.items()):
        yield name, [c for t, c in sorted(wanted) if t == name and _counts(view.schema.get(c))], view.frame
    late = {name for step in plan.steps if step.path[0] in ("customers", "lookup") for name in step.names}
    schema = customers.collect_schema()
    late = {name for name in late if _counts(schema.get(name))}
    yield CUSTOMERS, [c for t, c in sorted(wanted) if t == CUSTOMERS and c in late], customers


def _counts(dtype: pl.DataType | None) -> bool:
    return dtype is not None and kind_of(dtype) in ("text", "boolean", "list")


def _counted(frame: pl.LazyFrame, columns: Iterable[str]) -> dict[str, dict[Any, int]]:
    schema = frame.collect_schema()
    parts = []
    for name in columns:
        value = pl.col(name).explode() if isinstance(schema[name], pl.List) else pl.col(name)
        counts = value.drop_nulls().alias("value").value_counts(name="rows")
        parts += [counts.struct.field(field).implode().alias(f"{field} {name}") for field in ("value", "rows")]
    found = frame.select(parts).collect().row(0, named=True) if parts else {}
    return {name: dict(zip(found[f"value {name}"], found[f"rows {name}"], strict=True)) for name in columns}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
