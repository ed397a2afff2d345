"""From pydantic's errors to sentences that a CRM analyst understands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from segkit import codes
from segkit.addresses import without_secrets
from segkit.diagnostics import Diagnostic
from segkit.rules.findings import SPELLINGS, At, KeyPath, dotted
from segkit.rules.model.base import Contradiction, Lacking, Unfit, shown
from segkit.rules.model.blocks import FAMILIES
from segkit.rules.wording.another_column import if_a_column
from segkit.rules.wording.field_docs import key_docs
from segkit.rules.wording.shape import model_at
from segkit.rules.wording.unknown_keys import called, unknown_key
from segkit.words import nearest

Said = tuple[KeyPath, str, str | None]
"""Where in the file, the message, the hint."""
_KINDS = {
    "events": "an event table",
    "trait": "a trait",
    "lookup": "a lookup",
    "segment": "a segment",
    "score": "a score",
    "rfm": "an RFM table",
    "consent": "a channel",
    "frequency_cap": "a channel",
    "mavr": "a channel",
    "evaluate": "a metric",
}

_CONDITIONS = "conditions such as `{ age = { min = 18 } }`"
_BLOCKS = "a list of blocks: `[{ demographic.age.min = 18 }, { ... }]`"
_TABLES = {
    "did": 'an event condition such as `{ events = "orders", within = "90 days" }`',
    "did_not": 'an event condition such as `{ events = "orders", within = "90 days" }`',
    "inside": 'a GeoJSON file, or `{ path = "zones.geojson", name = ["North", "South"] }`',
    "near": "a circle such as `{ latitude = 48.85, longitude = 2.35, km = 10 }`",
    "on": 'a column, or pairs such as `{ postcode = "code_postal" }`',
    "rfm": '`{ r_score = { min = 4 } }`, or segments such as `"champions"`',
    "lifecycle": 'stages such as `"new"` or `["active", "loyal"]`',
    "points_per": '`{ column = "emails_read", points = 2, max = 20 }`',
    "grades": "`{ A = 80, B = 60, C = 40 }`",
    "where": _CONDITIONS,
    "require": _CONDITIONS,
    "rename": '`{ new = "old" }`',
    "derive": '`{ total = "quantity * price" }`',
    "types": '`{ income = "number", born = "date" }`',
    "lists": '`{ interests = "," }`',
    "explode": '`{ postcodes = "," }`',
}
_LISTS = {
    "any": _BLOCKS,
    "all": _BLOCKS,
    "none": _BLOCKS,
    "between": "two values: `[from, to]`",
    "stage": "a list of blocks: `[[lifecycle.stage]]`",
    "rule": "a list of blocks: `[[score.NAME.rule]]`",
    "test": "a list of tests: `[[test]]`",
}


def diagnose(error: ValidationError, data: dict[str, Any], at: At, value_at: At) -> list[Diagnostic]:
    """One diagnostic for each problem of the parsed file `data`.

    `at` and `value_at` find the place of the key and of the value of a path.
    """
    diagnostics = []
    for item in error.errors(include_url=False):
        said = _about_keys(item, at)
        path, message, hint = said or _about_value(item, data)
        diagnostics.append(
            Diagnostic(
                message=message,
                location=(at if said else value_at)(*path),
                hint=hint,
                code=_code(item),
                at=dotted(path),
                segment=str(path[1]) if path[:1] == ("segment",) and len(path) > 1 else None,
            )
        )
    return diagnostics


def _code(item: ErrorDetails) -> str:
    """What kind of mistake it is."""
    cause = item.get("ctx", {}).get("error")
    if item["type"] == "missing" or isinstance(cause, Lacking):
        return codes.MISSING_KEY
    if isinstance(cause, Contradiction):
        return codes.CONTRADICTION
    if item["type"] == "extra_forbidden":
        return codes.UNKNOWN_KEY
    return codes.WRONG_TYPE if item["type"] in _TYPES else codes.BAD_VALUE


def _about_keys(item: ErrorDetails, at: At) -> Said | None:
    """What to say about a key that is unknown, missing or at odds with another; None where a value is wrong."""
    path: KeyPath = item["loc"]
    if item["type"] == "extra_forbidden":
        return unknown_key(path, item["input"], at)
    if item["type"] == "missing":
        return _lacking(path)
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, Lacking):
        return _lacking((*path, cause.key))
    if isinstance(cause, Contradiction):
        return (*path, cause.key) if cause.key else path, cause.message, cause.hint
    if path[-1:] == ("[key]",):
        return _bad_name(path[:-1])
    return None


def _about_value(item: ErrorDetails, data: dict[str, Any]) -> Said:
    """What to say about a value that is not what its key needs."""
    path = _standing(item["loc"], data)
    cause = item.get("ctx", {}).get("error")
    needed, hint = _NEEDS.get(item["type"], _as_told)(item, path)
    value = cause.value if isinstance(cause, Unfit) else item["input"]
    return path, f"{_subject(path, data)} needs {needed}, not {shown(value)}", hint or _without_quotes(value, needed)


def _without_quotes(value: Any, needed: str) -> str | None:
    """The hint for a number in quotes where one is needed."""
    text = value.strip() if isinstance(value, str) else ""
    is_number = "number" in needed and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text)
    return f"write {text} without quotes" if is_number else None


def _lacking(path: KeyPath) -> Said:
    """What to say about a key that a table lacks: the place is the table, the hint is what the key is for."""
    *owner, key = path
    table = tuple(owner)
    if isinstance(key, int):
        return table, f"`{table[-1]}` needs two values: `[from, to]`", None
    if not table:
        if key == "version":
            return (), "the rule file needs `version = 1` at its top", None
        return (), "the rule file needs a section `[customers]`", "with `path`, the customer file, and `key`"
    model = model_at(table)
    meaning = key_docs(model).get(str(key)) if model else None
    return table, f"{called(table)} needs `{key}`", meaning and f"`{key}`: {_first_sentence(meaning)}"


def _first_sentence(text: str) -> str:
    sentence = re.split(r"\.(?:\s|$)", " ".join(text.split()), maxsplit=1)[0]
    return sentence[:1].lower() + sentence[1:]


def _bad_name(path: KeyPath) -> Said:
    """What to say about a name that a segment, trait or table cannot have."""
    name = str(path[-1])
    plain = unicodedata.normalize("NFKD", without_secrets(name)).encode("ascii", "ignore").decode().lower()
    better = re.sub(r"[^a-z0-9_-]+", "-", plain).strip("-_")
    hint = "a name has small letters a-z, digits, `-` and `_`, and begins with a letter or digit"
    return path, f"`{name}` cannot be the name of {_KINDS[str(path[0])]}", f"{hint}{f': `{better}`' if better else ''}"


def _standing(path: KeyPath, data: Any) -> KeyPath:
    """The part of `path` that is in the file, without the keys and positions of short forms."""
    standing: KeyPath = ()
    for part in path:
        if isinstance(data, list) and isinstance(part, int):
            data, standing = data[part], (*standing, part)
        elif isinstance(data, dict) and part in data:
            data, standing = data[str(part)], (*standing, part)
        elif isinstance(data, dict) and SPELLINGS.get(str(part)) in data:
            data, standing = data[SPELLINGS[str(part)]], (*standing, part)
        elif part == "":  # the RFM table without a name: its keys are those of `[rfm]`
            standing = (*standing, part)
    return standing


def _subject(path: KeyPath, data: Any) -> str:
    """The key in backticks; for an item of a list, which one."""
    if not path:
        return "the rule file"
    if isinstance(path[-1], int):
        names = [part for part in path if isinstance(part, str)]
        return f"item {path[-1] + 1} of `{names[-1]}`"
    return f"`{path[-1]}`"


Need = tuple[str, str | None]


def _as_told(item: ErrorDetails, path: KeyPath) -> Need:
    """The need that a validator of ours names, or pydantic's words where nothing better is known."""
    cause = item.get("ctx", {}).get("error")
    return (cause.needed, if_a_column(path, cause.value)) if isinstance(cause, Unfit) else (item["msg"].lower(), None)


def _text(item: ErrorDetails, path: KeyPath) -> Need:
    value = item["input"]
    plain = isinstance(value, (int, Decimal, date)) and not isinstance(value, bool)
    return "a text", f'put it in quotes: `"{shown(value)}"`' if plain else None


def _boolean(item: ErrorDetails, path: KeyPath) -> Need:
    value = str(item["input"]).lower()
    return "`true` or `false`", f"without quotes: `{value}`" if value in {"true", "false"} else None


def _table(item: ErrorDetails, path: KeyPath) -> Need:
    key = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    if len(path) == 1:
        return f"a section: `[{key}]`", None
    if key in FAMILIES and key not in _TABLES:
        return _CONDITIONS, None
    if (path[:1] == ("segment",) and len(path) == 2) or key in {"any", "all", "none"}:
        return "a block of criteria such as `{ demographic.age.min = 18 }`", None
    return _TABLES.get(key, "a table of keys and values"), None


def _list(item: ErrorDetails, path: KeyPath) -> Need:
    key = str(path[-1])
    doubled = isinstance(item["input"], dict) and key in {"any", "all", "none"}
    example = shown(item["input"]) if isinstance(item["input"], str) else "..."
    needed = _LISTS.get(key, f"a list: `{key} = [{example}]`")
    return needed, f"write `[[...{key}]]` with two brackets, or `{key} = [{{ ... }}]`" if doubled else None


def _choice(item: ErrorDetails, path: KeyPath) -> Need:
    key, value = str(path[-1]), item["input"]
    allowed = re.findall(r"'([^']*)'|(\d+)", item["ctx"]["expected"])
    options = [text or number for text, number in allowed]
    listed = ", ".join(f'"{o}"' if text else o for o, (text, _) in zip(options, allowed, strict=True))
    hint = nearest(str(value), options)
    if key == "version":
        hint = "this segkit reads version 1 of the format"
    return f"one of {listed}" if len(options) > 1 else listed, hint


_TYPES = {"string_type", "bool_type", "int_type", "dict_type", "model_type", "tuple_type"}
"""What pydantic calls a value of another kind."""
_NEEDS: dict[str, Callable[[ErrorDetails, KeyPath], Need]] = {
    "string_type": _text,
    "bool_type": _boolean,
    "int_type": lambda item, path: ("a whole number", None),
    "dict_type": _table,
    "model_type": _table,
    "tuple_type": _list,
    "literal_error": _choice,
    "string_too_long": lambda item, path: ("one character", None),
    "string_too_short": lambda item, path: ("one character", None),
    "greater_than_equal": lambda item, path: (f"{item['ctx']['ge']} or more", None),
    "less_than_equal": lambda item, path: (f"{item['ctx']['le']} or less", None),
    "too_short": lambda item, path: ("at least one value", None),
    "too_long": lambda item, path: ("two values: `[from, to]`", None),
}
