"""SQL expressions of the rule file: parsed by Polars, and held to one row at a time."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import polars as pl

AS_OF = "as_of"

_ALLOWED = {
    "Abs", "Coalesce", "MaxHorizontal", "MinHorizontal", "Sql", "Pow", "Trigonometry", "Round", "RoundSF", "Floor",
    "Ceil", "Sign", "Log", "Log1p", "Exp", "Negate", "Atan2", "FillNull", "StringExpr", "TemporalExpr", "ListExpr",
    "Boolean", "Cbrt", "Bitwise", "Replace", "ReplaceStrict", "Truncate",
    "Clip", "Erf",
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
_EMPTY = re.compile(r"\b(greatest|least)\s*\(\s*\)", re.IGNORECASE)
_IS_TRUTH = re.compile(
    r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\"(?:[^\"]|\"\")*\"|\bis\s+(?P<not>not\s+)?(?P<truth>true|false)\b",
    re.DOTALL | re.IGNORECASE,
)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_AS_OF = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\"as_of\"|\"(?:[^\"]|\"\")*\"|\bas_of\b", re.DOTALL)


class SqlProblem(ValueError):
    """The expression cannot be used; `hint` is the next step."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


_FUNCTIONS = "docs/rule-file.md lists the functions under `Computed columns`"


@lru_cache(maxsize=1024)
def parse_sql(text: str, as_of: dt.date | None = None) -> Any:
    """The tree of the row-by-row expression that `text` means, with the day `as_of` in place of that column.

    Raises `SqlProblem` for what does not parse, reads a clock, or looks at more than one row. Nobody changes the tree.
    """
    bare = _QUOTED.sub(lambda match: " " if match[0][0] in "-/" else "''", text)
    clock = _CLOCK.search(bare)
    if clock:
        word = clock[1].rstrip("( \t")
        raise SqlProblem(f"`{word}` reads a clock, which gives another answer each day", "use the column `as_of`")
    text = _IS_TRUTH.sub(_is_truth, text)
    empty = _EMPTY.search(bare)
    if empty:  # Polars would panic
        raise SqlProblem(f"`{empty[1].upper()}` needs something to compare")
    try:
        expression = pl.sql_expr(_AS_OF.sub(lambda match: _day(match, as_of), text) if as_of else text)
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().splitlines()[0]
        if "parse" in reason:
            raise SqlProblem(f"cannot read the SQL: {reason}", "a text stands in 'single quotes'") from error
        short = re.sub(r"expression (\w+).*", r"\1", reason) if "Span(" in reason else reason
        short = re.sub(r"^(\w+) cannot determine the type of .*", r"unsupported function '\1'", short)
        raise SqlProblem(f"cannot read the SQL: {short}", _FUNCTIONS) from error
    tree = tree_of(expression)
    for reason, hint in _refusals(tree):
        raise SqlProblem(reason, hint)
    return tree


def sql_columns(text: str) -> frozenset[str]:
    """The columns that an expression reads, without `as_of`."""
    return frozenset(columns_of(parse_sql(text))) - {AS_OF}


def columns_of(tree: Any) -> set[str]:
    """The columns that a tree names."""
    return {node["Column"] for node in nodes_of(tree) if isinstance(node, dict) and "Column" in node}


def nodes_of(node: Any) -> Iterator[Any]:
    """The node and all within it."""
    yield node
    if isinstance(node, dict) and "Literal" in node:
        return
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes_of(inner)


def expression_of(tree: Any) -> pl.Expr:
    """The expression that a tree stands for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pl.Expr.deserialize(io.StringIO(json.dumps(tree)), format="json")


def tree_of(expression: pl.Expr) -> Any:
    """The tree that stands for an expression."""
    with warnings.catch_warnings():
        # The JSON form is marked unstable; the tests of the refusals would show a change.
        warnings.simplefilter("ignore")
        return json.loads(expression.meta.serialize(format="json"))


def _is_truth(match: re.Match[str]) -> str:
    """`IS TRUE` so that missing values are not true: Polars would leave them missing."""
    if not match["truth"]:
        return match[0]
    return f"IS {'' if match['not'] else 'NOT '}DISTINCT FROM {match['truth']}"


def _day(match: re.Match[str], as_of: dt.date) -> str:
    return f"DATE '{as_of}'" if match[0].strip('"') == AS_OF else match[0]


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
