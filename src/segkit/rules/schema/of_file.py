"""The schema for one rule file: with the names of its columns, tables and segments, and what stands in its columns."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from segkit.results.columns import ColumnsResult, KnownColumn
from segkit.rules.model.base import SCALAR_SCHEMA, shown
from segkit.rules.model.blocks import FAMILIES
from segkit.rules.model.file import Fields, RuleFile
from segkit.rules.schema.json_schema import Schema, finished, plain_schema
from segkit.rules.tables import CUSTOMERS

EVENTS = "events"
COMPUTED = ("rfm", "lifecycle", "value", "score")
"""Families that take the columns alone that their sections compute."""
_FILLED = {"type": "string", "pattern": r"\$\{"}
"""A text that the environment fills."""
BLOCKS = ("Block", "Stage", "ScoreRule", "Segment")
TABLES = {
    EVENTS: (
        "EventCondition",
        "Trait",
        "Rfm",
        "RfmTables",
        "Lifecycle",
        "Value",
        "Cap",
        "FrequencyCap",
        "Sequel",
        "Metric",
        "Evaluation",
    ),
    "from": ("Customers",),
    "into": ("Lookup",),
    "like": ("Events",),
}
"""Key that names an event table -> the tables of the schema that have it."""
SEGMENTS = {"in_segment": BLOCKS, "not_in_segment": BLOCKS, "priority": ("Assignment",)}
COLUMNS = {
    ("Trait", "years_since"): CUSTOMERS, ("Trait", "days_since"): CUSTOMERS, ("Trait", "mean_of"): CUSTOMERS,
    ("Trait", "per"): CUSTOMERS, ("Trait", "of"): EVENTS, ("Bands", "of"): CUSTOMERS, ("Bands", "per"): CUSTOMERS,
    ("Share", "per"): CUSTOMERS, ("Limit", "by"): CUSTOMERS, ("Limit", "per"): CUSTOMERS,
    ("Segment", "each"): CUSTOMERS, ("EventCondition", "of"): EVENTS, ("CustomerDate", "column"): CUSTOMERS,
    ("PointsPer", "column"): CUSTOMERS,
    ("Value", "cost"): CUSTOMERS, ("RfmColumns", "recency_days"): CUSTOMERS, ("RfmColumns", "frequency"): CUSTOMERS,
    ("RfmColumns", "monetary"): CUSTOMERS, ("Permission", "suppress_on"): CUSTOMERS,
    ("Consent", "suppress_on"): CUSTOMERS, ("Output", "columns"): CUSTOMERS, ("Output", "profile"): CUSTOMERS,
    ("Output", "hash"): CUSTOMERS, ("Output", "pseudonymise"): CUSTOMERS, ("Events", "time"): EVENTS,
    **{("Fields", field): CUSTOMERS for field in Fields.model_fields},
    ("Metric", "of"): EVENTS, ("Events", "id"): EVENTS, ("Events", "amount"): EVENTS, ("Events", "key"): EVENTS,
}  # fmt: skip
"""(Table of the schema, key) that names a column -> of which table that is."""
CONDITIONS = {
    ("Permission", "require"): CUSTOMERS, ("Consent", "require"): CUSTOMERS, ("Customers", "where"): CUSTOMERS,
    ("Events", "where"): EVENTS, ("EventCondition", "where"): EVENTS, ("Trait", "where"): EVENTS,
    ("Rfm", "where"): EVENTS, ("RfmTables", "where"): EVENTS, ("Value", "where"): EVENTS, ("Cap", "where"): EVENTS,
    ("FrequencyCap", "where"): EVENTS,
    ("Sequel", "where"): EVENTS, ("Metric", "where"): EVENTS,
}  # fmt: skip
"""(Table of the schema, key) with conditions -> on the columns of which table they are."""


def schema_of_file(formats: Iterable[str], rules: RuleFile, known: ColumnsResult) -> Schema:
    """The schema of rule files, in which only the names of this one's tables, segments and columns fit.

    Columns of all event tables fit wherever one of them is named. Values are offered and others fit, too; those of
    personal data are not among `known`.
    """
    schema = copy.deepcopy(plain_schema(formats))
    definitions: dict[str, Schema] = schema["$defs"]
    of_tables = {table.name: {column.name: column for column in table.columns} for table in known.tables}
    columns = {
        CUSTOMERS: of_tables[CUSTOMERS],
        EVENTS: {name: column for table in rules.events for name, column in of_tables[table].items()},
    }
    names: dict[tuple[str, str], str] = {
        (table, name): f"column_{number}"
        for number, (table, name) in enumerate((table, name) for table in columns for name in columns[table])
    }
    definitions |= {place: {"description": name} for name, place in ((n, p) for (_, n), p in names.items())}
    for key, owners in TABLES.items():
        more = [CUSTOMERS] if key == "into" else []
        _name(definitions, owners, key, [*rules.events, *more])
    for key, owners in SEGMENTS.items():
        _name(definitions, owners, key, list(rules.segment))
    for (owner, key), table in COLUMNS.items():
        of_split = (owner, key) == ("Segment", "each") and any(segment.split for segment in rules.segment.values())
        _name(definitions, [owner], key, [*columns[table], *(["variant"] if of_split else [])])
    for (owner, key), table in CONDITIONS.items():
        _close(definitions[owner]["properties"].get(key, {}), {c: names[table, c] for c in columns[table]})
    for family in FAMILIES:
        there = {
            name: names[CUSTOMERS, name]
            for name, column in columns[CUSTOMERS].items()
            if column.origin == family or family not in COMPUTED
        }
        for owner in BLOCKS:
            for option in _options(definitions[owner]["properties"].get(family, {})):
                _close(option, there)
    for owner in ("Geographic", "Behavioural"):
        _close(definitions[owner], {column: names[CUSTOMERS, column] for column in columns[CUSTOMERS]})
    done = finished(schema)
    condition = done["$defs"]["Condition"]
    for (table, name), place in names.items():
        if place in done["$defs"]:
            done["$defs"][place] = _column(columns[table][name], condition)
    return done


def _options(part: Schema) -> Sequence[Schema]:
    options: Sequence[Schema] = part.get("anyOf", [part])
    return options


def _name(definitions: Mapping[str, Schema], owners: Iterable[str], key: str, names: Sequence[str]) -> None:
    """Let only these names fit, in place, wherever `key` of the owners is a text or has texts."""
    for owner in owners:
        properties = definitions.get(owner, {}).get("properties", {})
        if key in properties and names:
            told = {what: properties[key][what] for what in ("description", "default") if what in properties[key]}
            properties[key] = {**_named(properties[key], names), **told}


def _named(part: Any, names: Sequence[str]) -> Any:
    if isinstance(part, list):
        return [_named(inner, names) for inner in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") == "string":
        return {"anyOf": [{"type": "string", "enum": list(names)}, _FILLED]}
    return {key: _named(value, names) if key in ("anyOf", "items") else value for key, value in part.items()}


def _close(part: Schema, columns: Mapping[str, str]) -> None:
    """Let only conditions on these columns fit, in place, where there are conditions; `columns` names definitions."""
    if part.get("additionalProperties") == {"$ref": "#/$defs/Condition"}:
        known = {name: {"$ref": f"#/$defs/{place}"} for name, place in columns.items()}
        part |= {"properties": {**part.get("properties", {}), **known}, "additionalProperties": False}


def _column(column: KnownColumn, condition: Schema) -> Schema:
    """A condition on a column, which says what the column is, and offers its most frequent values."""
    told = column.type if column.section == CUSTOMERS else f"{column.type}, from {column.section}"
    properties: dict[str, Schema] = {
        key: {"$ref": f"#/$defs/Condition/properties/{key}"} for key in condition["properties"]
    }
    values = [one.value for one in column.values.frequent] if column.values else []
    if column.values and column.values.lowest is not None:
        told += f"; {_plain(column.values.lowest)} to {_plain(column.values.highest)}"
    if values:
        told += f"; such as {', '.join(map(shown, values))}"
        offered = [{"enum": values}, SCALAR_SCHEMA]
        # One option with lists of several, not several options: editors offer a key once an option.
        lists = {"type": [*SCALAR_SCHEMA["type"], "array"], "items": {"anyOf": offered}, "minItems": 1}
        told_of = {key: condition["properties"][key]["description"] for key in ("is", "in", "not_in")}
        properties["is"] = {"anyOf": offered, "description": told_of["is"]}
        properties |= {key: {**lists, "description": told_of[key]} for key in ("in", "not_in")}
    return {**condition, "description": told, "properties": properties}


def _plain(value: object) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
