"""SQL expressions of the rule file: parsed by Polars, and held to one row at a time."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

import polars as pl

AS_OF = "as_of"

_ALLOWED = {
    "Abs", "Coalesce", "MaxHorizontal", "MinHorizontal", "Sql", "Pow", "Trigonometry", "Round", "RoundSF", "Floor",
    "Ceil", "Sign", "Log", "Log1p", "Exp", "Negate", "Atan2", "FillNull", "StringExpr", "TemporalExpr", "ListExpr",
    "Boolean", "Cbrt", "Bitwise", "Replace", "ReplaceStrict",
}  # fmt: skip
_REFUSED_WITHIN = {
    "ConcatVertical",
    "Any",
    "All",
    "IsDuplicated",
    "IsUnique",
    "IsFirstDistinct",
    "IsLastDistinct",
}
_PLAIN_NODES = {"BinaryExpr", "Column", "Literal", "Ternary"}
_CLOCK = re.compile(
    r"\b(current_date|current_time|current_timestamp|localtime|localtimestamp|now\s*\(|today\s*\()",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_AS_OF = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\"as_of\"|\"(?:[^\"]|\"\")*\"|\bas_of\b", re.DOTALL)


class SqlProblem(ValueError):
    """The expression cannot be used; `hint` is the next step."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def parse_sql(text: str, as_of: dt.date | None = None) -> pl.Expr:
    """The row-by-row expression that `text` means, with the day `as_of` in place of the column of that name.

    Raises `SqlProblem` for what does not parse, reads a clock, or looks at more than one row.
    """
    bare = _QUOTED.sub(lambda match: " " if match[0][0] in "-/" else "''", text)
    clock = _CLOCK.search(bare)
    if clock:
        word = clock[1].rstrip("( \t")
        raise SqlProblem(f"`{word}` reads a clock, which gives another answer each day", "use the column `as_of`")
    try:
        expression = pl.sql_expr(_AS_OF.sub(lambda match: _day(match, as_of), text) if as_of else text)
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().splitlines()[0]
        raise SqlProblem(f"cannot read the SQL: {reason}", "a text stands in 'single quotes'") from error
    tree = _tree(expression)
    for reason, hint in _refusals(tree):
        raise SqlProblem(reason, hint)
    return _expression(_safe(tree)) if _UNSAFE & _function_names(tree) else expression


def differences(expression: pl.Expr) -> Iterator[pl.Expr]:
    """Every difference within an expression: of two dates it is a duration, which compares with no number."""
    for node in _nodes(_tree(expression)):
        if isinstance(node, dict) and node.get("BinaryExpr", {}).get("op") == "Minus":
            yield _expression(node)


def sql_columns(text: str) -> frozenset[str]:
    """The columns that an expression reads, without `as_of`."""
    return frozenset(parse_sql(text).meta.root_names()) - {AS_OF}


def _day(match: re.Match[str], as_of: dt.date) -> str:
    return f"DATE '{as_of}'" if match[0].strip('"') == AS_OF else match[0]


_DIVIDES = {"Div", "IntDiv", "Rem"}
_MAY_BE_NAN = {"Log", "Log1p", "Exp", "Pow", "Trigonometry", "Cbrt", "Atan2"}
_UNSAFE = _DIVIDES | _MAY_BE_NAN
_NULL = {"Literal": {"Scalar": {"Null": "Null"}}}
_ZERO = {"Literal": {"Dyn": {"Int": 0}}}


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(inner)


def _function_names(tree: Any) -> set[str]:
    """Names of functions, and of what stands within them: `{"Sql": {"Binary": "Div"}}` names all three."""
    calls = (n["Function"]["function"] for n in _nodes(tree) if isinstance(n, dict) and "Function" in n)
    return {name for call in calls for n in _nodes(call) for name in (n if isinstance(n, dict) else [n])}


def _safe(node: Any) -> Any:
    """The tree with a missing value for what is divided by zero, and for what is no number.

    Polars would stop the run for decimals that are divided by zero. No number is, for example, the logarithm of -1.
    """
    if isinstance(node, list):
        return [_safe(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    node = {key: _safe(inner) for key, inner in node.items()}
    call = node.get("Function")
    if call and call["function"] in ({"Sql": {"Binary": name}} for name in _DIVIDES):
        by = call["input"][1]
        not_zero = {"BinaryExpr": {"left": by, "op": "NotEq", "right": _ZERO}}
        call["input"][1] = {"Ternary": {"predicate": not_zero, "truthy": by, "falsy": _NULL}}
    elif call and _MAY_BE_NAN & _function_names({"Function": {**call, "input": []}}):
        finite = {"Function": {"input": [node], "function": {"Boolean": "IsFinite"}}}
        return {"Ternary": {"predicate": finite, "truthy": node, "falsy": _NULL}}
    return node


def _expression(tree: Any) -> pl.Expr:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pl.Expr.deserialize(io.StringIO(json.dumps(tree)), format="json")


def _tree(expression: pl.Expr) -> Any:
    with warnings.catch_warnings():
        # The JSON form is marked unstable; the tests of the refusals would show a change.
        warnings.simplefilter("ignore")
        return json.loads(expression.meta.serialize(format="json"))


def _refusals(node: Any) -> Iterator[tuple[str, str | None]]:
    """What is in the tree but not on the list of nodes that look at one row alone, as (message, hint)."""
    if not isinstance(node, dict):
        yield _refusal(str(node))
        return
    (name, inner), *_ = node.items()
    if name in ("Column", "Literal"):
        return
    if name == "Function":
        function = inner["function"]
        kind = function if isinstance(function, str) else next(iter(function))
        detail = function[kind] if isinstance(function, dict) else ""
        detail = detail if isinstance(detail, str) else next(iter(detail), "") if isinstance(detail, dict) else ""
        if kind not in _ALLOWED or detail in _REFUSED_WITHIN:
            yield _refusal(kind)
        children = inner["input"]
    elif name == "Cast":
        # NOT comes as a strict cast to Boolean, of what is Boolean already.
        if inner["options"] == "Strict" and inner["dtype"] != {"Literal": "Boolean"}:
            yield "a CAST that fails would stop the run", "use TRY_CAST, which gives a missing value instead"
        children = [inner["expr"]]
    elif name in _PLAIN_NODES:
        children = [value for key, value in inner.items() if key != "op"]
    else:
        yield _refusal(name)
        return
    for child in children:
        yield from _refusals(child)


def _refusal(node: str) -> tuple[str, str]:
    what = {
        "Agg": "an aggregate looks at all rows",
        "Len": "an aggregate looks at all rows",
        "Quantile": "an aggregate looks at all rows",
        "Over": "a window function looks at other rows",
        "Rank": "a window function looks at other rows",
        "Alias": "`AS` names a column, and the rule file does that",
        "SubPlan": "a subquery looks at other rows",
        "Explode": "`unnest` makes several rows of one",
        "Selector": "`*` is not one column",
    }.get(node, f"`{node}` cannot be computed row by row")
    return (
        f"{what}; SQL here is one expression, row by row",
        "compute it as a `[trait.NAME]` or by `top_percent`",
    )
