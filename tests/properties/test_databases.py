"""The same random tables as CSV, Parquet and in databases: the same lists, the same counts."""

from __future__ import annotations

import csv
import json
import sqlite3
import tempfile
from copy import deepcopy
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import given, note

from segkit.cli import main
from segkit.rules.model.table_name import quoted
from tests.server import URL, new_schema

from .files import Case, Row, Table
from .strategies import cases
from .test_frames import OF_TEXTS, sources, typed
from .test_gates import gated
from .test_oracle import examples

AFFINITY = {"key": "text", "text": "text", "number": "numeric", "money": "decimal(18, 4)"}
"""Kind of a column -> its type in SQLite."""


BY_ORDER = ("first", "last", "last_file")
"""What `duplicates` says that goes by the order of the rows."""


def ordered(case: Case) -> Case:
    """The case with its tables in the order in which they come from a database: by key, then from left to right."""
    tables = dict(case.tables)
    for section in reversed(sources(case.rules)):
        path = section.get("path")
        if path in tables:
            frame = tables[path].frame().with_row_index("row of the file")
            key = list(on.values()) if isinstance(on := section.get("on"), dict) else [on or section.get("key")]
            key = [section.get("rename", {}).get(name, name) for name in key if name]
            names = [name for name in dict.fromkeys([*key, *tables[path].kinds]) if name in frame.columns]
            places = frame.sort(names, nulls_last=False)["row of the file"]
            tables[path] = replace(tables[path], rows=[tables[path].rows[place] for place in places])
    return replace(case, tables=tables)


def in_database(case: Case, path: str) -> tuple[Case, dict[str, Table]]:
    """The case with its sources in a database, and the tables that this has to hold."""
    rules: Row = deepcopy(case.rules)
    held: dict[str, Table] = {}
    by_order = any(one.get("fill_down") or one.get("duplicates") in BY_ORDER for one in sources(rules))
    place = "ctid" if path.startswith("postgres") else "rowid"  # they are filled from the last row on
    for section in sources(rules):
        if section.get("path") in case.tables:
            name = Path(section["path"]).stem
            held[name] = case.tables[section["path"]]
            query = {"query": f"select * from {quoted(name)} order by {place} desc"}
            section.update({"path": path}, **(query if by_order else {"table": name}))
            for key in OF_TEXTS:
                section.pop(key, None)
    return replace(case, rules=rules), held


def fill_sqlite(file: Path, tables: dict[str, Table]) -> None:
    with sqlite3.connect(file) as connection:
        for name, table in tables.items():
            columns = ", ".join(f"{quoted(c)} {AFFINITY.get(kind, '')}" for c, kind in table.kinds.items())
            connection.execute(f"create table {quoted(name)} ({columns})")
            rows = [tuple(map(of_sqlite, (row[c] for c in table.kinds))) for row in reversed(table.rows)]
            connection.executemany(f"insert into {quoted(name)} values ({', '.join('?' * len(table.kinds))})", rows)
    connection.close()


def of_sqlite(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def fill_duckdb(file: Path, tables: dict[str, Table]) -> None:
    with duckdb.connect(str(file)) as connection:
        for name, table in tables.items():
            parquet = file.with_suffix(".parquet")
            table.frame().reverse().write_parquet(parquet)
            connection.execute(f"create table {quoted(name)} as select * from read_parquet('{parquet}')")


def fill_postgresql(connection: Any, tables: dict[str, Table]) -> None:
    with connection.cursor() as cursor:
        for name, table in tables.items():
            cursor.adbc_ingest(name, table.frame().reverse(), mode="create")


def applied(case: Case, directory: Path) -> tuple[int, str, dict[str, str], Row]:
    """Exit code and errors of a run, its lists, and what its manifest counts."""
    done = CliRunner().invoke(main, ["apply", str(case.write(directory)), "-o", str(directory / "out"), "--replace"])
    assert done.exit_code < 70, done.stderr
    if done.exit_code:
        return done.exit_code, done.stderr, {}, {}
    lists = {path.name: path.read_text(encoding="utf-8") for path in (directory / "out").glob("*.csv")}
    manifest = json.loads((directory / "out/manifest.json").read_text(encoding="utf-8"))
    counted = {key: manifest[key] for key in ("customers", "unmatched", "unlisted", "several", "overlaps")}
    counted["segments"] = [
        {key: one[key] for key in ("name", "matched", "written", "excluded")} for one in manifest["segments"]
    ]
    counted["tables"] = [{key: one[key] for key in ("name", "rows", "left_out")} for one in manifest["tables"]]
    return 0, "", lists, counted


def keys(lists: dict[str, str]) -> dict[str, list[str]]:
    return {name: [row[0] for row in csv.reader(text.splitlines(keepends=True))] for name, text in lists.items()}


def check(case: Case, *, with_texts: bool) -> None:
    """Sources with types of their own give the same bytes; texts, in which true may be 1, the same customers."""
    case = ordered(case)
    note(case.show())
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        expected = applied(typed(case), directory)
        if with_texts:
            code, _, lists, counted = applied(case, directory)
            assert (code, keys(lists), counted) == (expected[0], keys(expected[2]), expected[3])
            other, tables = in_database(case, "sqlite:shop.db")
            fill_sqlite(directory / "shop.db", tables)
            code, _, lists, counted = applied(other, directory)
            assert (code, keys(lists), counted) == (expected[0], keys(expected[2]), expected[3])
        other, tables = in_database(typed(case), "duckdb:shop.duckdb")
        fill_duckdb(directory / "shop.duckdb", tables)
        found = applied(other, directory)
        assert (found[0], *found[2:]) == (expected[0], *expected[2:]), found[1]
        if URL and pytest.importorskip("adbc_driver_postgresql"):
            for server in new_schema():
                other, tables = in_database(typed(case), server.url)
                fill_postgresql(server._connection, tables)
                found = applied(other, directory)
                assert (found[0], *found[2:]) == (expected[0], *expected[2:]), found[1]


@pytest.mark.extra("duckdb")
@examples(8)
@given(gated())
def test_gates(case: Case) -> None:
    check(case, with_texts=True)


@pytest.mark.extra("duckdb", "geo")
@examples(8)
@given(cases())
def test_everything(case: Case) -> None:
    check(case, with_texts=False)
