"""`segkit rfm`: which rows are one order, which rows count, and several files as one table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import tomli

from segkit.operations.rfm import rfm
from tests.desk import Desk

AS_OF = ("--as-of", "2024-03-01")


def done(desk: Desk, *args: object) -> Any:
    return json.loads(desk.segkit("rfm", *args, *AS_OF, "--json").stdout)


def orders(desk: Desk, header: str, values: Sequence[str], name: str = "o.csv") -> Path:
    """Two customers with two lines each, and a column `header` with these values."""
    lines = [f"{key},2024-01-0{day},5,{value}" for (key, day), value in zip(LINES, values, strict=True)]
    return desk.put(name, f"customer_id,date,amount,{header}\n" + "\n".join(lines) + "\n")


LINES = (("a", 1), ("a", 1), ("b", 2), ("b", 3))
IDS = [
    # header, values, whether the column is guessed as the number of the order
    ("Invoice", ("536365", "536365", "536366", "536367"), True),
    ("Invoice", ("536365", "536365", "C536366", "536367"), True),
    ("Order", ("10", "10", "11", "12"), True),
    ("ticket", ("T-1", "T-1", "T-2", "T-3"), True),
    ("Facture", ("F1", "F1", "F2", ""), True),
    ("commande", ("1", "1", "2", "3"), True),
    ("Receipt_No", ("1", "1", "2", "3"), True),
    ("receipt no.", ("1", "1", "2", "3"), True),
    ("Name", ("#1001", "#1001", "#1002", "#1003"), True),
    ("Name", ("1001", "1001", "1002", "1003"), False),
    ("Name", ("Ann", "Ann", "Bo", "Bo"), False),
    ("Name", ("#1001", "Ann", "#1002", "#1003"), False),
    ("Name,Financial Status", ("EN-1001,", "EN-1001,", "EN-1002,", "EN-1003,"), True),
    ("Name,Financial Status", ("Ann,", "Ann,", "Bo,", "Bo,"), False),
    ("Order", ("1", "2", "1", "2"), False),  # the first and second of each customer
    ("Order", ("paid", "paid", "open", "open"), False),
    ("Order", ("set 1", "set 1", "set 2", "set 2"), False),
    ("ticket", ("19.90", "19.90", "5.00", "7.10"), False),  # a price
    ("ticket", ("20", "20", "20", "30"), False),
    ("Invoice", ("2024-01-01", "2024-01-01", "2024-01-02", "2024-01-03"), False),
    ("Invoice", ("", "", "", ""), False),
    ("order_id", ("x", "x", "y", "z"), True),
]


@pytest.mark.parametrize(("header", "values", "guessed"), IDS)
def test_the_number_of_the_order_is_guessed_where_it_is_plain(
    desk: Desk, header: str, values: Sequence[str], guessed: bool
) -> None:
    path = orders(desk, header, values)
    found = done(desk, path, "--time", "date", "--amount", "amount")
    assert found["guesses"].get("id") == (header.split(",", maxsplit=1)[0] if guessed else None)
    assert found["rows_are_orders"] is not guessed
    assert found["events"] == 4 - guessed  # the first two lines are one order


def test_the_last_row_counts_in_what_is_plain(desk: Desk) -> None:
    rows = 20_000
    frame = pl.DataFrame({"customer_id": range(rows), "date": "2024-01-01", "amount": 5, "Order": range(rows)})
    frame = frame.with_columns(pl.col("Order").cast(pl.String))
    assert done(desk, desk.put("o.csv", frame))["guesses"]["id"] == "Order"
    last = frame[-1:].with_columns(customer_id=pl.lit(0, pl.Int64))
    assert "id" not in done(desk, desk.put("o.csv", pl.concat([frame, last])))["guesses"]


def test_that_each_row_is_an_order_is_said(desk: Desk) -> None:
    said = "each row counts as an order"
    path = orders(desk, "x", "1234")
    assert said in desk.segkit("rfm", path, *AS_OF).stdout
    assert said not in desk.segkit("rfm", path, *AS_OF, "--id", "x").stdout
    summary = desk.put("s.csv", "customer_id,recency,frequency,monetary\na,1,2,3\nb,2,3,4\n")
    assert said not in desk.segkit("rfm", summary).stdout
    assert json.loads(desk.segkit("rfm", summary, "--json").stdout)["rows_are_orders"] is False


ALIKE = [
    # rows of customer and time; how many share both, where that is told
    (["a,2024-01-01", "a,2024-01-01", "b,2024-01-01"], 2),
    (["a,2024-01-01", "a,2024-01-02", "b,2024-01-01"], None),
    (["a,2024-01-01T10:00:00", "a,2024-01-01T11:00:00", "b,2024-01-01T10:00:00"], None),  # two orders of a day
    (["a,2024-01-01T10:00:00", "a,2024-01-01T10:00:00", "b,2024-01-01T10:00:00"], 2),
    ([f"c{i},2024-01-01" for i in range(18)] + ["x,2024-01-01"] * 2, 2),
    ([f"c{i},2024-01-01" for i in range(19)] + ["x,2024-01-01"] * 2, None),
    (["a,2024-01-01", "a,2024-03-02", "a,2024-03-02", ",2024-01-01", ",2024-01-01"], None),  # none of these counts
]


@pytest.mark.parametrize(("rows", "told"), ALIKE)
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_many_rows_alike_may_be_lines_of_orders(desk: Desk, rows: list[str], told: int | None, ending: str) -> None:
    split = [row.split(",") for row in rows]
    frame = pl.DataFrame({"customer_id": [k or None for k, _ in split], "time": [t for _, t in split], "amount": 5})
    if ending == ".parquet":
        moments = pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False)
        frame = frame.with_columns(pl.coalesce(moments, pl.col("time").str.to_datetime("%Y-%m-%d", strict=False)))
    path = desk.put("o" + ending, frame)
    found = [w for w in done(desk, path)["warnings"] if "share customer and time" in w["message"]]
    assert [w["message"].split(" rows")[0] for w in found] == [f"{told} of {len(rows)}"] * (told is not None)
    assert all("--id" in w["hint"] for w in found)
    if told:
        frame.with_columns(no=pl.int_range(pl.len())).write_csv(desk / "with.csv")
        assert "share customer" not in str(done(desk, desk / "with.csv", "--id", "no")["warnings"])


def test_only_rows_for_which_where_holds_count(desk: Desk) -> None:
    rows = [
        "a,2024-01-01,5,paid",
        "a,2024-01-02,7,refunded",
        "b,2024-01-03,9,paid",
        "c,2024-01-04,1,",
        "c,2024-01-05,2,open",
    ]
    path = desk.put("o.csv", "customer_id,date,amount,status\n" + "\n".join(rows) + "\n")
    written = desk.read(
        desk.segkit("rfm", path, *AS_OF, "--where", "status = 'paid' AND amount < 100", "-o", "-", "-q").stdout_bytes
    )
    with duckdb.connect() as connection:
        wanted = connection.execute(
            "SELECT customer_id, count(*), sum(amount) FROM read_csv(?) WHERE status = 'paid' GROUP BY 1 ORDER BY 1",
            [str(path)],
        ).fetchall()
    assert [(r["customer_id"], int(r["frequency"]), int(r["monetary"])) for r in written] == wanted
    found = done(desk, path, "--where", "status = 'paid'")
    assert {t["name"]: t["left_out"]["where"] for t in found["tables"] if "where" in t["left_out"]} == {"data": 3}


def test_where_goes_with_money_in_sql_and_with_the_three_values(desk: Desk) -> None:
    path = desk.put("o.csv", "customer_id,date,qty,each\na,2024-01-01,2,5\na,2024-01-02,3,5\nb,2024-01-03,1,9\n")
    args = ("--amount", "qty * each", "--where", "qty < 3", *AS_OF, "-o", "-", "-q")
    rows = desk.read(desk.segkit("rfm", path, *args).stdout_bytes)
    assert [(r["customer_id"], r["monetary"]) for r in rows] == [("a", "10"), ("b", "9")]
    summary = desk.put("s.csv", "customer_id,recency,frequency,monetary\na,1,2,3\nb,2,3,4\n")
    rows = desk.read(desk.segkit("rfm", summary, "--where", "monetary > 3", "-o", "-", "-q").stdout_bytes)
    assert [r["customer_id"] for r in rows] == ["b"]


NO_WHERE = [
    ("amount", "column `where in SQL` is a number"),
    ("amount >", "cannot read the SQL"),
    ("nothing = 1", "no column `nothing`"),
    ("sum(amount) > 1", "an aggregate looks at all rows"),
]


@pytest.mark.parametrize(("where", "told"), NO_WHERE)
def test_a_where_that_cannot_be_is_an_error(desk: Desk, where: str, told: str) -> None:
    path = orders(desk, "x", "1234")
    assert told in desk.segkit("rfm", path, "--where", where, code=2).stderr


MONTHS = {"jan.csv": "a,2024-01-05,5\nb,2024-01-06,7\n", "feb.csv": "a,2024-02-05,1\nc,2024-02-06,2\n"}


def put_months(desk: Desk) -> list[Path]:
    return [desk.put(name, "customer_id,date,amount\n" + rows) for name, rows in MONTHS.items()]


def test_several_files_are_one_table(desk: Desk) -> None:
    months = put_months(desk)
    whole = desk.put("whole.csv", "customer_id,date,amount\n" + "".join(MONTHS.values()))
    out = ("-o", "-", "-q", *AS_OF)
    assert desk.segkit("rfm", *months, *out).stdout_bytes == desk.segkit("rfm", whole, *out).stdout_bytes
    assert done(desk, *months)["tables"][-1]["paths"] == list(map(str, months))
    result = rfm([str(months[0]), months[1]])
    assert (result.customers, result.events) == (3, 4)
    assert rfm(whole).events == rfm(str(whole)).events == 4


def test_a_rule_file_takes_several_files_too(desk: Desk) -> None:
    put_months(desk)
    rules = """version = 1
as_of = 2024-03-01
[customers]
from = "orders"
key = "customer_id"
[events.orders]
path = ["feb.csv", "j*.csv"]
time = "date"
[trait.n]
events = "orders"
"""
    assert desk.columns(rules, "n") == {"a": "2", "b": "1", "c": "1"}


@pytest.mark.parametrize("more", ["jan.csv", "*.csv", "sub/../jan.csv"])
def test_a_file_that_is_named_twice_is_an_error(desk: Desk, more: str) -> None:
    months = put_months(desk)
    (desk / "sub").mkdir()
    told = desk.segkit("rfm", months[0], desk / more, code=3).stderr
    assert "`jan.csv` is named twice" in told


def test_files_with_other_columns_are_an_error(desk: Desk) -> None:
    months = put_months(desk)
    other = desk.put("other.csv", "customer_id,date,total\na,2024-01-01,5\n")
    assert "`other.csv` lacks `amount`" in desk.segkit("rfm", *months, other, code=3).stderr


def test_cutoffs_say_which_rows_and_files_were_scored(desk: Desk) -> None:
    months = put_months(desk)
    saved = desk / "cutoffs.toml"
    desk.segkit("rfm", *months, "--where", "amount > 0", "--save-cutoffs", saved, *AS_OF)
    events = tomli.loads(saved.read_text())["events"]
    assert (events["path"], events["where"]) == (list(map(str, months)), "amount > 0")
    desk.segkit("rfm", *months, "--cutoffs", saved, *AS_OF)


def test_no_file_is_an_error_of_usage(desk: Desk) -> None:
    assert "missing argument" in desk.segkit("rfm", code=2).stderr
