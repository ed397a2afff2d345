"""Keys that the models do not know: misplaced ones, and what was meant."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from segkit.rules.findings import SPELLINGS, At, KeyPath, dotted
from segkit.rules.model.blocks import FAMILIES, Block
from segkit.rules.model.computed.rfm import Rfm
from segkit.rules.model.conditions import Condition
from segkit.rules.model.measures import Measured
from segkit.rules.model.permissions import Consent, Permission
from segkit.rules.wording.shape import fields_of, is_family, model_at
from segkit.words import listed, nearest

NAMED_SECTIONS = ("events", "lookup", "trait", "score", "segment")

OPERATORS = {
    "gte": "min", "ge": "min", ">=": "min", "at_least": "min", "from": "min", "minimum": "min",
    "lte": "max", "le": "max", "<=": "max", "at_most": "max", "to": "max", "maximum": "max", "until": "max",
    "gt": "above", ">": "above", "greater_than": "above", "more_than": "above", "over": "above",
    "lt": "below", "<": "below", "less_than": "below", "under": "below",
    "eq": "is", "=": "is", "==": "is", "equals": "is", "equal": "is",
    "ne": "not", "neq": "not", "!=": "not", "<>": "not", "not_equal": "not", "is_not": "not", "not_equals": "not",
    "one_of": "in", "any_of": "in", "isin": "in", "is_in": "in", "values": "in",
    "none_of": "not_in", "notin": "not_in", "nin": "not_in",
    "startswith": "starts_with", "prefix": "starts_with", "endswith": "ends_with", "suffix": "ends_with",
    "regex": "matches", "regexp": "matches", "pattern": "matches", "match": "matches",
    "like": "contains", "ilike": "contains", "includes": "contains", "contain": "contains",
    "range": "between", "null": "missing", "is_null": "missing", "empty": "missing", "isnull": "missing",
    "not_null": "missing = false", "exists": "missing = false", "present": "missing = false",
    "last": "within", "in_last": "within", "since": "after", "older": "older_than", "next": "within_next",
    "top": "top_percent", "bottom": "bottom_percent", "anniversary": "anniversary_within",
    "case_sensitive": "ignore_case", "case_insensitive": "ignore_case",
}  # fmt: skip
"""What people from other tools write -> the operator that they mean."""
KEYS = {
    "file": "path", "filename": "path", "source": "path", "url": "path", "folder": "directory", "dir": "directory",
    "path": "directory", "customer_id": "key", "id": "key", "date": "time", "timestamp": "time", "datetime": "time",
    "order_id": "id", "event_id": "id", "price": "amount", "revenue": "amount", "total": "amount",
    "sep": "delimiter", "separator": "delimiter", "name": "label", "title": "label", "description": "label",
    "filter": "where", "conditions": "where", "having": "where", "agg": "measure", "aggregate": "measure",
    "metric": "measure", "function": "measure", "column": "of", "field": "of", "table": "events", "event": "events",
    "last": "within", "window": "within", "period": "within", "or": "any", "and": "all", "not": "none",
    "in": "in_segment", "not_in": "not_in_segment", "tz": "timezone", "today": "as_of", "now": "as_of",
    "lat": "latitude", "lon": "longitude", "lng": "longitude", "radius": "km", "distance": "km",
    "recency": "r", "frequency": "f", "monetary": "m", "gte": "min", "lte": "max", "gt": "above", "lt": "below",
    "stages": "stage", "steps": "stage", "rules": "rule", "point": "points", "score": "points", "weight": "points",
    "per": "points_per", "cap": "max", "limit": "max", "max_points": "max_score", "out_of": "max_score",
    "grade": "grades", "thresholds": "grades", "levels": "grades", "new": "new_for", "at_risk": "at_risk_after",
    "inactive": "inactive_after", "lost": "lost_after", "loyal": "loyal_from",
    "at_least": "min", "at_most": "max", "breaks": "edges", "ntile": "quantiles", "deciles": "quantiles",
    "bins": "quantiles", "partition_by": "per", "average_of": "mean_of", "quantiles": "bands",
    "split_by": "each", "by": "each",
    "exclude": "suppress", "blocklist": "suppress", "blacklist": "suppress", "unsubscribed": "suppress",
    "requires": "require", "required": "require", "on": "suppress_on", "channels": "channel", "control": "holdout",
    "control_group": "holdout", "variants": "split", "ab_test": "split", "seed": "salt", "sort": "by",
    "sort_by": "by", "order_by": "by", "top": "count", "size": "count", "group_by": "per", "ascending": "order",
}  # fmt: skip
"""What people write -> the key that they mean; it counts where the table has that key."""
_COMMON = ("is", "not", "in", "min", "max", "between", "contains", "starts_with", "within", "missing")
_HOME = {"did": "behavioural", "did_not": "behavioural", "near": "geographic", "inside": "geographic"}


def unknown_key(path: KeyPath, value: Any, at: At) -> tuple[KeyPath, str, str | None]:
    """The place, the message and the next step for a key that the table around it does not know."""
    *owner, key = path
    table = tuple(owner)
    model = model_at(table)
    if key in SPELLINGS.values():
        other = next(known for known, spelling in SPELLINGS.items() if spelling == key)
        return path, f"`{key}` and `{other}` are one key in two spellings", f"write `{other}` in both places"
    if model is Condition:
        return _unknown_operator(table, str(key))
    what = "section" if not table and isinstance(value, (dict, list)) else "key"
    place = f" in {called(table)}" if table else ""
    if isinstance(value, dict) and model and issubclass(model, Block) and value.keys() & fields_of(Condition).keys():
        return path, f"unknown {what} `{key}`{place}", _in_a_family(str(key))
    return path, f"unknown {what} `{key}`{place}", _meant(table, model, str(key), value, at)


def called(table: KeyPath) -> str:
    """What a table is called: `[segment.x]`, `behavioural.did`, a block of `any`."""
    size = 2 if table[:1] and table[0] in {"segment", "events", "trait", "lookup", "score", "rfm"} else 1
    names = [str(part) for part in table[size:] if isinstance(part, str)]
    while len(names) > 1 and names[0] in {"any", "all", "none"}:
        names = names[1:]
    if not names and table[:1] == ("test",):
        return "`[[test]]`"
    if not names:
        return f"`[{dotted(table[:size])}]`" if table else "the rule file"
    return f"a block of `{names[0]}`" if names[0] in {"any", "all", "none"} else f"`{'.'.join(names)}`"


def _unknown_operator(table: KeyPath, operator: str) -> tuple[KeyPath, str, str | None]:
    column, family = str(table[-1]), str(table[-2])
    if column in _HOME and family in FAMILIES and family != _HOME[column]:
        return table, f"`{column}` is not a key of `{family}`", f"write `{_HOME[column]}.{column}`"
    message = f"unknown operator `{operator}` for column `{column}`"
    meant = OPERATORS.get(operator.lower())
    known = fields_of(Condition)
    hint = f"did you mean `{meant}`?" if meant else nearest(operator, known)
    if hint is None:
        hint = f"operators are {listed(_COMMON, ',')}, and others; a column name with a dot stands in quotes"
    return (*table, operator), message, hint


def _meant(table: KeyPath, model: type[BaseModel] | None, key: str, value: Any, at: At) -> str | None:
    """The hint for an unknown key: where it belongs, or what was meant."""
    known = fields_of(model) if model else {}
    if f"{key}s" in known:
        return f"did you mean `{key}s`?"
    for size in range(len(table) - 1, -1, -1):
        above = model_at(table[:size])
        if above and key in fields_of(above) and not is_family(above):
            return _move(table, table[:size], key, at)
    if model and issubclass(model, Block) and key in _HOME:
        return f"write `{_HOME[key]}.{key}`"
    synonym = KEYS.get(key.lower())
    if synonym in known:
        return f"did you mean `{synonym}`?"
    hint = nearest(key, known)
    if hint or not model:
        return hint
    if issubclass(model, Block) and nearest(key, fields_of(Permission)):
        return "who may be written is said for all segments, in `[consent]`"
    if issubclass(model, Block):
        return _in_a_family(key)
    if issubclass(model, Permission):
        of_channel = f", what a channel needs in `[consent.channel.{key}]`" if model is Consent else ""
        return f"a condition on a column stands in `require`: `require.{key} = ...`{of_channel}"
    if model is Rfm and isinstance(value, dict) and key:
        return f'a table of its own names what it scores: `[rfm.{key}]` with `events = "..."`'
    if issubclass(model, Measured):
        return f"a condition on a column of the events stands in `where`: `where.{key} = ...`"
    return nearest(key, known, "keys")


def _in_a_family(key: str) -> str:
    return f"a condition on a column stands in a family: `demographic.{key} = ...`, `behavioural.{key} = ...`"


def _move(table: KeyPath, above: KeyPath, key: str, at: At) -> str:
    """The hint for a key of `above` that stands in `table` below it."""
    header = (at(*table).text or "").strip()
    if not above and key in NAMED_SECTIONS:
        return f"write a section of its own, `[{key}.NAME]`"
    if not above and (model_at((key,)) or key == "rfm"):
        return f"`[{key}]` is a section of its own"
    if not above:
        return f"move `{key}` to the top of the file, above the first `[section]`"
    if header.startswith("["):
        header = header.partition("#")[0].strip()
        return f"move `{key}` above `{header}`: in TOML, what stands below a header belongs to it"
    return f"`{key}` belongs to {called(above)}: move it there"
