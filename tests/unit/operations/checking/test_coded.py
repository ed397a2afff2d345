"""A finding gets the place of its dotted path, and is as grave as its code is under these rules."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from segkit.codes import CODES
from segkit.diagnostics import Finding
from segkit.io.write import FORMATS
from segkit.operations.checking.coded import coded
from segkit.report.annotations.sarif import check_sarif
from segkit.results.check import CheckResult
from segkit.rules.text.loader import load_rules_text

TEXT = """version = 1
[customers]
path = "c.csv"
key = "id"
[segment.a]
demographic."last.name" = "x"
any = [
  { demographic.age.min = 3 },
  { demographic.age = { min = 9, max = 3 } },
]
[segment.2024]
[[segment.2024.any]]
demographic.age = 1
[[segment.2024.any]]
demographic."a.0.b" = 2
[mavr]
min_size = 3
"""
LOADED = load_rules_text(TEXT, "rules.toml", formats=FORMATS)


def finding(code: str = "SEG106", at: str = "segment.a", *conflict: str) -> Finding:
    return Finding(code=code, at=at, message="m", segment="a", conflict=conflict, hint=None)


@pytest.mark.parametrize(
    ("at", "line", "column"),
    [
        ("segment.a", 5, 10),
        ("segment.a.any", 7, 1),
        ("segment.a.any.0", 8, 3),
        ("segment.a.any.1", 9, 3),
        ("segment.a.any.1.demographic.age.max", 9, 34),
        ("segment.a.demographic.last.name", 6, 13),
        # what is not there has the place of what is around it
        ("segment.a.demographic.last.name.is", 6, 13),
        ("segment.a.any.0.rfm", 8, 3),
        ("segment.2024.any.1", 14, 16),
        ("segment.2024.any.1.demographic.a.0.b", 15, 13),
    ],
)
def test_a_dotted_place_is_found(at: str, line: int, column: int) -> None:
    place = coded(LOADED, finding(at=at)).location
    assert place is not None
    assert (place.path, place.line) == ("rules.toml", line)
    assert place.column == column


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_as_grave_as_the_page_says(code: str) -> None:
    told = coded(LOADED, finding(code))
    assert told.code == code and told.at == "segment.a" and told.segment == "a"
    # the file gives the size, and no other threshold
    assert told.severity == ("warning" if code == "SEG204" else CODES[code].severity)


def test_names_and_codes_are_one_of_a_kind() -> None:
    names = [about.name for about in CODES.values()]
    assert len({*names, *CODES}) == 2 * len(CODES)
    assert list(CODES) == sorted(CODES)


def test_sarif_names_what_a_finding_comes_of() -> None:
    told = coded(LOADED, finding("SEG106", "segment.a.any.1", "segment.a.any.1.demographic.age.min", "segment.a"))
    log = json.loads(check_sarif(CheckResult("rules.toml", (told,)), "1.2.3"))
    schema = Path(__file__).parents[3] / "schemas/sarif-2.1.0-rtm.5.json"
    jsonschema.Draft4Validator(json.loads(schema.read_text(encoding="utf-8"))).validate(log)
    [result] = log["runs"][0]["results"]
    assert [one["logicalLocations"][0]["fullyQualifiedName"] for one in result["relatedLocations"]] == [
        "segment.a.any.1.demographic.age.min",
        "segment.a",
    ]
    assert result["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "segment.a.any.1"}]
    assert log["runs"][0]["tool"]["driver"]["version"] == "1.2.3"
