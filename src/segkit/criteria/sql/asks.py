"""What an SQL expression asks of columns beside their values: the text of a field, the time of day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from segkit.criteria.sql.parse import AS_OF, columns_of, nodes_of, parse_sql

OF_TIME = frozenset({"Hour", "Minute", "Second", "Millisecond", "Microsecond", "Nanosecond", "TimeStamp"})
"""Parts of a timestamp that its day does not have."""
COMPARISONS = frozenset({"Eq", "NotEq", "Lt", "LtEq", "Gt", "GtEq", "EqValidity", "NotEqValidity"})


def columns_as_text(text: str) -> frozenset[str]:
    """The columns that stand where a text is expected."""
    return frozenset(name for name, as_text in _places(parse_sql(text), as_text=False) if as_text)


def columns_as_value(text: str) -> frozenset[str]:
    """The columns that stand anywhere else, but where it is asked whether they are missing."""
    return frozenset(name for name, as_text in _places(parse_sql(text), as_text=False) if not as_text) - {AS_OF}


def columns_with_time(text: str) -> frozenset[str]:
    """The columns whose time of day, or layout as text, is asked for."""
    asked = (n for n in nodes_of(parse_sql(text)) if isinstance(n, dict) and sees_time(n))
    return frozenset(name for node in asked for name in columns_of(node))


def sees_time(node: dict[str, Any]) -> bool:
    """Whether the node is a function that sees the time of day."""
    kind, detail = function_of(node)
    return kind == "TemporalExpr" and (detail in OF_TIME or detail == "ToString")


def function_of(node: dict[str, Any]) -> tuple[str, str]:
    """The function of a node, and which one of its kind: `("StringExpr", "Slice")`; empty where it is none."""
    function = node["Function"]["function"] if "Function" in node else ""
    if isinstance(function, str):
        return function, ""
    (kind, detail), *_ = function.items()
    return kind, detail if isinstance(detail, str) else next(iter(detail), "") if isinstance(detail, dict) else ""


def gives_text(node: Any) -> bool:
    """Whether the node is a text, whatever its columns are."""
    if "Literal" in node:
        return "String" in (node["Literal"].get("Scalar") or {})
    if "Cast" in node:
        return bool(node["Cast"]["dtype"] == {"Literal": "String"})
    if "Ternary" in node or function_of(node)[0] in ("Coalesce", "FillNull"):
        return any(map(gives_text, branches_of(node)))
    kind, detail = function_of(node)
    numbers = {"LenChars", "LenBytes", "StartsWith", "EndsWith", "Contains", "Find", "Split", "Strptime"}
    if kind == "StringExpr":
        return detail not in numbers
    return (kind, detail) in {("TemporalExpr", "ToString"), ("ListExpr", "Join")}


def branches_of(node: dict[str, Any]) -> list[Any]:
    """The values of which the node gives one."""
    if "Ternary" in node:
        return [node["Ternary"]["truthy"], node["Ternary"]["falsy"]]
    return list(node["Function"]["input"])


def _places(node: Any, *, as_text: bool) -> Iterator[tuple[str, bool]]:
    """Each column in the node, and whether a text is expected in its place; `as_text` says so of the node itself."""
    if "Column" in node:
        yield node["Column"], as_text
    elif "Cast" in node:
        yield from _places(node["Cast"]["expr"], as_text=gives_text(node))
    elif "BinaryExpr" in node:
        sides = [node["BinaryExpr"]["left"], node["BinaryExpr"]["right"]]
        compared = node["BinaryExpr"]["op"] in COMPARISONS and any(map(gives_text, sides))
        for side in sides:
            yield from _places(side, as_text=compared)
    elif "Ternary" in node or function_of(node)[0] in ("Coalesce", "FillNull"):
        for branch in branches_of(node):
            yield from _places(branch, as_text=as_text or gives_text(node))
        if "Ternary" in node:
            yield from _places(node["Ternary"]["predicate"], as_text=False)
    elif "Function" in node:
        yield from _arguments(node)


def _arguments(node: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    kind, detail = function_of(node)
    if detail in ("IsNull", "IsNotNull") and "Column" in node["Function"]["input"][0]:
        return
    for position, part in enumerate(node["Function"]["input"]):
        first = position == 0 or detail not in ("Slice", "PadStart", "PadEnd")
        yield from _places(part, as_text=kind == "StringExpr" and first)
