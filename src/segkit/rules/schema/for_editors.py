"""A schema in the form in which editors tell mistakes best: one error for one wrong key, at its place."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

Schema = dict[str, Any]
LONG = 80
"""Characters of what is said of a key of several tables from which on it is worth a definition."""
_OF_EVERY_TYPE = frozenset({"enum", "const", "anyOf", "allOf", "oneOf", "not", "$ref"})
"""Keywords that say something about values of every type, so that those of two types cannot stand side by side."""
_OF_TEXTS = frozenset({"type", "pattern", "description"})
_DAY = r"^\d{4}-\d{2}-\d{2}|\$\{"
"""A day, alone or with a time, or a text that the environment fills."""


def for_editors(schema: Schema) -> Schema:
    """The schema, which accepts what it accepted before, and days with a time, which editors take for no `date`.

    Editors show an error for each of the options of `anyOf` when one key is wrong in a table, and offer each key once
    an option. So options of different types become one that has the keywords of all, and keys that are not known are
    told one by one. What many keys take is said once.
    """
    schema = _everywhere(schema, _with_days)
    while (merged := _merged_once(schema)) != schema:  # what stands in the place of a reference has options, too
        schema = merged
    closed: Schema = _everywhere(_shared(schema), _closed)
    return closed


def _everywhere(part: Any, change: Callable[[Schema], Schema]) -> Any:
    """The schema with each part changed, inner ones first."""
    if isinstance(part, list):
        return [_everywhere(inner, change) for inner in part]
    if not isinstance(part, dict):
        return part
    return change({key: _everywhere(inner, change) for key, inner in part.items()})


def _with_days(part: Schema) -> Schema:
    if part.get("type") != "string" or part.get("format") != "date":
        return part
    return {**_without(part, "format"), "pattern": _DAY}


def _merged_once(schema: Schema) -> Schema:
    definitions: Mapping[str, Schema] = schema["$defs"]
    merged: Schema = _everywhere(schema, lambda part: _merged(part, definitions))
    return merged


def _merged(part: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """The part with one option in the place of several, where their types tell them apart."""
    if not isinstance(part.get("anyOf"), list) or part.keys() & {"type", "$ref"}:
        return part
    options = _one_text([_resolved(option, definitions) for option in part["anyOf"]])
    types = [type_ for option in options for type_ in _types(option)]
    apart = all(map(_types, options)) and len(types) == len(set(types))
    if not apart or (len(options) > 1 and any(option.keys() & _OF_EVERY_TYPE for option in options)):
        return part
    keywords = {key: value for option in options for key, value in option.items() if key != "description"}
    others = {key: value for key, value in part.items() if key != "anyOf"}
    return {**keywords, "type": types if len(types) > 1 else types[0], **others}


def _resolved(option: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """What the option refers to; itself where it refers to nothing."""
    name = str(option.get("$ref", "")).rpartition("/")[2]
    return definitions.get(name, option)


def _one_text(options: list[Schema]) -> list[Schema]:
    """The options, those that are texts with a pattern as one."""
    texts = [option for option in options if option.get("type") == "string" and "pattern" in option]
    if len(texts) < 2 or any(not text.keys() <= _OF_TEXTS for text in texts):
        return options
    pattern = "|".join(text["pattern"] for text in texts)
    return [{"type": "string", "pattern": pattern}, *(option for option in options if option not in texts)]


def _types(option: Schema) -> list[str]:
    types = option.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _shared(schema: Schema) -> Schema:
    """The schema with a definition for each key that several tables have.

    What a key is stands in its definition: editors do not show what stands beside a reference.
    """
    while keys := _keys_of_several(schema):  # those that are shared now may have others in them
        names = {_text(part): name for name, part in keys.items()}
        schema = _everywhere(schema, lambda part: _reference(names.get(_text(part))) or part)  # noqa: B023
        schema = {**schema, "$defs": {**schema["$defs"], **keys}}
    return schema


def _keys_of_several(schema: Schema) -> dict[str, Schema]:
    """The long keys that more than one table has, each with its name; none that is within another one."""
    counts = Counter(_text(part) for part in _parts(schema))
    keys = {
        f"{table}_{key}": part
        for table, definition in reversed(schema["$defs"].items())
        for key, part in definition.get("properties", {}).items()
        if counts[_text(part)] > 1 and len(_text(part)) > LONG
    }
    within = {_text(inner) for part in keys.values() for inner in _parts(list(part.values()))}
    return {name: part for name, part in keys.items() if _text(part) not in within}


def _reference(name: str | None) -> Schema | None:
    return {"$ref": f"#/$defs/{name}"} if name else None


def _parts(part: Any) -> Iterator[Schema]:
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _parts(inner)


def _without(part: Schema, key: str) -> Schema:
    return {name: value for name, value in part.items() if name != key}


def _text(part: Schema) -> str:
    """The part as text that is equal where two parts are."""
    return json.dumps(part, sort_keys=True)


def _closed(part: Schema) -> Schema:
    """The part with a pattern for all keys but the known ones in place of `additionalProperties`.

    So editors tell of each unknown key for itself, and do not take a known key for another one, too. Where others
    may be, they are asked for without looking ahead, which not all editors do.
    """
    patterns = part.get("patternProperties", {})
    known = [*part.get("properties", {}), *(pattern.removeprefix("^").removesuffix("$") for pattern in patterns)]
    if "additionalProperties" not in part or not known:
        return part
    others, rest = part["additionalProperties"], _without(part, "additionalProperties")
    pattern = f"^(?!(?:{'|'.join(known)})$)" if others is False else f"^{anything_but(known)}$"
    return {**rest, "patternProperties": {**patterns, pattern: others}}


def anything_but(words: Collection[str]) -> str:
    """A pattern, without looking ahead, for all texts that are none of these words of letters and `_`."""
    after = {letter: [word[1:] for word in words if word[:1] == letter] for word in words for letter in word[:1]}
    if not after:
        return ".+"
    ends = [] if "" in words else [""]
    other = f"[^{''.join(after)}].*"
    goes_on = [letter + anything_but(rest) for letter, rest in after.items()]
    return f"(?:{'|'.join([*ends, *goes_on, other])})"
