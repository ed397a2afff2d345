"""A condition that compares its column with another one: conditions take values, so the next step is SQL."""

from __future__ import annotations

import re
from typing import Any

from segkit.rules.findings import SPELLINGS, KeyPath
from segkit.rules.model.blocks import FAMILIES
from segkit.rules.model.conditions import Condition
from segkit.rules.model.measures import EventCondition
from segkit.rules.wording.shape import model_at

SIGNS = {
    "is": "=", "not": "<>", "min": ">=", "max": "<=", "above": ">", "below": "<",
    "before": "<", "after": ">", "on": "=",
}  # fmt: skip

OPERATORS = {sign: name for name, sign in reversed(SIGNS.items())}


def if_a_column(path: KeyPath, value: Any) -> str | None:
    """The hint for a text that stands at `path` where a number or date is needed, if it may be the name of a column."""
    if not isinstance(value, str) or not re.fullmatch(r"[^\W\d][\w .-]*", value):
        return None
    if path[-2:-1] == ("between",):
        path = (*path[:-2], ("min", "max")[int(path[-1])])
    *owner, operator = path
    # An event condition may stand alone, where a list of them could.
    sign, model = SIGNS.get(str(operator)), model_at(tuple(owner)) or model_at((*owner, 0))
    if sign and model is Condition and owner[-2] in (*FAMILIES, *SPELLINGS.values()):
        return f"if `{value}` is a column, compare in SQL: {sql_key(str(owner[-1]), sign, value)}"
    if sign and model is EventCondition:
        compared = sql_key("measured", sign, value)
        return f"if `{value}` is a column, make this a `[trait.measured]`, and compare in SQL: {compared}"
    return None


def sql_key(column: str, sign: str, other: str) -> str:
    """The key that compares two columns, as it stands in the file: `sql = "spend > region_mean"`."""
    plain = all(re.fullmatch(r"[a-z_][a-z0-9_]*", name) for name in (column, other))
    names = [column, other] if plain else [f'"{name}"' for name in (column, other)]
    quote = '"' if plain else "'"
    return f"`sql = {quote}{names[0]} {sign} {names[1]}{quote}`"
