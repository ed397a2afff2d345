"""What `segkit audit` must find in files, what it must not say, and that no personal value is shown."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import re
import stat
import sys
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.desk import SHARED, Desk, head

AS_OF = ("--as-of", "2024-06-30")

Json = dict[str, Any]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture(autouse=True)
def _plain_pattern(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses are looked at by the pattern, whether the extra is installed or not, but where a test needs it."""
    if not request.node.get_closest_marker("extra"):
        monkeypatch.setitem(sys.modules, "email_validator", None)


def audit(desk: Desk, *args: object, code: int = 0) -> Json:
    found: Json = json.loads(desk.segkit("audit", *args, *AS_OF, "--json", code=code).stdout)
    return found


def columns(table: Json) -> dict[str, Json]:
    return {column["name"]: column for column in table["columns"]}


def kinds(found: Json) -> set[tuple[str | None, str]]:
    return {(one["column"], one["kind"]) for one in found["findings"]}


def of(found: Json, kind: str, column: str | None = None) -> Json:
    return next(one for one in found["findings"] if one["kind"] == kind and column in (None, one["column"]))


# --- what must be found, in real files


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"without {name}")
    return path


def test_campaigns(desk: Desk) -> None:
    found = audit(desk, shared("customers/marketing_campaign.tsv"))
    table = found["tables"][0]
    assert columns(table)["Income"]["missing"] == 24
    assert of(found, "extreme", "Income")["values"] == [666666]
    assert of(found, "birth", "Year_Birth")["values"] == [1893, 1899, 1900]
    assert {one["column"] for one in found["findings"] if one["kind"] == "constant"} == {"Z_CostContact", "Z_Revenue"}
    assert (table["rows"], table["equal_rows"], table["equal_but_key"]) == (2_240, 0, 182)
    assert table["key"] == "ID"
    assert columns(table)["NumDealsPurchases"]["read_as"] == "integer"


def test_churn(desk: Desk) -> None:
    found = audit(desk, shared("customers/telco_churn.csv"))
    total = columns(found["tables"][0])["TotalCharges"]
    assert (total["missing"], total["read_as"], total["invalid"]) == (11, "number", 0)
    assert of(found, "blank", "TotalCharges")["rows"] == 11
    # `No internet service` among yes and no is no mistake.
    assert not any(column["invalid"] for column in found["tables"][0]["columns"])
    assert kinds(found) == {("TotalCharges", "blank"), ("customerID", "equal-but-key")}


def test_leads(desk: Desk) -> None:
    found = audit(desk, shared("leads/Leads.csv"))
    assert Counter(one["kind"] for one in found["findings"])["constant"] == 5
    assert Counter(one["kind"] for one in found["findings"])["empty"] == 1
    select = {
        name: next((one["rows"] for one in column["placeholders"] if one["value"] == "Select"), 0)
        for name, column in columns(found["tables"][0]).items()
    }
    assert {name: rows for name, rows in select.items() if rows} == {
        "Specialization": 1_942,
        "How did you hear about X Education": 5_043,
        "Lead Profile": 4_146,
        "City": 2_249,
    }
    # Three interquartile ranges would be 158 of `TotalVisits`.
    assert all(one["rows"] <= 6 for one in found["findings"] if one["kind"] == "extreme")


def test_customers_of_bicycles(desk: Desk) -> None:
    found = audit(desk, shared("adventureworks/AdventureWorks_Customers.csv"))
    table = found["tables"][0]
    by_name = columns(table)
    assert by_name["Prefix"]["missing"] == 130
    assert by_name["Gender"]["placeholders"] == [{"value": "NA", "rows": 130}]
    assert "encoding cp1252" in table["detected"]
    alone = of(found, "alone")
    assert alone["rows"] == 10_291
    assert "10,291 of 18,148" in alone["message"]
    assert all(name in alone["message"] for name in ("BirthDate", "Gender", "MaritalStatus"))
    assert by_name["BirthDate"]["read_as"] == "date"
    assert by_name["EmailAddress"]["read_as"] == "e-mail"


def test_orders_of_a_shop(desk: Desk) -> None:
    found = audit(desk, shared("retail/online_retail.csv.gz"))
    table = found["tables"][0]
    assert (table["kind"], table["key"], table["rows"], table["equal_rows"]) == ("events", "CustomerID", 541_909, 5_268)
    assert of(found, "key-missing")["rows"] == 135_080
    # Letters in the number of an invoice are no mistake, and customers who come again neither.
    assert columns(table)["InvoiceNo"]["invalid"] == 0
    assert "key-repeated" not in {kind for _, kind in kinds(found)}


def test_people_of_an_experiment(desk: Desk) -> None:
    found = audit(desk, shared("ab_test/hillstrom.csv"))
    assert (found["tables"][0]["key"], found["tables"][0]["equal_rows"]) == (None, 6_562)
    assert of(found, "no-key")["severity"] == "warning"


def test_shared_data_against_plain_python(desk: Desk) -> None:
    for name in ("customers/marketing_campaign.tsv", "leads/Leads.csv", "ab_test/hillstrom.csv"):
        text = shared(name).read_text(encoding="utf-8")
        found = audit(desk, shared(name))["tables"][0]
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if name.endswith("tsv") else ","))[1:]
        assert_as_counted(found, rows)


# --- an oracle: plain Python on small files

NOTHING = {"", "NULL", "\\N", "#N/A"}
NO_VALUE = NOTHING | {"NA", "N/A", "n/a", "nan", "NaN", "None", "none", "null", "-"}


def assert_as_counted(table: Json, rows: list[list[str]]) -> None:
    assert table["rows"] == len(rows)
    assert table["equal_rows"] == len(rows) - len({tuple(row) for row in rows})
    for place, column in enumerate(table["columns"]):
        of_text = column["read_as"] in ("text", "e-mail", "phone", "empty")
        values = [row[place].strip() for row in rows]
        filled = [value for value in values if value not in (NOTHING if of_text else NO_VALUE)]
        assert (column["name"], column["filled"]) == (column["name"], len(filled))
        assert column["missing"] == len(rows) - len(filled)
        assert (column["name"], column["distinct"]) == (column["name"], len(set(filled)))


SMALL = """\
id,email,phone,born,joined,income,size,active,consent,note,city
1,anna@example.org,+49 170 1234567,1980-05-01,2023-01-10,30000,1,yes,true,,Kiel
2,ANNA@example.org,0170/7654321,1981-01-02,2023-02-10,31000,2,no,true,NA,Kiel
3,bert@example,12,1790-03-04,1900-01-01,32000,2,yes,false, ,Bonn
4,,0170 5556677,1990-07-08,2023-02-31,lots,3,no,true,call me@home.example soon,Bonn
4,carl@example.org,0170 5556677,1991-09-10,2023-03-10,33000,3,yes,true,unknown,Ulm
5,d..d@example.org,,NULL,2023-04-10,34000,2,No,true,fine,Ulm
6,eva@example.org,0171 2223344,1985-05-05,2023-05-10,35000,1,yes,false,fine,Köln
7,fred@example.org,0171 2223345,1986-05-05,2023-06-10,35500,1,yes,true,fine,Köln
8,gerd@example.org,0171 2223346,1987-05-05,2023-07-10,36500,1,yes,true,fine,Köln
9,hans@example.org,0171 2223347,1988-05-05,2023-08-10,900000,1,yes,true,fine,Köln
"""


def test_a_small_file_against_plain_python(desk: Desk) -> None:
    found = audit(desk, desk.put("c.csv", SMALL), "--key", "id", "--kind", "customers")
    rows = list(csv.reader(io.StringIO(SMALL)))[1:]
    assert_as_counted(found["tables"][0], rows)


MUST = [
    ("id", "key-repeated", 1, []),
    ("email", "invalid", 2, ["a..a@aaaaaaa.aaa", "aaaa@aaaaaaa"]),
    ("email", "repeated", 1, []),
    ("phone", "invalid", 1, ["99"]),
    ("phone", "repeated", 1, []),
    ("born", "birth", 1, [1790]),
    ("joined", "date-pile", 1, ["1900-01-01"]),
    ("joined", "invalid", 1, ["9999-99-99"]),
    ("income", "invalid", 1, ["aaaa"]),
    ("income", "extreme", 1, [900000]),
    ("consent", "consent-without-address", 2, []),
    ("note", "personal-in-text", 1, []),
    ("note", "blank", 1, []),
    ("note", "placeholder", 2, ["aa", "aaaaaaa"]),  # beside an address, nothing of the column is shown
]


@pytest.mark.parametrize(("column", "kind", "rows", "values"), MUST, ids=[f"{c}-{k}" for c, k, *_ in MUST])
def test_what_must_be_found(desk: Desk, column: str, kind: str, rows: int, values: list[object]) -> None:
    found = audit(desk, desk.put("c.csv", SMALL), "--key", "id", "--kind", "customers")
    one = of(found, kind, column)
    assert (one["rows"], one["values"]) == (rows, values)


def test_nothing_else_is_found(desk: Desk) -> None:
    found = audit(desk, desk.put("c.csv", SMALL), "--key", "id", "--kind", "customers")
    assert kinds(found) == {(column, kind) for column, kind, *_ in MUST} | {(None, "alone")}


def numbered(*columns: tuple[str, Sequence[object]], rows: int = 60) -> str:
    cells = [[name, *map(str, list(values)[:rows])] for name, values in columns]
    return "".join(",".join(row) + "\n" for row in zip(*cells, strict=True))


KEYS = ("id", [*range(60)])
DAYS = [f"1957-01-{1 + n % 28:02}" for n in range(60)]

NO_WOLVES = {
    "days are no phones": ("seen_on", DAYS, "read_as", "date"),
    "a third word beside yes and no": ("backup", ["Yes", "No", "No internet service"] * 20, "invalid", 0),
    "an opt-in is no address": ("email_opt_in", ["yes", "no", "no"] * 20, "personal", None),
    "a long tail": ("visits", [n % 5 for n in range(50)] + [20, 21, 22, 23, 24, 25, 26, 27, 28, 29], "notes", []),
    "zeros and a few": ("refunds", [0] * 58 + [40, 900], "notes", []),
    "codes with letters": ("invoice_no", [*range(1000, 1057), "C12", "C13", "C14"], "invalid", 0),
    "a postcode with a zero": ("plz", [f"{1000 + n:05}" for n in range(60)], "invalid", 0),
    "years of cars": ("model_year", [1899 + n % 3 for n in range(60)], "notes", []),
    "days of each week": ("created", [f"2024-{1 + n % 6:02}-{1 + n % 28:02}" for n in range(60)], "notes", []),
    "people who are called so": ("first_name", ["Nan", "Nil", "Ann"] * 20, "placeholders", []),
    "a short code": ("size", ["S", "M", "X"] * 20, "placeholders", [{"value": "X", "rows": 20}]),
}


@pytest.mark.parametrize(("name", "values", "what", "expected"), NO_WOLVES.values(), ids=NO_WOLVES)
def test_no_wolf_is_cried(desk: Desk, name: str, values: list[object], what: str, expected: object) -> None:
    found = audit(desk, desk.put("c.csv", numbered(KEYS, (name, values))))
    assert columns(found["tables"][0])[name][what] == expected
    assert not [one for one in found["findings"] if one["severity"] == "warning" and one["column"] == name]


@pytest.mark.parametrize(
    ("more", "found"),
    [([60], 0), ([300], 1), ([300] * 4, 4), ([300] * 20, 0)],
    ids=["five ranges away", "far away", "a few", "a tail"],
)
def test_far_numbers_are_told_where_they_are_few(desk: Desk, more: list[int], found: int) -> None:
    values = [n % 20 for n in range(4_000)] + more
    rows = "".join(f"{n},{value}\n" for n, value in enumerate(values))
    told = audit(desk, desk.put("c.csv", "id,visits\n" + rows))["findings"]
    assert sum(one["rows"] for one in told if one["kind"] == "extreme") == found


def test_days_that_pile_up(desk: Desk) -> None:
    days = [f"2024-{1 + n % 6:02}-{1 + n % 28:02}" for n in range(60)]
    pile = [f"{n},{day}\n" for n, day in enumerate(days + ["2001-02-03"] * 200)]
    found = audit(desk, desk.put("c.csv", "id,created\n" + "".join(pile)))
    assert of(found, "date-pile", "created")["values"] == ["2001-02-03"]


# --- what the law protects


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("age", "age"),
        ("Geschlecht", "gender"),
        ("religion", "religion"),
        ("health_status", "health"),
        ("ethnic_origin", "ethnic origin"),
        ("MaritalStatus", "family"),
        ("nationality", "nationality"),
    ],
)
def test_what_the_law_protects_is_noted_and_no_more(desk: Desk, name: str, kind: str) -> None:
    file = desk.put("c.csv", numbered(KEYS, (name, [str(20 + n % 3) for n in range(60)])))
    found = audit(desk, file, "--fail-on", "warning")
    assert columns(found["tables"][0])[name]["notes"] == [f"protected: {kind}"]
    assert not [one for one in found["findings"] if one["column"] == name]


@pytest.mark.parametrize("name", ["page_views", "package", "sextant", "racing_bikes", "title_sold", "family_name"])
def test_other_columns_are_not_protected(desk: Desk, name: str) -> None:
    found = audit(desk, desk.put("c.csv", numbered(KEYS, (name, [f"w{n % 3}" for n in range(60)]))))
    assert not [one for one in columns(found["tables"][0])[name]["notes"] if one.startswith("protected")]


# --- consent, freshness, customers who are alone


def test_consent_and_freshness(desk: Desk) -> None:
    rows = [
        f"{n},{'a' if n % 3 else ''}{n}@x{n}.example,{'yes' if n % 2 else 'no'},20{10 + n % 14}-01-01\n"
        for n in range(60)
    ]
    text = "id,email,email_opt_in,last_seen\n" + "".join(rows).replace(",0@", ",@")
    found = audit(desk, desk.put("c.csv", text))
    (consent,) = found["tables"][0]["consent"]
    valid = [bool(re.fullmatch(r"[^@]+@[^@]+", row.split(",")[1])) for row in rows]
    assert (consent["column"], consent["said"], consent["permitted"]) == ("email_opt_in", 60, 30)
    assert consent["without_address"] == sum(n % 2 and not valid[n] for n in range(60))
    old = [f"20{10 + n % 14}-01-01" < "2021-06-30" for n in range(60)]
    assert of(found, "obsolete", "last_seen")["rows"] == sum(old)
    older = audit(desk, desk / "c.csv", "--obsolete", "10 years")
    assert of(older, "obsolete", "last_seen")["rows"] == sum(f"20{10 + n % 14}-01-01" < "2014-06-30" for n in range(60))


def test_an_opt_out_is_the_contrary(desk: Desk) -> None:
    rows = "".join(f"{n},{n}@mail.example,{'true' if n < 10 else 'false'}\n" for n in range(60))
    found = audit(desk, desk.put("c.csv", "id,email,email_opt_out\n" + rows))
    assert found["tables"][0]["consent"][0]["permitted"] == 50


# --- personal values


SECRETS = {
    "name": [f"Zacharias{'xyz'[n % 3]}" for n in range(60)],
    "email": [f"zach.arias{n}@secretplace.example" for n in range(58)] + ["zach@@secretplace.example", "unsinn"],
    "phone": [f"+49 170 55512{n:02}" for n in range(59)] + ["5551"],
    "birth_date": [f"1981-03-{1 + n % 28:02}" for n in range(59)] + ["1871-11-12"],
    "iban": ["DE89370400440532013000"] * 60,
    "remark": [f"call zach{n}@secretplace.example" if n < 6 else f"fine {n}" for n in range(60)],
}


@pytest.mark.parametrize("how", ["screen", "json", "findings"])
def test_no_personal_value_is_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    text = numbered(("kundennummer", [f"K{n}777" for n in range(60)]), *SECRETS.items())
    more = {"screen": [], "json": ["--json"], "findings": ["-o", "-", "-q"]}[how]
    done = desk.segkit("audit", desk.put("c.csv", text), *AS_OF, *more, "-v")
    for values in SECRETS.values():
        for value in values:
            assert str(value) not in done.stdout
            assert str(value) not in done.stderr
    assert "K7777" not in done.output
    assert "secretplace" not in done.output
    assert "1871-11-12" not in done.output
    assert "1871" in done.output
    assert "invalid" in done.output or "no e-mail address" in done.output


def test_shapes_stand_for_values(desk: Desk) -> None:
    found = audit(desk, desk.put("c.csv", numbered(KEYS, *SECRETS.items())))
    by_name = columns(found["tables"][0])
    assert by_name["phone"]["shape"] == "+99 999 9999999"
    assert by_name["birth_date"]["min"] == 1871
    assert by_name["name"]["min"] is None
    assert of(found, "invalid", "email")["values"] == ["aaaa@@aaaaaaaaaaa.aaaaaaa", "aaaaaa"]
    assert by_name["email"]["personal"] == "e-mail"


# --- promises of a rule file


PROMISES = head(key="id") + '[events.orders]\npath = "o.csv"\ntime = "day"\n[audit]\n'


def rules(desk: Desk, promises: str) -> Path:
    desk.put("c.csv", "id,email,size\n1,a@x.example,1\n2,a@x.example,\n3,,2\n4,b@x.example,3\n")
    desk.put("o.csv", "id,day,total\n1,2024-01-01,5\n1,2024-01-02,\n")
    return desk.put("rules.toml", PROMISES + promises)


@pytest.mark.parametrize(
    ("promises", "broken"),
    [
        ('required = ["id"]', set()),
        ('required = ["email"]', {("email", "required", 1)}),
        ('required = "orders.total"', {("total", "required", 1)}),
        ('unique = ["id"]', set()),
        ('unique = ["email"]', {("email", "unique", 1)}),
        ("max_missing_percent = { email = 25 }", set()),
        ("max_missing_percent = { email = 24.9 }", {("email", "max-missing", 1)}),
        ('max_missing_percent = { "orders.total" = 10 }', {("total", "max-missing", 1)}),
    ],
)
def test_promises(desk: Desk, promises: str, broken: set[tuple[str, str, int]]) -> None:
    path = rules(desk, promises)
    found = json.loads(desk.segkit("audit", path, "--json", code=1 if broken else 0).stdout)
    errors = [one for one in found["findings"] if one["severity"] == "error"]
    assert {(one["column"], one["kind"], one["rows"]) for one in errors} == broken
    assert [table["name"] for table in found["tables"]] == ["customers", "orders"]
    assert found["errors"] == len(broken)


def test_a_promise_of_a_column_that_is_not_there(desk: Desk) -> None:
    done = desk.segkit("audit", rules(desk, 'required = ["emial"]'), code=2)
    assert "names column `emial`, which no file has" in done.stderr
    assert "did you mean `email`?" in done.stderr
    assert "rules.toml:10" in done.stderr


def test_apply_takes_no_offence_at_promises(desk: Desk) -> None:
    path = rules(desk, 'required = ["email"]\n[segment.all]\neveryone = true\n')
    desk.segkit("apply", path, "--dry-run")


# --- exit codes and outputs


def test_exit_codes(desk: Desk) -> None:
    path = desk.put("c.csv", SMALL)
    desk.segkit("audit", path)
    desk.segkit("audit", path, "--fail-on", "warning", code=1)
    clean = desk.put("clean.csv", numbered(KEYS, ("size", [n % 3 for n in range(60)])))
    desk.segkit("audit", clean, "--fail-on", "warning")
    desk.segkit("audit", desk / "nowhere.csv", code=3)
    desk.segkit("audit", path, "--key", "idd", code=3)
    desk.segkit("audit", path, "--obsolete", "long", code=2)
    desk.segkit("audit", path, rules(desk, ""), code=2)
    desk.segkit("audit", rules(desk, ""), "--key", "id", code=2)
    desk.segkit("audit", path, "-o", path, code=4)
    desk.segkit("audit", path, "--rows", "-", code=2)


def test_a_missing_key_names_a_near_one(desk: Desk) -> None:
    done = desk.segkit("audit", desk.put("c.csv", SMALL), "--key", "emial", code=3)
    assert "has no column `emial`, which `--key` names" in done.stderr
    assert "did you mean `email`?" in done.stderr


def test_findings_and_rows_as_files(desk: Desk) -> None:
    path = desk.put("c.csv", SMALL)
    before = path.read_bytes()
    desk.segkit(
        "audit", path, "--key", "id", "--kind", "customers", "-o", desk / "f.csv", "--rows", desk / "r.csv", *AS_OF
    )
    assert path.read_bytes() == before
    findings = desk.read("f.csv")
    assert {(row["column"] or None, row["kind"]) for row in findings} == {(c, k) for c, k, *_ in MUST} | {
        (None, "alone")
    }
    rows = {row["row"]: row for row in desk.read("r.csv")}
    assert rows["3"]["email"] == "bert@example"
    assert "invalid: email" in rows["3"]["findings"]
    assert "birth: born" in rows["3"]["findings"]
    assert "extreme: income" in rows["10"]["findings"]
    assert {n for n, row in rows.items() if "key-repeated" in row["findings"]} == {"4", "5"}
    assert "7" not in rows
    assert stat.S_IMODE((desk / "r.csv").stat().st_mode) == 0o600


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "ndjson"])
def test_only_the_owner_reads_the_rows(desk: Desk, ending: str) -> None:
    desk.segkit("audit", desk.put("c.csv", SMALL), "--rows", desk / f"r.{ending}")
    assert stat.S_IMODE((desk / f"r.{ending}").stat().st_mode) == 0o600


def test_rows_take_the_place_of_a_file_that_all_may_read(desk: Desk) -> None:
    there = desk.put("r.csv", "old")
    there.chmod(0o644)
    desk.segkit("audit", desk.put("c.csv", SMALL), "--rows", there)
    assert stat.S_IMODE(there.stat().st_mode) == 0o600
    assert there.read_bytes().startswith(b"row,findings,id,")


def test_rows_of_several_files(desk: Desk) -> None:
    one = desk.put("a.csv", "id,email,day\n1,a@x.example,4\n1,b,5\n")
    frame = pl.DataFrame({"id": [1, None], "day": [dt.date(2024, 1, 1), dt.date(1900, 1, 1)], "table": ["x", "y"]})
    two = desk.put("b.parquet", frame)
    desk.segkit("audit", one, two, "--rows", desk / "r.csv", *AS_OF)
    rows = desk.read("r.csv")
    assert [(row["table_"], row["row"], row["id"], row["day"], row["table"]) for row in rows] == [
        (str(one), "1", "1", "4", ""),
        (str(one), "2", "1", "5", ""),
        (str(two), "2", "", "1900-01-01", "y"),
    ]
    assert rows[2]["findings"] == "date-pile: day; key-missing: id"
    assert stat.S_IMODE((desk / "r.csv").stat().st_mode) == 0o600


def test_columns_named_like_those_of_the_rows(desk: Desk) -> None:
    path = desk.put("c.csv", "id,row,findings\n1,a,\n2,b,x\n2,c,y\n")
    desk.segkit("audit", path, "--kind", "customers", "--key", "id", "--rows", desk / "r.csv")
    assert list(desk.read("r.csv")[0]) == ["row_", "findings_", "id", "row", "findings"]


def test_the_same_input_gives_the_same_bytes(desk: Desk) -> None:
    path = desk.put("c.csv", SMALL)
    assert len({desk.segkit("audit", path, *AS_OF, *more).stdout for more in [()] * 3}) == 1
    assert len({desk.segkit("audit", path, *AS_OF, "--json").stdout for _ in range(3)}) == 1


def test_quiet_says_nothing(desk: Desk) -> None:
    done = desk.segkit("audit", desk.put("c.csv", SMALL), "-q")
    assert (done.stdout, done.stderr) == ("", "")


def test_quiet_says_what_the_exit_code_is_for(desk: Desk) -> None:
    """Of a night that stops, somebody must see why."""
    path = rules(desk, "max_missing_percent = { email = 24.9 }")
    done = desk.segkit("audit", path, "-q", code=1)
    assert done.stdout == ""
    assert done.stderr == "error: 25.0 % of `email` are missing, more than 24.9 %\n  --> customers\n"
    done = desk.segkit("audit", desk.put("c.csv", SMALL), "-q", "--fail-on", "warning", code=1)
    assert done.stderr.startswith("warning: ")
    assert "error" not in done.stderr


def test_it_says_what_it_has_written(desk: Desk) -> None:
    done = desk.segkit("audit", desk.put("c.csv", SMALL), "-o", desk / "f.csv", "--rows", desk / "r.csv")
    assert done.stderr.splitlines() == [f"written: {desk / 'f.csv'}", f"written: {desk / 'r.csv'}"]


def test_it_fits_a_narrow_screen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = desk.segkit("audit", desk.put("c.csv", SMALL), *AS_OF).stdout
    table = shown.split("Column", 1)[1]
    assert max(map(len, table.splitlines())) <= 80
    assert "checked by" in shown


def test_standard_input(desk: Desk) -> None:
    done = desk.segkit("audit", "-", "--json", *AS_OF, input=SMALL.encode())
    assert json.loads(done.stdout)["tables"][0]["rows"] == 10


def test_several_files_are_several_tables(desk: Desk) -> None:
    one, two = desk.put("a.csv", "id,x\n1,2\n"), desk.put("b.csv", "id,y\n1,2\n2,3\n")
    found = audit(desk, one, two)
    assert [(table["path"], table["rows"]) for table in found["tables"]] == [(str(one), 1), (str(two), 2)]


# --- unusual files


def test_an_empty_file(desk: Desk) -> None:
    assert "empty" in desk.segkit("audit", desk.put("c.csv", ""), code=3).stderr


def test_a_file_with_nothing_but_a_header(desk: Desk) -> None:
    found = audit(desk, desk.put("c.csv", "id,email\n"))
    assert (of(found, "no-rows")["severity"], found["warnings"]) == ("warning", 1)
    desk.segkit("audit", desk / "c.csv", "--fail-on", "warning", code=1)


def test_extremes_are_shown(desk: Desk) -> None:
    text = "id,born,sum,seen_on\n1,1980-01-02,-0.0,2024-01-02\n2,1990-01-02,12345.5,2024-02-03\n"
    shown = " ".join(desk.segkit("audit", desk.put("c.csv", text), *AS_OF).stdout.split())
    assert "0 to 12,345.5" in shown
    assert "2024-01-02 to" in shown
    assert "1980 to 1990" in shown
    assert "-0" not in desk.segkit("audit", desk / "c.csv", "--json").stdout.replace("-01-0", "").replace("-02-0", "")


def test_white_space_of_all_kinds_is_among_the_rows(desk: Desk) -> None:
    path = desk.put("c.csv", "id,a\n1,x\n2,\u2060\u200c\n3,\u3000\n4,y\n")
    found = audit(desk, path, "--rows", desk / "r.csv")
    assert of(found, "blank")["rows"] == len(desk.read("r.csv")) == 2


def test_a_long_constant_is_not_quoted(desk: Desk) -> None:
    found = audit(desk, desk.put("c.csv", numbered(KEYS, ("note", ["a secret note " * 9] * 60))))
    assert (of(found, "constant")["values"], of(found, "constant")["message"]) == ([], "constant")


def test_long_names_have_room_on_a_wide_screen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.put("c.csv", "id,a_name_of_a_column_that_is_long\n1,2\n")
    assert "a_name_of_a_column_that_is_long" not in desk.segkit("audit", path).stdout
    monkeypatch.setenv("COLUMNS", "160")
    assert "a_name_of_a_column_that_is_long" in desk.segkit("audit", path).stdout


UNUSUAL: dict[str, tuple[str | bytes, dict[str, dict[str, object]], int]] = {
    "one column": ("id\n1\n2\n", {"id": {"distinct": 2}}, 2),
    "no rows": ("id,email\n", {"email": {"filled": 0, "missing": 0}}, 0),
    "one row": ("id,city\n1,Bonn\n", {"city": {"distinct": 1, "notes": []}}, 1),
    "cp1252": ("id;city\n1;Köln\n2;Münster\n".encode("cp1252"), {"city": {"distinct": 2}}, 2),
    "decimal commas": ("id;sum\n1;1,50\n2;2,25\n", {"sum": {"read_as": "number", "min": 1.5, "max": 2.25}}, 2),
    "a date column": ("id,day\n1,31.12.2023\n2,01.02.2024\n", {"day": {"min": "2023-12-31"}}, 2),
    "quotes": ('id,a\n1,"x, y"\n2,"x, y"\n', {"a": {"distinct": 1}}, 2),
}


@pytest.mark.parametrize(("content", "expected", "rows"), UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_files(desk: Desk, content: str | bytes, expected: dict[str, dict[str, object]], rows: int) -> None:
    found = audit(desk, desk.put("c.csv", content))
    table = found["tables"][0]
    assert table["rows"] == rows
    for name, facts in expected.items():
        assert {what: columns(table)[name][what] for what in facts} == facts


def test_hundreds_of_columns(desk: Desk) -> None:
    names = ",".join(f"c{n}" for n in range(430))
    text = f"{names}\n" + "".join(",".join(str((r * n) % 7) for n in range(430)) + "\n" for r in range(20))
    table = audit(desk, desk.put("c.csv", text))["tables"][0]
    assert len(table["columns"]) == 430
    assert columns(table)["c3"]["distinct"] == 7


def test_names_that_come_twice(desk: Desk) -> None:
    done = desk.segkit("audit", desk.put("c.csv", "id,a,a\n1,2,3\n"), code=3)
    assert "`a`" in done.stderr


def test_typed_files(desk: Desk) -> None:
    frame = pl.DataFrame(
        {
            "id": [1, 2, 3, 4],
            "sum": [1.0, None, float("nan"), 2.0],
            "tags": [["a"], ["b"], None, []],
            "on": [True, False, None, True],
            "day": pl.Series(["2024-01-01", None, "2024-01-02", "2024-01-02"]).str.to_date(),
            "name": ["x", " ", "y", "y"],
        }
    )
    table = audit(desk, desk.put("c.parquet", frame))["tables"][0]
    filled = {name: column["filled"] for name, column in columns(table).items()}
    assert filled == {"id": 4, "sum": 2, "tags": 3, "on": 3, "day": 3, "name": 3}
    assert columns(table)["day"]["max"] == "2024-01-02"


def test_types_that_no_rule_reads(desk: Desk) -> None:
    frame = pl.DataFrame(
        {
            "id": [1, 2, 3],
            "bytes": [b"a", None, b"a"],
            "record": [{"a": 1}, {"a": 2}, None],
            "length": [dt.timedelta(1), None, dt.timedelta(2)],
            "grade": pl.Series(["a", "b", None], dtype=pl.Categorical),
            "price": pl.Series([Decimal("1.5"), None, Decimal(2)]),
        }
    )
    table = audit(desk, desk.put("c.parquet", frame))["tables"][0]
    assert [column["filled"] for column in table["columns"]] == [3, 2, 2, 2, 2, 2]
    assert [column["distinct"] for column in table["columns"]] == [3, 1, 2, 2, 2, 2]


def test_compressed(desk: Desk) -> None:
    table = audit(desk, desk.put("c.csv.gz", gzip.compress(SMALL.encode())))["tables"][0]
    assert table["rows"] == 10


def test_a_large_file_with_a_late_surprise(desk: Desk) -> None:
    """What a sample says of a column is asked of all rows."""
    rows = [f"{n},{n % 90}.5,a{n}@x.example,word{n % 1500}\n" for n in range(120_000)]
    rows[60_001] = "60001,sixty,nobody,NA\n"
    found = audit(desk, desk.put("c.csv", "id,total,email,tag\n" + "".join(rows)))
    by_name = columns(found["tables"][0])
    assert (by_name["total"]["invalid"], by_name["email"]["invalid"]) == (1, 1)
    assert by_name["tag"]["placeholders"] == [{"value": "NA", "rows": 1}]
    assert by_name["id"]["distinct"] == 120_000
    assert by_name["tag"]["distinct"] == 1_501


def test_addresses_inside_a_text(desk: Desk) -> None:
    rows = "".join(f"{n},say {n} to{' me@x.example' if n % 400 == 7 else ' me'}\n" for n in range(2_500))
    found = audit(desk, desk.put("c.csv", "id,remark\n" + rows))
    one = of(found, "personal-in-text", "remark")
    assert (one["rows"], one["message"]) == (7, "7 with an e-mail address")
    assert sum(n % 400 == 7 for n in range(2_500)) == 7


# --- what a sample does not know

LATE = 2_400
"""Rows that are more than those of which kinds are told."""


def late(*columns: tuple[str, Sequence[object], Sequence[object]]) -> str:
    """A file whose first rows have the first values of each column, over and over, and the next ones the others."""
    rows = LATE + max(len(others) for _, _, others in columns)
    cells = []
    for name, first, others in columns:
        begun = [first[n % len(first)] for n in range(LATE)]
        cells.append((name, begun + [others[n % len(others)] for n in range(rows - LATE)]))
    return numbered(("id", range(rows)), *cells, rows=rows)


LATE_VALUES = {
    "e-mail addresses": ("fine", "write zach@secretplace.example", "an e-mail address"),
    "phones": ("fine", "+49 170 5551234", "a phone number"),
    "local phones": ("fine", "0170/7654321", "a phone number"),
    "accounts": ("fine", "DE89 3704 0044 0532 0130 00", "the number of an account or card"),
    "cards": ("fine", "4111-1111-1111-1111", "the number of an account or card"),
    "cards among numbers": ("7", "4111111111111111", "the number of an account or card"),
}


@pytest.mark.parametrize(("early", "secret", "what"), LATE_VALUES.values(), ids=LATE_VALUES)
@pytest.mark.parametrize("many", [1, 300])
def test_what_reaches_somebody_late_in_a_file(desk: Desk, early: str, secret: str, what: str, many: int) -> None:
    text = late(("remark", [early], [secret] * many))
    done = desk.segkit("audit", desk.put("c.csv", text), *AS_OF, "--json", "--rows", desk / "r.csv")
    one = of(json.loads(done.stdout), "personal-in-text", "remark")
    assert (one["rows"], one["message"]) == (many, f"{many} with {what}")
    assert secret not in done.stdout
    assert sum("personal-in-text: remark" in row["findings"] for row in desk.read("r.csv")) == many
    assert secret not in desk.segkit("audit", desk / "c.csv", *AS_OF).output


LATE_COLUMNS = {
    "addresses": ("email", [""], [*(f"a{n}@x.example" for n in range(40)), "nobody"], ("e-mail", "e-mail", 1)),
    "addresses without a name": ("kontakt", [""], [f"a{n}@x.example" for n in range(40)], ("e-mail", "e-mail", 0)),
    "phones": ("phone", [""], [*(f"+49 170 55512{n:02}" for n in range(40)), "12"], ("phone", "phone", 1)),
    "words for nothing": (
        "email",
        ["none"],
        [*(f"a{n}@x.example" for n in range(40)), "a@"],
        ("e-mail", "e-mail", 2_401),
    ),
    "mobiles": ("rufnr", [""], [f"01705551{n:03}" for n in range(40)], ("phone", "phone", 0)),
    "texts": ("remark", [""], ["fine", "good"] * 20, ("text", None, 0)),
}


@pytest.mark.parametrize(("name", "first", "others", "expected"), LATE_COLUMNS.values(), ids=LATE_COLUMNS)
def test_columns_that_begin_with_nothing(
    desk: Desk, name: str, first: list[str], others: list[str], expected: tuple[str, str | None, int]
) -> None:
    column = columns(audit(desk, desk.put("c.csv", late((name, first, others))))["tables"][0])[name]
    assert (column["read_as"], column["personal"], column["invalid"]) == expected
    assert (column["shape"] is None) == (expected[1] is None)


def test_consent_without_addresses_that_begin_late(desk: Desk) -> None:
    addresses = [*(f"a{n}@x.example" for n in range(40)), "nobody"]
    text = late(("email", [""], addresses), ("email_opt_in", ["yes", "no"], ["yes"]))
    assert audit(desk, desk.put("c.csv", text))["tables"][0]["consent"][0]["without_address"] == LATE // 2 + 1


def test_few_addresses_make_no_column_of_them(desk: Desk) -> None:
    text = late(("remark", ["fine", "good"], [f"a{n % 9}@x.example" for n in range(900)]))
    column = columns(audit(desk, desk.put("c.csv", text))["tables"][0])["remark"]
    assert (column["read_as"], column["invalid"], column["personal"]) == ("text", 0, "e-mail")


def test_early_addresses_make_no_column_of_them(desk: Desk) -> None:
    text = late(("remark", [f"a{n}@x.example" for n in range(700)], [f"word {n}" for n in range(5_000)]))
    found = audit(desk, desk.put("c.csv", text))
    column = columns(found["tables"][0])["remark"]
    assert (column["read_as"], column["invalid"], column["personal"]) == ("text", 0, None)
    assert of(found, "personal-in-text", "remark")["rows"] == LATE


def test_words_for_nothing_and_births_among_many_values_that_come_late(desk: Desk) -> None:
    words = [f"w{n}" for n in range(1_500)] + ["unknown", "UNKNOWN", "uNknown"]
    text = late(("group", ["a", "b"], words), ("birth_year", [1970], [*range(1_000, 2_503)]))
    found = audit(desk, desk.put("c.csv", text))
    by_name = columns(found["tables"][0])
    assert sum(one["rows"] for one in by_name["group"]["placeholders"]) == 3
    assert by_name["group"]["distinct"] == 2 + len(words)
    years = [1000 + n % 1503 for n in range(len(words))]
    assert of(found, "birth", "birth_year")["rows"] == sum(not 1914 <= year <= 2024 for year in years)


@pytest.mark.parametrize("rows", [900, 3_000])
def test_distinct_is_exact_whatever_the_order(desk: Desk, rows: int) -> None:
    values = [f"v{n * n % 1511}" for n in range(rows)]
    for some in (values, values[::-1], sorted(values)):
        table = audit(desk, desk.put("c.csv", numbered(("id", range(rows)), ("v", some), rows=rows)))["tables"][0]
        assert columns(table)["v"]["distinct"] == len(set(values))
        assert columns(table)["id"]["distinct"] == rows


# --- values that may be somebody's


LONG_NUMBERS = {
    "phones": [491701000000 + n for n in range(60)],
    "a far phone": [*range(59), 491701000000],
    "one and the same": [170555123] * 60,
    "as numbers": [f"{491701000000 + n}.0" for n in range(60)],
}


@pytest.mark.parametrize("values", LONG_NUMBERS.values(), ids=LONG_NUMBERS)
@pytest.mark.parametrize("how", [["--json"], ["-o", "-", "-q"], []], ids=["json", "findings", "screen"])
def test_whole_numbers_as_long_as_phones_are_not_shown(desk: Desk, values: list[object], how: list[str]) -> None:
    done = desk.segkit("audit", desk.put("c.csv", numbered(KEYS, ("kontakt", values))), *AS_OF, *how)
    shown = done.output.replace(",", "")
    assert "4917010000" not in shown
    assert "170555123" not in shown


NO_HEADERS = [
    "anna@secret.example,Anna\n",
    "anna@secret.example,Anna\nbert@secret.example,Bert\n",
    "Anna,+49 170 1234567\nBert,+49 170 1234568\n",
    "1,anna@secret.example\n2,bert@secret.example\n",
]


@pytest.mark.parametrize("text", NO_HEADERS)
def test_a_file_without_a_header_names_nobody(desk: Desk, text: str) -> None:
    for how in ([], ["--json"], ["--key", "id"]):
        done = desk.segkit("audit", desk.put("c.csv", text), *how, code=3)
        assert "has values, not names of columns: see column" in done.stderr
        assert "secret" not in done.output
        assert "1234567" not in done.output


# --- values that can be read in two ways


UNCLEAR = {
    "day or month": ("joined", ["01/02/2020", "03/04/2021"], "unclear"),
    "decimal or group": ("total", ["1.234", "2.345"], "unclear"),
    "several layouts": ("joined", ["01/02/2020", "2021-03-04", "5.6.2022"], "mixed-dates"),
}


@pytest.mark.parametrize(("name", "values", "kind"), UNCLEAR.values(), ids=UNCLEAR)
def test_values_that_read_in_two_ways(desk: Desk, name: str, values: list[str], kind: str) -> None:
    found = audit(desk, desk.put("c.csv", numbered(KEYS, (name, values * 30))))
    one = of(found, kind, name)
    assert (one["severity"], one["rows"], one["values"]) == ("warning", 60, [])
    column = columns(found["tables"][0])[name]
    assert (column["min"], column["max"]) == (None, None)


def test_a_value_that_settles_it(desk: Desk) -> None:
    days = ["01/02/2020"] * 59 + ["13/02/2020"]
    found = audit(desk, desk.put("c.csv", numbered(KEYS, ("joined", days), ("version", ["1.2.34"] * 60))))
    assert not {"unclear", "mixed-dates"} & {kind for _, kind in kinds(found)}
    assert columns(found["tables"][0])["joined"]["max"] == "2020-02-13"


# --- customers or events


KINDS_OF_ROWS = {
    "a birth is no time": ("born", "1980-01-0{}", "customers"),
    "nor is consent of events": ("joined", "2024-01-0{}", "events"),
}


@pytest.mark.parametrize(("name", "day", "kind"), KINDS_OF_ROWS.values(), ids=KINDS_OF_ROWS)
def test_kinds_of_rows(desk: Desk, name: str, day: str, kind: str) -> None:
    rows = "".join(f"{n // 2},{day.format(1 + n % 9)}\n" for n in range(20))
    found = audit(desk, desk.put("c.csv", f"id,{name}\n{rows}"))
    assert found["tables"][0]["kind"] == kind
    assert (("id", "key-repeated") in kinds(found)) == (kind == "customers")


def test_who_consents_is_a_customer(desk: Desk) -> None:
    rows = "".join(f"{n // 2},2024-01-0{1 + n % 9},{'yes' if n % 3 else 'no'}\n" for n in range(20))
    found = audit(desk, desk.put("c.csv", f"id,joined,email_opt_in\n{rows}"))
    assert found["tables"][0]["kind"] == "customers"
    assert "10 different keys in 20 rows" in of(found, "key-repeated")["message"]


def test_a_line_that_is_ragged(desk: Desk) -> None:
    assert "c.csv:3" in desk.segkit("audit", desk.put("c.csv", "id,a\n1,2\n3,4,5\n"), code=3).stderr
    for a, wrong in (("word", "1,2,3\n"), ("word", "1\n"), ('"a, b"', "1\n")):
        late = "id,a\n" + "".join(f"{n},{a}{'word' * 9 if a == 'word' else ''}\n" for n in range(250_000)) + wrong
        assert "c.csv:250002" in desk.segkit("audit", desk.put("c.csv", late), code=3).stderr


# --- the extra


@pytest.mark.extra("audit")
def test_domains_by_the_rules(desk: Desk) -> None:
    domains = ["mail.example.org"] * 56 + ["shop.test", "ab--cd.example.org", "x_y.example.org", "münchen.de"]
    rows = "".join(f"{n},p{n}@{domain},yes\n" for n, domain in enumerate(domains))
    found = audit(desk, desk.put("c.csv", "id,email,email_opt_in\n" + rows))
    assert found["addresses"] == "email-validator"
    assert columns(found["tables"][0])["email"]["invalid"] == 3
    assert found["tables"][0]["consent"][0]["without_address"] == 3


def test_what_looked_at_addresses_is_told(desk: Desk) -> None:
    found = audit(desk, desk.put("c.csv", SMALL))
    assert found["addresses"] == "a plain pattern"
    assert "checked by a plain pattern" in desk.segkit("audit", desk / "c.csv").stdout


ADDRESSES = {
    "a@b.example": True, "a.b+c@d-e.example": True, "ü@exämple.org": True, "a@xn--bcher-kva.example": True,
    "a@b": False, "a@@b.example": False, ".a@b.example": False, "a.@b.example": False, "a..b@c.example": False,
    "a b@c.example": False, "a@b.c": False, "a@-b.example": False, "a@b-.example": False, "a@b.123": False,
    "@b.example": False, "a\u2003b@c.example": False,
}  # fmt: skip


@pytest.mark.parametrize(("address", "valid"), ADDRESSES.items())
def test_addresses(desk: Desk, address: str, valid: bool) -> None:
    rows = "".join(f"{n},p{n}@mail.example.org\n" for n in range(9))
    found = audit(desk, desk.put("c.csv", f"id,email\n{rows}9,{address}\n"))
    assert columns(found["tables"][0])["email"]["invalid"] == (0 if valid else 1)


# --- what `init` says of it


def test_init_names_commands_that_find_as_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    people = [f"{n},p{n}@x.example,19{10 + n % 80}-03-04,200{n % 9}-05-06\n" for n in range(60)]
    desk.put("c.csv", "customer_id,email,birth_date,last_seen\n" + "".join(people))
    orders = [f"{n % 60},{n},2011-0{1 + n % 9}-1{n % 9},{n % 7 + 1}.5\n" for n in range(300)]
    desk.put("o.csv", "customer_id,order_id,order_date,total\n" + "".join(orders) + ",999,2011-09-01,2\n")
    done = desk.segkit("init", "new", "--customers", "c.csv", "--events", "o.csv")
    named = re.findall(r"segkit (audit .*?)  # (\d+) finding", done.stdout)
    assert [command.split()[1] for command, _ in named] == ["c.csv", "o.csv"]
    for command, number in named:
        found = json.loads(desk.segkit(*command.split(), "--json").stdout)
        assert len(found["findings"]) == int(number)
