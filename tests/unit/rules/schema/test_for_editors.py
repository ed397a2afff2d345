"""The form of the schema for editors accepts and refuses what the plain one does."""

import copy
import json
import random
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit.io.write import FORMATS
from segkit.rules.schema.for_editors import anything_but, for_editors
from segkit.rules.schema.json_schema import json_schema, plain_schema

ROOT = Path(__file__).parents[4]
FILES = sorted(
    path
    for pattern in ("configs/*.toml", "examples/**/*.toml", "tests/cases/valid/*/rules.toml")
    for path in ROOT.glob(pattern)
    if path.name not in ("rfm.cutoffs.toml",) and "[customers]" in path.read_text(encoding="utf-8")
)
JUNK: list[Any] = [3, -1, 2.5, True, "x", "", "30 days", "2024-01-01", [], ["x"], [3, 4], [["x"]], {}, {"zz": 1}, [{}]]
FORMAT_CHECKER = jsonschema.FormatChecker([])


def is_day(value: object) -> bool:
    """Whether it begins with a day: the rules take days with a time, too."""
    return not isinstance(value, str) or bool(re.match(r"\d{4}-\d{2}-\d{2}", value))


FORMAT_CHECKER.checks("date")(is_day)


def validator(schema: Any) -> Any:
    return jsonschema.Draft202012Validator(schema, format_checker=FORMAT_CHECKER)


NEW, PLAIN = validator(json_schema(FORMATS)), validator(plain_schema(FORMATS))


def as_editors_have_it(path: Path) -> Any:
    return json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each (table or list, key or position) of a document."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_both_forms_judge_alike(path: Path) -> None:
    data = as_editors_have_it(path)
    NEW.validate(data)
    chance = random.Random(path.name)
    wrong = 0
    for number in range(250):
        changed = copy.deepcopy(data)
        table, key = chance.choice(list(places(changed)))
        if isinstance(table, dict) and number % 3 == 0:
            table[chance.choice(["zz", "Zz 1", "events", "is", "per", "columns"])] = table.pop(key)
        else:
            table[key] = copy.deepcopy(chance.choice(JUNK))
        accepted = PLAIN.is_valid(changed)
        wrong += not accepted
        assert NEW.is_valid(changed) == accepted, changed
    assert wrong > 25


def test_there_are_files() -> None:
    assert len(FILES) > 20


def test_one_wrong_key_is_one_error_at_its_place() -> None:
    data = as_editors_have_it(ROOT / "configs/shop.toml")
    name = next(iter(data["segment"]))
    data["segment"][name]["labl"] = "x"
    (error,) = NEW.iter_errors(data)
    assert (error.instance, error.schema) == ("x", False)


def test_it_is_a_fifth_smaller() -> None:
    new, plain = (len(json.dumps(form.schema, indent=2)) for form in (NEW, PLAIN))
    assert new < 0.8 * plain


KEPT = [
    # options that types do not tell apart, or of which one says something about values of all types
    [{"type": "string", "minLength": 3}, {"type": "string", "maxLength": 1}],
    [{"type": "string"}, {"minItems": 2}],
    [{"type": "string", "enum": ["a"]}, {"type": "array"}],
    [{"type": "array"}, {"type": ["array", "object"]}],
    [{"type": "string", "pattern": "^a", "maxLength": 3}, {"type": "string", "pattern": "^b"}],
]
MERGED = [
    ([{"type": "string"}, {"type": "array", "minItems": 1}], {"type": ["string", "array"], "minItems": 1}),
    ([{"type": "number"}, {"$ref": "#/$defs/T"}], {"type": ["number", "object"], "required": ["a"]}),
    (
        [{"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "^b"}],
        {"type": "string", "pattern": "^a|^b"},
    ),
]


@pytest.mark.parametrize("options", KEPT)
def test_options_that_are_kept(options: list[Any]) -> None:
    assert for_editors({"anyOf": options, "$defs": {}})["anyOf"] == options


@pytest.mark.parametrize(("options", "one"), MERGED)
def test_options_that_become_one(options: list[Any], one: Any) -> None:
    definitions = {"T": {"type": "object", "required": ["a"]}}
    assert for_editors({"anyOf": options, "$defs": definitions}) == one | {"$defs": definitions}


def test_each_definition_is_used() -> None:
    text = json.dumps(NEW.schema)
    for name in NEW.schema["$defs"]:
        assert f'"#/$defs/{name}"' in text


WORDS = st.text("ab_", max_size=4)


@given(
    words=st.sets(WORDS.filter(bool), min_size=1, max_size=5), text=WORDS | st.text(max_size=4).filter(str.isprintable)
)
def test_anything_but_some_words(words: set[str], text: str) -> None:
    pattern = f"^{anything_but(sorted(words))}$"
    assert "(?!" not in pattern
    assert bool(re.search(pattern, text)) == (text not in words)
