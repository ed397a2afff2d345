"""The tests of a rule file as JUnit XML, which build servers show."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from segkit.report.text.test import difference_lines
from segkit.results.test import Verdict, Verdicts

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(result: Verdicts) -> str:
    """One suite with a case for each test; a failure has what was expected and what there is."""
    counts = {"tests": str(len(result.verdicts)), "failures": str(result.failed), "errors": "0"}
    suites = ET.Element("testsuites", counts)
    time = f"{result.elapsed_seconds:.3f}"
    suite = ET.SubElement(suites, "testsuite", {"name": _text(result.path), **counts, "skipped": "0", "time": time})
    for verdict in result.verdicts:
        suite.append(_case(result.path, verdict))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _case(path: str, verdict: Verdict) -> ET.Element:
    case = ET.Element(
        "testcase",
        {
            "classname": _text(path),
            "name": _text(verdict.name),
            "file": _text(verdict.location.path),
            "line": str(verdict.location.line),
        },
    )
    if not verdict.passed:
        told = [difference_lines(difference) for difference in verdict.differences]
        lines = [f"expected {expected}, found {found}" for expected, found in told]
        lines += [verdict.left_out] if verdict.left_out else []
        ET.SubElement(case, "failure", {"message": _text(lines[0])}).text = _text("\n".join(lines))
    return case


def _text(value: str) -> str:
    """The text without the characters that XML has no place for."""
    return _NOT_XML.sub("\ufffd", value)
