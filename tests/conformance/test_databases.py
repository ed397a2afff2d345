"""Tables and queries of PostgreSQL, SQLite and DuckDB as sources."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from typing import NamedTuple

import duckdb
import pytest

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


@pytest.mark.parametrize("key", ["table", "query"])
def test_the_same_rows_in_another_order_give_the_same_bytes(desk: Desk, base: Base, key: str) -> None:
    base.run("create table customers (seen integer, id varchar(10), note varchar(10))")
    rows = [(n % 7, f"k{n % 50:02}", f"n{n % 11}") for n in range(200)]
    read = 'table = "customers"' if key == "table" else 'query = "select * from customers where seen >= 0 -- all"'
    found = []
    for seed in range(2):
        random.Random(seed).shuffle(rows)
        base.run("delete from customers", f"insert into customers values {', '.join(map(str, rows))}")
        for which in ("first", "last"):
            rules = head(read, f'duplicates = "{which}"', path=base.path) + '[output]\ncolumns = ["seen", "note"]\n'
            done = desk.json(rules + EVERYONE, "-o", desk / "out", "--replace")
            assert done["customers"] == 50
            manifest = json.loads((desk / "out/manifest.json").read_text())
            found.append(((desk / "out/all.csv").read_text(), manifest["inputs"]))
    assert found[:2] == found[2:]
    expected = {
        pick: [f"{key},all,{','.join(map(str, pick([(s, n) for s, k, n in rows if k == key])))}" for key in sorted({k for _, k, _ in rows})]
        for pick in (min, max)
    }  # fmt: skip
    assert found[0][0].splitlines()[1:] == expected[min]


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
    for query in (statement, f"{statement} -- order by id", f"select id from customers order by id; {statement}"):
        said = errors(desk, head(f'query = "{query}"', path=base.path))
        assert "does not understand the SQL" in said or "is only read" in said
    assert len(columns(desk, customers(base.path), "id")) == 3


def test_what_takes_too_long_is_stopped(desk: Desk, base: Base) -> None:
    base.run(*ORDERS)
    rules = head(f'query = "{SLOW[base.kind]}"', 'timeout = "1 second"', path=base.path)
    said = errors(desk, rules + event_table("o", base.path, 'table = "orders"'))
    assert "was stopped: it took too long" in said
    assert "`timeout`" in said


def test_a_table_that_is_not_there(desk: Desk, base: Base) -> None:
    base.run(*CUSTOMERS, *ORDERS)
    said = errors(desk, customers(base.path, table="order"))
    assert "has no table `order`" in said
    assert "hint: did you mean `orders`?" in said
    assert ", table order" in said
    assert "the tables are `customers`" in errors(desk, customers(base.path, table="zebra"))


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
    if base.kind == "postgresql":  # the others number them
        twice = errors(desk, head('query = "select id, id from customers"', path=base.path))
        assert "two columns of `query` are called `id`" in twice


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
