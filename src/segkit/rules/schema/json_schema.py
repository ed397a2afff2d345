"""The JSON Schema of the rule file, for editors: completion, hover texts, red underlines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from segkit.rules.findings import SPELLINGS
from segkit.rules.model.base import NAME_PATTERN, SCALAR_SCHEMA
from segkit.rules.model.blocks import SHORT, Block
from segkit.rules.model.file import RuleFile
from segkit.rules.schema.for_editors import for_editors
from segkit.rules.wording.field_docs import key_docs
from segkit.rules.wording.shape import models_in

Schema = dict[str, Any]
_TEXTS = ({"type": "string"}, {"type": "array", "items": {"type": "string"}})


def json_schema(formats: Iterable[str]) -> Schema:
    """JSON Schema, draft 2020-12, of a rule file of version 1; dates count as strings, as editors have them.

    `formats` are the names of those that can be written.
    """
    return finished(plain_schema(formats))


def finished(schema: Schema) -> Schema:
    """A plain schema as editors have it."""
    return _without_unused(for_editors(schema))


def plain_schema(formats: Iterable[str]) -> Schema:
    """The same schema before it is made fit for editors."""
    definitions = schemas_of(_models(RuleFile, set()), formats)
    root = definitions.pop("RuleFile") | {"title": "segkit rule file, version 1"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "$defs": definitions}


def _without_unused(schema: Schema) -> Schema:
    """The schema without definitions that nothing refers to, such as those that stand in the place of a reference."""
    while True:
        definitions = schema["$defs"]
        used = {
            name
            for owner, part in (("", _without(schema, "$defs")), *definitions.items())
            for name in re.findall(r"#/\$defs/(\w+)", json.dumps(part))
            if name != owner
        }
        if used == definitions.keys():
            return schema
        schema = {**schema, "$defs": {name: part for name, part in definitions.items() if name in used}}


def schemas_of(models: Iterable[type[BaseModel]], formats: Iterable[str]) -> dict[str, Schema]:
    """The schema of each model, by its name, with the short forms that the file may have and the `formats`."""
    models = list(models)
    _, schema = models_json_schema([(model, "validation") for model in models])
    definitions = {name: _tidy(definition) for name, definition in schema["$defs"].items()}
    format_ = definitions["Output"]["properties"]["format"]
    definitions["Output"]["properties"]["format"] = dict(sorted({**format_, "enum": list(formats)}.items()))
    for inner in {inner for model in models for inner in _models(model, set())}:
        _describe(inner, definitions[inner.__name__])
    _short_forms(definitions)
    return definitions


def _describe(model: type[BaseModel], definition: Schema) -> None:
    for key, text in key_docs(model).items():
        if key in definition["properties"]:
            definition["properties"][key]["description"] = text


def schema_text(schema: Schema) -> str:
    """The schema as the text of a file: the same bytes each time."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """`model` and all that it is made of."""
    if model not in seen:
        seen.add(model)
        yield model
        for field in model.model_fields.values():
            for inner in models_in(field.annotation):
                yield from _models(inner, seen)


def _tidy(schema: Schema) -> Schema:
    """`schema` without nulls (TOML has none), titles made of field names, and defaults that say nothing."""
    tidy: Schema = {}
    for key, value in schema.items():
        if key in {"properties", "patternProperties"}:
            tidy[key] = {name: _untitled(_tidy(inner)) for name, inner in value.items()}
        elif key == "description":
            tidy[key] = " ".join(value.split())
        elif key == "default" and (value is None or isinstance(value, (dict, list))):
            continue
        elif isinstance(value, dict) and key != "default":
            tidy[key] = _tidy(value)
        elif isinstance(value, list) and key in {"anyOf", "prefixItems"}:
            tidy[key] = [_tidy(inner) for inner in value if inner != {"type": "null"}]
        else:
            tidy[key] = value
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    options = tidy.get("anyOf", [])
    return {**options[0], **_without(tidy, "anyOf")} if len(options) == 1 else tidy


def _untitled(schema: Schema) -> Schema:
    return _without(schema, "title")


def _without(schema: Schema, key: str) -> Schema:
    return {name: value for name, value in schema.items() if name != key}


def _short_forms(definitions: dict[str, Schema]) -> None:
    """Add, in place, the forms that the validators of the models read beside the full ones."""
    condition = definitions["Condition"]
    full = _without(_without(condition, "title"), "description")
    scalars = {"type": "array", "items": SCALAR_SCHEMA, "minItems": 1}
    definitions["Condition"] = {
        "title": condition["title"],
        "description": condition["description"],
        "anyOf": [SCALAR_SCHEMA, scalars, full | {"minProperties": 1}],
    }
    _rfm_tables(definitions)
    blocks: tuple[type[BaseModel], ...] = (Block, *_subclasses(Block))
    for block in blocks:
        properties = definitions.get(block.__name__, {}).get("properties", {})
        for family in SHORT.keys() & properties.keys():
            full = properties[family]
            short = [*_TEXTS, _without(full, "description")]
            properties[family] = {"description": full["description"], "anyOf": short}
        for known in SPELLINGS.keys() & properties.keys():
            properties[SPELLINGS[known]] = properties[known]


def _rfm_tables(definitions: dict[str, Schema]) -> None:
    """Let `[rfm]`, in place, hold further tables beside its keys: each has `events` or `columns`."""
    if "RuleFile" not in definitions:
        return
    table = {"$ref": "#/$defs/Rfm", "anyOf": [{"required": [key]} for key in ("events", "columns")]}
    several = {"propertyNames": {"pattern": NAME_PATTERN}, "additionalProperties": table}
    definitions["RfmTables"] = definitions["Rfm"] | {"title": "RfmTables"} | several
    properties = definitions["RuleFile"]["properties"]
    properties["rfm"] = {"$ref": "#/$defs/RfmTables", "description": properties["rfm"]["description"]}


def _subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for inner in model.__subclasses__():
        yield inner
        yield from _subclasses(inner)
