"""Lists that go to a table of a database: whose rows go and come, what is refused, and what a run that ends halfway leaves.

SQLite is always there; PostgreSQL is the server of `tests/server.py`, with a user who may make databases and users.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import pytest

import segkit
from tests.desk import Desk, environment, event_table, head
from tests.server import URL

NO_SERVER = "SEGKIT_TEST_POSTGRES names no PostgreSQL server"
CUSTOMERS = 'id,name,age,town\n00042,"Zoé ""Z""",30,Nantes\n2,Ben,41,Paris\n3,,25,\n4,Dan,70,Nantes\n'
EVERYBODY = ["00042", "2", "3", "4"]


class Database(Protocol):
    to: str

    def connection(self) -> Any: ...
    def ask(self, sql: str) -> list[tuple[Any, ...]]: ...
    def do(self, sql: str) -> None: ...
    def until_it_waits(self, run: subprocess.Popen[bytes]) -> None: ...


class Sqlite:
    def __init__(self, folder: Path) -> None:
        self.path, self.to = folder / "lists.db", "sqlite:lists.db"

    def connection(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(self.connection()) as connection:
            return connection.execute(sql).fetchall()

    def do(self, sql: str) -> None:
        self.ask(sql)

    def until_it_waits(self, run: subprocess.Popen[bytes]) -> None:
        """SQLite says of nobody that he waits: by then the run does; if not, it ends all the same."""
        time.sleep(3)
        assert run.poll() is None


class Postgres:
    def __init__(self, to: str) -> None:
        self.to = to

    def connection(self) -> Any:
        from adbc_driver_postgresql import dbapi

        return dbapi.connect(self.to, autocommit=True)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return pl.DataFrame(cursor.fetch_arrow()).rows()

    def do(self, sql: str) -> None:
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute(sql)

    def until_it_waits(self, run: subprocess.Popen[bytes]) -> None:
        waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        while not self.ask(waiting):
            assert run.poll() is None
            time.sleep(0.05)


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A database of its own; its user is a superuser, so that other users can be made."""
    if not URL:
        pytest.skip(NO_SERVER)
    pytest.importorskip("adbc_driver_postgresql")
    server, name = Postgres(URL), f"segkit_{secrets.token_hex(6)}"
    server.do(f"create database {name}")
    rest, _, options = URL.partition("?")
    yield Postgres(f"{rest.rpartition('/')[0]}/{name}{'?' if options else ''}{options}")
    server.do(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, desk: Desk) -> Database:
    if request.param == "sqlite":
        return Sqlite(desk.folder)
    found: Postgres = request.getfixturevalue("postgres")
    return found


@pytest.fixture
def shop(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk.put("c.csv", CUSTOMERS)
    monkeypatch.chdir(desk.folder)
    return desk


def rules(
    to: str, *segments: str, output: str = "", table: str = "segments", more: str = "", as_of: str = "2024-03-01"
) -> str:
    """A rule file with a table; a segment is its name, and the lines of its table after a colon."""
    parts = [head(more, as_of=as_of), f'[output]\nto = "{to}"\ntable = {json.dumps(table)}\n{output}\n']
    for segment in segments:
        name, _, lines = segment.partition(":")
        parts.append(f"[segment.{name}]\n{lines or 'everyone = true'}\n")
    return "".join(parts)


OLD = "old:demographic.age.min = 40"
YOUNG = "young:demographic.age.max = 40"


def put(desk: Desk, text: str, name: str = "rules.toml", *args: object, code: int | None = 0) -> Any:
    """The summary of a run of a rule file, or what it says where it fails."""
    desk.put(name, text)
    done = desk.segkit("apply", name, *args, "--json", code=code)
    return json.loads(done.stdout) if done.exit_code == 0 and done.stdout.startswith("{") else done.stderr


def keys(database: Database, table: str = "segments") -> dict[str, list[str]]:
    """List -> the keys in it, in the order of the table."""
    found: dict[str, list[str]] = {}
    for name, key in database.ask(f"select list, id from {table}"):
        found.setdefault(name, []).append(key)
    return found


def test_rows_have_key_label_list_variant_and_columns(shop: Desk, database: Database) -> None:
    put(
        shop,
        rules(database.to, "all", "ab:everyone = true\nsplit = { A = 50, B = 50 }", output='columns = ["name", "age"]'),
    )
    rows = database.ask("select id, segment, list, variant, name, age from segments")
    assert [row[:3] for row in rows] == [(k, s, s) for s in ("all", "ab") for k in EVERYBODY]
    assert {row[3] for row in rows if row[1] == "all"} == {None}
    assert {row[3] for row in rows if row[1] == "ab"} <= {"A", "B"}
    assert rows[0][4] == 'Zoé "Z"'
    assert rows[2][4] is None


def test_the_rows_are_those_of_the_files(shop: Desk, database: Database) -> None:
    """Cell by cell: what a list in a table has as text is what the file of the same list has."""
    shop.put("o.csv", "id,day,total\n2,2024-01-01,5.10\n00042,2024-02-01,19.99\n2,2024-02-02,0.000001\n")
    shop.put("c.parquet", pl.DataFrame({
        "id": EVERYBODY, "flag": [True, False, None, True], "n": [1, None, 2**62, -3], "x": [0.1, float("nan"), 1e300, -0.0],
        "day": [dt.date(2024, 2, 29), None, dt.date(1900, 1, 1), dt.date(9999, 12, 31)],
        "at": [dt.datetime(2024, 1, 2, 3, 4, 5, 678), None, dt.datetime(1970, 1, 1), dt.datetime(2024, 12, 31, 23, 59)],
        "m": pl.Series(["1.10", None, "123456789012345678901234567.0123456789", "-0.5"]).cast(pl.Decimal(38, 10)),
        "tags": [["a", "b"], [], None, ["c"]],
        "big": pl.Series([2**64 - 1, None, 0, 1], dtype=pl.UInt64),
    }))  # fmt: skip
    columns = ["flag", "n", "x", "day", "at", "m", "tags", "big", "revenue"]
    text = rules(database.to, "all", "some:demographic.n.max = 5", output=f"columns = {json.dumps(columns)}")
    text = (
        text.replace("c.csv", "c.parquet") + event_table("o", "o.csv", 'amount = "total"') + '[value]\nevents = "o"\n'
    )
    put(shop, text)
    put(shop, text, "rules.toml", "-o", "files")
    for name in ("all", "some"):
        rows = database.ask(f"select {', '.join(columns)} from segments where list = '{name}'")
        lines = [[line[column] for column in columns] for line in shop.read(f"files/{name}.csv")]
        assert len(rows) > 1
        assert [[cell(value) for value in row] for row in rows] == [[of_file(text) for text in line] for line in lines]


def cell(value: Any) -> str:
    """A value of a database as files have it; SQLite has no true and false, but 1 and 0."""
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case dt.date():
            return value.isoformat()
        case float():
            return f"{value:g}"
        case Decimal():
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def of_file(text: str) -> str:
    if len(text) > 100:
        return f"{float(text):g}"
    return {"true": "1", "false": "0"}.get(text, text)


def test_who_is_held_out_is_in_a_table_of_his_own(shop: Desk, database: Database) -> None:
    text = rules(database.to, "all:everyone = true\nholdout = 50", OLD)
    done = put(shop, text)
    written, held = keys(database)["all"], keys(database, "segments_holdout")["all.holdout"]
    assert sorted(written + held) == sorted(EVERYBODY)
    assert held and written
    assert done["segments"][0]["holdout_path"] == "all.holdout"
    assert done["to"]["holdout"] == "segments_holdout"
    # Nobody is held out any more: whoever was is no longer there.
    put(shop, rules(database.to, "all", OLD))
    assert keys(database, "segments_holdout") == {}
    assert keys(database)["all"] == EVERYBODY


def test_each_value_has_a_list(shop: Desk, database: Database) -> None:
    done = put(shop, rules(database.to, 'all:everyone = true\neach = ["town", "age"]'))
    names = {"all.nantes.30": ["00042"], "all.nantes.70": ["4"], "all.paris.41": ["2"], "all.missing.25": ["3"]}
    assert keys(database) == names
    assert {o["path"]: o["written"] for o in done["segments"][0]["outputs"]} == dict.fromkeys(names, 1)


def test_two_rule_files_share_a_table(shop: Desk, database: Database) -> None:
    a, b = rules(database.to, OLD, YOUNG), rules(database.to, "all", output='directory = "b"')
    put(shop, a, "a.toml")
    put(shop, b, "b.toml")
    everything = {"old": ["2", "4"], "young": ["00042", "3"], "all": EVERYBODY}
    assert keys(database) == everything
    put(shop, a, "a.toml")
    put(shop, b, "b.toml")
    assert keys(database) == everything  # rows are replaced, not added
    # A segment that is taken out takes its rows along, and those of the other file stay.
    put(shop, rules(database.to, OLD), "a.toml")
    assert keys(database) == {"old": ["2", "4"], "all": EVERYBODY}
    put(shop, rules(database.to, OLD, YOUNG + "\nwrite = false"), "a.toml")
    assert keys(database) == {"old": ["2", "4"], "all": EVERYBODY}


def test_a_segment_that_is_no_longer_written_has_no_rows(shop: Desk, database: Database) -> None:
    put(shop, rules(database.to, OLD, YOUNG))
    put(shop, rules(database.to, OLD, YOUNG + "\nwrite = false"))
    assert keys(database) == {"old": ["2", "4"]}


def test_the_folder_has_the_manifest_and_what_the_run_keeps(shop: Desk, database: Database) -> None:
    done = put(shop, rules(database.to, OLD, YOUNG))
    assert sorted(shop.tree()) == ["manifest.json", "run/members.parquet"]
    shown = "sqlite:lists.db" if database.to.startswith("sqlite") else without_user(database.to)
    manifest = json.loads((shop / "segments/manifest.json").read_text())
    assert manifest["output"]["to"] == shown
    assert (manifest["output"]["table"], manifest["output"]["load"]) == ("segments", "replace")
    assert [(o["path"], o["written"]) for s in manifest["segments"] for o in s["outputs"]] == [("old", 2), ("young", 2)]
    assert [s["path"] for s in manifest["segments"]] == [None, None]
    assert done["to"] == {"address": shown, "table": "segments", "holdout": None, "load": "replace"}
    text = shop.segkit("apply", "rules.toml").stdout
    assert f"4 rows in {shown}, table segments\nThe run is kept in segments (" in text


def without_user(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def test_select_leaves_the_rows_of_other_segments(shop: Desk, database: Database) -> None:
    text = rules(database.to, OLD, YOUNG)
    put(shop, text)
    shop.put("c.csv", CUSTOMERS.replace("Paris", "Lyon").replace("41", "39").replace("70", "71"))
    put(shop, text, "rules.toml", "--select", "old")
    assert keys(database) == {"old": ["4"], "young": ["00042", "3"]}
    # What is known of the others stays, too: the next run counts who entered and left since they were written.
    done = put(shop, text)
    assert [(s["change"]["entered"], s["change"]["left"]) for s in done["segments"]] == [(0, 0), (1, 0)]
    assert keys(database) == {"old": ["4"], "young": ["00042", "2", "3"]}


def test_elsewhere_the_lists_are_files(shop: Desk, database: Database) -> None:
    """`-o` says where to write instead, so the table is let alone."""
    text = rules(database.to, OLD)
    put(shop, text)
    shop.put("c.csv", CUSTOMERS.replace("41", "39"))
    put(shop, text, "rules.toml", "-o", "files", "--format", "parquet")
    assert sorted(shop.tree("files")) == ["manifest.json", "old.parquet"]
    rows = shop.read(shop.segkit("apply", "rules.toml", "-o", "-", "-q").stdout_bytes)
    assert [row["id"] for row in rows] == ["4"]
    assert keys(database) == {"old": ["2", "4"]}


def test_a_dry_run_looks_at_the_table_and_leaves_it(shop: Desk, database: Database) -> None:
    done = put(shop, rules(database.to, OLD), "rules.toml", "--dry-run")
    assert done["dry_run"] and done["to"]["table"] == "segments"
    assert not (shop / "segments").exists()
    assert not (shop / "lists.db").exists()
    database.do("create table segments (x integer)")
    assert "does not fit" in put(shop, rules(database.to, OLD), "rules.toml", "--dry-run", code=4)


@pytest.mark.parametrize(
    ("args", "more"), [([], "expect = { min_size = 9 }"), (["--fail-on", "warning"], "demographic.town = 'nobody'")]
)
def test_a_guard_leaves_the_old_rows(shop: Desk, database: Database, args: list[str], more: str) -> None:
    put(shop, rules(database.to, OLD, YOUNG))
    before = shop.tree()
    put(shop, rules(database.to, YOUNG, f"{OLD}\n{more}"), "rules.toml", *args, code=1)
    assert keys(database) == {"old": ["2", "4"], "young": ["00042", "3"]}
    assert shop.tree() == before


def test_two_runs_are_compared_by_what_they_keep(shop: Desk, database: Database) -> None:
    text = rules(database.to, OLD + "\nholdout = 20", YOUNG, "all:everyone = true\nsplit = { A = 50, B = 50 }")
    put(shop, text)
    shutil.copytree(shop / "segments", shop / "first")
    shop.put("c.csv", CUSTOMERS.replace("30,", "45,") + "5,Eve,20,Paris\n")
    put(shop, text)
    diff = json.loads(shop.segkit("diff", "first", "segments", "--json", code=None).stdout)
    counts = {s["name"]: (s["old"], s["new"], s["entered"], s["left"]) for s in diff["segments"]}
    assert counts["young"] == (2, 2, 1, 1)
    assert counts["all"] == (4, 5, 1, 0)
    now, held = keys(database), keys(database, "segments_holdout").get("old.holdout", [])
    # What the run kept stands, whatever becomes of the table later.
    database.do("delete from segments")
    for key in ("00042", "2", "5"):
        told = json.loads(shop.segkit("explain", "--run", "segments", key, "--json").stdout)
        outcomes = {s["name"]: s["outcome"] for s in told["customers"][0]["segments"]}
        expected = {n: "written" for n, found in now.items() if key in found} | (
            {"old": "holdout"} if key in held else {}
        )
        assert {name: outcome for name, outcome in outcomes.items() if outcome in ("written", "holdout")} == expected
    assert ".csv" not in shop.segkit("explain", "--run", "segments", "2").stdout
    assert ".csv" not in shop.segkit("explain", "rules.toml", "2").stdout


MISFITS = {
    "another table": ("x integer", "it has no column `id`, `segment`, `list`, `name` and `age`"),
    "a column less": ("id text, segment text, list text, name text, age text", "it has no column `town`"),
    "a column that is needed": ("id text, segment text, list text, name text, age text, town text, who text not null", "`who` may not be missing there, and is not written"),
    "a view": (None, "table"),
}  # fmt: skip


@pytest.mark.parametrize(("columns", "said"), MISFITS.values(), ids=MISFITS)
def test_a_table_with_other_columns_is_refused_before_anything_is_computed(
    shop: Desk, database: Database, columns: str | None, said: str
) -> None:
    database.do("create view segments as select 1 as id" if columns is None else f"create table segments ({columns})")
    shop.put("o.csv", "id,day,total\n2,2024-01-01,no number\n")  # which computing would find
    broken = event_table("o", "o.csv", 'amount = "total"') + '[value]\nevents = "o"\n'
    text = put(shop, rules(database.to, OLD, "rich:value.revenue.min = 1") + broken, code=4)
    assert text.startswith("error: ") and text.count("error: ") == 1
    assert said.lower() in text.lower()
    assert not (shop / "segments").exists()


def test_a_table_of_the_user_may_have_more_columns_in_another_order(shop: Desk, database: Database) -> None:
    database.do(
        "create table segments (loaded integer default 7, town text, age text, name text, list text not null, "
        "segment text not null, id text not null)"
    )
    put(shop, rules(database.to, OLD))
    rows = database.ask("select id, segment, list, name, age, town, loaded from segments")
    assert rows == [("2", "old", "old", "Ben", "41", "Paris", 7), ("4", "old", "old", "Dan", "70", "Nantes", 7)]


def test_names_with_capitals_spaces_and_quotes(shop: Desk, database: Database) -> None:
    shop.put("c.csv", 'id,"My ""Town""",select\n1,Nantes,a\n')
    table = '"My ""best"" List.s"'
    put(shop, rules(database.to, "all", table=table))
    assert database.ask(f'select id, "My ""Town""", "select" from {table}') == [("1", "Nantes", "a")]
    put(shop, rules(database.to, "all", table=table))
    assert database.ask(f"select count(*) from {table}") == [(1,)]


def test_a_nul_goes_to_no_table(shop: Desk, database: Database) -> None:
    pl.DataFrame({"id": ["a", "b"], "town": ["Bonn", "Ham\0burg"]}).write_parquet(shop / "c.parquet")
    text = rules(database.to, "all").replace('"c.csv"', '"c.parquet"')
    assert "a text in column `town` has a NUL, at which readers of cells stop" in put(shop, text, code=4)
    put(shop, text.replace("[segment.all]", 'columns = ["id"]\n[segment.all]'))
    assert keys(database) == {"all": ["a", "b"]}


def test_times_and_records_are_whole(shop: Desk, database: Database) -> None:
    """A fraction of a second, a number of few bits, a record that is missing."""
    late = dt.time(23, 59, 59, 999_999)
    columns: dict[str, Any] = {"id": ["a", "b"], "at": [late, None], "place": [{"town": "Nantes"}, None]}
    frame = pl.DataFrame(columns).with_columns(share=pl.Series([0.1, None], dtype=pl.Float32))
    frame.write_parquet(shop / "c.parquet")
    put(shop, rules(database.to, "all").replace('"c.csv"', '"c.parquet"'))
    asked = "select id, at, place, share from segments order by id"
    assert database.ask(asked) == [("a", "23:59:59.999999", '{"town":"Nantes"}', 0.1), ("b", None, None, None)]


def test_nanoseconds_fit_into_no_table(shop: Desk, postgres: Postgres) -> None:
    moments = pl.Series("at", [1_700_000_000_000_001_000, None], dtype=pl.Int64).cast(pl.Datetime("ns"))
    text = rules(postgres.to, "all").replace('"c.csv"', '"c.parquet"')
    pl.DataFrame({"id": ["a", "b"], "at": moments}).write_parquet(shop / "c.parquet")
    put(shop, text)
    pl.DataFrame({"id": ["a", "b"], "at": moments.dt.offset_by("1ns")}).write_parquet(shop / "c.parquet")
    assert "error: a value of `at` has nanoseconds, which a table does not hold\n" in put(shop, text, code=4)


def test_a_row_that_the_table_refuses(shop: Desk, database: Database) -> None:
    """One line, without the value; the old rows and the old folder stay."""
    put(shop, rules(database.to, OLD))
    database.do("create unique index one_a_town on segments (town)")
    before = shop.tree()
    shop.put("c.csv", CUSTOMERS.replace("Paris", "Nantes"))
    said = put(shop, rules(database.to, OLD), code=4)
    assert said.startswith("error: ") and len(said.splitlines()) == 2
    assert "Nantes" not in said
    assert keys(database) == {"old": ["2", "4"]}
    assert shop.tree() == before


def test_lists_of_another_rule_file_do_not_vanish(shop: Desk, database: Database) -> None:
    put(shop, rules(database.to, OLD, YOUNG), "a.toml")
    said = put(shop, rules(database.to, "all"), "b.toml", code=4)
    assert said.startswith("error: this run would remove from `segments` 2 lists of another rule file, ")
    assert "`old` and `young`" in said
    assert "hint: give this rule file a `directory` of its own, or " in said
    assert keys(database) == {"old": ["2", "4"], "young": ["00042", "3"]}
    done = put(shop, rules(database.to, "all"), "b.toml", "--replace")
    assert keys(database) == {"all": EVERYBODY}
    assert len(done["notes"]) == 1


NOT_OURS = "rows from `{}` that the last run of this directory has not written, of {}"
SOLD = "old:everyone = true"


def test_rows_of_another_rule_file_with_one_label_do_not_vanish(shop: Desk, database: Database) -> None:
    put(shop, rules(database.to, OLD, YOUNG), "a.toml")
    text = rules(database.to, SOLD, "all", output='directory = "b"')
    said = put(shop, text, "b.toml", code=4)
    lines = said.splitlines()
    assert lines[0] == "error: this run would remove " + NOT_OURS.format("segments", "`old`")
    assert all(way in lines[1] for way in ("name the segments otherwise", "`table`", "`--replace`"))
    assert keys(database) == {"old": ["2", "4"], "young": ["00042", "3"]}
    assert not (shop / "b").exists()
    # A dry run says the same, and goes through.
    told = put(shop, text, "b.toml", "--dry-run")["warnings"]
    assert told[-1]["message"] == lines[0].removeprefix("error: ")  # one may be about the password in the address
    told = put(shop, text, "b.toml", "--dry-run", "--replace")
    assert [n["message"] for n in told["notes"]] == ["`--replace` would remove " + NOT_OURS.format("segments", "`old`")]
    # With `--replace` it goes through, the next run goes on, and now the first one is refused.
    done = put(shop, text, "b.toml", "--replace")
    assert [n["message"] for n in done["notes"]] == ["`--replace` removed " + NOT_OURS.format("segments", "`old`")]
    assert keys(database) == {"young": ["00042", "3"], "old": EVERYBODY, "all": EVERYBODY}
    assert put(shop, text, "b.toml")["notes"] == []


def test_rows_with_one_label_are_refused_before_anything_is_read(shop: Desk, database: Database) -> None:
    put(shop, rules(database.to, OLD), "a.toml")
    (shop / "c.csv").unlink()
    assert "`old`" in put(shop, rules(database.to, OLD, output='directory = "b"'), "b.toml", code=4)


def test_a_label_that_the_last_run_lacks_is_not_ours(shop: Desk, database: Database) -> None:
    """Nor is one that it did not write, or wrote to another table; one that `--select` leaves out takes nothing."""
    put(shop, rules(database.to, *"abcdefg"), "a.toml")
    of_b = 'directory = "b"'
    put(shop, rules(database.to, OLD, "a:everyone = true\nwrite = false", output=of_b, table="mine"), "b.toml")
    put(shop, rules(database.to, OLD, output=of_b), "b.toml")
    text = rules(database.to, OLD, *"abcdefg", output=of_b)
    put(shop, text, "b.toml", "--select", "old")
    said = put(shop, text, "b.toml", code=4)
    assert NOT_OURS.format("segments", "`a`, `b`, `c`, `d`, `e` and 2 more\n") in said
    assert "`a`" in put(shop, text, "b.toml", "--select", "a", code=4)
    unwritten = rules(database.to, OLD, "a:everyone = true\nwrite = false", output=of_b)
    assert "`a`" in put(shop, unwritten, "b.toml", code=4)
    # The table of a run before the last one is another table.
    assert "`mine`" in put(shop, rules(database.to, OLD, output=of_b, table="mine"), "b.toml", code=4)


def test_labels_in_other_capitals_are_of_others(shop: Desk, database: Database) -> None:
    """Also where the column of a table of one's own takes capitals and small letters for the same."""
    if isinstance(database, Sqlite):
        type_ = "text collate nocase"
    else:
        database.do("create extension if not exists citext")
        type_ = "citext"
    database.do(f"create table segments (id text, segment {type_}, list text, town text)")
    database.do("insert into segments values ('x', 'OLD', 'OLD', null)")
    for _ in range(2):
        put(shop, rules(database.to, OLD, output='columns = ["town"]'))
        assert keys(database) == {"OLD": ["x"], "old": ["2", "4"]}


def test_held_out_rows_of_one_label_do_not_vanish(shop: Desk, database: Database) -> None:
    """Also where this run holds nobody out."""
    put(shop, rules(database.to, "all:everyone = true\nholdout = 50"), "a.toml")
    held = keys(database, "segments_holdout")
    database.do("delete from segments")
    for lines in ("all", "all:everyone = true\nholdout = 50"):
        said = put(shop, rules(database.to, lines, output='directory = "b"'), "b.toml", code=4)
        assert NOT_OURS.format("segments_holdout", "`all`") in said
    assert keys(database, "segments_holdout") == held
    put(shop, rules(database.to, "all", output='directory = "b"'), "b.toml", "--replace")
    assert keys(database, "segments_holdout") == {}


def test_without_its_directory_a_run_does_not_know_its_rows(shop: Desk, database: Database) -> None:
    put(shop, rules(database.to, OLD))
    shutil.rmtree(shop / "segments")
    assert NOT_OURS.format("segments", "`old`") in put(shop, rules(database.to, OLD), code=4)
    put(shop, rules(database.to, OLD), "rules.toml", "--replace")
    assert put(shop, rules(database.to, OLD))["notes"] == []


def test_rows_with_one_label_that_come_while_a_run_waits_do_not_vanish(shop: Desk, database: Database) -> None:
    put(shop, rules(database.to, YOUNG), "a.toml")
    shop.put("b.toml", rules(database.to, OLD, output='directory = "b"'))
    connection = database.connection()
    cursor = connection.cursor()
    cursor.execute("begin immediate" if isinstance(database, Sqlite) else "begin")
    cursor.execute("insert into segments (id, segment, list) values ('9', 'old', 'old')")
    run = shop.begin("apply", "b.toml")
    database.until_it_waits(run)
    cursor.execute("commit")
    assert run.wait(60) == 4
    cursor.close()
    connection.close()
    assert keys(database) == {"young": ["00042", "3"], "old": ["9"]}
    assert not (shop / "b").exists()


def test_a_table_that_is_held_from_readers_is_asked_under_the_lock(shop: Desk, postgres: Postgres) -> None:
    put(shop, rules(postgres.to, OLD), "a.toml")
    text = rules(postgres.to, OLD, output='directory = "b"')
    with postgres.connection() as connection, connection.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("lock table segments in access exclusive mode")
        assert "--no-wait" in put(shop, text, "b.toml", "--no-wait", code=4)
        cursor.execute("rollback")
    assert NOT_OURS.format("segments", "`old`") in put(shop, text, "b.toml", code=4)


def test_rows_in_another_table_are_told_of(shop: Desk, database: Database) -> None:
    put(shop, rules(database.to, OLD))
    done = put(shop, rules(database.to, OLD, table="others"))
    assert [n["message"].partition(" of ")[0] for n in done["notes"]] == ["the rows"]
    assert "stay in the table `segments`" in done["notes"][0]["message"]
    assert keys(database) == keys(database, "others") == {"old": ["2", "4"]}
    assert put(shop, rules(database.to, OLD, table="others"))["notes"] == []


def test_columns_of_the_customers_give_way(shop: Desk, database: Database) -> None:
    shop.put("c.csv", "id,list,town\n1,mine,Nantes\n")
    done = put(shop, rules(database.to, "all"))
    assert [w["message"] for w in done["warnings"] if "password" not in w["message"]] == [
        "the column `list` of the customers is left out: a column of every table has this name"
    ]
    assert database.ask("select id, list, town from segments") == [("1", "all", "Nantes")]


def test_a_name_that_postgresql_would_cut(shop: Desk, database: Database) -> None:
    longest, longer = "é" * 31 + "x", "é" * 32
    shop.put("c.csv", f"id,{longest},{longer}\n1,a,b\n")
    if database.to.startswith("sqlite"):
        put(shop, rules(database.to, "all"))
        return
    for option in ([], ["--dry-run"]):
        said = shop.segkit("apply", shop.put("rules.toml", rules(database.to, "all")), *option, code=4).stderr
        assert said.startswith(f"error: column `{longer}`: PostgreSQL has names of 63 bytes at most\n")
    put(shop, rules(database.to, "all", output=f'columns = ["{longest}"]'))
    assert database.ask(f'select "{longest}" from segments') == [("a",)]


def test_python_writes_to_the_table_or_to_a_folder(shop: Desk, database: Database) -> None:
    run = segkit.apply(shop.put("rules.toml", rules(database.to, OLD)))
    assert run.result.table is not None
    run.write("files")
    assert sorted(shop.tree("files")) == ["manifest.json", "old.csv"]
    result = run.write()
    assert result.table is not None and result.table.table == "segments"
    assert keys(database) == {"old": ["2", "4"]}
    segkit.apply(shop.put("rules.toml", rules(database.to, YOUNG)), write=True)
    assert keys(database) == {"young": ["00042", "3"]}


def test_hashed_columns_go_out_hashed(shop: Desk, database: Database) -> None:
    put(shop, rules(database.to, OLD, output='hash = ["id", "age"]'))
    (first, _) = database.ask("select id, age, town from segments")
    assert [len(text) for text in first[:2]] == [64, 64]
    assert first[2] == "Paris"


KILL = """
import os, signal
from segkit.io.write.tables import postgresql, sqlite
def end(*_): os.kill(os.getpid(), signal.SIGKILL)
{patch}
from segkit.__main__ import main
main()
"""
MIDWAY = "postgresql._Transaction.commit = sqlite._Transaction.commit = end"
AFTER = "from segkit.io.publish import folder; folder.swap = end"


def killed(desk: Desk, patch: str) -> None:
    """A run that is ended by a signal that nothing can catch, when all is written, before or after the commit."""
    command = [sys.executable, "-c", KILL.format(patch=patch), "apply", "rules.toml"]
    done = subprocess.run(
        command, cwd=desk.folder, env=environment(), stdin=subprocess.DEVNULL, check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL


def test_a_run_that_is_killed_leaves_the_old_rows(shop: Desk, database: Database) -> None:
    put(shop, rules(database.to, OLD, YOUNG))
    before = shop.tree()
    shop.put("c.csv", CUSTOMERS.replace("41", "39"))
    killed(shop, MIDWAY)
    assert keys(database) == {"old": ["2", "4"], "young": ["00042", "3"]}
    assert shop.tree() == before
    put(shop, rules(database.to, OLD, YOUNG))  # and holds up nobody
    assert keys(database) == {"old": ["4"], "young": ["00042", "2", "3"]}


def test_a_first_run_that_is_killed_leaves_no_rows(shop: Desk, database: Database) -> None:
    shop.put("rules.toml", rules(database.to, OLD))
    killed(shop, MIDWAY)
    with pytest.raises(Exception, match="segments"):
        database.ask("select * from segments")
    put(shop, rules(database.to, OLD))
    assert keys(database) == {"old": ["2", "4"]}


def test_a_run_that_is_killed_between_table_and_folder_is_made_good_by_the_next(shop: Desk, database: Database) -> None:
    put(shop, rules(database.to, OLD, YOUNG))
    shop.put("c.csv", CUSTOMERS.replace("41", "39"))
    shop.put("rules.toml", rules(database.to, OLD, YOUNG))
    before = shop.tree()
    killed(shop, AFTER)
    assert keys(database) == {"old": ["4"], "young": ["00042", "2", "3"]}
    assert shop.tree() == before
    done = put(shop, rules(database.to, OLD, YOUNG))
    assert keys(database) == {"old": ["4"], "young": ["00042", "2", "3"]}
    assert [s["change"] for s in done["segments"]] == [{"entered": 0, "left": 1}, {"entered": 1, "left": 0}]


def test_a_table_that_somebody_holds_is_waited_for(shop: Desk, database: Database) -> None:
    put(shop, rules(database.to, OLD))
    shop.put("c.csv", CUSTOMERS.replace("41", "39"))
    connection = database.connection()
    cursor = connection.cursor()
    cursor.execute("begin immediate" if isinstance(database, Sqlite) else "begin")
    cursor.execute("update segments set town = 'x' where id = '4'")
    said = put(shop, rules(database.to, OLD), "rules.toml", "--no-wait", code=4)
    assert said.startswith("error: ") and "--no-wait" in said
    run = shop.begin("apply", "rules.toml")
    database.until_it_waits(run)
    cursor.execute("commit")
    assert run.wait(60) == 0
    cursor.close()
    connection.close()
    assert keys(database) == {"old": ["4"]}
    assert database.ask("select town from segments") == [("Nantes",)]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_waits_can_be_interrupted(shop: Desk, database: Database, sent: int, code: int) -> None:
    put(shop, rules(database.to, OLD))
    before = shop.tree()
    connection = database.connection()
    cursor = connection.cursor()
    cursor.execute("begin immediate" if isinstance(database, Sqlite) else "begin")
    cursor.execute("update segments set town = 'x' where id = '4'")
    run = shop.begin("apply", "rules.toml")
    database.until_it_waits(run)
    run.send_signal(sent)
    assert run.wait(30) == code
    cursor.execute("rollback")
    cursor.close()
    connection.close()
    assert keys(database) == {"old": ["2", "4"]}
    assert shop.tree() == before


def test_readers_hold_up_nobody(shop: Desk, postgres: Postgres) -> None:
    put(shop, rules(postgres.to, OLD))
    with postgres.connection() as connection, connection.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("select * from segments")
        assert len(pl.DataFrame(cursor.fetch_arrow())) == 2
        put(shop, rules(postgres.to, YOUNG))
        cursor.execute("rollback")
    assert keys(postgres) == {"young": ["00042", "3"]}


# SQLite alone


def test_a_file_of_sqlite_may_be_read_and_written(shop: Desk) -> None:
    database = Sqlite(shop.folder)
    database.do("create table people (id text, age integer)")
    database.do("insert into people values ('1', 20), ('2', 50)")
    for _ in range(2):
        put(shop, rules("sqlite:lists.db", OLD, more='table = "people"').replace("c.csv", "sqlite:lists.db"))
        assert database.ask("select id, segment, age from segments") == [("2", "old", 50)]


def test_a_file_of_sqlite_has_the_permissions_of_the_lists(shop: Desk) -> None:
    put(shop, rules("sqlite:db/lists.db", OLD, output='mode = "0600"'))
    assert (shop / "db/lists.db").stat().st_mode & 0o777 == 0o600
    assert (shop / "segments/run/members.parquet").stat().st_mode & 0o777 == 0o600


def test_a_file_of_sqlite_that_is_there_keeps_its_permissions(shop: Desk) -> None:
    Sqlite(shop.folder).do("create table theirs (x)")
    (shop / "lists.db").chmod(0o664)
    put(shop, rules("sqlite:lists.db", OLD, output='mode = "0600"'))
    assert (shop / "lists.db").stat().st_mode & 0o777 == 0o664


def test_rows_of_others_are_not_replaced_by_a_rule_of_the_table(shop: Desk) -> None:
    database = Sqlite(shop.folder)
    database.do(
        "create table segments (id text primary key on conflict replace, segment text, list text, name text, age int, town text)"
    )
    database.do("insert into segments (id, segment) values ('2', 'other'), ('9', null)")
    said = put(shop, rules("sqlite:lists.db", OLD, output='columns = ["name", "age", "town"]'), code=4)
    assert "error: `segments` would lose rows of others: 1 of 2\n" in said
    assert sorted(database.ask("select id, segment from segments")) == [("2", "other"), ("9", None)]


def test_names_of_sqlite_itself(shop: Desk) -> None:
    said = put(shop, rules("sqlite:lists.db", OLD, table="SQLite_lists"), code=2)
    assert "names that begin with `sqlite_` are SQLite's own" in said


def test_a_file_of_sqlite_may_not_be_in_the_folder_that_is_replaced(shop: Desk) -> None:
    said = put(shop, rules("sqlite:segments/lists.db", OLD), code=4)
    assert said.startswith("error: `sqlite:segments/lists.db` is in `segments`, which each run replaces\n")


def test_what_is_no_file_of_sqlite(shop: Desk) -> None:
    said = put(shop, rules("sqlite:c.csv", OLD), code=4)
    assert said.startswith("error: `c.csv` is no SQLite database")
    assert (shop / "c.csv").read_text() == CUSTOMERS


def test_columns_that_sqlite_does_not_tell_apart(shop: Desk) -> None:
    shop.put("c.csv", "id,Town,town\n1,a,b\n")
    said = put(shop, rules("sqlite:lists.db", "all"), code=4)
    assert said.startswith("error: `Town` and `town` are one column in a table of SQLite\n")


# PostgreSQL alone


def test_a_view_and_grants_on_the_table_stay(shop: Desk, postgres: Postgres) -> None:
    put(shop, rules(postgres.to, OLD))
    user = f"reader_{secrets.token_hex(4)}"
    postgres.do(f"create role {user}")
    try:
        postgres.do(f"grant select on segments to {user}")
        postgres.do("create view old_ones as select id from segments where list = 'old'")
        shop.put("c.csv", CUSTOMERS.replace("41", "39"))
        put(shop, rules(postgres.to, OLD))
        assert postgres.ask("select id from old_ones") == [("4",)]
        assert postgres.ask(f"select has_table_privilege('{user}', 'segments', 'select')") == [(True,)]
    finally:
        postgres.do(f"drop owned by {user}")
        postgres.do(f"drop role {user}")


def test_a_schema(shop: Desk, postgres: Postgres) -> None:
    said = put(shop, rules(postgres.to, OLD, table="Marketing.segments"), code=4)
    assert 'has no schema `Marketing`\nhint: `create schema "Marketing"` makes it' in said
    postgres.do('create schema "Marketing"')
    put(shop, rules(postgres.to, OLD, table="Marketing.segments"))
    assert keys(postgres, '"Marketing".segments') == {"old": ["2", "4"]}


def test_capitals_count_and_are_told_of(shop: Desk, postgres: Postgres) -> None:
    put(shop, rules(postgres.to, OLD))
    said = put(shop, rules(postgres.to, OLD, table="Segments", output='directory = "b"'), code=4)
    assert "has no table `Segments`, but `segments`\nhint: capitals count" in said
    shop.put("c.csv", "id,Town\n1,a\n")
    said = put(shop, rules(postgres.to, "all"), code=4)
    assert "it has no column `Town`\nhint: did you mean `town`?" in said


TYPES = {
    "too narrow": ({"town": "varchar(5)"}, "a value of `town` does not fit into `character varying(5)` of `segments`"),
    "rounded": ({"revenue": "numeric(8, 1)"}, "a value of `revenue` does not fit into `numeric(8,1)` of `segments`"),
    "too large": ({"revenue": "numeric(2, 1)"}, "has a column that does not take a value"),
    "no number": ({"town": "integer"}, "has a column that does not take a value"),
    "a day for a number": ({"age": "date"}, "`age` is date there, and bigint here"),
    "a list": ({"town": "text[]"}, "`town` is text[] there, and text here"),
    "generated": ({"age": "bigint generated always as identity"}, "`age` is bigint (generated) there, and bigint here"),
    "small whole numbers": ({"age": "smallint"}, None),
    "numbers of texts": ({"code": "integer", "id": "bigint"}, None),
    "exact": ({"revenue": "numeric(8, 2)"}, None),
    "wide": ({"town": "varchar(50)", "name": "char(30)"}, None),
    "float": ({"revenue": "double precision", "age": "double precision"}, None),
    "all is text": ({"revenue": "text", "age": "text"}, None),
    "enum": ({"town": "town_name"}, None),
}  # fmt: skip


@pytest.mark.parametrize(("given", "said"), TYPES.values(), ids=TYPES)
def test_types_of_a_table_of_the_user(shop: Desk, postgres: Postgres, given: dict[str, str], said: str | None) -> None:
    """A value that would be cut or rounded is refused, and no row is touched."""
    types = dict.fromkeys(["id", "segment", "list", "name", "town", "code"], "text")
    types |= {"age": "bigint", "revenue": "numeric"} | given
    postgres.do("create type town_name as enum ('Nantes', 'Paris')")
    postgres.do(f"create table segments ({', '.join(f'{name} {type_}' for name, type_ in types.items())})")
    postgres.do("insert into segments (id, list, segment) values ('9', 'old', 'old')")
    shop.put("c.csv", "id,name,age,town,code\n2,Ben,41,Paris,7\n4,Dan,70,Nantes,10\n")
    shop.put("o.csv", "id,day,total\n2,2024-01-01,5.10\n4,2024-02-01,19.99\n")
    text = rules(postgres.to, OLD, output='columns = ["name", "age", "town", "code", "revenue"]')
    text += event_table("o", "o.csv", 'amount = "total"') + '[value]\nevents = "o"\n'
    found = put(shop, text, "rules.toml", "--replace", code=4 if said else 0)
    if said:
        assert said in found
        assert postgres.ask("select id::text from segments") == [("9",)]
        return
    sql = (
        "select id::int, age::int, trim(town::text) as town, code::int, revenue::float::text, trim(name) from segments"
    )
    assert postgres.ask(sql) == [(2, 41, "Paris", 7, "5.1", "Ben"), (4, 70, "Nantes", 10, "19.99", "Dan")]


@pytest.mark.parametrize("value", ["00042", "12345678901234567890", "1e3", "+5", " 7"])
def test_a_text_that_would_become_another_number_is_refused(shop: Desk, database: Database, value: str) -> None:
    database.do("create table segments (id text, segment text, list text, code numeric(40, 2))")
    shop.put("c.csv", f"id,code\n1,5\n2,{value}\n")
    said = put(shop, rules(database.to, "all"), code=None)
    if database.to.startswith("sqlite") or value != "12345678901234567890":
        assert "a value of `code` does not fit into `" in said
        assert keys(database) == {}
    else:  # the same number
        assert [float(row[0]) for row in database.ask("select code from segments")] == [5, float(value)]
    assert value not in str(said)


def test_a_user_who_may_make_no_table(shop: Desk, postgres: Postgres) -> None:
    """Where nobody is held out, there need be no table for them."""
    put(shop, rules(postgres.to, OLD))
    user, secret = f"writer_{secrets.token_hex(4)}", "s3cret-word"
    postgres.do(f"create role {user} login password '{secret}'")
    try:
        postgres.do(f"grant select, insert, delete on segments to {user}")
        before = keys(postgres)
        rest = postgres.to.partition("://")[2].rpartition("@")[2]
        put(shop, rules(f"postgresql://{user}:{secret}@{rest}", OLD), "rules.toml", "--replace")
        assert keys(postgres) == before != {}
    finally:
        postgres.do(f"drop owned by {user}")
        postgres.do(f"drop role {user}")


def test_a_user_who_may_only_read(shop: Desk, postgres: Postgres) -> None:
    put(shop, rules(postgres.to, OLD))
    user, secret = f"reader_{secrets.token_hex(4)}", "s3cret-word"
    postgres.do(f"create role {user} login password '{secret}'")
    try:
        postgres.do(f"grant select on segments to {user}")
        rest = postgres.to.partition("://")[2].rpartition("@")[2]
        said = put(shop, rules(f"postgresql://{user}:{secret}@{rest}", OLD), code=4)
        assert "does not let this user write to `segments`" in said
        said = put(shop, rules(f"postgresql://{user}:{secret}@{rest}", OLD, table="others"), code=4)
        assert "does not let this user make the table `others`" in said
        assert secret not in said and user not in said
    finally:
        postgres.do(f"drop owned by {user}")
        postgres.do(f"drop role {user}")


SECRET = "s3cret-word"
REFUSED = {
    "wrong password": "postgresql://postgres:s3cret-word@{server}?application_name=s3cret-word",
    "no such user": "postgresql://s3cret-word:s3cret-word@{server}",
    "no such database": "postgresql://{user}@{host}/nothing?application_name=s3cret-word",
    "no server": "postgresql://me:s3cret-word@127.0.0.1:1/shop?sslcert=s3cret-word",
    "no host": "postgresql://me:s3cret-word@nowhere.invalid/shop",
    "an option that there is not": "postgresql://me:s3cret-word@127.0.0.1:1/shop?s3cret-word=s3cret-word",
}


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED)
def test_a_server_that_refuses(shop: Desk, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Exit 4, one line; neither user nor password nor query is in anything that is said or written."""
    pytest.importorskip("adbc_driver_postgresql")
    if "{" in address and not URL:
        pytest.skip(NO_SERVER)
    server = URL.partition("://")[2]
    user, _, rest = server.rpartition("@")
    host = rest.partition("/")[0]
    monkeypatch.setenv("WHERE", address.format(server=rest, user=user, host=host))
    monkeypatch.setattr("tempfile.tempdir", str(shop.folder))
    shop.put("rules.toml", rules("${WHERE}", OLD))
    done = shop.segkit("-v", "apply", "rules.toml", "--log", "log", "--json", code=4)
    assert done.stderr.count("error: ") == 1
    assert SECRET not in everything(shop, done.output)
    assert not (shop / "segments").exists()


def everything(desk: Desk, said: str) -> str:
    files = [path for path in desk.folder.rglob("*") if path.is_file()]
    return "\n".join([said, *map(str, files), *(path.read_bytes().decode("utf-8", "replace") for path in files)])


def test_no_secret_is_in_what_a_run_leaves(shop: Desk, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    user = f"writer_{secrets.token_hex(4)}"
    postgres.do(f"create role {user} login superuser password '{SECRET}'")
    try:
        rest = postgres.to.partition("://")[2].rpartition("@")[2]
        monkeypatch.setenv("WHERE", f"postgresql://{user}:{SECRET}@{rest}?application_name={SECRET}")
        shop.put("rules.toml", rules("${WHERE}", OLD))
        done = shop.segkit("-v", "apply", "rules.toml", "--log", "log", "--json")
        again = shop.segkit("-v", "apply", "rules.toml", "--log", "log")
        told = [done.output, again.output, shop.segkit("explain", "--run", "segments", "2", "--json").output]
        told += [
            shop.segkit("diff", "segments", "segments").output,
            shop.segkit("check", "rules.toml", "--data").output,
        ]
        shop.put("c.csv", CUSTOMERS.replace("41", "39"))
        postgres.do("create function no() returns trigger language plpgsql as $$ begin raise exception 'x'; end $$")
        postgres.do("create trigger no before insert on segments for each row execute function no()")
        failed = shop.segkit("-v", "apply", "rules.toml", "--log", "log", code=4)
        assert "a trigger refuses them" in failed.stderr
        text = everything(shop, "\n".join([*told, failed.output]))
        assert SECRET not in text and user not in text
        manifest = json.loads((shop / "segments/manifest.json").read_text())
        assert manifest["output"]["to"] == without_user(postgres.to)
    finally:
        postgres.do(f"drop owned by {user}")
        postgres.do(f"drop role {user}")


APPENDED = 'load = "append_changes"\ncolumns = ["age"]'


def appended(postgres: Postgres) -> list[tuple[Any, ...]]:
    return postgres.ask("select as_of::text, list, change, id, age from segments")


def test_changes_are_appended_night_after_night(shop: Desk, postgres: Postgres) -> None:
    def night(day: str, *args: object, segments: tuple[str, ...] = (OLD, YOUNG)) -> Any:
        return put(shop, rules(postgres.to, *segments, output=APPENDED, as_of=day), "rules.toml", *args)

    done = night("2024-03-01")
    assert [(o["path"], o["holds"], o["written"]) for o in done["segments"][0]["outputs"]] == [
        ("old", "entered", 2),
        ("old", "left", 0),
    ]
    first = [
        ("2024-03-01", "old", "entered", "2", 41), ("2024-03-01", "old", "entered", "4", 70),
        ("2024-03-01", "young", "entered", "00042", 30), ("2024-03-01", "young", "entered", "3", 25),
    ]  # fmt: skip
    assert appended(postgres) == first
    # Ben is younger than was thought, and Dan is gone from the customers.
    shop.put("c.csv", CUSTOMERS.replace("41", "39").replace("4,Dan,70,Nantes\n", ""))
    night("2024-03-02")
    second = [
        ("2024-03-02", "old", "left", "2", 39), ("2024-03-02", "old", "left", "4", None),
        ("2024-03-02", "young", "entered", "2", 39),
    ]  # fmt: skip
    assert appended(postgres) == [*first, *second]
    night("2024-03-02")  # once more on the same day: nothing is new, and nothing goes
    assert appended(postgres) == [*first, *second]
    # A list that there is no longer is left by all.
    night("2024-03-03", segments=(OLD,))
    third = [("2024-03-03", "young", "left", key, age) for key, age in [("00042", 30), ("2", 39), ("3", 25)]]
    assert appended(postgres) == [*first, *second, *third]
    assert shop.segkit("diff", "segments", "segments").stdout.count("Nobody entered, nobody left") == 1


def test_select_appends_the_changes_of_these_segments_alone(shop: Desk, postgres: Postgres) -> None:
    text = rules(postgres.to, OLD, YOUNG, output=APPENDED)
    put(shop, text)
    shop.put("c.csv", CUSTOMERS.replace("41", "39"))
    text = text.replace("2024-03-01", "2024-03-02")
    put(shop, text, "rules.toml", "--select", "old")
    assert appended(postgres)[4:] == [("2024-03-02", "old", "left", "2", 39)]
    put(shop, text)
    assert appended(postgres)[4:] == [
        ("2024-03-02", "old", "left", "2", 39),
        ("2024-03-02", "young", "entered", "2", 39),
    ]


def test_changes_of_a_run_that_was_killed_after_the_commit_are_not_told_twice(shop: Desk, postgres: Postgres) -> None:
    put(shop, rules(postgres.to, OLD, YOUNG, output=APPENDED))
    shop.put("c.csv", CUSTOMERS.replace("41", "39"))
    text = rules(postgres.to, OLD, YOUNG, output=APPENDED, as_of="2024-03-02")
    shop.put("rules.toml", text)
    killed(shop, AFTER)
    put(shop, text)
    assert appended(postgres)[4:] == [
        ("2024-03-02", "old", "left", "2", 39),
        ("2024-03-02", "young", "entered", "2", 39),
    ]


def test_holdouts_stay_whole_where_changes_are_appended(shop: Desk, postgres: Postgres) -> None:
    text = rules(postgres.to, "all:everyone = true\nholdout = 50", output=APPENDED)
    put(shop, text)
    held = keys(postgres, "segments_holdout")
    put(shop, text.replace("2024-03-01", "2024-03-02"))
    assert keys(postgres, "segments_holdout") == held
    assert not {*held["all.holdout"]} & {row[3] for row in appended(postgres)}


def test_a_table_of_whole_lists_takes_no_changes(shop: Desk, postgres: Postgres) -> None:
    put(shop, rules(postgres.to, OLD, output='columns = ["age"]'))
    said = put(shop, rules(postgres.to, OLD, output=APPENDED), code=4)
    assert "it has no column `as_of` and `change`" in said


def test_a_history_goes_on_from_its_last_run(shop: Desk, postgres: Postgres) -> None:
    """Neither from a run that wrote elsewhere, nor for a day before, nor where rows are not those of the last run."""

    def night(day: str, *args: object, code: int = 0, **options: Any) -> Any:
        return put(shop, rules(postgres.to, OLD, as_of=day, **options), "rules.toml", *args, code=code)

    put(shop, head() + "[segment.old]\ndemographic.age.min = 40\n")  # into files
    said = night("2024-03-01", output=APPENDED, code=4)
    assert "has not written to `segments`: who entered it since is not known" in said
    assert postgres.ask("select to_regclass('segments')::text") == [(None,)]
    with_own = APPENDED + '\ndirectory = "nights"'
    night("2024-03-01", output=with_own)
    night("2024-03-02", output=with_own)
    before = appended(postgres)
    assert "changes are appended up to 2024-03-02" in night("2024-03-01", output=with_own, code=4)
    elsewhere = APPENDED + '\ndirectory = "elsewhere"'
    assert "add up to 2 in `old`, and the last run has 0" in night("2024-03-03", output=elsewhere, code=4)
    assert appended(postgres) == before
    postgres.do("delete from segments where id = '2'")
    assert "add up to 1 in `old`, and the last run has 2" in night("2024-03-03", output=with_own, code=4)


def test_a_killed_night_is_told_anew_by_a_later_one(shop: Desk, postgres: Postgres) -> None:
    put(shop, rules(postgres.to, OLD, YOUNG, output=APPENDED))
    shop.put("c.csv", CUSTOMERS.replace("41", "39"))
    shop.put("rules.toml", rules(postgres.to, OLD, YOUNG, output=APPENDED, as_of="2024-03-02"))
    killed(shop, AFTER)
    assert len(appended(postgres)) == 6
    put(shop, rules(postgres.to, OLD, YOUNG, output=APPENDED, as_of="2024-03-03"))
    assert appended(postgres)[4:] == [
        ("2024-03-03", "old", "left", "2", 39),
        ("2024-03-03", "young", "entered", "2", 39),
    ]


DISOBEDIENT = {
    "keeps": "create function f() returns trigger language plpgsql as 'begin return null; end';"
    "create trigger t before delete on segments for each row execute function f()",
    "drops": "create function f() returns trigger language plpgsql as 'begin if new.id = ''2'' then return null; end if;"
    " return new; end';create trigger t before insert on segments for each row execute function f()",
    "rule": "create rule r as on delete to segments do instead nothing",
}


@pytest.mark.parametrize("case", DISOBEDIENT)
def test_a_table_that_does_not_do_what_it_is_told_is_an_error(shop: Desk, postgres: Postgres, case: str) -> None:
    put(shop, rules(postgres.to, OLD))
    before = keys(postgres)
    for statement in DISOBEDIENT[case].split(";create trigger"):
        postgres.do(statement if statement.startswith("create f") or case == "rule" else f"create trigger{statement}")
    shop.put("c.csv", CUSTOMERS.replace("30,", "45,"))
    assert "where it was told to have" in put(shop, rules(postgres.to, OLD), code=4)
    assert keys(postgres) == before


def test_rows_that_take_the_place_of_others_are_counted(shop: Desk, tmp_path: Path) -> None:
    with closing(sqlite3.connect(shop / "lists.db")) as connection:
        connection.execute(
            "create table segments (id text unique on conflict replace, segment text, list text, age int)"
        )
    said = put(shop, rules("sqlite:lists.db", OLD, "all:everyone = true", output='columns = ["age"]'), code=4)
    assert "`segments` has 4 rows of these segments where it was told to have 6" in said


def test_nobody_is_held_out_once_the_rules_hold_nobody_out(shop: Desk, database: Database) -> None:
    """Though a run of other segments came between."""
    text = rules(database.to, "all:everyone = true\nholdout = 50", OLD)
    put(shop, text)
    assert keys(database, "segments_holdout")
    without = text.replace("\nholdout = 50", "")
    put(shop, without, "rules.toml", "--select", "old")
    put(shop, without)
    assert not keys(database, "segments_holdout")


def test_two_keys_that_are_one_number(shop: Desk, database: Database) -> None:
    database.do("create table segments (id numeric, segment text, list text, age int)")
    shop.put("c.csv", "id,age\n1E5,50\n100000,60\n")
    assert "a value of `id` does not fit into" in put(shop, rules(database.to, OLD, output='columns = ["age"]'), code=4)


def test_whatever_the_isolation_of_the_server(shop: Desk, postgres: Postgres) -> None:
    """A snapshot from before the lock would not see the rows of who held it: each would stand twice."""
    strict = f"{postgres.to}?options=-cdefault_transaction_isolation%3Dserializable"
    put(shop, rules(strict, OLD, output='columns = ["age"]'))
    connection = postgres.connection()
    with connection, connection.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("lock table segments in share row exclusive mode")
        cursor.execute("delete from segments")
        cursor.execute("insert into segments values ('2', 'old', 'old', 41), ('4', 'old', 'old', 70)")
        run = shop.begin("apply", "rules.toml")
        postgres.until_it_waits(run)
        cursor.execute("commit")
        assert run.wait(60) == 0
    assert keys(postgres) == {"old": ["2", "4"]}


def test_a_table_that_another_run_makes_is_waited_for(shop: Desk, postgres: Postgres) -> None:
    with postgres.connection() as connection, connection.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("do 'begin perform pg_advisory_xact_lock(hashtext(''\"segments\"'')); end'")
        said = put(shop, rules(postgres.to, OLD), "rules.toml", "--no-wait", code=4)
        assert said.startswith("error: somebody else writes to `segments`")
        run = shop.begin("apply", "rules.toml")
        postgres.until_it_waits(run)
        cursor.execute("commit")
        assert run.wait(60) == 0
    assert keys(postgres) == {"old": ["2", "4"]}


def test_two_runs_that_make_one_table_at_once(shop: Desk, postgres: Postgres) -> None:
    shop.put("a.toml", rules(postgres.to, OLD, output='directory = "a"'))
    shop.put("b.toml", rules(postgres.to, YOUNG, output='directory = "b"'))
    runs = [shop.begin("apply", name, "--summary", "none") for name in ("a.toml", "b.toml")]
    assert [run.wait(60) for run in runs] == [0, 0]
    assert {name: sorted(found) for name, found in keys(postgres).items()} == {
        "old": ["2", "4"],
        "young": ["00042", "3"],
    }
