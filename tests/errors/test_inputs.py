"""Bad input: one clear error, the right exit code, and the last good output as it was."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable

import polars as pl
import pytest

from tests.desk import Desk

CUSTOMERS = "id,age,born\na,20,2004-01-01\nb,30,1994-05-05\nc,,\n"
ORDERS = "id,day,total\na,2024-01-01,10.5\nb,2024-02-01,3\nb,2024-02-02,4\n"
RULES = """version = 1
as_of = 2024-03-01
[customers]
path = "{customers}"
key = "id"
{more}
[events.o]
path = "{orders}"
time = "day"
amount = "total"
[trait.spend]
events = "o"
measure = "sum"
[segment.s]
demographic.age.min = 1
demographic.born.min = 1900-01-01
behavioural.spend.min = 1
behavioural.did = {{ events = "o" }}
[output]
combined = "all.csv"
"""


def rules(customers: str = "c.csv", orders: str = "o.csv", more: str = "") -> str:
    return RULES.format(customers=customers, orders=orders, more=more)


@pytest.fixture
def good(desk: Desk) -> Desk:
    """A desk with a good run on it."""
    desk.put("c.csv", CUSTOMERS)
    desk.put("o.csv", ORDERS)
    desk.apply(rules())
    assert desk.tree()["s.csv"].count(b"\n") == 3
    return desk


GZ = gzip.compress("".join(f"id{i},20,2004-01-01\n" for i in range(5000)).encode())
NOISE = bytes((i * 7919 + i * i) % 256 for i in range(5000))

# what the file of the customers, or of the orders, is; what the message says
CASES = {
    "missing": ("c.csv", None, ["no file `c.csv`"]),
    "glob without a file": ("c-*.csv", None, ["c-*.csv"]),
    "no folder": ("no/such/c.csv", None, ["c.csv"]),
    "empty": ("c.csv", "", ["c.csv", "empty"]),
    "only line ends": ("c.csv", "\n\n\n", ["c.csv"]),
    "binary": ("c.csv", NOISE, ["c.csv"]),
    "picture": ("c.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + NOISE, ["c.csv"]),
    "zip": ("c.csv", b"PK\x03\x04\x14\x00\x00\x00" + NOISE, ["c.csv"]),
    "truncated gzip": ("c.csv.gz", GZ[: len(GZ) // 2], ["c.csv.gz"]),
    "gzip that is none": ("c.csv.gz", CUSTOMERS, None),
    "damaged parquet": ("c.parquet", b"PAR1" + NOISE + b"PAR1", ["c.parquet"]),
    "parquet that is none": ("c.parquet", CUSTOMERS, ["c.parquet"]),
    "damaged arrow": ("c.arrow", b"ARROW1\0\0" + NOISE, ["c.arrow"]),
    "ndjson that is none": ("c.ndjson", '{"id": "a", "age": 1}\n{"id": \n', ["c.ndjson"]),
    "too many fields": ("c.csv", CUSTOMERS + "d,1,2004-01-01,extra\n", ["c.csv:5", "4 fields"]),
    "too few fields": ("c.csv", CUSTOMERS + "d,1\n", ["c.csv:5", "2 fields"]),
    "unpaired quote": ("c.csv", CUSTOMERS + 'd,"1,2004-01-01\n', ["c.csv"]),
    "wrong delimiter": ("c.csv", CUSTOMERS, ["`id`"]),
    "no such column": ("c.csv", CUSTOMERS.replace("age", "Alter"), ["`age`"]),
    "no key column": ("c.csv", CUSTOMERS.replace("id,", "key,", 1), ["`id`"]),
    "all keys missing": ("c.csv", "id,age,born\n,20,2004-01-01\n,30,1994-05-05\n", ["key"]),
    "a key twice": ("c.csv", CUSTOMERS + "a,1,2004-01-01\n", ["`a`", "duplicates"]),
    "two columns of one name": ("c.csv", "id,age,age,born\na,1,2,2004-01-01\n", ["`age`"]),
    "31 February": ("c.csv", CUSTOMERS.replace("1994-05-05", "1994-02-31"), ["c.csv:3", "1994-02-31", "`born`"]),
    "31/02/2024": ("c.csv", "id,age,born\na,1,28/02/2024\nb,2,31/02/2024\n", ["c.csv:3", "31/02/2024", "`born`"]),
    "a date in words": ("c.csv", CUSTOMERS.replace("1994-05-05", "someday"), ["born"]),
    "infinite age": ("c.csv", CUSTOMERS.replace("30", "inf"), ["age"]),
}  # fmt: skip
ORDER_CASES = {
    "missing": (None, ["no file `o.csv`"]),
    "empty": ("", ["o.csv", "empty"]),
    "infinite amount": (ORDERS.replace("10.5", "inf"), ["o.csv:2", "`inf`", "`total`"]),
    "minus infinity": (ORDERS.replace("10.5", "-Infinity"), ["o.csv:2", "`total`"]),
    "words for money": (ORDERS.replace("10.5", "ten"), ["o.csv:2", "`ten`", "`total`"]),
    "31/02/2024": ("id,day,total\na,31/02/2024,1\nb,28/02/2024,1\n", ["o.csv:2", "31/02/2024", "`day`"]),
    "no key matches": (ORDERS.replace("a,", "x,").replace("b,", "y,"), ["`x`"]),
    "no time column": (ORDERS.replace("day", "when"), ["`day`"]),
    "ambiguous dates": ("id,day,total\na,01/02/2024,1\nb,03/02/2024,1\n", ["date_format"]),
}


def fails(desk: Desk, text: str, says: Iterable[str], code: int) -> None:
    before = desk.tree()
    done = desk.apply(text, code=None)
    assert done.exit_code == code, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    for word in says:
        assert word in done.stderr, done.stderr
    assert desk.tree() == before
    assert not [p for p in desk.folder.iterdir() if p.name.startswith(".") and p.name.endswith((".new", ".old"))]


@pytest.mark.parametrize("case", CASES)
def test_customers(good: Desk, case: str) -> None:
    path, content, says = CASES[case]
    (good / "c.csv").unlink()
    if content is not None:
        good.put(path, content)
    more = 'delimiter = ";"' if case == "wrong delimiter" else ""
    if case in ("a date in words", "infinite age"):
        more = 'types = { born = "date", age = "number" }'
    if says is None:  # read by what it is, not by what it is called
        good.apply(rules(path, more=more))
        return
    code = 2 if case in ("no such column", "no key column", "wrong delimiter") else 3
    fails(good, rules(path, more=more), says, code)


@pytest.mark.parametrize("case", ORDER_CASES)
def test_events(good: Desk, case: str) -> None:
    content, says = ORDER_CASES[case]
    (good / "o.csv").unlink()
    if content is not None:
        good.put("o.csv", content)
    fails(good, rules(), says, 2 if case == "no time column" else 3)


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_infinity_in_parquet(good: Desk, value: float) -> None:
    good.put("o.parquet", pl.DataFrame({"id": ["a", "b"], "day": ["2024-01-01"] * 2, "total": [1.0, value]}))
    fails(good, rules(orders="o.parquet"), ["inf", "`total`"], 3)


def test_nan_in_parquet_is_no_amount(good: Desk) -> None:
    good.put("o.parquet", pl.DataFrame({"id": ["a", "b"], "day": ["2024-01-01"] * 2, "total": [1.0, float("nan")]}))
    good.apply(rules(orders="o.parquet"))
    assert [r["id"] for r in good.read("segments/s.csv")] == ["a"]


@pytest.mark.parametrize("table", ["c.csv", "o.csv"])
def test_header_only(good: Desk, table: str) -> None:
    """An export of a quiet day is not a fault of the rule file: empty outputs, or an error about the data."""
    before = good.tree()
    good.put(table, {"c.csv": "id,age,born\n", "o.csv": "id,day,total\n"}[table])
    done = good.apply(rules(), code=None)
    if done.exit_code == 0:
        assert good.tree()["s.csv"] == b"id,segment,age,born\n"
        assert good.tree()["all.csv"].count(b"\n") == (1 if table == "c.csv" else 4)
    else:
        assert done.exit_code == 3, done.stderr
        assert table in done.stderr
        assert good.tree() == before


def test_all_problems_are_shown_at_once(good: Desk) -> None:
    good.put("c.csv", CUSTOMERS.replace("1994-05-05", "1994-02-31"))
    good.put("o.csv", ORDERS.replace("10.5", "ten").replace("2024-02-02", "2024-02-32"))
    done = good.apply(rules(), code=3)
    assert "1994-02-31" in done.stderr
    assert "`ten`" in done.stderr or "types" in done.stderr


def test_a_rule_file_that_is_missing_or_no_toml(good: Desk) -> None:
    assert "nowhere.toml" in good.segkit("apply", good / "nowhere.toml", code=2).stderr
    good.put("bad.toml", NOISE)
    assert "bad.toml" in good.segkit("apply", good / "bad.toml", code=2).stderr
    assert good.segkit("apply", good.folder, code=2).stderr.startswith("error: ")
    assert good.segkit("apply", code=2).stderr.startswith("error: ")
    assert "did you mean `apply`" in good.segkit("aply", code=2).stderr


RFM_CASES = {
    "missing": None,
    "empty": "",
    "binary": NOISE,
    "too many fields": ORDERS + "a,2024-01-01,1,2\n",
    "31/02/2024": "id,day,total\na,31/02/2024,1\nb,28/02/2024,1\n",
    "two columns of one name": "id,day,total,total\na,2024-01-01,1,2\n",
    "all keys missing": "id,day,total\n,2024-01-01,1\n",
    "no numbers": "id,day,total\na,2024-01-01,x\n",
}


@pytest.mark.parametrize("case", RFM_CASES)
def test_rfm(desk: Desk, case: str) -> None:
    good = desk.put("good.csv", ORDERS)
    target = desk / "rfm.csv"
    desk.segkit("rfm", good, "-o", target, "--as-of", "2024-03-01")
    before = target.read_bytes()
    content = RFM_CASES[case]
    if content is not None:
        desk.put("o.csv", content)
    done = desk.segkit("rfm", desk / "o.csv", "-o", target, code=3)
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "o.csv" in done.stderr
    assert target.read_bytes() == before


def test_check_data_finds_bad_values_too(good: Desk) -> None:
    good.put("c.csv", CUSTOMERS.replace("1994-05-05", "1994-02-31"))
    done = good.segkit("check", good.put("rules.toml", rules()), "--data", code=1)
    assert "a value (four digits, `-`, two digits, `-`, two digits) as a date" in done.stdout  # dates of birth


LINES = {
    "too few fields": "b,2024-02-03\n",
    "too few fields, quoted": '"b",2024-02-03\n',
    "too many fields": "b,2024-02-03,5,6\n",
    "too many fields, quoted": '"b",2024-02-03,5,6\n',
}


UNREAD = {"every column read": ("", ""), "the first not read": ("z", ""), "most not read": ("", "x1,x2,x3,x4,x5,x6")}


@pytest.mark.parametrize(("before", "after"), UNREAD.values(), ids=UNREAD)
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
@pytest.mark.parametrize("sampled", [True, False], ids=["in the sample", "beyond the sample"])
def test_ragged_lines_of_large_files(
    good: Desk, monkeypatch: pytest.MonkeyPatch, sampled: bool, line: str, before: str, after: str
) -> None:
    monkeypatch.setattr("segkit.io.read.text.delimited.CHECKED_AT_ONCE", 1000)
    if not sampled:
        monkeypatch.setattr("segkit.io.read.values.sample.SMALL", 1000)
        monkeypatch.setattr("segkit.io.read.values.sample.BUDGET", 1000)
    last_good = good.tree()
    header, *rows = ORDERS.splitlines()

    def wide(row: str, *, names: bool = False) -> str:
        parts = [before, row, after] if names else [re.sub(r"\w+", ".", before), row, re.sub(r"\w+", ".", after)]
        return ",".join(filter(None, parts)) + "\n"

    many = "".join(map(wide, rows * 1000))
    good.put("o.csv", wide(header, names=True) + many + wide(line.rstrip("\n")) + ("" if sampled else many * 2))
    found = good.apply(rules(), code=3)
    assert "o.csv:3002" in found.stderr
    assert f"where the header has {wide(header, names=True).count(',') + 1}" in found.stderr
    assert good.tree() == last_good


@pytest.mark.parametrize("budget", [120_000, 3_000], ids=["in the sample", "beyond the sample"])
def test_a_large_file_without_ragged_lines_may_lack_its_last_values(
    good: Desk, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    monkeypatch.setattr("segkit.io.read.text.delimited.CHECKED_AT_ONCE", 1000)
    monkeypatch.setattr("segkit.io.read.values.sample.SMALL", 1000)
    monkeypatch.setattr("segkit.io.read.values.sample.BUDGET", budget)
    header, *rows = ORDERS.splitlines(keepends=True)
    many = "".join(rows * 500)
    good.put("o.csv", header + many + "a,2024-02-03,\n" * 100 + many * 2)
    good.apply(rules())
