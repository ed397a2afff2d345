"""Folders such as `region=0042`, whose names say what a column is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import polars as pl
import pytest

from tests.desk import Content, Desk, head

REGIONS = {"0042": ["a", "b"], "x%20y%2Fz": ["c"], "__HIVE_DEFAULT_PARTITION__": ["d"]}
"""The name of a folder behind `region=` -> the customers below it."""
WRITTEN: dict[str, Callable[[pl.DataFrame], Content]] = {
    "csv": lambda rows: rows.write_csv(),
    "csv.gz": lambda rows: gzip.compress(rows.write_csv().encode()),
    "ndjson": lambda rows: rows,
    "ndjson.gz": lambda rows: gzip.compress(rows.write_ndjson().encode()),
    "parquet": lambda rows: rows,
    "arrow": lambda rows: rows,
}
PATHS = ("c", "c/*/*", "c/**/*.{}", "c/region=*/*")
BY_REGION = {
    'demographic.region = "0042"': ["a", "b"],
    'demographic.region = "x y/z"': ["c"],
    "demographic.region.missing = true": ["d"],
    "demographic.n.min = 2": ["b", "d"],
}


def put(desk: Desk, kind: str, folder: str = "c", extra: dict[str, str] | None = None) -> None:
    for region, ids in REGIONS.items():
        rows = pl.DataFrame({"id": ids, "n": [1, 2][: len(ids)] if region != "__HIVE_DEFAULT_PARTITION__" else [3]})
        rows = rows.with_columns(pl.lit(value).alias(name) for name, value in (extra or {}).items())
        desk.put(f"{folder}/region={region}/part.{kind}", WRITTEN[kind](rows))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", WRITTEN)
def test_folders_add_a_column_of_text_to_files_of_every_kind(desk: Desk, kind: str, path: str) -> None:
    put(desk, kind)
    desk.put("c/_SUCCESS", "") if path == "c" else None
    assert desk.members(head(path=path.format(kind)), {c: c for c in BY_REGION}) == BY_REGION


def test_the_column_goes_out_as_it_stands_in_the_folder(desk: Desk) -> None:
    put(desk, "csv")
    rules = head(path="c") + '[output]\ncolumns = ["region", "n"]\n[segment.all]\ndemographic.n.min = 1\n'
    assert desk.apply(rules, "-o", "-", "-q").stdout.splitlines() == [
        "id,segment,region,n",
        "a,all,0042,1",
        "b,all,0042,2",
        "d,all,,3",
        "c,all,x y/z,1",
    ]


@pytest.mark.parametrize("path", ["c/region=0042/*.csv", "c/region=0042/part.csv"])
def test_a_glob_that_begins_below_the_folder_adds_nothing(desk: Desk, path: str) -> None:
    put(desk, "csv")
    error = desk.apply(head(path=path) + '[segment.s]\ndemographic.region = "0042"\n', code=2).stderr
    assert "customers have no column `region`" in error


@pytest.mark.parametrize("name", ["region=%E9", "r%E9gion=x"])
def test_names_of_folders_are_utf_8(desk: Desk, name: str) -> None:
    """Else two of them, `%E8` and `%E9`, would be one value."""
    desk.put(f"c/{name}/x.csv", "id\na\n")
    error = desk.apply(head(path="c") + "[segment.s]\neveryone = true\n", code=3).stderr
    assert f"`{name.replace('region=', '').replace('=x', '')}`, a folder above `x.csv`, is not UTF-8" in error


@pytest.mark.parametrize("mark", [".hoodie/hoodie.properties", "metadata/00001-x.metadata.json"])
@pytest.mark.parametrize("path", ["c", "c/data", "c/**/*.parquet", "c/data/region=x/a.parquet", "link/*.parquet"])
def test_tables_of_other_lakes_are_not_read(desk: Desk, mark: str, path: str) -> None:
    """Below them lie files of earlier versions, whose rows would count again."""
    for key in "ab":
        desk.put(f"c/data/region=x/{key}.parquet", pl.DataFrame({"id": [key]}))
    (desk / "link").symlink_to(desk / "c/data/region=x")
    rules = head(path=path) + "[segment.s]\neveryone = true\n"
    desk.apply(rules, "-o", "-", code=3 if path == "c" else 0)
    desk.put(f"c/{mark}", "{}")
    error = desk.apply(rules, "-o", "-", code=3).stderr
    kind = "Hudi" if "hoodie" in mark else "Iceberg"
    assert f"table of {kind}" in error
    assert "write a copy of it as a Delta table, or as Parquet" in error


def test_types_say_that_a_folder_is_a_day_or_a_number(desk: Desk) -> None:
    for day, key in {"2024-01-31": "a", "2024-02-01": "b"}.items():
        desk.put(f"c/day={day}/year=2024/x.csv", f"id\n{key}\n")
    rules = head('types = { day = "date", year = "number" }', path="c")
    cases = {"demographic.day.after = 2024-01-31": ["b"], "demographic.year.min = 2024": ["a", "b"]}
    assert desk.members(rules, {c: c for c in cases}) == cases


def test_digits_are_text_and_a_line_may_begin_the_name(desk: Desk) -> None:
    for year, key in {"2023": "a", "2024": "b"}.items():
        desk.put(f"c/_year={year}/x.csv", f"id\n{key}\n")
        desk.put(f"c/_year={year}/_x.csv", "nothing\n")
        (desk / f"c/_year={year}/=").mkdir()
        (desk / f"c/_year={year}/x.csv").rename(desk / f"c/_year={year}/=/x.csv")  # which says nothing
    assert desk.members(head(path="c"), {"s": 'demographic._year = "2024"'}) == {"s": ["b"]}


def test_conditions_that_look_beyond_the_folder_are_asked_of_its_rows(desk: Desk) -> None:
    for day, key in {"2023-01-31": "a", "2024-02-01": "b"}.items():
        desk.put(f"c/day={day}/x.csv", f"id\n{key}\n")
    rules = head('types.day = "date"', 'where.day.within = "3 months"', path="c") + "[segment.s]\neveryone = true\n"
    assert [row["id"] for row in desk.rows(rules)] == ["b"]
    assert len(desk.json(rules, "-o", desk / "out")["notes"]) == 0


def test_a_folder_is_the_day_of_events(desk: Desk) -> None:
    desk.put("c.csv", "id\na\nb\n")
    for day, key in {"2024-01-31": "a", "2024-02-20": "b"}.items():
        desk.put(f"o/day={day}/x.csv", f"id\n{key}\n")
    rules = head(path="c.csv") + '[events.o]\npath = "o"\ntime = "day"\n'
    assert desk.members(rules, {"s": 'behavioural.did = { events = "o", within = "1 month" }'})["s"] == ["b"]


def test_a_column_of_the_files_wins_and_that_is_told(desk: Desk) -> None:
    put(desk, "csv", extra={"region": "north"})
    rules = head('where = { region = "north" }', path="c") + '[segment.s]\ndemographic.region = "north"\n'
    done = desk.apply(rules, "-o", "-", "--json")
    assert len(done.stdout.splitlines()) > 4
    assert done.stderr.count("warning: `region` is a column of the files") == 1


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("where", "left", "ids"),
    [
        ('{ region = "0042" }', 2, "ab"),
        ('{ region = ["0042", "x y/z"], n.min = 1 }', 1, "abc"),
        ('{ region.not = "0042" }', 2, "c"),
        ('{ region.starts_with = "00" }', 2, "ab"),
        ("{ region.missing = true }", 2, "d"),
        ('{ area = "0042" }', 2, "ab"),
        ("{ n.min = 1 }", 0, "abdc"),
    ],
)
def test_folders_that_where_leaves_out_are_not_read(desk: Desk, kind: str, where: str, left: int, ids: str) -> None:
    put(desk, kind)
    kept = {"a": "0042", "b": "0042", "c": "x%20y%2Fz", "d": "__HIVE_DEFAULT_PARTITION__"}
    for region in REGIONS.keys() - {kept[key] for key in ids}:
        desk.put(f"c/region={region}/part.{kind}", b"\x00PAR1 damaged")
    more = ['rename.area = "region"'] if "area" in where else []
    rules = head(f"where = {where}", *more, path="c") + "[segment.s]\neveryone = true\n"
    found = desk.json(rules, "-o", desk / "out")
    assert [row["id"] for row in desk.read("out/s.csv")] == [*ids]
    told = [note["message"] for note in found["notes"] if "folders" in note["message"]]
    assert [message.partition(" of ")[0] for message in told] == ([f"{left} file{'s' * (left > 1)}"] if left else [])
    read = json.loads((desk / "out/manifest.json").read_text())["inputs"]
    assert len(read) == 3 - left


def test_days_in_folders_are_left_out_by_conditions_on_days(desk: Desk) -> None:
    for day, content in {"2024-01-31": b"\x00", "2024-02-01": b"id\na\n", "soon": b"id\nb\n"}.items():
        desk.put(f"c/day={day}/x.csv", content)
    more = ("where.day.after = 2024-01-31", 'types.day = "date"', 'bad_values = "missing"')
    rules = head(*more, path="c") + "[segment.s]\neveryone = true\n"
    assert [row["id"] for row in desk.rows(rules)] == ["a"]
    (desk / "c/day=2024-01-31/x.csv").write_bytes(b"id\nc\n")
    error = desk.apply(rules.replace("missing", "error"), "-o", "-", code=3).stderr
    assert "cannot read `soon` as a date" in error


def test_where_none_stays_the_first_tells_the_columns(desk: Desk) -> None:
    put(desk, "csv")
    rules = head('where = { region = "nowhere" }', path="c") + "[segment.s]\ndemographic.n.min = 0\n"
    assert desk.rows(rules) == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["c/region=1/x.csv", "c/y.csv"], "`c/y.csv` lies below no folder such as `name=value`"),
        (["c/region=1/x.csv", "c/region=1/day=2/y.csv"], "lies below folders for `region`"),
        (["c/region=1/x.csv", "c/land=1/y.csv"], "below folders for `land`"),
        (["c/region=1/region=2/x.csv"], "two folders above `x.csv` say what `region` is"),
        (["c/region=1/_delta_log/0.json", "c/region=1/x.parquet"], "is a file of the Delta table"),
        (["c/plain/x.csv"], "`c` is a directory"),
    ],
)
def test_what_has_no_one_meaning_is_one_error(desk: Desk, files: list[str], message: str) -> None:
    for file in files:
        desk.put(file, "id,n\na,1\n")
    error = desk.apply(head(path="c") + "[segment.s]\ndemographic.n = 1\n", code=3).stderr
    assert message.replace("`c/", f"`{desk.folder}/c/") in error or message in error, error
    assert error.count("error:") == 1


def test_a_column_in_some_files_and_of_folders_in_others_is_an_error(desk: Desk) -> None:
    desk.put("c/region=1/x.csv", "id,n\na,1\n")
    desk.put("c/region=2/x.csv", "id,n,region\nb,1,3\n")
    error = desk.apply(head(path="c") + "[segment.s]\ndemographic.n = 1\n", code=3).stderr
    assert "has a column `region`, and of" in error


def test_bad_values_and_their_lines_are_told_below_folders(desk: Desk) -> None:
    desk.put("c/region=1/x.csv", "id,n\na,1\n")
    desk.put("c/region=2/x.csv", "id,n\nb,2\nc,x\n")
    rules = head('types = { n = "number", region = "number" }', path="c") + "[segment.s]\ndemographic.n = 1\n"
    error = desk.apply(rules, code=3).stderr
    assert "c/region=2/x.csv:3" in error


@pytest.mark.parametrize("kind", ["csv", "parquet", "ndjson"])
def test_in_buckets(desk: Desk, kind: str) -> None:
    put(desk, kind)
    rules = head(path="c") + '[output]\ncolumns = ["region"]\n[segment.s]\ndemographic.region.missing = false\n'
    assert desk.rows(rules, "--buckets", "3") == desk.rows(rules)
    assert len(desk.rows(rules)) == 3


@pytest.mark.parametrize("command", [["rfm"], ["audit"], ["init", "--customers"], ["cohorts"]])
def test_commands_take_the_folder_by_its_path(desk: Desk, command: list[str]) -> None:
    for region in ("0042", "0043"):
        rows = "".join(f"c{n},o{region}{n},2024-0{n}-01,{n}.5\n" for n in range(1, 6))
        desk.put(f"orders/region={region}/x.csv", f"customer_id,order_id,order_date,amount\n{rows}")
    done = desk.process(*command, "orders")
    assert done.returncode == 0, done.stderr


def test_a_run_is_explained_from_the_same_folders(desk: Desk) -> None:
    put(desk, "csv")
    desk.apply(
        head('where = { region = "0042" }', path="c") + "[segment.s]\ndemographic.n.min = 0\n", "-o", desk / "out"
    )
    told = desk.segkit("explain", "--run", desk / "out", "a")
    assert "0042" not in told.stderr
    assert "warning" not in told.stderr, told.stderr
