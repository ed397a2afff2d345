"""The same random tables as CSV, in workbooks and at addresses: the same lists, the same counts."""

from __future__ import annotations

import tempfile
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note

from tests.web import serving
from tests.workbooks import ods, workbook

from .files import Case, Row, Table
from .test_databases import applied, keys
from .test_frames import sources
from .test_gates import gated
from .test_oracle import examples

OF_LINES = ("delimiter", "quote", "encoding")
"""Keys of a source that say how lines of text are written; those of its values hold for cells, too."""


def elsewhere(case: Case, paths: dict[str, str], *, as_lines: bool = True) -> Case:
    """The case with other paths in its rules."""
    rules: Row = deepcopy(case.rules)
    for section in sources(rules):
        if section.get("path") in paths:
            section["path"] = paths[section["path"]]
            for key in () if as_lines else OF_LINES:
                section.pop(key, None)
    return replace(case, rules=rules)


def cells(table: Table) -> list[list[str]]:
    """The texts of a CSV, as they would stand in cells."""
    return [[*table.kinds], *([table.cell(row[name]) for name in table.kinds] for row in table.rows)]


def check(case: Case, directory: Path, expected: tuple[Any, ...]) -> None:
    """What applies to the case elsewhere; texts in cells may come out otherwise, as 1 where they were true."""
    code, errors, lists, counted = applied(case, directory)
    assert (code, keys(lists), counted) == (expected[0], keys(expected[2]), expected[3]), errors


@pytest.mark.extra("excel")
@examples(10)
@given(gated())
def test_gates(case: Case) -> None:
    note(case.show())
    texts = [path for path in case.tables if path.endswith(".csv")]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        expected = applied(case, directory)
        for ending in ("xlsx", "ods"):
            paths = {path: f"{path.removesuffix('.csv')}.{ending}" for path in texts}
            for path, other in paths.items():
                rows = cells(case.tables[path])
                content = ods(rows) if ending == "ods" else workbook([[text or None for text in row] for row in rows])
                (directory / other).write_bytes(content)
            check(elsewhere(case, paths, as_lines=False), directory, expected)
        with serving(directory) as (web, trusted), pytest.MonkeyPatch.context() as patch:
            patch.setenv("SSL_CERT_FILE", str(trusted))
            paths = {path: web.put(f"/{path}", (directory / path).read_bytes()) for path in texts}
            found = applied(elsewhere(case, paths), directory)
            assert found == expected
