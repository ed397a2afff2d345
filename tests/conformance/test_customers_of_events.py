"""`[customers] from`: one customer of each key in the rows that an event table keeps."""

from __future__ import annotations

import json

import duckdb
import polars as pl
import pytest

from tests.desk import Desk

HEAD = 'version = 1\nas_of = 2024-03-01\n[customers]\nfrom = "o"\nkey = "id"\n'
EVENTS = '[events.o]\npath = "o.csv"\ntime = "day"\n'
ROWS = """id,day,product,total,status,email
b,2024-01-02,sand,5,paid,b@old
b ,2024-02-02,bricks,7.50,paid,b@new
a,2024-01-03,sand,-5,refunded,a@refund
a,2024-01-01,bricks,5,paid,a@paid
c,2024-01-04,tiles,1,open,c@x
 d,2024-02-04,sand,0001,open,d@x
e,2024-04-04,sand,1,paid,e@later
,2024-02-04,sand,1,paid,nobody@x
f,,sand,1,paid,f@never
"""
KEPT = [
    # lines of the event table, customers, their e-mail
    ("", {"a": "a@refund", "b": "b@new", "c": "c@x", "d": "d@x"}),
    ('where.status = "paid"', {"a": "a@paid", "b": "b@new"}),
    ("where.total.above = 1", {"a": "a@paid", "b": "b@new"}),
    ('where.product.not = "bricks"', {"a": "a@refund", "b": "b@old", "c": "c@x", "d": "d@x"}),
    ('where.status = "nothing"', {}),
    ('derive = { doubled = "total * 2" }\nwhere.doubled = 2', {"c": "c@x", "d": "d@x"}),
    ('where.kind = "loose"', {"a": "a@refund", "b": "b@old", "d": "d@x"}),
    ('where.kind = { not = "loose", or_missing = true }', {"a": "a@paid", "b": "b@new", "c": "c@x"}),
    ('derive = { k2 = "upper(kind)" }\nwhere.k2 = "HARD"', {"a": "a@paid", "b": "b@new"}),
    ("where.day.before = 2024-02-01", {"a": "a@refund", "b": "b@old", "c": "c@x"}),
]
LOOKUP = '[lookup.kinds]\npath = "k.csv"\non = "product"\ninto = "o"\ncolumns = ["kind"]\n'


@pytest.mark.parametrize(("lines", "customers"), KEPT)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_one_customer_of_each_key_in_the_rows_that_are_kept(
    desk: Desk, lines: str, customers: dict[str, str], ending: str
) -> None:
    path = desk.put("o.csv", ROWS)
    if ending == "parquet":
        frame = pl.read_csv(path, infer_schema_length=None, try_parse_dates=True)
        assert frame.schema["day"] == pl.Date
        if "0001" in ROWS:
            frame = frame.with_columns(pl.col("total").cast(pl.Float64))
        desk.put("o.parquet", frame)
    desk.put("k.csv", "product,kind\nsand,loose\nbricks,hard\n")
    head = HEAD.replace("[customers]\n", '[customers]\ncolumns = ["email"]\n')
    events = EVENTS.replace("o.csv", f"o.{ending}") + 'types = { total = "number" }\n' + lines + "\n"
    rules = head + events + LOOKUP * ("k" in lines.replace("kept", ""))
    found = desk.rows(rules + "[segment.all]\neveryone = true\n")
    assert {row["id"]: row["email"] for row in found} == customers
    assert [row["id"] for row in found] == sorted(customers)


def test_the_measures_of_customers_are_of_the_same_rows(desk: Desk) -> None:
    desk.put("o.csv", ROWS)
    rules = HEAD + EVENTS + 'amount = "total"\nwhere.status = ["paid", "open"]\n[trait.n]\nevents = "o"\n'
    rules += '[trait.sum]\nevents = "o"\nmeasure = "sum"\n'
    with duckdb.connect() as connection:
        wanted = connection.execute(
            "SELECT trim(id), count(*), sum(total) FROM read_csv(?, types = {'total': 'DECIMAL(9,2)'}) "
            "WHERE status IN ('paid', 'open') AND day <= DATE '2024-03-01' AND trim(id) <> '' GROUP BY 1",
            [str(desk / "o.csv")],
        ).fetchall()
    found = {key: (int(n), float(total)) for key, (n, total) in desk.columns(rules, "n", "sum").items()}
    assert found == {key: (n, float(total)) for key, n, total in wanted}


TAKEN = [
    ('"kind"', "hard"),  # of a lookup
    ('"doubled"', "15"),  # derived; the latest
    ('"k2"', "HARD"),  # derived of what is looked up
    ('"status", "total"', "paid"),
]


@pytest.mark.parametrize(("columns", "value"), TAKEN)
def test_columns_may_be_looked_up_and_derived(desk: Desk, columns: str, value: str) -> None:
    desk.put("o.csv", ROWS)
    desk.put("k.csv", "product,kind\nsand,loose\nbricks,hard\n")
    head = HEAD.replace("[customers]\n", f"[customers]\ncolumns = [{columns}]\n")
    derive = 'derive = { doubled = "total * 2", k2 = "upper(kind)" }\n'
    rules = head + EVENTS + 'types = { total = "number" }\n' + derive + LOOKUP
    found = desk.rows(rules + "[segment.all]\neveryone = true\n")
    assert {row["id"]: row[columns.split('"')[1]] for row in found}["b"] == value
    name = columns.split('"')[1]
    asked = f"{value}" if value == "15" else f'"{value}"'
    assert "b" in desk.members(rules, {"s": f"demographic.{name} = {asked}"})["s"]


def test_values_go_out_as_they_came(desk: Desk) -> None:
    desk.put("o.csv", 'id,day,code,n,yes\nb,2024-01-02,01234,"1,234.50",TRUE\na,2024-01-02,1e16,$5,no\n')
    head = HEAD.replace("[customers]\n", '[customers]\ncolumns = ["code", "n", "yes"]\n')
    rows = desk.rows(head + EVENTS + "where.code.missing = false\n[segment.all]\neveryone = true\n")
    assert [(r["code"], r["n"], r["yes"]) for r in rows] == [("1e16", "$5", "no"), ("01234", "1,234.50", "TRUE")]


def test_a_derived_key_of_the_events(desk: Desk) -> None:
    desk.put("o.csv", "who,day,ok\nA,2024-01-01,1\nb,2024-01-02,1\nc,2024-01-03,0\n")
    events = EVENTS + 'key = "k"\nderive = { k = "lower(who)" }\nwhere.ok = 1\n'
    assert desk.columns(HEAD + events + '[trait.n]\nevents = "o"\n', "n") == {"a": "1", "b": "1"}


def test_like_tables_count_for_nothing(desk: Desk) -> None:
    desk.put("o.csv", ROWS)
    like = '[events.refunds]\nlike = "o"\nwhere.status = "refunded"\n[trait.n]\nevents = "refunds"\n'
    rules = HEAD + EVENTS + 'where.status = "paid"\nwhere.product = "sand"\n' + like
    done = desk.json(rules + '[segment.s]\nbehavioural.n.min = 0\n[segment.t]\nbehavioural.did = { events = "o" }\n')
    assert (done["customers"], done["segments"][0]["matched"]) == (1, 1)
    assert {t["name"]: t["left_out"] for t in done["tables"]}["refunds"]["unknown_customer"] == 1


def test_a_lookup_by_a_column_of_the_customers_cannot_serve_there(desk: Desk) -> None:
    desk.put("o.csv", ROWS)
    desk.put("k.csv", "email,kind\nb@new,known\n")
    head = HEAD.replace("[customers]\n", '[customers]\ncolumns = ["email"]\n')
    lookup = '[lookup.kinds]\npath = "k.csv"\non = "email"\ncolumns = ["kind"]\n'
    segment = "[segment.s]\neveryone = true\n"
    told = desk.apply(head + EVENTS + 'where.kind = "known"\n' + lookup + segment, code=2).stderr
    assert "`o` has no column `kind`" in told and 'into = "o"' in told
    desk.put("o2.csv", ROWS)
    assert desk.rows(
        head + EVENTS + 'where.kind = "known"\n' + lookup.replace("columns", 'into = "o"\ncolumns') + segment
    )


WRONG = [
    ("where.product.above = 3", "`above` asks for a number or a date, but column `product` is text"),
    ('types = { total = "number" }\nwhere.total = "x"', '"x" is text'),
    ("where.nothing = 3", "`o` has no column `nothing`"),
    ('derive = { x = "nothing + 1" }', "`o` has no column `nothing`"),
    ('derive = { x = "email + 1" }', "only numbers are computed with"),
]


@pytest.mark.parametrize(("lines", "told"), WRONG)
def test_what_is_wrong_with_the_events_is_told(desk: Desk, lines: str, told: str) -> None:
    desk.put("o.csv", ROWS)
    done = desk.apply(HEAD + EVENTS + lines + "\n[segment.s]\neveryone = true\n", code=2)
    assert told in done.stderr


def test_a_time_that_is_none_and_a_column_that_there_is_not(desk: Desk) -> None:
    desk.put("o.csv", ROWS)
    text = HEAD.replace("[customers]\n", '[customers]\ncolumns = ["nothing"]\n') + EVENTS
    told = desk.apply(text.replace('"day"', '"product"') + "[segment.s]\neveryone = true\n", code=2).stderr
    assert "`o` has no column `nothing`" in told
    told = desk.apply(HEAD + EVENTS.replace('"day"', '"product"') + "[segment.s]\neveryone = true\n", code=2).stderr
    assert "`time` asks for a date" in told


def test_a_later_row_settles_what_a_column_of_the_customers_is(desk: Desk) -> None:
    """The file is so large that its types rest on a sample."""
    rows = 60_000
    lines = [f"c{i},2024-01-0{1 + i % 9},{i % 97}" for i in range(rows)]
    lines[rows // 3] = "c7,2024-02-01,A7"
    desk.put("o.csv", "id,day,code\n" + "\n".join(lines) + "\n")
    head = HEAD.replace("[customers]\n", '[customers]\ncolumns = ["code"]\n')
    found = desk.members(head + EVENTS + "where.day.after = 2023-01-01\n", {"s": 'demographic.code = "A7"'})
    assert found == {"s": ["c7"]}


def test_the_manifest_names_the_files_of_both_tables(desk: Desk) -> None:
    desk.put("o.csv", ROWS)
    desk.apply(HEAD + EVENTS + "[segment.s]\neveryone = true\n")
    manifest = json.loads((desk / "segments/manifest.json").read_text())
    assert [read["table"] for read in manifest["inputs"]] == ["o", "customers"]
