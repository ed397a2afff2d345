"""Nothing that is said or written of a database holds its user, a password, a query string, or SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import duckdb
import pytest

from tests.desk import Desk, event_table, head
from tests.server import URL, Server, needs_server, new_schema

pytestmark = pytest.mark.extra("database")
SECRET = "s3cretword"
EVERYONE = "[segment.all]\neveryone = true\n"


@pytest.fixture
def server() -> Iterator[Server]:
    yield from new_schema()


COMMANDS = (
    ["-vv", "apply", "rules.toml", "-o", "out", "--log", "log", "--json"],
    ["apply", "rules.toml", "-o", "-", "--log", "log"],
    ["check", "rules.toml", "--data"],
    ["check", "rules.toml", "--data", "--format", "sarif"],
    ["check", "rules.toml", "--json"],
    ["columns", "rules.toml", "--json"],
    ["explain", "rules.toml", "a"],
    ["test", "rules.toml"],
)


def all_said(desk: Desk, rules: str, *, code: int | None) -> str:
    """What all commands say; the first ends with the code."""
    desk.put("rules.toml", rules)
    said = []
    for number, command in enumerate(COMMANDS):
        done = desk.segkit(*command, code=None if number else code)
        assert done.exit_code < 70, (command, done.stderr, done.exception)
        chain = done.exception and done.exception.__cause__
        said += [done.output, repr(chain or "")]
    for path in desk.folder.rglob("*"):
        if path.is_file() and path.name != "rules.toml":
            said += [str(path), path.read_bytes().decode("utf-8", "replace")]
    return "\n".join(said)


NO_SERVER = [
    f"postgresql://{SECRET}:x@127.0.0.1:1/shop",
    f"postgresql://me:{SECRET}@127.0.0.1:1/shop",
    f"postgres://me:{SECRET}@nosuch.invalid/shop?sslmode=disable",
    f"postgresql://127.0.0.1:1/shop?user=me&password={SECRET}",
    f"postgresql:///shop?host=/nowhere&user=me&password={SECRET}",
    f"postgresql://me:{SECRET}/x@127.0.0.1:1/shop",
    f"postgresql://me:{SECRET}?x@127.0.0.1:1/shop",
    f"postgresql://me:{SECRET}#x@127.0.0.1:1/shop",
    f"postgresql://me:%zz{SECRET}@127.0.0.1:1/shop",
    f"postgresql://me:[{SECRET}@[::1/shop",
    f"postgresql://127.0.0.1:1/shop?{SECRET}=1",
    f"postgresql://127.0.0.1:1/shop?sslmode={SECRET}",
]


@pytest.mark.parametrize("address", NO_SERVER)
@pytest.mark.parametrize("place", ["customers", "events", "lookup"])
def test_no_server(desk: Desk, monkeypatch: pytest.MonkeyPatch, address: str, place: str) -> None:
    monkeypatch.chdir(desk.folder)
    desk.put("c.csv", "id,town\na,x\n")
    monkeypatch.setenv("DATABASE", address)
    rules = {
        "customers": head('table = "customers"', path="${DATABASE}"),
        "events": head() + event_table("o", "${DATABASE}", 'table = "orders"'),
        "lookup": head() + '[lookup.l]\npath = "${DATABASE}"\nquery = "select 1"\non = "town"\n',
    }[place]
    for text in (rules, rules.replace("${DATABASE}", address)):
        assert SECRET not in all_said(desk, text + EVERYONE, code=3)


@needs_server
@pytest.mark.parametrize("login", [f"{SECRET}:x@", f"postgres:{SECRET}@", f"{SECRET}:{SECRET}@", ""])
def test_a_password_that_is_wrong(desk: Desk, monkeypatch: pytest.MonkeyPatch, login: str) -> None:
    monkeypatch.chdir(desk.folder)
    monkeypatch.setenv("PGPASSWORD", SECRET)
    address = urlsplit(URL)._replace(netloc=login + urlsplit(URL).netloc.rpartition("@")[2]).geturl()
    said = all_said(desk, head('table = "customers"', path=address) + EVERYONE, code=3)
    assert SECRET not in said
    assert "does not take the user and the password" in said
    assert "in an address, marks are written as in `%40` for `@`" in said


@needs_server
@pytest.mark.parametrize("name", ["PGPASSWORD", "PASSWORD", "pgpass", "query string"])
def test_where_passwords_come_from(desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The password of the server is found, and shown nowhere."""
    monkeypatch.chdir(desk.folder)
    server.run("create table customers (id text)", "insert into customers values ('a')")
    parts = urlsplit(server.url)
    host = parts.netloc.rpartition("@")[2]
    without = parts._replace(netloc=f"{parts.username}@{host}").geturl()
    if name == "query string":
        monkeypatch.setenv("PASSWORD", quote(server.password, safe=""))
        without += "&password=${PASSWORD}"
    elif name == "pgpass":
        file = desk.put("pass", f"*:*:*:*:{server.password}\n")
        file.chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(file))
    else:
        monkeypatch.setenv(name, server.password if name == "PGPASSWORD" else quote(server.password, safe=""))
        if name == "PASSWORD":
            without = parts._replace(netloc=f"{parts.username}:${{PASSWORD}}@{host}").geturl()
    said = all_said(desk, head('table = "customers"', path=without) + EVERYONE, code=0)
    said = said.replace((desk / "pass").read_text(), "") if name == "pgpass" else said
    assert server.password not in said
    assert "search_path" not in said
    assert server.place in said


@needs_server
@pytest.mark.parametrize("sql", [
    "select * from customers where id = ${TOKEN}",
    "select * from customers where id = '${TOKEN}'::integer",
    "selec ${TOKEN} from customers",
    "select '${TOKEN}' from",
    "select ${TOKEN}('x')",
    "select * from ${TOKEN}",
    "select ${TOKEN}.x from customers",
    "select cast(id || '${TOKEN}' as integer) from customers order by 1",
    "delete from customers where id <> '${TOKEN}'",
    "select * from customers where id = '${TOKEN}",
])  # fmt: skip
def test_sql_that_the_server_quotes(desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch, sql: str) -> None:
    monkeypatch.chdir(desk.folder)
    monkeypatch.setenv("TOKEN", SECRET)
    server.run("create table customers (id text)", "insert into customers values ('a')")
    code = 2 if sql.startswith("delete") else 3
    said = all_said(desk, head(f'query = "{sql}"', path=server.url) + EVERYONE, code=code)
    assert SECRET not in said
    assert server.password not in said


@pytest.mark.parametrize("path", ["sqlite:shop.db", "duckdb:shop.duckdb"])
@pytest.mark.parametrize(
    "sql",
    [
        "select ${TOKEN} from customers",
        "select * from ${TOKEN}",
        "selec '${TOKEN}'",
        "select cast('${TOKEN}' as integer[]) from customers",
        "select ${TOKEN}(1)",
    ],
)
def test_sql_that_a_file_quotes(desk: Desk, monkeypatch: pytest.MonkeyPatch, path: str, sql: str) -> None:
    monkeypatch.chdir(desk.folder)
    monkeypatch.setenv("TOKEN", SECRET)
    connection: Any
    for connection in (sqlite3.connect("shop.db"), duckdb.connect("shop.duckdb")):
        connection.execute("create table customers (id varchar)")
        connection.close()
    assert SECRET not in all_said(desk, head(f'query = "{sql}"', path=path) + EVERYONE, code=None)


@needs_server
def test_a_table_that_is_not_there(desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    said = all_said(desk, head('table = "nosuch"', path=server.url) + EVERYONE, code=3)
    assert "has no table `nosuch`" in said
    assert server.password not in said
    assert "search_path" not in said


@needs_server
def test_a_connection_that_is_cut(desk: Desk, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    query = "select pg_terminate_backend(pg_backend_pid())::text as id"
    said = all_said(desk, head(f'query = "{query}"', path=server.url) + EVERYONE, code=3)
    assert "was cut off" in said
    assert server.password not in said
