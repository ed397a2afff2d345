"""`segkit check --format`: what machines read of it, and what each severity does to the exit code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from segkit.codes import CODES
from tests.desk import Desk, head

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas/sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
SARIF = jsonschema.Draft4Validator(SCHEMA)
WARNED = head() + '[segment.s]\neveryone = true\nsample = 0.5\nlabel = "50 %, naïve: 😀"\n'
WRONG = head() + '[segment.s]\nin_segment = ["a,b:c%", "t"]\n'
FINE = head() + "[segment.s]\neveryone = true\n"
UNDO = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}


def undone(text: str) -> str:
    return re.sub("%..", lambda sign: UNDO[sign[0]], text)


def as_json(desk: Desk, rules: Path) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = json.loads(desk.segkit("check", rules, "--json", code=None).stdout)["diagnostics"]
    return said


@pytest.mark.parametrize("rules", [WARNED, WRONG, FINE])
@pytest.mark.parametrize("name", ["rules.toml", "a, b: c %.toml"])
def test_workflow_commands_say_the_same(desk: Desk, rules: str, name: str) -> None:
    path = desk.put(name, rules)
    lines = desk.segkit("check", path, "--format", "github", code=None).stdout.splitlines()
    said = as_json(desk, path)
    assert len(lines) == len(said)
    for line, one in zip(lines, said, strict=True):
        found = re.fullmatch(r"::(error|warning|notice) (.*?)::(.*)", line)
        assert found is not None, line
        severity, properties, message = found.groups()
        told = dict(part.split("=", 1) for part in properties.split(","))
        assert severity == one["severity"]
        assert undone(told["file"]) == one["path"]
        assert (int(told["line"]), int(told["col"])) == (one["line"], one["column"])
        assert undone(told["title"]) == f"{one['code']} {one['name']}"
        assert undone(message) == one["message"] + (f"\nhint: {one['hint']}" if one["hint"] else "")


def test_a_workflow_command_to_the_letter(desk: Desk) -> None:
    path = desk.put("a,b:c.toml", WARNED)
    [line] = desk.segkit("check", path, "--format", "github").stdout.splitlines()
    assert line == (
        f"::warning file={str(path).replace(',', '%2C').replace(':', '%3A')},line=8,col=1,endColumn=7,title=SEG020 doubtful-rule::"
        "a sample of 0.5 %25 is less than a hundredth%0A"
        "hint: shares are in percent: if you mean 50 %25, say `sample = 50`"
    )


@pytest.mark.parametrize("rules", [WARNED, WRONG, FINE, "version ="])
@pytest.mark.parametrize("name", ["rules.toml", "with space é#?.toml"])
def test_sarif_is_what_its_schema_says(desk: Desk, rules: str, name: str) -> None:
    path = desk.put(name, rules)
    log = json.loads(desk.segkit("check", path, "--format", "sarif", code=None).stdout)
    SARIF.validate(log)
    [run] = log["runs"]
    known = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in known] == list(CODES)
    said = as_json(desk, path)
    assert len(run["results"]) == len(said)
    for result, one in zip(run["results"], said, strict=True):
        assert known[result["ruleIndex"]]["id"] == result["ruleId"] == one["code"]
        assert result["level"] == one["severity"]
        assert result["message"]["text"] == one["message"] + (f"\n{one['hint']}" if one["hint"] else "")
        physical = result["locations"][0]["physicalLocation"]
        assert physical["artifactLocation"]["uri"] == path.as_uri()
        assert physical["region"]["startLine"] == one["line"]
        assert physical["region"]["startColumn"] == one["column"] < physical["region"]["endColumn"]


def test_the_schema_of_sarif_refuses(desk: Desk) -> None:
    log = json.loads(desk.segkit("check", desk.put("r.toml", WARNED), "--format", "sarif").stdout)
    log["runs"][0]["results"][0]["level"] = "notice"
    assert not SARIF.is_valid(log)


def test_a_relative_path_stays_relative(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("r.toml", WARNED)
    monkeypatch.chdir(desk.folder)
    log = json.loads(desk.segkit("check", "r.toml", "--format", "sarif").stdout)
    assert log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "r.toml"


def test_json_is_a_format(desk: Desk) -> None:
    rules = desk.put("r.toml", WARNED)
    whole = desk.segkit("check", rules, "--json").stdout
    assert desk.segkit("check", rules, "--format", "json").stdout == whole
    assert desk.segkit("check", rules, "--format", "json", "--json").stdout == whole
    assert desk.segkit("check", rules).stdout == desk.segkit("check", rules, "--format", "text").stdout
    said = desk.segkit("check", rules, "--json", "--format", "sarif", code=2).stderr
    assert "`--json` is `--format json`" in said


@pytest.mark.parametrize("format_", ["text", "json", "github", "sarif"])
@pytest.mark.parametrize(
    ("rules", "plain", "strict"), [(FINE, 0, 0), (WARNED, 0, 1), (WRONG, 1, 1)], ids=["fine", "warned", "wrong"]
)
def test_the_exit_code_is_that_of_the_gravest(desk: Desk, format_: str, rules: str, plain: int, strict: int) -> None:
    path = desk.put("r.toml", rules)
    desk.segkit("check", path, "--format", format_, code=plain)
    desk.segkit("check", path, "--format", format_, "--fail-on", "warning", code=strict)


def test_another_day_is_looked_at(desk: Desk) -> None:
    """As of a day, for the file and for the one it is compared with; the day is told."""
    desk.put("c.csv", "id,since\n1,2024-01-05\n2,2024-03-05\n")
    rules = """
version = 1
{as_of}
[customers]
path = "c.csv"
key = "id"
[segment.fresh]
demographic.since.within = "30 days"
"""
    old = desk.put("old.toml", rules.format(as_of="as_of = 2024-01-31"))
    new = desk.put("new.toml", rules.format(as_of="").replace("30 days", "60 days"))

    def found(*options: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(desk.segkit("check", new, "--data", "--json", *options, code=None).stdout)
        return told

    then = found("--as-of", "2024-01-31", "--against", str(old))
    assert then["as_of"] == "2024-01-31"
    assert [one["change"] for one in then["changes"]] == ["wider"]
    assert "holds-for-nobody" not in [one["name"] for one in then["diagnostics"]]
    assert "holds-for-nobody" in [one["name"] for one in found("--as-of", "2025-01-31")["diagnostics"]]
