"""Tables and queries of PostgreSQL, SQLite and DuckDB as sources."""

from __future__ import annotations

import csv
import json
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import duckdb
import polars as pl
import pytest

import segkit
from segkit.io.databases import duck, postgresql, sqlite
from segkit.io.read.kinds.database import of_postgresql
from segkit.rules.text.row_order import is_ordered
from tests.desk import Desk, event_table, head
from tests.server import Server, needs_server, new_schema

EVERYONE = "[segment.all]\neveryone = true\n"
CUSTOMERS = [
    "create table customers (id varchar(10), town varchar(20), age integer, since date)",
    "insert into customers values ('b', 'Paris', 30, '2020-02-29'), ('a', 'Nantes', 20, '2021-01-01'), ('c', null, null, null)",
]
ORDERS = [
    "create table orders (id varchar(10), day date, total decimal(10, 2), line integer)",
    "insert into orders values ('b', '2024-01-01', 12.50, 1), ('a', '2024-01-05', 3, 2), ('a', '2024-02-06', 1.10, 3)",
]
SLOW = {
    "sqlite": "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as id from n",
    "duckdb": "select count(*) as id from range(2000000) a, range(2000000) b where a.range + b.range = -1",
    "postgresql": "select pg_sleep(60)::text as id",
}


class Base(NamedTuple):
    """A database of a test."""

    kind: str
    path: str
    run: Callable[..., object]


@pytest.fixture
def server() -> Iterator[Server]:
    yield from new_schema()


def sqlite_base(desk: Desk) -> Base:
    def run(*statements: str) -> None:
        with sqlite3.connect(desk / "shop.db") as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    return Base("sqlite", "sqlite:shop.db", run)


def duckdb_base(desk: Desk) -> Base:
    def run(*statements: str) -> None:
        with duckdb.connect(str(desk / "shop.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement)

    return Base("duckdb", "duckdb:shop.duckdb", run)


@pytest.fixture(
    params=["sqlite", "duckdb", pytest.param("postgresql", marks=[needs_server, pytest.mark.extra("database")])]
)
def base(desk: Desk, request: pytest.FixtureRequest) -> Base:
    """Each of the three."""
    if request.param == "postgresql":
        server = request.getfixturevalue("server")
        return Base("postgresql", server.url, server.run)
    return (sqlite_base if request.param == "sqlite" else duckdb_base)(desk)


def customers(path: str, *more: str, table: str | None = "customers") -> str:
    return head(*([f'table = "{table}"'] if table else []), *more, path=path)


def columns(desk: Desk, rules: str, *names: str) -> list[list[str]]:
    """The columns of all customers, in the order in which they come."""
    output = f"[output]\ncolumns = {json.dumps(names)}\n"
    return [[row[name] for name in names] for row in desk.rows(rules + output + EVERYONE)]


def errors(desk: Desk, rules: str, *args: object, code: int = 3) -> str:
    return desk.apply(rules + EVERYONE, *args, code=code).stderr


def test_a_table_and_a_query(desk: Desk, base: Base) -> None:
    base.run(*CUSTOMERS, *ORDERS)
    rules = customers(base.path) + event_table(
        "o", base.path, 'query = "select id, day, total from orders where line < 3;"', 'amount = "total"'
    )
    rules += '[trait.spent]\nevents = "o"\nmeasure = "sum"\nof = "total"\n'
    segments = {
        "geographic.town.missing = false": ["a", "b"],
        "demographic.age.min = 25": ["b"],
        "demographic.since.before = 2020-06-01": ["b"],
        "behavioural.spent.min = 3": ["a", "b"],
        'behavioural.did_not = { events = "o" }': ["c"],
    }
    assert desk.members(rules, {one: one for one in segments}) == segments
    for command in (["check", "rules.toml", "--data"], ["columns", "rules.toml"], ["explain", "rules.toml", "a"]):
        assert desk.segkit(command[0], desk / "rules.toml", *command[2:])


def test_a_lookup_and_like(desk: Desk, base: Base) -> None:
    base.run(*CUSTOMERS, *ORDERS, "create table towns (town varchar(20), region varchar(20))")
    base.run("insert into towns values ('Paris', 'north'), ('Nantes', 'west')")
    rules = customers(base.path) + event_table("o", base.path, 'query = "select * from orders"')
    rules += '[events.first]\nlike = "o"\ntable = "orders"\nwhere.line = 1\n'
    rules += f'[lookup.towns]\npath = "{base.path}"\ntable = "towns"\non = "town"\n'
    segments = {
        'geographic.region = "west"': ["a"],
        'behavioural.did = { events = "first" }': ["b"],
        'behavioural.did = { events = "o" }': ["a", "b"],
    }
    assert desk.members(rules, {one: one for one in segments}) == segments


def test_what_two_sections_read_is_read_once(desk: Desk, base: Base) -> None:
    """Else each of them would see other random numbers."""
    chance = {"sqlite": "random() % 1000000", "duckdb": "random()", "postgresql": "random()"}[base.kind]
    base.run(*ORDERS)
    query = f"select id, day, {chance} as chance from orders"
    rules = 'version = 1\nas_of = 2024-03-01\n[customers]\nfrom = "o"\nkey = "id"\n'
    rules += "".join(event_table(name, base.path, f'query = "{query}"') for name in ("o", "p"))
    rules += "".join(f'[trait.{name}]\nevents = "{name}"\nmeasure = "max"\nof = "chance"\n' for name in ("o", "p"))
    both = columns(desk, rules, "o", "p")
    assert len(both) == 2
    assert all(one == other != "" for one, other in both)


@pytest.mark.parametrize("read", ['table = "customers"', 'query = "select * from customers where seen >= 0 -- all"'])
def test_the_same_rows_in_another_order_give_the_same_bytes(desk: Desk, base: Base, read: str) -> None:
    base.run("create table customers (seen integer, id varchar(10), note varchar(10))")
    rows = [(n % 7, f"k{n:03}", f"n{n % 11}") for n in range(200)]
    found = []
    for seed in range(2):
        random.Random(seed).shuffle(rows)
        base.run("delete from customers", f"insert into customers values {', '.join(map(str, rows))}")
        rules = head(read, path=base.path) + '[output]\ncolumns = ["seen", "note"]\n'
        assert desk.json(rules + EVERYONE, "-o", desk / "out", "--replace")["customers"] == 200
        manifest = json.loads((desk / "out/manifest.json").read_text())
        found.append(((desk / "out/all.csv").read_text(), manifest["inputs"]))
    assert found[0] == found[1]
    assert found[0][0].splitlines()[1:] == [f"{key},all,{seen},{note}" for seen, key, note in sorted(rows, key=lambda r: r[1])]  # fmt: skip


BY_ORDER = {
    "first": ("{}\n[customers]\nkey = 'id'\nduplicates = 'first'\nSOURCE\n", 'duplicates = "first"', 5),
    "last": ("{}\n[customers]\nkey = 'id'\nduplicates = 'last'\nSOURCE\n", 'duplicates = "last"', 5),
    "fill_down": ("{}\n[customers]\nkey = 'id'\nfrom = 'o'\n[events.o]\nSOURCE\ntime = 'd'\nid = 'n'\nfill_down = ['d']\n", "fill_down", 11),
    "last_file": ("{}\n[customers]\nkey = 'id'\nfrom = 'o'\n[events.o]\nSOURCE\ntime = 'd'\nid = 'n'\nduplicates = 'last_file'\n", 'duplicates = "last_file"', 11),
    "lookup": ("{}\n[customers]\nkey = 'id'\npath = 'c.csv'\n[lookup.l]\nSOURCE\non = 'n'\nduplicates = 'first'\n", 'duplicates = "first"', 10),
}  # fmt: skip
"""Rules whose source is to come, the key that means an order, and its line, where the source has two."""


@pytest.mark.parametrize("case", BY_ORDER)
@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        ("table = 'x'", True),
        ("query = 'select * from x'", True),
        ("query = 'select * from (select * from x order by n) as y'", True),
        ("query = 'select * from x order by n'", False),
    ],
)
def test_keys_that_mean_an_order_need_one(desk: Desk, case: str, read: str, *, wrong: bool) -> None:
    rules, key, line = BY_ORDER[case]
    desk.put("c.csv", "id,n\na,1\n")
    text = rules.format("version = 1\nas_of = 2024-03-01").replace("SOURCE", f"path = 'sqlite:shop.db'\n{read}")
    said = desk.segkit("check", desk.put("rules.toml", text + EVERYONE), code=int(wrong)).output
    message = f"`{key}` goes by the order of the rows, and a database has none"
    assert (message in said) is wrong
    if wrong:
        assert "hint: say it in `query`, with `order by` at its end" in said
        done = errors(desk, text, code=2)
        assert message in done
        assert f"rules.toml:{line}:1" in done
    else:
        assert message not in desk.segkit("apply", desk / "rules.toml", code=3).output


def test_a_query_keeps_its_own_order(desk: Desk, base: Base) -> None:
    base.run("create table customers (id varchar(10), n integer)")
    base.run(f"insert into customers values {', '.join(str((f'k{n % 3}', n)) for n in range(9))}")
    for order, first, last in (("n desc", "8", "0"), ("n", "0", "8")):
        query = f"select * from (select * from customers order by n) as x order by {order} limit 9"
        for which, expected in (("first", first), ("last", last)):
            rules = head(f'query = "{query}"', f'duplicates = "{which}"', path=base.path)
            assert [expected] in columns(desk, rules, "n")


@pytest.mark.parametrize("statement", ["delete from customers", "insert into customers select * from customers", "drop table customers", "update customers set age = 1 returning id"])  # fmt: skip
def test_a_query_that_writes_is_refused(desk: Desk, base: Base, statement: str) -> None:
    base.run(*CUSTOMERS)
    two = f"select id from customers order by id; {statement}"
    for query in (statement, f"{statement} -- order by id", f"/* rows */ {statement}", two):
        said = errors(desk, head(f'query = "{query}"', path=base.path), code=2)
        assert "and a source is only read" in said and "one `select`" in said
    assert len(columns(desk, customers(base.path), "id")) == 3


def test_what_takes_too_long_is_stopped(desk: Desk, base: Base) -> None:
    base.run(*ORDERS)
    rules = head(f'query = "{SLOW[base.kind]}"', 'timeout = "1 second"', path=base.path)
    said = errors(desk, rules + event_table("o", base.path, 'table = "orders"'))
    assert "was stopped: it took too long" in said
    assert "`timeout`" in said


@needs_server
@pytest.mark.extra("database")
def test_no_rules_are_kept_of_options(desk: Desk, server: Server) -> None:
    """A password in an address is no doubt where no copy of it is kept."""
    server.run(*ORDERS)
    assert "password" not in desk.segkit("rfm", f"{server.url}#orders", "--as-of", "2024-05-01").stderr


@pytest.mark.skipif(sys.version_info < (3, 12), reason="SQLite of Python 3.11 takes it for a text")
def test_a_name_that_no_column_has_is_no_text(desk: Desk) -> None:
    sqlite_base(desk).run(*CUSTOMERS)
    for query in ('select id, "twon" as town from customers', "select id from customers where \"stat\" = 'paid'"):
        said = errors(desk, head(f"query = {json.dumps(query)}", path="sqlite:shop.db"))
        assert "has no such column" in said and "'single quotes'" in said


def test_a_table_that_is_not_there(desk: Desk, base: Base) -> None:
    base.run(*CUSTOMERS, *ORDERS)
    said = errors(desk, customers(base.path, table="order"))
    assert "has no table `order`" in said
    assert "hint: did you mean `orders`?" in said
    assert ", table order" in said
    assert "the tables are `customers`" in errors(desk, customers(base.path, table="zebra"))


@pytest.mark.parametrize("table", [".", '"', "sales.", ".orders", "a..b", '"a"b'])
def test_a_text_that_names_no_table(desk: Desk, table: str) -> None:
    sqlite_base(desk).run(*CUSTOMERS)
    said = errors(desk, head(f"table = '{table}'", path="sqlite:shop.db"), code=2)
    assert f"error: `{table}` is not the name of a table" in said and "`sales.orders`" in said
    address = f"sqlite:shop.db#{table}"
    said = desk.segkit("rfm", address, code=2).stderr
    assert said.startswith(f"error: `{address}`: `{table}` is not the name of a table")


def test_a_query_that_is_wrong(desk: Desk, base: Base) -> None:
    base.run(*CUSTOMERS)
    said = errors(desk, head('query = """\nselect id,\n  agee from customers"""', path=base.path))
    assert "has no such column (line 2 of `query`, column 3)" in said
    assert "has no such table (line 1 of `query`, column 15)" in errors(
        desk, head('query = "select * from nowhere"', path=base.path)
    )
    assert "does not understand the SQL (line 1 of `query`, column" in errors(
        desk, head('query = "selec 1"', path=base.path)
    )


@pytest.mark.parametrize("end", [";", "; -- of all", ";\n/* of; all */\n;", " -- of; all"])
@pytest.mark.parametrize("order", ["", " order by id"])
def test_what_stands_behind_a_query(desk: Desk, base: Base, end: str, order: str) -> None:
    base.run(*CUSTOMERS)
    query = f"select id, town from customers where id <> ';'{order}{end}"
    assert columns(desk, head(f"query = {json.dumps(query)}", path=base.path), "town") == [["Nantes"], ["Paris"], [""]]


def test_two_columns_of_one_name(desk: Desk, base: Base) -> None:
    base.run(*CUSTOMERS, "create table notes (id varchar(10), n integer)")
    ordered = "select c.id, n.id from customers c, notes n order by 1 -- of both"
    for query in ("select id, id from customers", "select c.id, n.id, n.n from customers c, notes n;", ordered):
        said = errors(desk, head(f'query = "{query}"', path=base.path))
        assert "two columns of `query` are called `id`" in said
        assert "hint: give them names of their own with `as`" in said
    for name in ("id:1", "id_1"):
        query = f'select id, age as \\"{name}\\" from customers where age > 25;'
        assert columns(desk, head(f'query = "{query}"', path=base.path), name) == [["30"]]


@pytest.mark.parametrize("where", ["", 'where.id.not = "x"\n'])
def test_rows_that_are_none(desk: Desk, base: Base, where: str) -> None:
    """A table that was loaded of a file, with its headers and totals."""
    base.run("create table customers (id varchar(20), town varchar(20), n integer)")
    base.run("insert into customers values ('1', 'Paris', 1), ('2', 'Nantes', 2), ('Total', null, 3)")
    said = errors(desk, customers(base.path, where))
    assert "the row with the key `Total` looks like a total and not like a customer" in said
    assert len(columns(desk, customers(base.path, 'where.id.not = "Total"'), "id")) == 2
    base.run("update customers set id = 'ID', town = 'Town', n = null where id = 'Total'")
    said = errors(desk, customers(base.path, where))
    assert "a row repeats the names of the columns" in said
    assert 'hint: leave such rows out: `where.id.not = "ID"`' in said
    rules = customers(base.path, 'rename = { number = "id" }').replace('key = "id"', 'key = "number"')
    assert "a row repeats the names of the columns" in errors(desk, rules)
    assert len(columns(desk, customers(base.path, 'where.id.not = "ID"'), "id")) == 2
    base.run("delete from customers", "insert into customers values ('Sum', '', 1), ('Total', '', 2), ('Shell', '', 3)")
    assert len(columns(desk, customers(base.path), "id")) == 3


def test_a_table_without_rows(desk: Desk, base: Base) -> None:
    base.run("create table customers (id varchar(10), n numeric(10, 2), day date)")
    done = desk.json(customers(base.path) + EVERYONE)
    assert done["customers"] == 0


def test_names_are_taken_as_they_are_spelt(desk: Desk, base: Base) -> None:
    base.run('create table "Odd name" ("id" varchar(10), "a ""b""" integer, "order" integer)')
    base.run("""insert into "Odd name" values ('x', 1, 2)""")
    assert columns(desk, customers(base.path, table="Odd name"), 'a "b"', "order") == [["1", "2"]]


def test_rename_names_the_columns_of_the_database(desk: Desk, base: Base) -> None:
    base.run(*CUSTOMERS)
    rules = customers(base.path, 'rename = { number = "id" }').replace('key = "id"', 'key = "number"')
    assert columns(desk, rules, "town") == [["Nantes"], ["Paris"], [""]]
    said = errors(desk, customers(base.path, 'rename = { x = "nothing" }'))
    assert "`rename` names column `nothing`" in said


WRONG = {
    "neither": (head(path="sqlite:shop.db"), "a database needs `table` or `query`"),
    "both": (customers("sqlite:shop.db", 'query = "select 1"'), "`table` and `query` are two ways"),
    "list": (head(path="x").replace('"x"', '["c.csv", "sqlite:shop.db"]'), "a list of files cannot hold a database"),
    "glob": (customers("duckdb:*.duckdb"), "a glob cannot name a database"),
    "slashes": (customers("sqlite:///shop.db"), "a file follows `sqlite:`"),
    "nothing": (customers("sqlite:"), "a file follows `sqlite:`"),
    "timeout": (customers("sqlite:shop.db", 'timeout = "10 days"'), "needs a time such as"),
    "timeout of nothing": (customers("sqlite:shop.db", 'timeout = "0 seconds"'), "needs a time such as"),
    "delimiter": (customers("sqlite:shop.db", 'delimiter = ";"'), "`delimiter` does not go with `sqlite:shop.db`"),
    "table of a file": (customers("c.csv"), "`table` does not go with `c.csv`, which is read as delimited text"),
    "suppress": (head() + '[consent]\nsuppress = "sqlite:shop.db"\n', "`suppress` names files, and no database"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_rules_that_are_wrong(desk: Desk, case: str) -> None:
    rules, message = WRONG[case]
    desk.put("c.csv", "id\na\n")
    assert message in errors(desk, rules, code=2)
    assert message in desk.segkit("check", desk / "rules.toml", code=1).output


def test_files_that_are_no_database(desk: Desk) -> None:
    desk.put("c.csv", "id\na\n")
    (desk / "folder.db").mkdir()
    sqlite_base(desk).run(*CUSTOMERS)
    assert "there is no file `shp.db`" in (said := errors(desk, customers("sqlite:shp.db")))
    assert "did you mean `shop.db`?" in said
    assert "is a directory" in errors(desk, customers("sqlite:folder.db"))
    assert "is no SQLite database" in errors(desk, customers("sqlite:c.csv"))
    assert "is no DuckDB database" in errors(desk, customers("duckdb:c.csv"))
    said = errors(desk, head(path="shop.db"))
    assert "looks like an SQLite database" in said
    assert 'shop.db"` and its `table`' in said


POSTGRESQL_TYPES: dict[str, tuple[str, str]] = {
    "numeric": ("12345678901234567.0000000001", "12345678901234567.0000000001"),
    "numeric(10, 3)": ("1.234", "1.234"),
    "numeric(9, 2)": ("-0.5", "-0.5"),
    "bigint": ("9007199254740993", "9007199254740993"),
    "smallint": ("-7", "-7"),
    "real": ("0.1", "0.1"),
    "double precision": ("0.1", "0.1"),
    "float8": ("'NaN'", ""),
    "boolean": ("true", "true"),
    "char(5)": ("'b'", "b"),
    "varchar(5)": ("' b '", " b "),
    "uuid": ("'0afeb4da-fa40-7796-921b-f1fb5d929600'", "0afeb4da-fa40-7796-921b-f1fb5d929600"),
    "jsonb": ("""'{"a": [1]}'""", '{"a": [1]}'),
    "json": ("""'{"b":2}'""", '{"b":2}'),
    "interval": ("'1 day 2 hours'", "1 day 02:00:00"),
    "money": ("5.5", "5.5"),
    "bytea": (r"'\x01ff'", r"\x01ff"),
    "date": ("'2024-02-29'", "2024-02-29"),
    "time": ("'10:00'", "10:00:00"),
    "timestamp": ("'2024-02-29 10:00'", "2024-02-29T10:00:00"),
    "timestamptz": ("'2024-01-01 23:30+02'", "2024-01-01T21:30:00+00:00"),
    "inet": ("'10.0.0.1'", "10.0.0.1"),
    "cidr": ("'10.0.0.0/8'", "10.0.0.0/8"),
    "xml": ("'<a/>'", "<a/>"),
    "oid": ("4294967295", "4294967295"),
    "name": ("'x'", "x"),
    "mood": ("'ok'", "ok"),
    "small": ("3", "3"),
    "tiny": ("3", "3"),
    "mood[]": ("'{ok,sad}'", "ok|sad"),
    "tiny[]": ("'{1,2}'", "1|2"),
    "moods": ("'{ok,sad}'", "ok|sad"),
    "words": ("'{a,b}'", "a|b"),
    "code": ("'b'", "b"),
}
"""Type -> a value in SQL, and in the list."""


@needs_server
@pytest.mark.extra("database")
def test_types_of_postgresql(desk: Desk, server: Server) -> None:
    server.run(
        "create type mood as enum ('sad', 'ok')",
        "create domain small as smallint",
        "create domain tiny as small check (value < 10)",
        "create domain moods as mood[]",
        "create domain words as text[] check (cardinality(value) < 9)",
        "create domain code as char(5)",
    )
    columns_ = ", ".join(f"c{n} {kind}" for n, kind in enumerate(POSTGRESQL_TYPES))
    values = ", ".join(value for value, _ in POSTGRESQL_TYPES.values())
    server.run(
        f"create table customers (id text, {columns_}, tags text[])",
        f"insert into customers values ('x', {values}, '{{a,b}}')",
        "insert into customers (id) values ('y')",
    )
    names = [f"c{n}" for n in range(len(POSTGRESQL_TYPES))]
    full, empty = columns(desk, customers(server.url), *names)
    assert dict(zip(POSTGRESQL_TYPES, full, strict=True)) == {kind: out for kind, (_, out) in POSTGRESQL_TYPES.items()}
    assert set(empty) == {""}
    segments = {
        "demographic.c0.above = 12345678901234567": ["x"],
        "demographic.c1.below = 2": ["x"],
        'demographic.tags.has_any = ["b"]': ["x"],
        'demographic.c29.has_any = ["sad"]': ["x"],
        'demographic.c31.has_all = ["ok", "sad"]': ["x"],
        "demographic.c28.is = 3": ["x"],
        "demographic.c3.is = 9007199254740993": ["x"],
        "demographic.c17.min = 2024-02-29": ["x"],
    }
    assert desk.members(customers(server.url), {one: one for one in segments}) == segments
    # 23:30 of 1 January in Rome is the next day in Kyiv.
    rules = customers(server.url).replace("version = 1", 'version = 1\ntimezone = "Europe/Kyiv"')
    assert desk.members(rules, {"s": "demographic.c20.is = 2024-01-01"})["s"] == ["x"]


AS_COPIED = {
    "real": ["16777217", "1234567.8", "0.1", "1e-10"],
    "double precision": ["0.1", "123456789.12345679", "0.30000000000000004"],
    "real[]": ["array[16777217, 1234567.8]::real[]"],
    "double precision[]": ["array[0.30000000000000004, 2]"],
    "inet": ["'10.0.0.1'", "'10.0.0.1/24'", "'::1'", "'2001:db8::/32'"],
    "cidr": ["'10.0.0.0/8'", "'10.0.0.1'"],
    "address": ["'10.0.0.1'"],
    "inet[]": ["array['10.0.0.1']::inet[]"],
    "integer[][]": ["array[[1, 2], [3, 4]]"],
    "text[]": ["array[['a b', 'c'], ['d', null]]"],
    "macaddr": ["'08:00:2b:01:02:03'"],
    "interval": ["'1 year 2 days 03:04:05.5'"],
    "bytea": [r"'\x00ff'"],
    "timetz": ["'10:00+02'"],
    "point": ["'(1.5,2)'"],
    "int4range": ["'[1,5)'"],
    "pair": ["row(1, 'a b')::pair"],
    "pg_lsn": ["'16/B374D848'"],
    "tsvector": ["'a:1 b:2'"],
    "bit varying": ["'101'"],
}
"""Type -> values, which come as COPY writes them, whatever the settings of the session are."""


@needs_server
@pytest.mark.extra("database")
@pytest.mark.parametrize("settings", ["", "%20-cextra_float_digits%3D0%20-cintervalstyle%3Diso_8601%20-cbytea_output%3Descape"])  # fmt: skip
def test_texts_are_those_of_copy(desk: Desk, server: Server, settings: str) -> None:
    server.run("create domain address as inet", "create type pair as (a integer, b text)")
    values = [(kind, value) for kind, all_ in AS_COPIED.items() for value in all_]
    query = "select 'x'::text as id, " + ", ".join(f"({v})::{kind} as c{n}" for n, (kind, v) in enumerate(values))
    copied = ["psql", "-Xq", server.url, "-c", "set extra_float_digits = 1", "-c", f"copy ({query}) to stdout (format csv, header)"]  # fmt: skip
    done = subprocess.run(copied, capture_output=True, text=True, check=True)
    (expected,) = csv.DictReader(done.stdout.splitlines())
    server.run(f"create table customers as {query}")
    (found,) = columns(desk, customers(server.url + settings), *(f"c{n}" for n in range(len(values))))
    for n, (kind, value) in enumerate(values):
        text = expected[f"c{n}"]
        if kind in ("real", "double precision"):
            assert float(found[n]) == float(text), (kind, value)
        elif kind in ("real[]", "double precision[]"):
            assert [float(one) for one in re.findall(r"[-+\d.e]+", found[n])] == [float(one) for one in text.strip("{}").split(",")]  # fmt: skip
        else:
            assert found[n] == text, (kind, value)


ENDLESS = {
    "postgresql": [f"'{word}'::{kind}" for word in ("infinity", "-infinity") for kind in ("date", "timestamp", "timestamptz")],
    "duckdb": [f"'{word}'::{kind}" for word in ("infinity", "-infinity") for kind in ("date", "timestamp", "timestamptz")],
}  # fmt: skip


@pytest.mark.parametrize(
    "kind", ["duckdb", pytest.param("postgresql", marks=[needs_server, pytest.mark.extra("database")])]
)
def test_a_day_without_end_is_a_bad_value(desk: Desk, request: pytest.FixtureRequest, kind: str) -> None:
    base = duckdb_base(desk) if kind == "duckdb" else Base(kind, request.getfixturevalue("server").url, lambda *_: None)
    base.run("create table t (a integer)")
    desk.put("c.csv", "id\na\nb\n")
    for value in [*ENDLESS[kind], "'294276-12-31'::timestamp" if kind == "postgresql" else "'10000-01-01'::date"]:
        cast = value.partition("::")[2]
        query = f"select 'a' as id, {value} as day union all select 'b', '2024-01-31 00:00'::{cast}"
        rules = head() + event_table("o", base.path, f'query = "{query}"')
        asked = '[segment.s]\nbehavioural.did = { events = "o" }\n'
        word = value.strip("'").partition("'")[0]
        said = desk.apply(rules + asked, code=3).stderr
        assert f"cannot read `{word if 'infinity' in word else 'a day beyond the years 1 to 9999'}` as a date" in said
        missing = rules.replace('time = "day"\n', 'time = "day"\nbad_values = "missing"\n')
        assert desk.members(missing, {"s": 'behavioural.did = { events = "o" }'}) == {"s": ["b"]}


@needs_server
@pytest.mark.extra("database")
def test_a_numeric_that_is_no_number_is_a_bad_value(desk: Desk, server: Server) -> None:
    server.run(
        "create table customers (id text, n numeric)", "insert into customers values ('a', 'Infinity'), ('b', 2.5)"
    )
    asked = "[segment.s]\ndemographic.n.min = 1\n"
    assert "cannot read `Infinity` as a number" in desk.apply(customers(server.url) + asked, code=3).stderr
    server.run("update customers set n = 'NaN' where id = 'a'")  # missing, as that of a float
    assert desk.members(customers(server.url), {"s": "demographic.n.max = 1", "t": "demographic.n.missing = true"}) == {
        "s": [],
        "t": ["a"],
    }
    server.run(f"update customers set n = 1{'0' * 39}1 where id = 'a'")
    assert columns(desk, customers(server.url), "n") == [["1" + "0" * 39 + "1"], ["2.5"]]


def test_types_of_sqlite(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segkit.io.read.kinds.database.of_sqlite.BATCH", 2)
    base = sqlite_base(desk)
    base.run(
        "create table customers (id, whole integer, part real, price decimal(10, 2), mixed, odd, blob blob, none, day date, epoch integer, zip text)",
        "insert into customers values ('a', 9007199254740993, 0.1, 12.50, 5, 1, x'01ff', null, '2024-02-29', 1704067200, '01234')",
        "insert into customers values ('b', null, 2, 3, '05', 9007199254740993, 'x', null, null, null, null)",
        "insert into customers values ('c', 1, 1e300, null, 2.0, 1.5, null, null, '2023-01-01', 0, '99')",
        "insert into customers values (7, -1, null, '1.10', 'n. a. ', null, 3, null, '2023-01-01 10:00:00', 1, null)",
    )
    rules = customers(base.path, 'date_format = { epoch = "epoch" }')
    asked = ["id", "whole", "price", "mixed", "odd", "blob", "none", "zip"]
    assert columns(desk, rules, *asked) == [
        ["7", "-1", "1.1", "n. a. ", "", "3", "", ""],
        ["a", "9007199254740993", "12.5", "5", "1", r"\x01ff", "", "01234"],
        ["b", "", "3", "05", "9007199254740993", "x", "", ""],
        ["c", "1", "", "2", "1.5", "", "", "99"],
    ]
    segments = {
        "demographic.whole.is = 9007199254740993": ["a"],
        "demographic.price.is = 12.5": ["a"],
        "demographic.mixed.missing = false": ["7", "a", "b", "c"],
        "demographic.day.min = 2024-01-01": ["a"],
        "demographic.epoch.min = 2024-01-01": ["a"],
        "demographic.part.max = 0.1": ["a"],
    }
    assert desk.members(rules, {one: one for one in segments}) == segments


def test_text_of_sqlite_that_is_not_utf8(desk: Desk) -> None:
    base = sqlite_base(desk)
    base.run("create table customers (id text)", "insert into customers values (cast(x'61ff' as text))")
    said = errors(desk, customers(base.path))
    assert "holds a text that is not UTF-8" in said


DUCKDB_TYPES: dict[str, tuple[str, str]] = {
    "hugeint": ("1234567890123456789012345678", "1234567890123456789012345678"),
    "uhugeint": ("340282366920938463463374607431768211455", "340282366920938463463374607431768211455"),
    "ubigint": ("18446744073709551615", "18446744073709551615"),
    "decimal(18, 3)": ("1.234", "1.234"),
    "double": ("0.1", "0.1"),
    "float": ("0.1", "0.1"),
    "boolean": ("false", "false"),
    "uuid": ("'0afeb4da-fa40-7796-921b-f1fb5d929600'", "0afeb4da-fa40-7796-921b-f1fb5d929600"),
    "enum('x', 'y')": ("'y'", "y"),
    "struct(a integer, b varchar)": ("{'a': 1, 'b': 'z'}", '{"a":1,"b":"z"}'),
    "map(varchar, integer)": ("map {'a': 1}", '{"a":1}'),
    "integer[][]": ("[[1, 2], [3]]", "[[1,2],[3]]"),
    "json": ("""'{"a": 1}'""", '{"a": 1}'),
    "interval": ("interval 1 day", "1 day"),
    "time": ("'10:00'", "10:00:00"),
    "blob": (r"'\x01\xFF'", r"\x01ff"),
    "bit": ("'101'", "101"),
    "date": ("'2024-02-29'", "2024-02-29"),
    "timestamp_s": ("'2024-02-29 10:00'", "2024-02-29T10:00:00"),
    "timestamp with time zone": ("'2024-01-01 23:30:00+02'", "2024-01-01T21:30:00+00:00"),
}  # fmt: skip


def test_types_of_duckdb(desk: Desk) -> None:
    base = duckdb_base(desk)
    columns_ = ", ".join(f"c{n} {kind}" for n, kind in enumerate(DUCKDB_TYPES))
    values = ", ".join(value for value, _ in DUCKDB_TYPES.values())
    base.run(f"create table customers (id varchar, {columns_}, tags varchar[], sizes decimal(9, 1)[3])")
    base.run(
        f"insert into customers values ('x', {values}, ['a', 'b'], [1.5, 2, 3])",
        "insert into customers (id) values ('y')",
    )
    names = [f"c{n}" for n in range(len(DUCKDB_TYPES))]
    full, empty = columns(desk, customers(base.path), *names)
    assert dict(zip(DUCKDB_TYPES, full, strict=True)) == {kind: out for kind, (_, out) in DUCKDB_TYPES.items()}
    assert set(empty) == {""}
    segments = {'demographic.tags.has_any = ["b"]': ["x"], 'demographic.sizes.has_any = ["1.5"]': ["x"]}
    assert desk.members(customers(base.path), {one: one for one in segments}) == segments


def test_sql_for_duckdb_reads_no_other_file(desk: Desk) -> None:
    base, other = duckdb_base(desk), desk.put("other.csv", "id\nsecret\n")
    base.run(*CUSTOMERS)
    for query in (
        f"select * from read_csv('{other}')",
        f"select * from '{other}'",
        "select * from rules",
        f"from customers order by id; copy customers to '{desk / 'x.csv'}'",
    ):
        code = 2 if ";" in query else 3
        assert "secret" not in errors(desk, head(f'query = "{query}"', path=base.path), code=code)
    assert not (desk / "x.csv").exists()


def test_a_file_in_place_of_a_database(desk: Desk) -> None:
    base = sqlite_base(desk)
    base.run(*CUSTOMERS, *ORDERS)
    desk.put("c.csv", "id\nz\n")
    desk.put("o.csv", "id,day,total,line\nz,2024-01-01,1,1\n")
    rules = customers(base.path, 'timeout = "1 minute"') + event_table("o", base.path, 'table = "orders"')
    rules += '[events.p]\nlike = "o"\n' + EVERYONE
    assert [
        row["id"] for row in desk.rows(rules, "--customers", desk / "c.csv", "--events", f"o={desk / 'o.csv'}")
    ] == ["z"]
    assert [row["id"] for row in desk.rows(rules, "--events", f"p={desk / 'o.csv'}")] == ["a", "b", "c"]
    said = desk.apply(
        rules.replace(base.path, "c.csv")
        .replace('table = "customers"\n', "")
        .replace('timeout = "1 minute"\n', "")
        .replace('table = "orders"\n', "")
        .replace('"c.csv"', '"o.csv"', 1),
        "--customers",
        base.path,
        code=2,
    )
    assert "a database needs `table` or `query`" in said.stderr


def test_a_database_that_is_given_is_relative_to_the_caller(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_base(desk).run(*CUSTOMERS)
    rules = desk.put("rules/r.toml", customers("sqlite:nowhere.db") + EVERYONE)
    monkeypatch.chdir(desk.folder)
    done = desk.segkit("apply", rules, "--customers", "sqlite:shop.db", "--dry-run", "--json")
    assert json.loads(done.stdout)["customers"] == 3


def test_a_run_is_explained_from_the_database_as_it_is_now(desk: Desk, base: Base) -> None:
    base.run(*CUSTOMERS)
    rules = customers(base.path) + "[segment.s]\ndemographic.age.min = 25\n"
    desk.apply(rules, "-o", desk / "out")
    assert desk.segkit("explain", "--run", desk / "out", "b").stderr == ""
    base.run("update customers set age = 3123 where id = 'a'")
    assert (
        "is not what the run has read"
        in (said := desk.segkit("explain", "--run", desk / "out", "--verify", "a").stderr)
        or "bytes" in said
    )


def test_check_without_data_asks_no_database(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segkit.io.databases.postgresql.connect", lambda *_: pytest.fail("it connects"))
    rules = customers("postgresql://me@127.0.0.1:1/shop") + event_table("o", "duckdb:none.duckdb", 'query = "select 1"')
    desk.segkit("check", desk.put("rules.toml", rules + EVERYONE))
    desk.segkit("schema", "--for", desk / "rules.toml", code=None)


@pytest.mark.parametrize(
    ("extra", "path", "module"),
    [
        ("database", "postgresql://127.0.0.1:1/shop", "adbc_driver_postgresql"),
        ("duckdb", "duckdb:shop.duckdb", "duckdb"),
    ],
)
def test_an_extra_that_is_absent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, extra: str, path: str, module: str
) -> None:
    desk.put("shop.duckdb", b"\0" * 8 + b"DUCK")
    monkeypatch.setitem(sys.modules, module, None)
    said = errors(desk, customers(path))
    assert "needs an extra of segkit" in said
    assert f'hint: install it: `pip install "segkit-cli[{extra}]"`' in said


@needs_server
@pytest.mark.extra("database")
def test_a_function_that_writes_is_refused_by_the_server(desk: Desk, server: Server) -> None:
    server.run(*CUSTOMERS, "create function f() returns text language sql as 'delete from customers returning id'")
    for query in ("select f() as id", "select f() as id order by 1", "select nextval('s')::text as id"):
        server.run("create sequence if not exists s")
        assert "is only read" in errors(desk, head(f'query = "{query}"', path=server.url))
    assert server.run("select count(*) from customers").item() == 3


def test_files_of_databases_are_opened_to_be_read(desk: Desk) -> None:
    sqlite_base(desk).run(*CUSTOMERS)
    duckdb_base(desk).run(*CUSTOMERS)
    with sqlite.connect(desk / "shop.db") as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("delete from customers")
    connection.close()
    with duck.connect(desk / "shop.duckdb", desk / "tmp") as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("delete from customers")


def test_a_file_that_someone_writes_to(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segkit.io.databases.sqlite.BUSY", 0.0)
    sqlite_base(desk).run(*CUSTOMERS)
    with sqlite3.connect(desk / "shop.db", isolation_level=None) as connection:
        connection.execute("begin exclusive")
        assert "is being written by someone else" in errors(desk, customers("sqlite:shop.db"))
    connection.close()
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(desk / 'shop.duckdb')!r}); print(1, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline()
        assert "is open elsewhere" in errors(desk, customers("duckdb:shop.duckdb"))
        other.communicate()


@needs_server
@pytest.mark.extra("database")
@pytest.mark.parametrize("by", ["environment", "address", "options"])
def test_texts_come_as_utf8(desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """Whatever else is asked for: their bytes are taken for it."""
    path = server.url
    if by == "environment":
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    else:
        path += "&client_encoding=LATIN1" if by == "address" else "%20-cclient_encoding%3DLATIN1"
    server.run("create table customers (id text, town text)", "insert into customers values ('ä', 'Zürich')")
    assert columns(desk, customers(path), "id", "town") == [["ä", "Zürich"]]
    query = "select * from customers where town = 'Zürich'"
    assert columns(desk, head(f'query = "{query}"', path=path), "id") == [["ä"]]
    output = f'[output]\nto = "{path}"\ntable = "lists"\ncolumns = ["town"]\n'
    desk.apply(customers(path) + output + EVERYONE)
    assert server.run("select id, town from lists").rows() == [("ä", "Zürich")]


@needs_server
@pytest.mark.extra("database")
def test_texts_that_do_not_come_as_utf8(desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a pool of connections goes its own way."""
    server.run(*CUSTOMERS)
    monkeypatch.setattr(postgresql, "_with_defaults", lambda address: f"{address}&client_encoding=LATIN1")
    assert "sends texts as LATIN1, and not as UTF-8" in errors(desk, customers(server.url))


@needs_server
@pytest.mark.extra("database")
def test_all_tables_of_a_server_are_of_one_moment(desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.run(*CUSTOMERS, *ORDERS)
    spool = of_postgresql.spool

    def while_someone_writes(*args: Any) -> Any:
        found = spool(*args)
        server.run("insert into orders values ('c', '2024-01-01', 1, 9)")
        return found

    monkeypatch.setattr(of_postgresql, "spool", while_someone_writes)
    rules = customers(server.url) + event_table("o", server.url, 'table = "orders"')
    assert desk.members(rules, {"s": 'behavioural.did = { events = "o" }'}) == {"s": ["a", "b"]}


@needs_server
@pytest.mark.extra("database")
def test_rows_that_the_server_may_hide_are_told_of(desk: Desk, server: Server) -> None:
    role = f"{server.schema}_reader"
    try:
        server.run(*CUSTOMERS, f"create role {role}", f"grant usage on schema {server.schema} to {role}")
        server.run("alter table customers enable row level security", f"grant select on customers to {role}")
        server.run("create policy own on customers using (town = 'Paris')")
        message = "the server says which rows of `customers` this user sees: not all may be read"
        for url, all_, notes in ((server.url, 3, []), (f"{server.url}%20-crole%3D{role}", 1, [message])):
            done = desk.json(customers(url) + EVERYONE, "--dry-run")
            assert done["customers"] == all_
            assert [note["message"] for note in done["notes"]] == notes
    finally:
        server.run(f"drop owned by {role}", f"drop role {role}")


ORDERED = {
    "select a from t order by a": True,
    "SELECT a FROM t ORDER\n  BY a desc limit 3": True,
    "(select a from t order by a)": False,
    "select a from (select a from t order by a) as x": False,
    "select row_number() over (order by a) as n from t": False,
    "select 'x order by y' as a from t": False,
    'select a as "order by" from t': False,
    "select a from t -- order by a": False,
    "select a from t /* order by a */": False,
    "select a from t where b = 'it''s' order by a": True,
    "select $$ order by $$ as a from t": False,
    "select $q$ ) order by $$ ( $q$ as a from t": False,
    r"select e'\' order by ' as a from t": False,
    "with x as (select 1 as a order by a) select a from x": False,
    "with x as (select 1 as a) select a from x order by a nulls first": True,
    "select a from t union all (select a from u order by a)": False,
    "select reorder by from t": False,
    "select array['a]b', ' order by '] as a from t": False,
    "select array['a]b'] as a from t order by 1": True,
    "select [order by] as a from t": False,
}


@pytest.mark.parametrize("query", ORDERED)
def test_whether_a_query_says_its_order(query: str) -> None:
    assert is_ordered(query) is ORDERED[query]


AS_CSV = {
    "customers.csv": "id,town,age,since\nb,Paris,30,2020-02-29\na,Nantes,20,2021-01-01\nc,,,\n",
    "orders.csv": "id,day,total,line\nb,2024-01-01,12.50,1\na,2024-01-05,3.00,2\na,2024-02-06,1.10,3\n",
}


@pytest.mark.parametrize("command", ["rfm", "cohorts"])
def test_commands_without_a_rule_file(desk: Desk, base: Base, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """They read a table as they read the same rows of a file."""
    monkeypatch.chdir(desk.folder)
    base.run(*ORDERS)
    desk.put("orders.csv", AS_CSV["orders.csv"])
    options = ["--as-of", "2024-03-01", "--amount", "total", "--id", "line", "-o", "-", "-q"]
    of_file = desk.segkit(command, "orders.csv", *options)
    assert of_file.stdout.count("\n") > 1
    of_table = desk.segkit(command, f"{base.path}#orders", *options)
    assert (of_table.stdout, of_table.stderr) == (of_file.stdout, of_file.stderr)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb", pytest.param("postgresql", marks=[needs_server, pytest.mark.extra("database")])])  # fmt: skip
def test_init(desk: Desk, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The rules that are made of tables run as they are, and hold no password."""
    monkeypatch.chdir(desk.folder)
    if kind == "postgresql":
        server: Server = request.getfixturevalue("server")
        server.run(*CUSTOMERS, *ORDERS)
        monkeypatch.setenv("PGPASSWORD", server.password)
        monkeypatch.setenv("PGUSER", urlsplit(server.url).username or "")
        path, schema = server.place, f"{server.schema}."
    else:
        base = (sqlite_base if kind == "sqlite" else duckdb_base)(desk)
        base.run(*CUSTOMERS, *ORDERS)
        path, schema = base.path, ""
    tables = ["--customers", f"{path}#{schema}customers", "--events", f"{path}#{schema}orders"]
    desk.segkit("init", "rules", *tables)
    text = (desk / "rules/segments.toml").read_text(encoding="utf-8")
    assert f'table = "{schema}customers"' in text and f'table = "{schema}orders"' in text and "[events.orders]" in text
    desk.segkit("check", "rules/segments.toml", "--data", "--fail-on", "warning")
    desk.segkit("apply", "rules/segments.toml", "-o", "out")
    for name, content in AS_CSV.items():
        desk.put(name, content)
    desk.segkit("init", "files", "--customers", "customers.csv", "--events", "orders.csv")
    desk.segkit("apply", "files/segments.toml", "-o", "of_files")
    assert lists_in(desk / "out") == lists_in(desk / "of_files") != {}


def lists_in(folder: Path) -> dict[str, list[str]]:
    """The keys in each list."""
    return {
        path.name: sorted(line.split(",")[0] for line in path.read_text().splitlines()) for path in folder.glob("*.csv")
    }


@pytest.mark.parametrize("command", [["rfm"], ["cohorts"], ["init", "--customers"]])
@pytest.mark.extra("database")
def test_a_table_has_to_be_named(desk: Desk, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.chdir(desk.folder)
    for path in ("sqlite:shop.db", "sqlite:shop.db#", "postgresql://me:s3cret@127.0.0.1:1/shop"):
        said = desk.segkit(*command, path, code=2).stderr
        assert "s3cret" not in said
        if command[0] != "init" or path.startswith("sqlite"):
            assert "is a database, of which a table is read" in said and "#orders" in said
    said = desk.segkit(
        *command, "postgresql://me:s3cret@127.0.0.1:1/shop#orders", code=2 if command[0] == "init" else 3
    ).stderr
    assert "s3cret" not in said and ("`PGPASSWORD`" in said or "does not answer" in said)
    sqlite_base(desk).run(*CUSTOMERS)
    assert "hint: did you mean `customers`?" in desk.segkit(*command, "sqlite:shop.db#customer", code=3).stderr


@needs_server
@pytest.mark.extra("database")
def test_an_audit_names_no_password(desk: Desk, server: Server) -> None:
    server.run(*CUSTOMERS)
    for how in ([], ["--json"], ["-o", "-", "-q"], ["--json", "--rows", desk / "r.csv"]):
        done = desk.segkit("-v", "audit", f"{server.url}#customers", "--key", "town", "--kind", "customers", *how)
        assert f"{server.place}, table customers" in done.output
        assert server.password not in done.output and f"{urlsplit(server.url).username}:" not in done.output
    assert server.password not in (desk / "r.csv").read_text()


@pytest.mark.parametrize("command", [["rfm"], ["cohorts"], ["init", "--customers"]])
@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:pa#s3cret@127.0.0.1:1/shop",
        "postgresql://me:s3cret#pa@127.0.0.1:1/shop",
        "postgresql://me:pa#s3cret@127.0.0.1:1/shop#orders",
        "postgresql://127.0.0.1:1/shop?password=pa#s3cret",
    ],
)
def test_a_password_is_no_table(desk: Desk, monkeypatch: pytest.MonkeyPatch, command: list[str], address: str) -> None:
    """A `#` in a password, which an address writes as `%23`, shows nothing of it."""
    monkeypatch.chdir(desk.folder)
    code = 3 if address.endswith("#orders") and command[0] != "init" else 2
    said = desk.segkit("-v", *command, address, code=code).output
    assert "s3cret" not in said and "pa#" not in said and "me:" not in said


def test_a_table_is_read_alone(desk: Desk) -> None:
    said = desk.segkit("rfm", "sqlite:shop.db#orders", "more.csv", code=2).stderr
    assert "is read alone, without other data" in said


def test_ctrl_c_ends_what_a_database_does(desk: Desk, base: Base) -> None:
    base.run(*ORDERS)
    desk.put("rules.toml", head(f'query = "{SLOW[base.kind]}"', 'timeout = "1 hour"', path=base.path) + EVERYONE)
    running = desk.begin("apply", "rules.toml", "--log", "log")
    time.sleep(2)  # by then it waits for the database; if not, it ends all the same
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=60) == 130
    assert json.loads((desk / "log").read_text())["outcome"] == "interrupted"


def test_a_run_that_was_given_another_database_is_explained_from_that(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_base(desk).run(*CUSTOMERS)
    (desk / "other.db").write_bytes((desk / "shop.db").read_bytes())
    rules = customers("sqlite:shop.db") + "[segment.s]\ndemographic.age.min = 25\n"
    monkeypatch.chdir(desk.folder)
    desk.apply(rules, "-o", "out", "--customers", "sqlite:other.db")
    sqlite_base(desk).run("delete from customers")
    assert desk.segkit("explain", "--run", "out", "b").stderr == ""
    (desk / "other.db").unlink()
    assert "there is no file" in desk.segkit("explain", "--run", "out", "b", code=3).stderr


@needs_server
@pytest.mark.extra("database")
def test_a_server_that_the_rules_do_not_name_is_not_asked_again(desk: Desk, server: Server) -> None:
    server.run(*CUSTOMERS)
    sqlite_base(desk).run(*CUSTOMERS)
    desk.apply(
        customers("sqlite:shop.db") + "[segment.s]\ndemographic.age.min = 25\n",
        "-o",
        desk / "out",
        "--customers",
        server.url,
    )
    said = desk.segkit("explain", "--run", desk / "out", "b", code=2).stderr
    assert f"the run has read `customers` from `{server.place}`, which its rules do not name" in said
    assert server.password not in said


def test_tests_of_a_rule_file_ask_no_database(desk: Desk) -> None:
    rules = customers("postgresql://me@127.0.0.1:1/shop", 'timeout = "1 minute"')
    rules += event_table("o", "sqlite:nowhere.db", 'query = "select * from orders order by 1"')
    rules += '[segment.s]\nbehavioural.did = { events = "o" }\n[[test]]\nname = "buyer"\ncustomer = { id = "a" }\n'
    rules += 'events.o = [{ day = 2024-01-01 }]\nsegments = ["s"]\n'
    assert desk.segkit("test", desk.put("rules.toml", rules)).stdout.startswith("1 passed")


def test_frames_in_place_of_databases(desk: Desk) -> None:
    rules = customers("postgresql://me@127.0.0.1:1/shop") + event_table("o", "sqlite:nowhere.db", 'table = "orders"')
    path = desk.put("rules.toml", rules + '[segment.s]\nbehavioural.did = { events = "o" }\n')
    orders = pl.DataFrame({"id": ["a"], "day": ["2024-01-01"]})
    run = segkit.apply(path, customers=pl.DataFrame({"id": ["a", "b"]}), events={"o": orders})
    assert run["s"]["id"].to_list() == ["a"]
