"""The same random tables as CSV, in workbooks, at addresses, in buckets and in lakes: the same lists and counts."""

from __future__ import annotations

import tempfile
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest
from hypothesis import given, note

from tests.lakes import written
from tests.s3 import a_cloud, needs_server
from tests.web import serving
from tests.workbooks import ods, workbook

from .files import Case, Row, Table
from .strategies import cases
from .test_databases import BY_ORDER, applied, keys
from .test_frames import sources, typed
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


def has_order(source: Row) -> bool:
    return bool(source.get("fill_down")) or source.get("duplicates") in BY_ORDER


def partition_of(table: Table, source: Row, kinds: tuple[str, ...]) -> str | None:
    """A column of one of these kinds that is no key; None where there is none."""
    on = source.get("on") or ()
    taken = {source.get("key"), *([on] if isinstance(on, str) else [*on, *(on.values() if on else ())])}
    return next((name for name, kind in table.kinds.items() if kind in kinds and name not in taken), None)


def in_lake(case: Case, directory: Path, kind: str | None) -> Case:
    """The case with its Parquet files as Delta tables, of which that of the customers has partitions of a kind.

    Rows of one table with partitions have no order, and which event came first is asked of the others.
    """
    rules: Row = deepcopy(case.rules)
    by_order = {one["path"] for one in sources(rules) if has_order(one)}
    for source in sources(rules):
        path = source.get("path")
        if path in case.tables and path not in by_order:
            source["path"] = path.removesuffix(".parquet")
            if not (directory / source["path"]).exists():
                table = case.tables[path]
                name = partition_of(table, source, (kind,)) if kind and source is rules["customers"] else None
                written(table.frame(), directory / source["path"], *([name] if name else []))
    return replace(case, rules=rules)


@pytest.mark.extra("lake")
@pytest.mark.parametrize("kind", [None, "text", "date", "number", "timestamp", "boolean"])
@examples(6)
@given(gated())
def test_delta(kind: str | None, case: Case) -> None:
    case = typed(case)
    note(case.show())
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        expected, found = applied(case, directory), applied(in_lake(case, directory, kind), directory)
        if kind is None:
            assert (found[0], *found[2:]) == (expected[0], *expected[2:]), found[1]
        else:
            assert (found[0], in_any_order(found[2]), found[3]) == (expected[0], in_any_order(expected[2]), expected[3])


@pytest.mark.extra("lake", "geo")
@examples(8)
@given(cases())
def test_everything_in_delta(case: Case) -> None:
    case = typed(case)
    note(case.show())
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        expected, found = applied(case, directory), applied(in_lake(case, directory, None), directory)
        assert (found[0], *found[2:]) == (expected[0], *expected[2:]), found[1]


def ndjson(case: Case) -> Case:
    """The case, whose tables are Parquet files, with NDJSON in place of these."""
    paths = {path: f"{Path(path).stem}.ndjson" for path in case.tables}
    return replace(elsewhere(case, paths), tables={paths[path]: table for path, table in case.tables.items()})


@pytest.mark.extra("bucket")
@needs_server
@pytest.mark.parametrize("kind", ["csv", "parquet", "ndjson"])
@examples(6)
@given(gated())
def test_buckets(kind: str, case: Case) -> None:
    """Texts are copied, and Parquet is read where it is, as far as a condition asks for its parts."""
    case = case if kind == "csv" else typed(case) if kind == "parquet" else ndjson(typed(case))
    note(case.show())
    with tempfile.TemporaryDirectory() as name, a_cloud(Path(name)) as cloud:
        directory = Path(name)
        expected = applied(case, directory)
        paths = {path: cloud.put(f"a folder/{path}", (directory / path).read_bytes()) for path in case.tables}
        found = applied(elsewhere(case, paths), directory)
        assert (found[0], *found[2:]) == (expected[0], *expected[2:]), found[1]


@pytest.mark.extra("bucket", "lake")
@needs_server
@pytest.mark.parametrize("kind", [None, "text", "date"])
@examples(4)
@given(gated())
def test_delta_in_buckets(kind: str | None, case: Case) -> None:
    case = typed(case)
    note(case.show())
    with tempfile.TemporaryDirectory() as name, a_cloud(Path(name)) as cloud:
        directory = Path(name)
        lake = in_lake(case, directory, kind)
        expected = applied(lake, directory)
        tables = [path for one in sources(lake.rules) if (path := one.get("path")) and (directory / path).is_dir()]
        for path in dict.fromkeys(tables):
            cloud.put_folder(directory / path, f"{path}/")
        found = applied(elsewhere(lake, {path: f"{cloud.root}/{path}" for path in tables}), directory)
        assert (found[0], *found[2:]) == (expected[0], *expected[2:]), found[1]


def in_any_order(lists: dict[str, str]) -> dict[str, list[str]]:
    return {name: sorted(text.splitlines()) for name, text in lists.items()}


def in_folders(case: Case, directory: Path) -> Case:
    """The case with a text of the customers in the names of folders, in place of a column of the file."""
    rules: Row = deepcopy(case.rules)
    source = rules["customers"]
    path = source.get("path")
    name = partition_of(case.tables[path], source, ("text",)) if path in case.tables else None
    if name is None or has_order(source):
        return case
    source["path"] = Path(path).stem
    for (value,), rows in case.tables[path].frame().group_by(pl.col(name), maintain_order=True):
        folder = "__HIVE_DEFAULT_PARTITION__" if value is None else quote(str(value), safe="")
        place = directory / source["path"] / f"{quote(name, safe='')}={folder}"
        place.mkdir(parents=True)
        rows.drop(name).write_parquet(place / "part.parquet")
    return replace(case, rules=rules)


@examples(20)
@given(gated())
def test_folders(case: Case) -> None:
    case = typed(case)
    note(case.show())
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        expected, found = applied(case, directory), applied(in_folders(case, directory), directory)
        assert found[0] == expected[0], found[1]
        assert in_any_order(found[2]) == in_any_order(expected[2])
        for one, other in zip(found[3].get("tables", ()), expected[3].get("tables", ()), strict=True):
            # Rows in folders that `where` leaves out are not counted.
            assert one["rows"] <= other["rows"]
            assert one["left_out"].items() - {("where", one["left_out"].get("where"))} <= other["left_out"].items()
