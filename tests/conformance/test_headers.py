"""`[output.headers]`: what goes out under another name, in every format, and is found again by later commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from segkit.io.write import FORMATS
from tests.desk import Desk, event_table, head
from tests.extras import EVERY_FORMAT

SEGMENT = "[segment.all]\neveryone = true\n"
HEADERS = 'headers = { id = "External ID", segment = "Tag", email = "Email Address", variant = "Arm" }\n'
CUSTOMERS = "id,email,age\na,a@x.example,20\nb,b@x.example,30\n"
SPLIT = "split = { A = 50, B = 50 }\n"


def read(path: Path) -> pl.DataFrame:
    by_ending: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".csv": pl.read_csv,
        ".tsv": lambda p: pl.read_csv(p, separator="\t"),
        ".parquet": pl.read_parquet,
        ".ndjson": pl.read_ndjson,
        ".arrow": pl.read_ipc,
        ".xlsx": lambda p: pl.read_excel(p, engine="calamine"),
    }
    return by_ending[path.suffix](path)


@pytest.mark.parametrize("format", EVERY_FORMAT)
def test_every_format_has_them(desk: Desk, format: str) -> None:
    """Lists, those held out, the control group and the combined file; `diff` and `evaluate` find the keys again."""
    desk.put("c.csv", "id,email,age\n" + "".join(f"k{n},{n}@x.example,{n}\n" for n in range(200)))
    desk.put("o.csv", "id,day,total\n" + "".join(f"k{n},2024-03-05,10\n" for n in range(0, 200, 3)))
    rules = head() + event_table("orders", "o.csv", 'amount = "total"') + "[assignment]\ncontrol = 10\n"
    rules += SEGMENT + "holdout = 20\n" + SPLIT + '[output]\ncombined = "whole.csv"\n' + HEADERS
    desk.apply(rules, "--format", format)
    ending = FORMATS[format].extension
    names = {
        name: read(desk / f"segments/{name}.{ending}").columns for name in ("all", "all.holdout", "control", "whole")
    }
    assert names == {
        "all": ["External ID", "Tag", "Arm", "Email Address", "age"],
        "all.holdout": ["External ID", "Tag", "Arm", "Email Address", "age"],
        "control": ["External ID", "Tag"],
        "whole": ["External ID", "Tag", "Email Address", "age"],
    }
    manifest = json.loads((desk / "segments/manifest.json").read_text())
    assert manifest["output"]["headers"]["id"] == "External ID"
    desk.segkit("diff", desk / "segments", desk / "segments")
    found = json.loads(desk.segkit("evaluate", desk / "segments", "--until", "2024-03-20", "--json").stdout)
    assert sum(arm["customers"] for s in found["segments"] if s["name"] == "all" for arm in s["arms"]) > 150
    told = json.loads(desk.segkit("explain", "--run", desk / "segments", "k1", "--json").stdout)
    assert "all" in json.dumps(told)


def test_changes_have_them_and_the_next_run_knows_the_keys(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    rules = head() + SEGMENT + '[output]\nheaders = { id = "External ID", email = "Email Address" }\nchanges = true\n'
    desk.apply(rules)
    desk.put("c.csv", "id,email,age\nb,b@x.example,30\nc,c@x.example,40\n")
    desk.apply(rules)
    assert desk.read("segments/all.entered.csv") == [
        {"External ID": "c", "segment": "all", "Email Address": "c@x.example", "age": "40"}
    ]
    assert desk.read("segments/all.left.csv") == [
        {"External ID": "a", "segment": "all", "Email Address": "", "age": ""}
    ]
    rules = rules.replace("changes = true\n", "")
    (segment,) = desk.json(rules)["segments"]
    assert segment["change"] == {"entered": 0, "left": 0}
    (segment,) = desk.json(rules.replace("External ID", "ID of the shop"))["segments"]
    assert segment["change"] == {"entered": 0, "left": 0}


def test_standard_output_and_what_is_hidden(desk: Desk) -> None:
    """A column is protected by its own name, and goes out under the other one; two may change names."""
    desk.put("c.csv", CUSTOMERS)
    rows = desk.rows(head() + SEGMENT + '[output]\nhash = ["email"]\nheaders = { email = "age", age = "email" }\n')
    assert list(rows[0]) == ["id", "segment", "age", "email"]
    assert [(len(row["age"]), row["email"]) for row in rows] == [(64, "20"), (64, "30")]


def test_lists_in_cells_keep_what_separates_them(desk: Desk) -> None:
    desk.put("c.csv", 'id,tags\na,"x,y"\n')
    rules = head('lists = { tags = "," }') + "[segment.all]\npsychographic.tags.has_any = ['x']\n"
    rows = desk.rows(rules + '[output]\nheaders = { tags = "Tags of it" }\n')
    assert [row["Tags of it"] for row in rows] == ["x,y"]


@pytest.mark.extra("excel")
def test_a_workbook_has_them(desk: Desk) -> None:
    desk.put("c.csv", CUSTOMERS)
    desk.apply(head() + SEGMENT + '[output]\nworkbook = "w.xlsx"\nheaders = { email = "Email Address" }\n')
    sheet = pl.read_excel(desk / "segments/w.xlsx", engine="calamine", sheet_name="all")
    assert sheet.columns == ["id", "segment", "Email Address", "age"]


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ('headers = { emial = "E-Mail" }', "customers have no column `emial`"),
        ('columns = ["age"]\nheaders = { email = "E-Mail" }', "`email` is not among the columns that are written"),
        ('headers = { old = "Old" }\n[trait.old]\nsql = "age > 3"', "`old` is not among the columns that are written"),
        ('headers = { email = "age" }', "`email` would have the header `age`, which is another column's"),
        ('columns = ["email", "age"]\nheaders = { email = "age" }', "`age` and `email` would have one header, `age`"),
        ('headers = { email = "X", age = "X" }', "`email` and `age` would have one header, `X`"),
        ('headers = { email = "segment" }', "`segment` and `email` would have one header, `segment`"),
        ('headers = { email = " " }', "a header is one line of text, and not empty"),
        ('headers = { variant = "Arm" }', "customers have no column `variant`"),
        ('headers = { email = "X" }\nto = "sqlite:x.db"\ntable = "t"', "`headers` is about files"),
        ("headers = { email = 3 }", "email"),
    ],
)
def test_names_that_cannot_be(desk: Desk, output: str, says: str) -> None:
    desk.put("c.csv", CUSTOMERS)
    done = desk.apply(head() + SEGMENT + "[output]\n" + output, code=2)
    assert says in " ".join(done.stderr.split())
    assert "rules.toml:" in done.stderr


def test_a_name_that_goes_away_is_free(desk: Desk) -> None:
    """`age` goes out as `Years`, so that another column may be called `age`."""
    desk.put("c.csv", CUSTOMERS)
    rows = desk.rows(head() + SEGMENT + '[output]\nheaders = { age = "Years", email = "age" }\n')
    assert list(rows[0]) == ["id", "segment", "age", "Years"]
