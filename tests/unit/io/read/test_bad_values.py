"""Bad values: their file, line and count."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl

from segkit.errors import DataError
from segkit.io.read import ColumnType, bad_values
from tests.unit.io.read.fixture_types import Opener


def shown(error: DataError) -> list[str]:
    return [f"{Path(str(d.location)).name if d.location else ''}: {d.message}" for d in error.diagnostics]


def test_first_five_of_each_column_and_the_counts(opened: Opener) -> None:
    lines = ['2015-01-18,1,"a\nb"'] * 90 + ["31/02/2024,x,c"] * 7 + ["2015-01-18,2,d", ",,"]
    table = opened("day,amount,note\n" + "\n".join(lines) + "\n")
    error = bad_values(table, {"day": (None, False), "amount": (None, True)})
    day = "`31/02/2024` as a date in column `day`"
    amount = "`x` as an amount of at most 10 decimals in column `amount`"
    assert shown(error) == [
        *(f"data.csv:{line}: cannot read {day}" for line in range(182, 187)),
        *(f"data.csv:{line}: cannot read {amount}" for line in range(182, 187)),
        ": 7 values of column `day` in `data` cannot be read as a date",
        ": 7 values of column `amount` in `data` cannot be read as an amount of at most 10 decimals",
    ]
    assert "bad_values" in (error.diagnostics[-1].hint or "")
    assert "note" not in str(error)


def test_lines_are_those_of_the_original_file(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "o1.csv.gz").write_bytes(gzip.compress("a\n\n1\n2\né\n".encode("cp1252")))
    (tmp_path / "o2.txt").write_text(
        "b  a\nx  3\ny  z\n".replace("b  a", " a  b").replace("x  3", " 3  x").replace("y  z", " z  y")
    )
    table = opened(path="o1.csv.gz", types={"a": "number"})
    assert shown(bad_values(table, {"a": (None, False)}))[0].startswith("o1.csv.gz:5: cannot read `é` as a number")
    table = opened(path="o2.txt", types={"a": "number"})
    assert shown(bad_values(table, {"a": (None, False)}))[0].startswith("o2.txt:3: cannot read `z`")


def test_renamed_and_reordered_columns(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "o1.csv").write_text("a,b\n1,x\n")
    (tmp_path / "o2.csv").write_text("b,a\nx,y\n")
    table = opened(path="o*.csv", rename={"n": "a"}, types={"n": "number"})
    assert shown(bad_values(table, {"n": (None, False)}))[0] == "o2.csv:2: cannot read `y` as a number in column `n`"


def test_rows_of_typed_sources(opened: Opener, tmp_path: Path) -> None:
    pl.DataFrame({"a": [1.0, float("inf")]}).write_parquet(tmp_path / "t.parquet")
    (first, total) = bad_values(opened(path="t.parquet"), {"a": (None, False)}).diagnostics
    assert first.message == "cannot read `inf` as a number in row 2 of column `a`"
    assert total.message == "1 value of column `a` in `data` cannot be read as a number"


def test_lines_of_ndjson(opened: Opener) -> None:
    table = opened('{"a":"2015-01-18"}\n{"a":"soon"}\n', path="t.ndjson")
    error = bad_values(table, {"a": (ColumnType.DATE, False)})
    assert shown(error)[0] == "t.ndjson:2: cannot read `soon` as a date in column `a`"


def test_bad_agrees_with_the_error(opened: Opener) -> None:
    table = opened("a\n1\nx\n\ny\n", types={"a": "number"})
    bad = table.bad("a")
    assert bad is not None
    counted = table.frame.select(bad.sum()).collect().item()
    assert counted == 2
    assert shown(bad_values(table, {"a": (None, False)}))[-1].startswith(": 2 values")
