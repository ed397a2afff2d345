"""What `check` found as SARIF 2.1.0, which code hosts and editors read."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from segkit.codes import CODES, code_of
from segkit.diagnostics import Diagnostic, SourceLocation
from segkit.io.write.json_text import json_text
from segkit.results.check import CheckResult

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ABOUT = "https://pypi.org/project/segkit-cli/"


def check_sarif(result: CheckResult, version: str) -> str:
    """One run of this version of segkit, with a rule for each code, and a result for each diagnostic."""
    run = {
        "tool": {
            "driver": {"name": "segkit", "version": version, "informationUri": ABOUT, "rules": _rules()},
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic, result.path) for diagnostic in result.diagnostics],
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rules() -> list[dict[str, Any]]:
    return [
        {
            "id": code,
            "name": about.name,
            "shortDescription": {"text": about.title},
            "fullDescription": {"text": about.cause},
            "help": {"text": about.mend},
            "defaultConfiguration": {"level": str(about.severity)},
        }
        for code, about in CODES.items()
    ]


def _result(diagnostic: Diagnostic, rules: str) -> dict[str, Any]:
    """A diagnostic; one without a place is about the rule file as a whole."""
    code = code_of(diagnostic)
    text = diagnostic.message + (f"\n{diagnostic.hint}" if diagnostic.hint else "")
    location = _location(diagnostic.location or SourceLocation(rules))
    if diagnostic.at:
        location["logicalLocations"] = [{"fullyQualifiedName": diagnostic.at}]
    result: dict[str, Any] = {
        "ruleId": code,
        "ruleIndex": list(CODES).index(code),
        "level": str(diagnostic.severity),
        "message": {"text": text},
        "locations": [location],
    }
    if diagnostic.conflict:
        others = ([{"fullyQualifiedName": at}] for at in diagnostic.conflict)
        result["relatedLocations"] = [{"id": n, "logicalLocations": names} for n, names in enumerate(others, 1)]
    return result


def _location(place: SourceLocation) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.path)}}
    if place.line:
        physical["region"] = {"startLine": place.line}
        if place.column:
            physical["region"] |= {"startColumn": place.column, "endColumn": place.column + place.width}
    return {"physicalLocation": physical}


def _uri(path: str) -> str:
    """The path as a URI: one that is relative stays so."""
    if "://" in path:
        return quote(path, safe=":/?&=%#@+,;~*")
    pure = PurePath(path)
    return pure.as_uri() if pure.is_absolute() else quote(pure.as_posix())
