import copy
from typing import Any

import jsonschema
import pytest

from docs.reference import BEGIN, END, SECTIONS, reference_markdown, write_between_markers
from segkit.io.write import FORMATS
from segkit.rules.schema.json_schema import json_schema, schema_text
from segkit.rules.wording.field_docs import key_docs
from segkit.rules.wording.shape import fields_of
from segkit.rules.wording.unknown_keys import KEYS, OPERATORS

VALID: dict[str, Any] = {
    "version": 1,
    "customers": {"path": "c.csv", "key": "id"},
    "segment": {"a": {"demographic": {"age": {"min": 18}}}},
}


def test_it_is_a_schema_and_the_same_each_time() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(FORMATS))
    assert schema_text(json_schema(FORMATS)) == schema_text(json_schema(FORMATS))
    assert schema_text(json_schema(FORMATS)).endswith("}\n")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("customer",), {}),
        (("customers", "kee"), "id"),
        (("customers", "duplicates"), "keep"),
        (("segment", "Upper"), {"everyone": True}),
        (("segment", "a", "demographic", "age"), {"gte": 18}),
        (("segment", "a", "demographic", "age"), {"within": "3 moons"}),
        (("segment", "a", "demographic", "age"), {}),
        (("segment", "a", "demographic", "age"), []),
        (("segment", "a", "any"), {"demographic": {"age": 3}}),
        (("segment", "a", "behavioural"), {"did": {"where": {}}}),
        (("segment", "a", "rfm"), 3),
        (("rfm",), {"bins": 11}),
        (("rfm",), {"cutofs": {"recency": [1, 2]}}),
        (("rfm",), {"brand_a": {"bins": 3}}),
        (("rfm",), {"brand_a": {"events": "orders", "bins": 11}}),
        (("rfm",), {"Brand A": {"events": "orders"}}),
    ],
)
def test_editors_underline_mistakes(path: tuple[str, ...], value: Any) -> None:
    validator = jsonschema.Draft202012Validator(json_schema(FORMATS))
    data = copy.deepcopy(VALID)
    validator.validate(data)
    table = data
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    assert not validator.is_valid(data)


def test_every_key_has_a_description() -> None:
    schema = json_schema(FORMATS)
    for name, definition in schema["$defs"].items():
        for key, told in definition.get("properties", {}).items():
            assert "description" in told or "$ref" in told, f"{name}.{key}"


def test_the_reference_names_every_key() -> None:
    text = reference_markdown()
    for section in SECTIONS:
        for key in fields_of(section.model):
            assert f"| `{key}` |" in text
            assert key_docs(section.model)[key]
    for line in text.splitlines():
        assert not line.startswith("|") or line.count(" | ") in {2, 3}, line


def test_the_reference_between_its_markers() -> None:
    document = write_between_markers(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert document == write_between_markers(document)
    assert document.startswith("before\n")
    assert document.endswith(f"{END}\nafter\n")
    assert "old\n" not in document
    with pytest.raises(ValueError, match="has no"):
        write_between_markers("nothing")


def test_words_for_keys_lead_to_keys_that_exist() -> None:
    models = {section.model for section in SECTIONS}
    keys = {key for model in models for key in fields_of(model)}
    assert set(KEYS.values()) <= keys
    schema = json_schema(FORMATS)["$defs"]["Condition"]["properties"]
    assert {target.split(" ")[0] for target in OPERATORS.values()} <= set(schema)
    assert not set(OPERATORS) & set(schema)
