"""Delta tables as sources: which rows of which version, and what is said where they cannot be read right."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest

from tests.desk import Desk, event_table, head
from tests.lakes import actions, commit, delete, with_protocol, written

pytestmark = pytest.mark.extra("lake")

CUSTOMERS = pl.DataFrame({"id": ["a", "b", "c", "d"], "region": ["0042", "x y/z", None, "0042"], "n": [1, 2, 3, None]})
EVERYONE = "[segment.s]\neveryone = true\n"


def ids(desk: Desk, rules: str) -> list[str]:
    return sorted(row["id"] for row in desk.rows(rules + EVERYONE))


def error(desk: Desk, *more: str, path: str = "c") -> str:
    told = desk.apply(head(*more, path=path) + EVERYONE, "-o", "-", code=3).stderr
    assert told.count("\nerror:") == 0 and told.startswith("error: "), told
    return told


@pytest.mark.parametrize("partitions", [[], ["region"], ["n"], ["region", "n"]])
def test_the_same_as_parquet(desk: Desk, partitions: list[str]) -> None:
    written(CUSTOMERS, desk / "c", *partitions)
    desk.put("c.parquet", CUSTOMERS)
    cases = ['demographic.region = "0042"', "demographic.region.missing = true", "demographic.n.min = 2"]
    delta, parquet = (desk.members(head(path=path), {c: c for c in cases}) for path in ("c", "c.parquet"))
    assert {name: sorted(keys) for name, keys in delta.items()} == parquet


def test_types_are_those_of_parquet(desk: Desk) -> None:
    zoned = pl.Series([dt.datetime(2024, 1, 1, 23, 30), None]).dt.replace_time_zone("UTC")
    rows = pl.DataFrame(
        {
            "id": ["a", "b"],
            "money": pl.Series([Decimal("0.10"), None], dtype=pl.Decimal(12, 2)),
            "day": [dt.date(2024, 2, 29), dt.date(1900, 1, 1)],
            "zoned": zoned,
            "naive": [dt.datetime(2024, 1, 1, 23, 30), None],
            "short": pl.Series([0.1, None], dtype=pl.Float32),
            "flag": [True, None],
            "tags": [["x", "y"], None],
        }
    )
    for path in ("plain", "by-day", "by-zoned", "by-money"):
        written(rows, desk / path, *[path.removeprefix("by-")] if path != "plain" else [])
    desk.put("c.parquet", rows)
    names = [name for name in rows.columns if name != "id"]
    zone = 'timezone = "Europe/Paris"\n'
    expected = desk.columns(zone + head(path="c.parquet"), *names)
    for path in ("plain", "by-day", "by-zoned", "by-money"):
        assert desk.columns(zone + head(path=path), *names) == expected


def test_versions_and_times_choose_the_past(desk: Desk) -> None:
    table = written(CUSTOMERS[:1], desk / "c")
    for version, at in enumerate(("2024-03-01T10:00:00Z", "2024-03-01T23:30:00Z", "2024-03-05T10:00:00Z")):
        if version:
            written(CUSTOMERS[version : version + 1], table, mode="append")
        found = actions(table, "add", version)
        first = [{kind: one} for kind in ("protocol", "metaData") for one in actions(table, kind, version)]
        moment = round(dt.datetime.fromisoformat(at).timestamp() * 1000)
        commit(table, version, *first, *({"add": one} for one in found), at=moment)
    cases = {
        "": "abc",
        "version = 0": "a",
        "version = 1": "ab",
        "at = 2024-03-01": "ab",
        'at = "2024-03-01"': "ab",
        "at = 2024-03-01T10:00:00Z": "a",
        'at = "2024-03-01T23:29:59Z"': "a",
        "at = 2024-03-04T00:00:00+02:00": "ab",
        "at = 2030-01-01": "abc",
    }
    assert {more: "".join(ids(desk, head(more, path="c"))) for more in cases} == cases
    # 23:30 in London is the next day in Paris; without an offset, a time is one of Paris.
    paris = 'timezone = "Europe/Paris"\n'
    assert ids(desk, paris + head("at = 2024-03-01", path="c")) == ["a"]
    assert ids(desk, paris + head("at = 2024-03-02T00:30:00", path="c")) == ["a", "b"]
    assert "has no version 3: the newest is 2" in error(desk, "version = 3")
    early = error(desk, "at = 2024-02-29")
    assert (
        "has no version of 2024-02-29 23:59:59 UTC: the first version that its log knows is 0, of 2024-03-01" in early
    )


HOUR = 3_600_000
TEN = round(dt.datetime(2024, 3, 1, 10, tzinfo=dt.UTC).timestamp() * 1000)
"""Ten o'clock, in milliseconds."""
LOGS: dict[str, tuple[list[dict[str, int] | None], str]] = {
    "in order": ([{"timestamp": TEN}, {"timestamp": TEN + HOUR}, {"timestamp": TEN + 2 * HOUR}], "ab"),
    "a clock that goes back": ([{"timestamp": TEN}, {"timestamp": TEN - HOUR}, {"timestamp": TEN + 2 * HOUR}], "ab"),
    "after the first": ([{"timestamp": TEN + 2 * HOUR}, {"timestamp": TEN}, {"timestamp": TEN}], ""),
    "times of the log itself": (
        [
            {"timestamp": TEN + 2 * HOUR, "inCommitTimestamp": TEN},
            {"timestamp": TEN + 2 * HOUR, "inCommitTimestamp": TEN + HOUR},
            {"timestamp": TEN, "inCommitTimestamp": TEN + 2 * HOUR},
        ],
        "ab",
    ),
    "no times": ([{}, {}, {}], "?"),
    "nothing": ([None, None, None], "?"),
    "nothing of one": ([{"timestamp": TEN}, None, {"timestamp": TEN + 2 * HOUR}], "?"),
    "nothing of the last": ([{"timestamp": TEN}, {"timestamp": TEN + HOUR}, None], "?"),
}


@pytest.mark.parametrize("case", LOGS)
def test_what_the_log_says_of_times(desk: Desk, case: str) -> None:
    """The version of half past eleven; where the log does not say which that was, it is an error."""
    infos, expected = LOGS[case]
    table = written(CUSTOMERS[:1], desk / "c")
    for version, info in enumerate(infos):
        if version:
            written(CUSTOMERS[version : version + 1], table, mode="append")
        found = [{kind: one} for kind in ("protocol", "metaData", "add") for one in actions(table, kind, version)]
        told = [] if info is None else [{"commitInfo": {"operation": "WRITE", **info}}]
        lines = "\n".join(map(json.dumps, [*told, *found]))
        (table / "_delta_log" / f"{version:020}.json").write_text(lines, encoding="utf-8")
    if expected in ("", "?"):
        words = "does not say when its versions were written" if expected else "has no version of 2024-03-01 11:30:00"
        assert words in error(desk, "at = 2024-03-01T11:30:00Z")
    else:
        assert ids(desk, head("at = 2024-03-01T11:30:00Z", path="c")) == [*expected]


def test_the_manifest_names_table_and_version(desk: Desk) -> None:
    table = written(CUSTOMERS, desk / "c")
    [metadata] = actions(table, "metaData")
    rules = head(path="c") + EVERYONE

    def read() -> tuple[object, object]:
        desk.apply(rules, "-o", desk / "out", "--replace")
        manifest = json.loads((desk / "out/manifest.json").read_text())
        return manifest["tables"][0]["detected"], manifest["inputs"][0]["sha256"]

    first, again = read(), read()
    assert first == again
    assert first[0] == {"table": metadata["id"], "version": "0"}
    assert "warning" not in desk.segkit("explain", "--run", desk / "out", "a").stderr
    written(CUSTOMERS[:1].with_columns(id=pl.lit("e")), table, mode="append")
    told = desk.segkit("explain", "--run", desk / "out", "a").stderr
    assert "is at another version than the run has read" in told
    other = read()
    assert (other[0], other[1] != first[1]) == ({"table": metadata["id"], "version": "1"}, True)


def test_deleted_rows_are_not_read(desk: Desk) -> None:
    rows = pl.DataFrame({"id": [f"c{n:03}" for n in range(300)], "n": range(300)})
    table = written(rows, desk / "c")
    written(pl.DataFrame({"id": ["z"], "n": [999]}), table, mode="append")
    delete(table, [0, 7, 299], version=2)
    assert ids(desk, head(path="c")) == [*(f"c{n:03}" for n in range(300) if n not in (0, 7, 299)), "z"]
    assert ids(desk, head("version = 1", path="c")) == [*(f"c{n:03}" for n in range(300)), "z"]
    assert ids(desk, head("where.n.max = 8", path="c")) == [f"c00{n}" for n in (1, 2, 3, 4, 5, 6, 8)]


def test_deleted_rows_of_files_with_one_name(desk: Desk) -> None:
    """Nothing tells then which of them has lost the rows."""
    table = written(CUSTOMERS[:2], desk / "c", "region")
    adds = actions(table, "add")
    for number, add in enumerate(adds):
        (table / f"{number}").mkdir()
        shutil.move(next(table.glob(f"*/{Path(add['path']).name}")), table / f"{number}/x.parquet")
        add["path"] = f"{number}/x.parquet"
    first = [{kind: one} for kind in ("protocol", "metaData") for one in actions(table, kind)]
    commit(table, 0, *first, *({"add": add} for add in adds))
    assert ids(desk, head(path="c")) == ["a", "b"]
    delete(table, [0])
    assert "cannot tell in which file of `c` rows are deleted" in error(desk)


def test_columns_that_came_later_are_missing_before(desk: Desk) -> None:
    table = written(CUSTOMERS[:1], desk / "c")
    options = {"schema_mode": "merge"}
    CUSTOMERS[1:2].with_columns(town=pl.lit("Nantes")).write_delta(
        str(table), mode="append", delta_write_options=options
    )
    assert desk.columns(head(path="c"), "town") == {"a": "", "b": "Nantes"}


def rewritten(table: Path, change: pl.Expr | dict[str, str]) -> Path:
    """The only file of a table as another writer might have made it; the log stays as it is."""
    [file] = table.rglob("*.parquet")
    rows = pl.read_parquet(file, hive_partitioning=False)
    (rows.rename(change) if isinstance(change, dict) else rows.with_columns(change)).write_parquet(file)
    return table


def test_capital_letters_make_another_column(desk: Desk) -> None:
    """Which would be missing in all rows, with the one of the table beside it."""
    rewritten(written(CUSTOMERS[:2], desk / "c"), {"region": "Region"})
    rules = 'rename = { number = "n", key = "id" }'
    told = desk.apply(head(rules, path="c", key="key") + EVERYONE, "-o", "-", code=3).stderr
    assert "of `c` has a column `Region`, which the table does not name" in told
    assert "did you mean `region`?" in told


def test_a_partition_may_stand_in_the_files_too(desk: Desk) -> None:
    for value in ("WRONG", 7):
        rewritten(written(CUSTOMERS[:1], desk / f"c{value}", "region"), pl.lit(value).alias("region"))
        assert desk.columns(head(path=f"c{value}"), "region") == {"a": "0042"}


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_times_of_other_units(desk: Desk, unit: Any) -> None:
    rows = pl.DataFrame({"id": ["a"], "at": [dt.datetime(2024, 1, 1, 23, 30)]})
    rewritten(written(rows, desk / "c"), pl.col("at").cast(pl.Datetime(unit)))
    assert desk.columns(head(path="c"), "at") == {"a": "2024-01-01T23:30:00"}


@pytest.mark.parametrize("folder", ["region=EU/c", "région ü/c", "a b/c", "star*/c", "[x]y/c"])
def test_the_table_may_lie_anywhere(desk: Desk, folder: str) -> None:
    table = written(CUSTOMERS, desk / "made", "region")
    (desk / folder).parent.mkdir()
    shutil.copytree(table, desk / folder)
    assert sorted(desk.columns(head(path=folder), "region").items()) == [
        ("a", "0042"),
        ("b", "x y/z"),
        ("c", ""),
        ("d", "0042"),
    ]


def test_values_of_partitions_come_from_the_log(desk: Desk) -> None:
    table = written(CUSTOMERS, desk / "c", "region")
    adds = actions(table, "add")
    for number, add in enumerate(adds):
        shutil.move(next(table.glob(f"*/{Path(add['path']).name}")), table / f"{number} ü.parquet")
        add["path"] = quote(f"{number} ü.parquet")
    first = [{kind: one} for kind in ("protocol", "metaData") for one in actions(table, kind)]
    commit(table, 0, *first, *({"add": add} for add in adds))
    assert desk.columns(head(path="c"), "region") == {"a": "0042", "b": "x y/z", "c": "", "d": "0042"}


def test_amounts_below_zero_are_partitions(desk: Desk) -> None:
    """Not by way of `write_delta`, which names such a folder `-1.-5000`, and fails."""
    rows = pl.DataFrame({"id": ["a"], "m": pl.Series([Decimal("1.50")], dtype=pl.Decimal(10, 4))})
    table = written(rows, desk / "c", "m")
    [add] = actions(table, "add")
    first = [{kind: one} for kind in ("protocol", "metaData") for one in actions(table, kind)]
    commit(table, 0, *first, {"add": {**add, "partitionValues": {"m": "-1.5000"}}})
    assert desk.columns(head(path="c"), "m") == {"a": "-1.5"}


def test_two_sections_read_one_version(desk: Desk) -> None:
    events = pl.DataFrame({"id": ["a", "b"], "day": [dt.date(2024, 2, 1), dt.date(2020, 1, 1)], "amount": [1.5, 2]})
    written(events, desk / "o")
    rules = (
        head('from = "o"').replace('path = "c.csv"\n', "")
        + event_table("o", "o")
        + event_table("p", "o", "at = 2090-01-01")
    )
    case = 'behavioural.did = { events = "p", within = "3 months" }'
    assert desk.members(rules, {"s": case}) == {"s": ["a"]}


FEATURES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "column mapping": ({"minReaderVersion": 2, "minWriterVersion": 5}, {"delta_columnMapping_mode": "name"}),
    "`typeWidening`": (
        {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["typeWidening"], "writerFeatures": ["typeWidening"]},
        {},
    ),
    "'novelty'": (
        {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["novelty"], "writerFeatures": ["novelty"]},
        {},
    ),
    "version 4": ({"minReaderVersion": 4, "minWriterVersion": 5}, {}),
}  # fmt: skip


@pytest.mark.parametrize("feature", FEATURES)
def test_what_cannot_be_read_right_is_not_read(desk: Desk, feature: str) -> None:
    protocol, configuration = FEATURES[feature]
    with_protocol(written(CUSTOMERS, desk / "c"), protocol, **configuration)
    assert feature in error(desk).partition("\n")[0]


def test_reader_version_2_without_column_mapping_is_read(desk: Desk) -> None:
    with_protocol(written(CUSTOMERS, desk / "c"), {"minReaderVersion": 2, "minWriterVersion": 5})
    assert ids(desk, head(path="c")) == ["a", "b", "c", "d"]


def test_damage_is_one_line(desk: Desk) -> None:
    table = written(CUSTOMERS, desk / "c")
    (table / "_delta_log" / f"{1:020}.json").write_text("{broken")
    assert "the log of `c` cannot be read" in error(desk)
    (table / "_delta_log" / f"{1:020}.json").unlink()
    (table / "_delta_log" / f"{2:020}.json").write_text("{}")
    assert "the log of `c` cannot be read" in error(desk)
    (table / "_delta_log" / f"{2:020}.json").unlink()
    file = next(table.glob("*.parquet"))
    content = file.read_bytes()
    file.write_bytes(content[:40])
    assert "`c` is damaged" in error(desk)
    CUSTOMERS.with_columns(pl.col("n").cast(pl.String)).write_parquet(file)
    told = error(desk, "where.n.min = 1").partition("\n")[0]
    assert told.endswith("`c` is damaged: data type mismatch for column n: incoming: String != target: Int64")
    file.unlink()
    assert "1 file of this version of `c` are gone" in error(desk)
    (desk / "e/_delta_log").mkdir(parents=True)
    assert "the log of `e` cannot be read" in error(desk, path="e")


def test_files_that_lie_elsewhere_are_not_read(desk: Desk) -> None:
    table = written(CUSTOMERS, desk / "c")
    add = actions(table, "add")[0]
    commit(table, 1, {"add": {**add, "path": "file:///elsewhere/x.parquet"}})
    assert "lie outside of its folder" in error(desk)


@pytest.mark.parametrize(
    "path", ["c/*.parquet", "c/**/*.parquet", "**/*.parquet", "c/region=0042/*.parquet", "c/_delta_log/*"]
)
def test_files_of_a_table_are_not_read_alone(desk: Desk, path: str) -> None:
    written(CUSTOMERS, desk / "c", "region")
    told = error(desk, path=path)
    assert "is a file of the Delta table" in told
    assert f'`path = "{desk / "c"}"`' in told


def test_keys_that_do_not_go_together(desk: Desk) -> None:
    written(CUSTOMERS, desk / "c")
    desk.put("c.csv", "id\na\n")
    assert "`delimiter` does not go with" in error(desk, 'delimiter = ","')
    assert 'duplicates = "first"` goes by the order of the rows' in error(desk, 'duplicates = "first"')
    told = desk.apply(head("version = 1") + EVERYONE, code=2).stderr
    assert "`version` does not go with `c.csv`" in told
    assert "it is a key of a Delta table" in told
    for lines, message in {
        "version = 1\nat = 2024-01-01": "two ways to choose the past",
        "version = -1": "version",
        'at = "yesterday"': "`at` needs a day such as 2024-06-30",
        "at = 7": "`at` needs a day such as 2024-06-30",
    }.items():
        assert message in desk.apply(head(lines, path="c") + EVERYONE, code=2).stderr


def test_names_that_the_library_takes_for_others_are_refused(desk: Desk) -> None:
    shutil.copytree(written(CUSTOMERS, desk / "made"), desk / "a%20b")
    written(CUSTOMERS[:1], desk / "a b")
    assert "cannot be read from a path with `%`" in error(desk, path="a%20b")


@pytest.mark.parametrize("command", [["rfm"], ["audit"], ["cohorts"], ["init", "--customers"], ["init", "--events"]])
def test_commands_take_a_table_by_its_path(desk: Desk, command: list[str]) -> None:
    numbers = range(1, 7)
    orders = pl.DataFrame(
        {
            "customer_id": [f"c{n}" for n in numbers],
            "order_id": [f"o{n}" for n in numbers],
            "order_date": [dt.date(2024, n, 1) for n in numbers],
            "amount": [n + 0.5 for n in numbers],
        }
    )
    written(orders, desk / "orders", "order_date")
    before = ["init", "--customers", "orders"] if command == ["init", "--events"] else []
    done = desk.process(*before, *command[1 if before else 0 :], "orders")
    assert done.returncode == 0, done.stderr
    if command[0] == "init":
        desk.segkit("check", desk / "segments.toml", "--data")


def test_another_table_or_file_in_place_of_one(desk: Desk) -> None:
    """The version of the rules holds for another table that is given, and says nothing of a file."""
    table = written(CUSTOMERS[:1], desk / "c")
    written(CUSTOMERS[1:2], table, mode="append")
    desk.put("d.csv", "id\nz\n")
    rules = head("version = 0", path="nowhere") + EVERYONE
    assert [row["id"] for row in desk.rows(rules, "--customers", table)] == ["a"]
    assert [row["id"] for row in desk.rows(rules, "--customers", desk / "d.csv")] == ["z"]


@pytest.mark.parametrize("more", [("--buckets", "3"), ("--memory", "512MB")])
def test_in_buckets(desk: Desk, more: tuple[str, str]) -> None:
    rows = pl.DataFrame({"id": [f"c{n:03}" for n in range(300)], "region": [f"{n % 3:04}" for n in range(300)]})
    written(rows, desk / "c", "region")
    rules = head(path="c") + '[segment.s]\ndemographic.region = "0002"\n'
    assert desk.rows(rules, *more) == desk.rows(rules)
    assert len(desk.rows(rules)) == 100


def test_two_versions_are_compared(desk: Desk) -> None:
    table = written(CUSTOMERS, desk / "c")
    written(CUSTOMERS[:1].with_columns(id=pl.lit("e")), table, mode="append")
    for version in (0, 1):
        desk.apply(head(f"version = {version}", path="c") + EVERYONE, "-o", desk / f"{version}")
    found = json.loads(desk.segkit("diff", desk / "0", desk / "1", "--json").stdout)
    assert [(one["name"], one["entered"], one["left"]) for one in found["segments"]] == [("s", 1, 0)], found
