"""Every rule file under tests/cases is read: the valid ones load, the invalid ones say why not.

`UPDATE_EXPECTED=1 pytest tests/unit/rules/test_cases.py` writes expected.txt anew: read the difference before you
commit it, as somebody who has a rule file open and does not know Python.
"""

import contextlib
import json
import os
from pathlib import Path

import jsonschema
import pytest
import tomli

from segkit.diagnostics import Diagnostic
from segkit.errors import RuleError
from segkit.io.write import FORMATS
from segkit.operations.evaluation.evaluate import without_data
from segkit.rules.schema.json_schema import json_schema
from segkit.rules.text.loader import Loaded, load_rules_text

CASES = Path(__file__).parents[2] / "cases"
ENV = {"CITY": "Nantes", "EMPTY": ""}


def cases(kind: str) -> list[Path]:
    return sorted(path.parent for path in (CASES / kind).glob("*/rules.toml"))


def load(case: Path) -> Loaded:
    text = (case / "rules.toml").read_text(encoding="utf-8")
    with contextlib.chdir(case):
        return load_rules_text(text, "rules.toml", formats=FORMATS, env=ENV)


def problems(case: Path) -> list[Diagnostic]:
    try:
        return without_data(load(case))
    except RuleError as error:
        return list(error.diagnostics)


EXTRAS = {"value": [pytest.mark.extra("predict")]}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=EXTRAS.get(case.name, [])) for case in cases("valid")], ids=lambda case: case.name
)
def test_valid(case: Path) -> None:
    assert problems(case) == []


@pytest.mark.parametrize("case", cases("valid"), ids=lambda case: case.name)
def test_valid_in_editors(case: Path) -> None:
    data = tomli.loads((case / "rules.toml").read_text(encoding="utf-8-sig"))
    jsonschema.Draft202012Validator(json_schema(FORMATS)).validate(json.loads(json.dumps(data, default=str)))


@pytest.mark.parametrize("case", cases("invalid"), ids=lambda case: case.name)
def test_invalid(case: Path) -> None:
    text = "\n\n".join(problem.render() for problem in problems(case)) + "\n"
    expected = case / "expected.txt"
    if os.environ.get("UPDATE_EXPECTED"):
        expected.write_text(text, encoding="utf-8")
    assert text.strip(), "nothing was found wrong"
    assert text == expected.read_text(encoding="utf-8")
