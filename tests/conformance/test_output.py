"""What goes out: files, formats, standard output, summaries, the manifest, and the flags of `apply`."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.desk import Desk, head
from tests.extras import EVERY_FORMAT
from tests.workbooks import read_workbook

RAW = """id,name,flag,big,code,when,money,note
k3,"Ann, ""the"" boss",TRUE,1e16,01234,2024-03-01T10:00:00Z,1.50,=1+1
k1,Bob,FALSE,1E+5,00007,31/12/2023,0010,-2+3
k2,,true,12345678901234567890,7,,,@x
"""
HEAD = head()
EVERYONE = "[segment.all]\neveryone = true\n"


def test_columns_that_no_rule_reads_go_out_as_they_came(desk: Desk) -> None:
    desk.put("c.csv", RAW)
    desk.apply(HEAD + EVERYONE)
    lines = RAW.splitlines()
    expected = [lines[0].replace("id,", "id,segment,", 1)] + [line.replace(",", ",all,", 1) for line in lines[1:]]
    assert (desk / "segments/all.csv").read_text().splitlines() == expected


def test_no_columns_are_none(desk: Desk) -> None:
    desk.put("c.csv", RAW)
    desk.apply(HEAD + "[output]\ncolumns = []\n" + EVERYONE)
    assert (desk / "segments/all.csv").read_text() == "id,segment\nk3,all\nk1,all\nk2,all\n"


def test_columns_that_a_rule_reads_go_out_in_iso_form(desk: Desk) -> None:
    desk.put("c.csv", 'id,day,n,ok,price\na,31/01/2024,"1,50",YES,"1.234,00"\nb,1/2/2024,"-0,5",no,7\nc,,,,\n')
    rules = (
        head('types = { ok = "boolean" }')
        + "[segment.all]\nany = [{ demographic.day.missing = false, demographic.n.min = -1, demographic.ok = [true, false], demographic.price.min = 0 }, { demographic.day.missing = true }]\n"
    )
    rows = [tuple(r.values()) for r in desk.rows(rules)]
    assert rows == [
        ("a", "all", "2024-01-31", "1.5", "true", "1234"),
        ("b", "all", "2024-02-01", "-0.5", "false", "7"),
        ("c", "all", "", "", "", ""),
    ]


@pytest.fixture
def shop(desk: Desk) -> Desk:
    desk.put("c.csv", "id,age,city,born\nk3,20,Nîmes,2004-01-01\nk1,41,,1983-05-05\nk2,,Köln,\n")
    desk.put("o.csv", "id,day,total\nk1,2024-01-01,10.50\nk1,2024-02-01,1.25\nk3,2024-02-01,100\n")
    return desk


SHOP = (
    HEAD
    + """[events.o]
path = "o.csv"
time = "day"
amount = "total"
[trait.spend]
events = "o"
measure = "sum"
[trait.last]
events = "o"
measure = "last"
[trait.adult]
sql = "age >= 18"
[output]
columns = ["age", "city", "spend", "last", "adult", "born"]
{output}
[segment.young]
label = "Under 30"
demographic.age.below = 30
[segment.spenders]
behavioural.spend.above = 0
[segment.nobody]
demographic.age.above = 100
[segment.block]
write = false
geographic.city.missing = false
"""
)
ROWS = {
    "k3": (20, "Nîmes", "100", dt.date(2024, 2, 1), True, dt.date(2004, 1, 1)),
    "k1": (41, None, "11.75", dt.date(2024, 2, 1), True, dt.date(1983, 5, 5)),
    "k2": (None, "Köln", "0", None, None, None),
}


def shop_rules(output: str = "", more: str = "") -> str:
    return SHOP.format(output=output) + more


def text_of(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def text_frame(path: Path, delimiter: str) -> pl.DataFrame:
    with path.open(newline="") as file:
        names, *rows = csv.reader(file, delimiter=delimiter)
    return pl.DataFrame(rows, schema=names, orient="row")


@pytest.mark.parametrize("format", EVERY_FORMAT)
@pytest.mark.parametrize("by", ["flag", "rule file"])
def test_every_format(shop: Desk, format: str, by: str) -> None:
    if by == "flag":
        shop.apply(shop_rules(f'combined = "everybody.{format}"'), "--format", format)
    else:
        shop.apply(shop_rules(f'combined = "everybody.{format}"\nformat = "{format}"'))
    names = {f"{n}.{format}" for n in ("young", "spenders", "nobody")}
    assert set(shop.tree()) == names | {f"everybody.{format}", "manifest.json"}
    columns = ["id", "segment", "age", "city", "spend", "last", "adult", "born"]
    read: dict[str, Callable[[Path], pl.DataFrame]] = {
        "csv": lambda p: text_frame(p, ","),
        "tsv": lambda p: text_frame(p, "\t"),
        "parquet": pl.read_parquet,
        "ndjson": lambda p: (
            pl.DataFrame([json.loads(line) for line in p.read_text().splitlines()], schema=columns)
            if p.stat().st_size
            else pl.DataFrame(schema=columns)
        ),
        "arrow": pl.read_ipc,
        "xlsx": read_workbook,
    }
    for name, keys in {"young": ["k3"], "spenders": ["k3", "k1"], "nobody": []}.items():
        frame = read[format](shop / f"segments/{name}.{format}")
        assert frame.columns == columns
        assert frame["id"].to_list() == keys  # the customer file's order
        assert frame["segment"].to_list() == [name] * len(keys)
        for row in frame.iter_rows():
            expected = ROWS[row[0]]
            if format in ("csv", "tsv"):
                assert row[2:] == tuple(map(text_of, expected))
            elif format == "xlsx":
                assert row[5] == dt.datetime(2024, 2, 1)
                # What no rule reads stays a text.
                assert (*row[2:5], *row[6:]) == (*expected[:2], float(expected[2]), True, str(expected[5]))
            elif format == "ndjson":
                assert row[2:] == (
                    expected[0],
                    expected[1],
                    float(expected[2]),
                    str(expected[3]),
                    True,
                    str(expected[5]),
                )
            else:
                assert (*row[2:4], float(row[4]), *row[5:]) == (
                    *expected[:2],
                    float(expected[2]),
                    *expected[3:5],
                    str(expected[5]),
                )
    everybody = read[format](shop / f"segments/everybody.{format}")
    labels = everybody["segment"].to_list()
    if format in ("csv", "tsv"):
        labels = [label or None for label in labels]
    assert list(zip(everybody["id"], labels, strict=True)) == [
        ("k3", "young|spenders"),
        ("k1", "spenders"),
        ("k2", None),
    ]


def test_parquet_types(shop: Desk) -> None:
    shop.apply(shop_rules('format = "parquet"'))
    schema = pl.read_parquet_schema(shop / "segments/spenders.parquet")
    assert schema["age"] == pl.Int64
    assert schema["city"] == pl.String
    assert schema["spend"].is_decimal()
    assert schema["last"] == pl.Date
    assert schema["adult"] == pl.Boolean


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("", b"k1,spenders,41,,11.75,2024-02-01,true,1983-05-05"),
        ('delimiter = ";"', b"k1;spenders;41;;11.75;2024-02-01;true;1983-05-05"),
        ('delimiter = ";"\ndecimal = ","', b"k1;spenders;41;;11,75;2024-02-01;true;1983-05-05"),
        ('decimal = ","\ndelimiter = "|"', b"k1|spenders|41||11,75|2024-02-01|true|1983-05-05"),
        ('delimiter = "\\t"', b"k1\tspenders\t41\t\t11.75\t2024-02-01\ttrue\t1983-05-05"),
    ],
)
def test_how_csv_looks(shop: Desk, output: str, line: bytes) -> None:
    shop.apply(shop_rules(output))
    content = (shop / "segments/spenders.csv").read_bytes()
    assert content.endswith(b"\n")
    assert content.splitlines()[2] == line


@pytest.mark.parametrize("bom", ["true", "false"])
def test_bom(shop: Desk, bom: str) -> None:
    shop.apply(shop_rules(f'bom = {bom}\ncombined = "all.csv"'))
    for name in ("young", "nobody", "all"):
        content = (shop / f"segments/{name}.csv").read_bytes()
        assert content.startswith(b"\xef\xbb\xbf") == (bom == "true")
        assert content.removeprefix(b"\xef\xbb\xbf").startswith(b"id,segment,age")


def test_escape_formulas(desk: Desk) -> None:
    desk.put("c.csv", RAW)
    expected = {"=1+1": "'=1+1", "-2+3": "'-2+3", "@x": "'@x"}
    text = HEAD + '[output]\ncolumns = ["note", "name"]\nescape_formulas = true\n' + EVERYONE
    assert [r["note"] for r in desk.rows(text)] == list(expected.values())
    assert [r["name"] for r in desk.rows(text)] == ['Ann, "the" boss', "Bob", ""]
    assert [r["note"] for r in desk.rows(text.replace("escape_formulas = true", ""))] == list(expected)


def test_escape_formulas_leaves_numbers_alone(shop: Desk) -> None:
    shop.put("o.csv", "id,day,total\nk1,2024-01-01,-10.50\n")
    shop.apply(shop_rules("escape_formulas = true", "[segment.back]\nbehavioural.spend.below = 0\n"))
    assert (shop / "segments/back.csv").read_text().splitlines()[1].startswith("k1,back,41,,-10.5,")


def test_a_column_named_like_the_label_gives_way_with_a_warning(desk: Desk) -> None:
    desk.put("c.csv", "id,segment,x\na,old,1\n")
    done = desk.json(HEAD + EVERYONE)
    assert (desk / "segments/all.csv").read_text() == "id,segment,x\na,all,1\n"
    assert any("`segment`" in w["message"] for w in done["warnings"])
    done = desk.json(HEAD + '[output]\nlabel_column = "list"\n' + EVERYONE)
    assert (desk / "segments/all.csv").read_text() == "id,list,segment,x\na,all,old,1\n"
    assert done["warnings"] == []


def test_each(desk: Desk) -> None:
    desk.put("c.csv", "id,gender,age\n1,F,20\n2,M,20\n3,F,40\n4,,20\n5,F,20\n6,Non binary/é,20\n")
    text = (
        HEAD
        + """[trait.band]
bands = { of = "age", edges = [18, 25, 35], labels = ["<18", "18-24", "25-34", "35+"] }
[segment.s]
everyone = true
each = ["gender", "band"]
[segment.none]
demographic.age.above = 99
each = "gender"
"""
    )
    done = desk.json(text)
    files = {name: [r["id"] for r in desk.read(f"segments/{name}")] for name in desk.tree() if name != "manifest.json"}
    assert files == {
        "s.f.18-24.csv": ["1", "5"],
        "s.f.35.csv": ["3"],
        "s.m.18-24.csv": ["2"],
        "s.missing.18-24.csv": ["4"],
        "s.non-binary-é.18-24.csv": ["6"],
    }
    outputs = done["segments"][0]["outputs"]
    assert sum(o["written"] for o in outputs) == done["segments"][0]["written"] == 6
    assert {"gender": "F", "band": "18-24"} in [o["values"] for o in outputs]


def test_profile(shop: Desk) -> None:
    done = shop.json(shop_rules('profile = ["spend", "age"]'))
    spenders = next(s for s in done["segments"] if s["name"] == "spenders")
    assert spenders["profile"]["spend"] == {"mean": 55.875, "median": 55.875, "total": 111.75, "share": 100}
    assert spenders["profile"]["age"]["mean"] == 30.5
    young = next(s for s in done["segments"] if s["name"] == "young")
    assert young["profile"]["spend"]["total"] == 100
    assert young["profile"]["spend"]["share"] == pytest.approx(100 * 100 / 111.75, abs=1e-3)
    assert "55.8" in shop.apply(shop_rules('profile = ["spend"]')).stdout


def test_profile_of_a_building_block(shop: Desk) -> None:
    """It is counted, so it is profiled; only its rows are not written."""
    rules = shop_rules('profile = ["spend"]').replace("[segment.spenders]", "[segment.spenders]\nwrite = false")
    found = shop.json(rules)["segments"]
    spenders = next(s for s in found if s["name"] == "spenders")
    assert not spenders["write"]
    assert spenders["profile"]["spend"] == {"mean": 55.875, "median": 55.875, "total": 111.75, "share": 100}


def test_write_false_is_counted_but_not_written(shop: Desk) -> None:
    done = shop.json(shop_rules())
    block = next(s for s in done["segments"] if s["name"] == "block")
    assert (block["matched"], block["written"], block["write"], block["path"]) == (2, 0, False, None)
    assert "block.csv" not in shop.tree()


def test_exclusive_claims_in_file_order_or_by_priority(shop: Desk) -> None:
    exclusive = '[assignment]\nmode = "exclusive"\n'
    done = {s["name"]: s for s in shop.json(shop_rules(more=exclusive))["segments"]}
    assert (done["young"]["written"], done["spenders"]["written"]) == (1, 1)
    assert done["spenders"]["excluded"]["claimed"] == 1
    assert done["spenders"]["matched"] == 2
    done = {s["name"]: s for s in shop.json(shop_rules(more=exclusive + 'priority = ["spenders"]\n'))["segments"]}
    assert (done["young"]["written"], done["spenders"]["written"]) == (0, 2)
    # --select chooses what is written; the others still claim
    selected = shop.json(shop_rules(more=exclusive), "--select", "spenders", "-o", shop / "chosen")
    assert [(s["name"], s["written"]) for s in selected["segments"] if s["write"]] == [("spenders", 1)]
    assert set(shop.tree("chosen")) == {"spenders.csv", "manifest.json"}


def test_the_ledger_adds_up(shop: Desk) -> None:
    done = shop.json(shop_rules(more='[assignment]\nmode = "exclusive"\n'))
    for segment in done["segments"]:
        if segment["write"]:
            assert segment["matched"] - sum(segment["excluded"].values()) == segment["written"]


# --- standard output, summaries, flags ---


def test_rows_on_standard_output_and_the_summary_on_standard_error(shop: Desk) -> None:
    done = shop.apply(shop_rules(), "-o", "-")
    rows = shop.read(done.stdout_bytes)
    assert [(r["id"], r["segment"]) for r in rows] == [("k3", "young"), ("k3", "spenders"), ("k1", "spenders")]
    assert "3 customers" in done.stderr
    assert not (shop / "segments").exists()
    done = shop.apply(shop_rules(), "-o", "-", "--select", "spenders", "--json")
    assert [r["id"] for r in shop.read(done.stdout_bytes)] == ["k3", "k1"]
    assert json.loads(done.stderr)["segments"][0]["written"] == 2


@pytest.mark.parametrize("format", EVERY_FORMAT)
def test_every_format_on_standard_output(shop: Desk, format: str) -> None:
    done = shop.apply(shop_rules(), "-o", "-", "--select", "young", "--format", format, "-q")
    shop.apply(shop_rules(), "--format", format, "-q")
    assert done.stdout_bytes == (shop / f"segments/young.{format}").read_bytes()
    assert done.stderr == ""


def test_select(shop: Desk) -> None:
    done = shop.json(shop_rules(), "--select", "nobody", "--select", "young")
    assert set(shop.tree()) == {"young.csv", "nobody.csv", "manifest.json"}
    assert {s["name"] for s in done["segments"] if s["write"]} == {"young", "nobody"}
    assert "did you mean `young`" in shop.apply(shop_rules(), "--select", "yuong", code=2).stderr


def test_dry_run_does_everything_but_writing(shop: Desk) -> None:
    done = shop.json(shop_rules(), "--dry-run")
    assert done["dry_run"] is True
    assert next(s for s in done["segments"] if s["name"] == "spenders")["written"] == 2
    assert not (shop / "segments").exists()
    assert sorted(p.name for p in shop.folder.iterdir()) == ["c.csv", "o.csv", "rules.toml"]


def test_as_of_on_the_command_line(shop: Desk) -> None:
    text = shop_rules(more='[segment.recent]\nbehavioural.did = { events = "o", within = "10 days" }\n')
    for as_of, written in (("2024-02-05", 2), ("2024-01-05", 1), ("2024-02-12", 0)):
        done = shop.json(text, "--as-of", as_of)
        assert done["as_of"] == as_of
        assert done["segments"][-1]["written"] == written
    assert "date" in shop.apply(text, "--as-of", "01/02/2024", code=2).stderr.lower()


def test_a_future_as_of_is_a_warning(shop: Desk) -> None:
    done = shop.json(shop_rules(), "--as-of", "2999-01-01")
    assert any("future" in w["message"] for w in done["warnings"])


def test_customers_and_events_on_the_command_line(shop: Desk) -> None:
    other = shop.put("elsewhere/c2.csv", "id,age,city,born\nk1,20,x,\n")
    orders = shop.put("elsewhere/o2.csv", "id,day,total\nk1,2024-01-01,7\n")
    done = shop.json(shop_rules(), "--customers", other, "--events", f"o={orders}")
    assert done["customers"] == 1
    assert shop.read("segments/spenders.csv")[0]["spend"] == "7"
    assert shop.apply(shop_rules(), "--events", "nonsense", code=2).stderr.startswith("error")


def test_as_of_in_the_directory(shop: Desk) -> None:
    shop.apply(shop_rules('directory = "out/{as_of}"'))
    assert "young.csv" in shop.tree("out/2024-03-01")


def test_summary_table(shop: Desk) -> None:
    done = shop.apply(shop_rules())
    for expected in ("young", "spenders", "nobody", "33.3 %", "66.7 %", "3 customers", "2024-03-01"):
        assert expected in done.stdout
    assert shop.apply(shop_rules(), "--summary", "none").output == ""
    assert shop.apply(shop_rules(), "-q").output == ""
    assert shop.apply(shop_rules(), "-q", "--json").stdout.startswith("{")


def test_summary_json_is_one_object_with_the_documented_keys(shop: Desk) -> None:
    done = shop.json(shop_rules())
    assert next(iter(done)) == "schema_version"
    keys = {"as_of", "customers", "segments", "unmatched", "warnings", "thresholds", "elapsed_seconds"}
    assert keys <= set(done)
    assert (done["customers"], done["unmatched"]) == (3, 1)
    for segment in done["segments"]:
        assert {"name", "label", "matched", "excluded", "written", "share", "path"} <= set(segment)
        assert list(segment["excluded"]) == [
            "consent",
            "suppressed",
            "frequency_cap",
            "claimed",
            "sample",
            "limit",
            "holdout",
        ]
    young = done["segments"][0]
    assert (young["label"], young["share"]) == ("Under 30", 33.3333)
    assert young["path"].endswith("segments/young.csv")


def test_fail_on_warning_writes_nothing(shop: Desk) -> None:
    shop.apply(shop_rules(), "--fail-on", "warning")
    before = shop.tree()
    done = shop.apply(shop_rules(), "--fail-on", "warning", "--as-of", "2999-01-01", code=1)
    assert "future" in done.stderr
    assert done.stdout == ""
    assert shop.tree() == before
    shop.apply(shop_rules(), "--fail-on", "error", "--as-of", "2999-01-01")


def test_options_come_from_the_environment_too(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGKIT_APPLY_AS_OF", "2024-02-15")
    monkeypatch.setenv("SEGKIT_APPLY_SUMMARY", "json")
    assert json.loads(shop.apply(shop_rules()).stdout)["as_of"] == "2024-02-15"
    assert json.loads(shop.apply(shop_rules(), "--as-of", "2024-02-16").stdout)["as_of"] == "2024-02-16"


# --- the manifest ---


def test_the_manifest(shop: Desk) -> None:
    shop.apply(shop_rules('combined = "all.csv"'))
    manifest = json.loads((shop / "segments/manifest.json").read_text())
    assert set(manifest["files"]) == {*shop.tree(), "run/rules.toml"} - {"manifest.json"}
    inputs = {entry["table"]: entry for entry in manifest["inputs"]}
    assert set(inputs) == {"customers", "o"}
    for table, name in (("customers", "c.csv"), ("o", "o.csv")):
        content = (shop / name).read_bytes()
        assert inputs[table]["sha256"] == hashlib.sha256(content).hexdigest()
        assert inputs[table]["bytes"] == len(content)
    assert manifest["rules"]["sha256"] == hashlib.sha256((shop / "rules.toml").read_bytes()).hexdigest()
    assert manifest["as_of"] == "2024-03-01"
    assert [s["written"] for s in manifest["segments"]] == [1, 2, 0, 0]
    assert {"segkit_version", "times", "thresholds", "tables"} <= set(manifest)


def test_the_second_run_takes_the_place_of_the_first(shop: Desk) -> None:
    shop.apply(shop_rules())
    shop.put("segments/notes.txt", "mine")
    shop.put("segments/stale.csv", "mine too")
    shop.apply(shop_rules(), "--format", "tsv")
    assert set(shop.tree()) == {"young.tsv", "spenders.tsv", "nobody.tsv", "manifest.json", "notes.txt", "stale.csv"}


# --- segkit rfm and segkit check and segkit schema ---


def test_rfm_writes_one_row_a_customer(shop: Desk) -> None:
    done = shop.segkit("rfm", shop / "o.csv", "--as-of", "2024-03-01", "-o", shop / "rfm.csv")
    assert (shop / "rfm.csv").read_text().splitlines()[0] == (
        "id,recency_days,frequency,monetary,r_score,f_score,m_score,rfm_code,rfm_segment"
    )
    assert [tuple(r.values())[:4] for r in shop.read("rfm.csv")] == [
        ("k1", "29", "2", "11.75"),
        ("k3", "29", "1", "100"),
    ]
    for guess in ("id", "day", "total"):
        assert guess in done.stdout
    on_stdout = shop.segkit("rfm", shop / "o.csv", "--as-of", "2024-03-01", "-o", "-")
    assert on_stdout.stdout_bytes == (shop / "rfm.csv").read_bytes()
    assert "2 customers" in on_stdout.stderr


def test_rfm_json(shop: Desk) -> None:
    done = json.loads(shop.segkit("rfm", shop / "o.csv", "--as-of", "2024-03-01", "--json").stdout)
    assert next(iter(done)) == "schema_version"
    assert (done["as_of"], done["customers"], done["events"]) == ("2024-03-01", 2, 3)
    assert sum(s["customers"] for s in done["segments"]) == 2
    assert sum(s["revenue"] for s in done["segments"]) == 111.75
    assert {"name", "customers", "share", "revenue"} <= set(done["segments"][0])
    assert {t["column"] for t in done["thresholds"]} == {"recency_days", "frequency", "monetary"}


@pytest.mark.parametrize("format", EVERY_FORMAT)
def test_rfm_writes_the_format_of_the_extension(shop: Desk, format: str) -> None:
    shop.segkit("rfm", shop / "o.csv", "--as-of", "2024-03-01", "-o", shop / f"rfm.{format}")
    content = (shop / f"rfm.{format}").read_bytes()
    magic = {"csv": b"id,recency", "tsv": b"id\trecency", "parquet": b"PAR1", "ndjson": b'{"id"', "arrow": b"ARROW1"}
    magic["xlsx"] = b"PK"
    assert content.startswith(magic[format])


def test_rfm_reads_standard_input(shop: Desk) -> None:
    content = (shop / "o.csv").read_bytes()
    done = shop.segkit("rfm", "-", "--as-of", "2024-03-01", "-o", "-", "-q", input=content)
    assert [r["id"] for r in shop.read(done.stdout_bytes)] == ["k1", "k3"]


def test_rfm_that_cannot_tell_the_columns_says_which_there_are(desk: Desk) -> None:
    desk.put("x.csv", "alpha,beta\n1,2\n")
    done = desk.segkit("rfm", desk / "x.csv", code=3)
    assert "--key" in done.stderr
    assert "`alpha`" in done.stderr


def test_check(shop: Desk) -> None:
    rules = shop.put("rules.toml", shop_rules())
    shop.segkit("check", rules)
    shop.segkit("check", rules, "--data")
    rules = shop.put("rules.toml", shop_rules(more="[segment.bad]\ndemographic.age.gte = 3\ndemographic.agee = 3\n"))
    done = shop.segkit("check", rules, code=1)
    assert "gte" in done.stdout
    assert "rules.toml:32:" in done.stdout
    rules = shop.put("rules.toml", shop_rules(more="[segment.bad]\ndemographic.agee = 3\n"))
    done = shop.segkit("check", rules, "--data", code=1)
    assert "did you mean `age`" in done.stdout
    found = json.loads(shop.segkit("check", rules, "--data", "--json", code=1).stdout)
    assert found["diagnostics"][0]["line"] == 32
    assert found["errors"] == 1


def test_check_data_reads_the_values(shop: Desk) -> None:
    shop.put("c.csv", "id,age,city,born\nk3,20,a,2004-01-01\nk1,41,b,31/31/1983\nk2,20,c,2004-01-01\n")
    text = shop_rules(more="[segment.b]\ndemographic.born.min = 1900-01-01\n")
    rules = shop.put("rules.toml", text.replace('key = "id"', 'key = "id"\ntypes = { born = "date" }', 1))
    done = shop.segkit("check", rules, "--data", code=1)
    assert "a value (two digits, `/`, two digits, `/`, four digits) as a date" in done.stdout  # dates of birth


def test_schema(desk: Desk) -> None:
    schema = json.loads(desk.segkit("schema").stdout)
    assert {"customers", "segment", "rfm", "trait"} <= set(schema["properties"])


@pytest.mark.parametrize("packed", [False, True])
def test_the_manifest_names_what_came_through_a_pipe(desk: Desk, packed: bool) -> None:
    content = b"id,age\na,20\n"
    text = head(path="-") + "[segment.s]\neveryone = true\n"
    desk.apply(text, input=gzip.compress(content) if packed else content)
    (read,) = json.loads(desk.tree()["manifest.json"])["inputs"]
    assert (read["bytes"], read["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


# --- who is in no list, and who in several ---


@pytest.mark.parametrize("select", [(), ("s1",), ("s1", "s3")])
def test_no_list_and_several_lists_count_the_same_people(desk: Desk, select: tuple[str, ...]) -> None:
    """Both count who is written; who matches a segment is counted beside them."""
    chance = random.Random(7)
    people = [[chance.random() < 0.15 * i for i in range(5)] for _ in range(400)]
    lines = [f"k{n},{'yes' if n % 3 else 'no'},{','.join(str(m).lower() for m in p)}" for n, p in enumerate(people)]
    desk.put("c.csv", "id,opt,g0,g1,g2,g3,g4\n" + "\n".join(lines) + "\n")
    text = HEAD + '[consent.require]\nopt = "yes"\n'
    text += "".join(f"[segment.s{i}]\ndemographic.g{i} = true\n" for i in range(4))
    text += "[segment.block]\ndemographic.g4 = true\nwrite = false\n"
    args = [part for name in select for part in ("--select", name)]
    done = desk.json(text, *args)
    chosen = [i for i in range(4) if not select or f"s{i}" in select]
    written = [sum(p[i] for i in chosen) if n % 3 else 0 for n, p in enumerate(people)]
    assert done["unmatched"] == sum(not any(p[:4]) for p in people)
    assert done["unlisted"] == written.count(0)
    assert done["several"] == sum(lists > 1 for lists in written)
    manifest = json.loads((desk / "segments/manifest.json").read_text())
    assert [manifest[n] for n in ("unmatched", "unlisted", "several")] == [
        done[n] for n in ("unmatched", "unlisted", "several")
    ]
    shown = dict(
        re.findall(r"^(Match nothing|In no list|In several lists) +(\d+)", desk.apply(text, *args).stdout, re.M)
    )
    assert {name: int(n) for name, n in shown.items()} == {
        "Match nothing": done["unmatched"],
        "In no list": done["unlisted"],
        "In several lists": done["several"],
    }


def test_the_largest_pairs_are_shown(desk: Desk) -> None:
    sizes = [3, 9, 1, 8, 4, 7, 2]
    rows = [(f"k{i}.{n}", i) for i, size in enumerate(sizes) for n in range(size)]
    desk.put("c.csv", "id,g\n" + "".join(f"{key},{g}\n" for key, g in rows))
    pairs = "".join(
        f"[segment.a{i}]\ndemographic.g = {i}\n[segment.b{i}]\ndemographic.g = {i}\n" for i in range(len(sizes))
    )
    shown = re.findall(r"^  a(\d) and b\1 +(\d+)", desk.apply(HEAD + pairs).stdout, re.M)
    assert [(int(i), int(n)) for i, n in shown] == sorted(enumerate(sizes), key=lambda pair: -pair[1])[:5]
    assert "and 2 more pairs" in desk.apply(HEAD + pairs).stdout
    assert [o["customers"] for o in desk.json(HEAD + pairs)["overlaps"]] == sizes  # JSON has all, in file order


def test_what_types_of_a_source_go_out_as(desk: Desk) -> None:
    """A time with its fraction, also as the key; a record that is missing; a float of 32 bits by its own digits."""
    times = [dt.time(9, 0, 0, 1), dt.time(9, 0, 0, 2), dt.time(9)]
    share = pl.Series([0.1, float("nan"), 16_777_216.0], dtype=pl.Float32)
    frame = pl.DataFrame({"id": times, "place": [{"x": 1}, None, {"x": None}], "share": share})
    frame.write_parquet(desk / "c.parquet")
    rules = head(path="c.parquet") + "[segment.all]\neveryone = true\n[segment.tenth]\ndemographic.share.is = 0.1\n"
    rows = [(row["segment"], row["id"], row["place"], row["share"]) for row in desk.rows(rules)]
    first = ("09:00:00.000001", '{"x":1}', "0.1")
    assert rows == [
        ("all", *first),
        ("all", "09:00:00.000002", "", ""),
        ("all", "09:00:00", '{"x":null}', "16777216"),
        ("tenth", *first),
    ]


@pytest.mark.parametrize("format", EVERY_FORMAT)
@pytest.mark.parametrize("where", ["key", "city", "tags", "nowhere"])
def test_a_nul_is_in_no_cell(desk: Desk, format: str, where: str) -> None:
    """Sources that have types of their own may hold one, which their formats keep, and readers of cells cut off."""
    people: dict[str, object] = {"id": ["a", "k"], "city": ["Bonn", "Ham"], "tags": [["x"], ["y", "z"]]}
    bad: dict[str, dict[str, object]] = {
        "key": {"id": ["a", "k\0b"]},
        "city": {"city": ["Bonn", "Ham\0burg"]},
        "tags": {"tags": [["x"], ["y", "\0"]]},
    }
    pl.DataFrame(people | bad.get(where, {})).write_parquet(desk / "c.parquet")
    desk.put("c.csv", "id,city\na,Bonn\n")
    desk.apply(HEAD + f'[output]\nformat = "{format}"\n' + EVERYONE)
    before = desk.tree()
    rules = (
        f'version = 1\nas_of = 2024-04-01\n[customers]\npath = "c.parquet"\nkey = "id"\n[output]\nformat = "{format}"\n'
    )
    refused = format in ("csv", "tsv", "xlsx") and where != "nowhere"
    for args in ([], ["-o", "-"]):
        said = desk.apply(rules + EVERYONE, *args, code=4 if refused else 0).stderr
        column = "id" if where == "key" else where
        assert (f"a text in column `{column}` has a NUL, at which readers of cells stop\n" in said) is refused
        assert "burg" not in said
    assert not refused or desk.tree() == before
