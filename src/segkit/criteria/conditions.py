"""One condition on one column: whether it fits the column's type, and the expression that it runs as."""

from __future__ import annotations

import datetime as dt
import re
from calendar import isleap
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any

import polars as pl

from segkit.criteria.context import Context, share_of
from segkit.criteria.kinds import Kind, article, kind_of, kind_of_value, literal
from segkit.io.read.values.date_formats import format_hint
from segkit.io.read.values.texts import NULL_TEXTS, WHITE
from segkit.rules.model.base import Duration
from segkit.rules.model.conditions import Condition
from segkit.rules.text.toml import toml_key
from segkit.rules.wording.another_column import OPERATORS, SIGNS, sql_key

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "is": lambda c, v: c == v,
    "not": lambda c, v: c != v,
    "min": lambda c, v: c >= v,
    "max": lambda c, v: c <= v,
    "above": lambda c, v: c > v,
    "below": lambda c, v: c < v,
    "before": lambda c, v: c < v,
    "after": lambda c, v: c > v,
    "on": lambda c, v: c == v,
}

TEXTS: dict[str, Callable[[pl.Expr, str], pl.Expr]] = {
    "contains": lambda c, v: c.str.contains(v, literal=True),
    "starts_with": lambda c, v: c.str.starts_with(v),
    "ends_with": lambda c, v: c.str.ends_with(v),
    "matches": lambda c, v: c.str.contains(v),
}

ACCEPTS: dict[str, tuple[Kind, ...]] = {
    **dict.fromkeys(("is", "not", "in", "not_in"), ("text", "number", "date", "boolean")),
    **dict.fromkeys(("min", "max", "above", "below", "between"), ("number", "date")),
    **dict.fromkeys((*TEXTS, *(f"not_{name}" for name in TEXTS)), ("text",)),
    **dict.fromkeys(
        ("before", "after", "on", "within", "not_within", "older_than", "within_next", "anniversary_within"),
        ("date",),
    ),
    **dict.fromkeys(("has_any", "has_all", "has_none"), ("list",)),
    **dict.fromkeys(("top_percent", "bottom_percent"), ("number",)),
    "missing": ("text", "number", "date", "boolean", "list", "other"),
}
"""The kinds of column that each operator takes."""

TEXT_ONLY = frozenset(name for name, kinds in ACCEPTS.items() if kinds == ("text",))


def wants_text(condition: Condition) -> bool:
    """Whether the condition asks something that only a text column can answer."""
    return any(
        name in TEXT_ONLY or (name in {"is", "not", "in", "not_in"} and any(isinstance(v, str) for v in _many(value)))
        for name, value in condition.operators()
    )


def asks_if_blank(condition: Condition) -> bool:
    """Whether the result would change if blank text were an ordinary value.

    It does not for plain `is` and `in` of texts; for all else it may.
    """
    asked = dict(condition.operators())
    plain = asked.keys() <= {"is", "in"} and not condition.or_missing
    texts = [v for value in asked.values() for v in _many(value)]
    return not plain or not all(isinstance(v, str) and v.strip() and v not in NULL_TEXTS for v in texts)


def wanted_kind(condition: Condition) -> Kind | None:
    """The kind of column that the condition asks for; none where it would take any."""
    for name, value in condition.operators():
        if len(ACCEPTS[name]) == 1:
            return ACCEPTS[name][0]
        if name != "missing":
            return kind_of_value(_many(value)[0])
    return None


def misfits(
    column: str,
    dtype: pl.DataType,
    condition: Condition,
    *,
    computed: bool = False,
    examples: Sequence[str] = (),
    others: Container[str] = (),
) -> Iterator[tuple[str, str, str | None]]:
    """Each (operator, message, hint) of a condition that does not fit the type of its column.

    A `computed` column is in no file, so that no source can say its type; others have these `examples` of a text.
    `others` are the columns that SQL beside the condition could compare this one with.
    """
    kind = kind_of(dtype)
    for name, value in condition.operators():
        if kind not in ACCEPTS[name]:
            wanted = " or ".join(article(k) for k in ACCEPTS[name])
            hint = types_hint(column, kind, ACCEPTS[name], computed=computed, examples=examples)
            yield name, f"`{name}` asks for {wanted}, but column `{column}` is {article(kind)}", hint
        elif name in ("has_any", "has_all", "has_none", "missing", "top_percent", "bottom_percent"):
            continue
        elif name in ("is", "not", "in", "not_in", "min", "max", "above", "below", "between"):
            wrong = [v for v in _many(value) if kind_of_value(v) != kind]
            if wrong:
                hint = _value_hint(column, kind, wrong[0], computed=computed, examples=examples)
                if wrong[0] in others and kind in ("number", "date") and name in SIGNS:
                    hint = f"conditions take values; SQL compares two columns: {sql_key(column, SIGNS[name], wrong[0])}"
                yield name, _mismatch(column, kind, wrong[0]), hint
        elif name in ("matches", "not_matches"):
            for problem in filter(None, map(regex_problem, value)):
                yield name, problem, None
    if condition.ignore_case and kind != "text":
        yield "ignore_case", f"`ignore_case` asks for text, but column `{column}` is {article(kind)}", None


def _many(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _mismatch(column: str, kind: Kind, value: Any) -> str:
    shown = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else value
    return f"{shown} is {article(kind_of_value(value))}, but column `{column}` is {article(kind)}"


def _value_hint(column: str, kind: Kind, value: Any, *, computed: bool, examples: Sequence[str]) -> str | None:
    wanted = kind_of_value(value)
    if kind in ("number", "date") and (compared := _COMPARED.fullmatch(str(value))):
        return f"write `{toml_key(column)}.{OPERATORS[compared[1]]} = {compared[2]}`"
    if kind in ("number", "date") and (two := _FROM_TO.fullmatch(str(value))):
        return f"write `{toml_key(column)}.between = [{two[1]}, {two[2]}]`"
    if kind == "number" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", str(value)):
        return f"write it without quotes: {value}"
    if computed and kind == "text" and wanted in ("number", "date"):
        return f'write it as text, "{value}"'
    if kind == "text" and wanted in ("number", "date"):
        return f'write it as text, "{value}", or give the source `types = {{ {toml_key(column)} = "{wanted}" }}`'
    if kind == "date" and wanted == "text":
        return "write dates without quotes: 2024-03-01"
    if kind == "boolean" and not computed:
        as_text = f'`types = {{ {toml_key(column)} = "text" }}` keeps the words of the file'
        return f"write true or false, without quotes; {as_text}"
    return types_hint(column, kind, (wanted,), computed=computed, examples=examples)


_NUMBER_OR_DAY = r"(\d{4}-\d\d-\d\d|-?\d+(?:\.\d+)?)"
_COMPARED = re.compile(rf"\s*([<>]=?)\s*{_NUMBER_OR_DAY}\s*")
_FROM_TO = re.compile(rf"\s*{_NUMBER_OR_DAY}\s*(?:-|–|to)\s*{_NUMBER_OR_DAY}\s*")
_SQL_TYPES = {"text": "VARCHAR", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE"}


def types_hint(
    column: str, kind: Kind, wanted: tuple[Kind, ...], *, computed: bool = False, examples: Sequence[str] = ()
) -> str | None:
    """The next step where a column of one kind, with these examples, is asked for values of another."""
    if "list" in wanted:
        return f'say what separates the values: `[customers] lists = {{ {toml_key(column)} = "," }}`'
    names = [name for name in wanted if name in ("text", "number", "boolean", "date")]
    if computed:
        return f"SQL computes it as one: TRY_CAST(... AS {_SQL_TYPES[names[0]]})" if names else None
    if names == ["date"] and kind == "number" and all(len(value) in (6, 8, 12, 14) for value in examples) and examples:
        return format_hint(toml_key(column), examples)
    if names == ["date"] and kind == "number":
        count = f'`date_format = {{ {toml_key(column)} = "epoch" }}`'
        return f"if it counts seconds since 1970, give the source {count} (`epoch_ms`: thousandths, `excel`: days)"
    if names == ["date"] and kind == "text":
        return format_hint(toml_key(column), examples)
    if names[:1] == ["number"] and examples and examples[0].endswith("%"):
        return 'give the source `percent = "keep"` for 12, or `"divide"` for 0.12 where it says 12 %'
    if kind in ("text", "number", "date", "boolean") and names:
        return f'if it is one, give the source `types = {{ {toml_key(column)} = "{names[0]}" }}`'
    return None


def regex_problem(pattern: str) -> str | None:
    """What is wrong with a regular expression."""
    try:
        pl.select(pl.lit("").str.contains(pattern))
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().splitlines()
        detail = next((line for line in reversed(reason) if line.startswith("error:")), reason[0])
        return f"`{pattern}` is not a regular expression: {detail.removeprefix('error:').strip()}"
    return None


def holds(column: str, dtype: pl.DataType, condition: Condition, context: Context) -> pl.Expr:
    """Boolean, never null: whether the condition holds in each row.

    What a missing value means is decided here and nowhere else. No operator holds on one, negated or not, except
    `missing`; `or_missing` lets it pass.
    """
    value = pl.col(column)
    parts = [
        _operator(name, operand, column, dtype, condition.ignore_case, context).fill_null(False)
        for name, operand in condition.operators()
    ]
    result = parts[0] if len(parts) == 1 else pl.all_horizontal(parts)
    return result | value.is_null() if condition.or_missing else result


def holds_on_missing(condition: Condition) -> bool:
    """What `holds` says of a missing value."""
    return condition.or_missing or all(name == "missing" and operand for name, operand in condition.operators())


def _operator(name: str, operand: Any, column: str, dtype: pl.DataType, ignore_case: bool, context: Context) -> pl.Expr:
    value = pl.col(column)
    if name in ("is", "not", "in", "not_in"):
        operand = _trimmed(operand)
    if ignore_case and kind_of(dtype) == "text":
        value, operand = _folded(name, value, operand)
    if name in COMPARISONS:
        compared: pl.Expr = COMPARISONS[name](value, literal(operand, dtype))
        return compared
    if name in ("in", "not_in"):
        is_one = _one_of(value, operand, dtype)
        return ~is_one if name == "not_in" else is_one
    if name == "between":
        return value.is_between(*(literal(v, dtype) for v in operand))
    base = name.removeprefix("not_")
    if base in TEXTS:
        matches = pl.any_horizontal([TEXTS[base](value, v) for v in operand])
        return ~matches if base != name else matches
    if name in ("has_any", "has_all", "has_none"):
        return _in_list(name, value, operand)
    if name in ("top_percent", "bottom_percent"):
        return context.share(share_of(column, name, operand))
    if name == "missing":
        return value.is_null() if operand else value.is_not_null()
    return _relative_to_now(name, value, operand, context.as_of)


def _trimmed(operand: Any) -> Any:
    """Texts that are compared as a whole, without the white space around them that values have lost, too."""
    if isinstance(operand, tuple):
        return tuple(map(_trimmed, operand))
    return operand.strip(WHITE) if isinstance(operand, str) else operand


def _one_of(value: pl.Expr, operand: tuple[Any, ...], dtype: pl.DataType) -> pl.Expr:
    if dtype.is_numeric():
        # One by one: `is_in` refuses 0 for floats, and would round 19.99 to the scale of a decimal.
        return pl.any_horizontal([value == literal(v, dtype) for v in operand])
    return value.is_in(list(operand))


def _folded(name: str, value: pl.Expr, operand: Any) -> tuple[pl.Expr, Any]:
    if name in ("matches", "not_matches"):
        return value, tuple(f"(?i){pattern}" for pattern in operand)
    lowered = tuple(v.lower() for v in operand) if isinstance(operand, tuple) else operand
    return value.str.to_lowercase(), lowered.lower() if isinstance(lowered, str) else lowered


def _in_list(name: str, value: pl.Expr, operand: tuple[Any, ...]) -> pl.Expr:
    each = [value.list.contains(pl.lit(str(v).lower() if isinstance(v, bool) else str(v))) for v in operand]
    if name == "has_all":
        return pl.all_horizontal(each)
    return ~pl.any_horizontal(each) if name == "has_none" else pl.any_horizontal(each)


def _relative_to_now(name: str, value: pl.Expr, length: Duration, as_of: dt.date) -> pl.Expr:
    start, end = length.before(as_of), length.after(as_of)
    if name in ("within", "not_within"):
        inside = (value >= start) & (value <= as_of)
        return ~inside if name == "not_within" else inside
    if name == "older_than":
        return value < start
    if name == "within_next":
        return (value >= as_of) & (value <= end)
    if name == "anniversary_within":
        return _anniversary(value, as_of, end)
    raise NotImplementedError(name)


def _anniversary(value: pl.Expr, as_of: dt.date, end: dt.date) -> pl.Expr:
    """Whether an anniversary of a date falls on `as_of`..`end`; each year has one, so each year is asked.

    That of 29 February is on 1 March in a year without that day, as years of age are counted.
    """
    # As month*100+day, the days of a year have their order.
    born = value.dt.month().cast(pl.Int32) * 100 + value.dt.day().cast(pl.Int32)
    ranges = []
    for year in range(as_of.year, min(end.year, as_of.year + 1) + 1):  # two years have all days that there are
        first, last = max(as_of, dt.date(year, 1, 1)), min(end, dt.date(year, 12, 31))
        day = born if isleap(year) else pl.when(born == 229).then(301).otherwise(born)
        ranges.append(day.is_between(first.month * 100 + first.day, last.month * 100 + last.day))
    return pl.any_horizontal(ranges)
