import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segkit.errors import DataError, RuleError
from segkit.io.write import FORMATS, TextStyle, format_of, keys_of, sink, write
from tests.extras import EVERY_FORMAT
from tests.workbooks import read_workbook


def written(frame: pl.DataFrame, format: str = "csv", **style: Any) -> str:
    target = io.BytesIO()
    write([sink(frame.lazy(), target, format, TextStyle(**style))])
    return target.getvalue().decode()


def cells(values: Sequence[object], dtype: pl.DataType | type[pl.DataType], **style: Any) -> list[str]:
    """How the values look in a column of a CSV file."""
    frame = pl.DataFrame({"key": ["k"] * len(values), "x": pl.Series(values, dtype=dtype)})
    lines = written(frame, **({"delimiter": ";"} | style)).splitlines()
    return [line.removeprefix("k;") for line in lines[1:]]


def test_decimals_are_exact_without_trailing_zeros_or_exponent() -> None:
    values = [Decimal(v) for v in ("19.99", "5", "0", "-0.5", "1000000", "100", "0.0000000001")]
    shown = ["19.99", "5", "0", "-0.5", "1000000", "100", "0.0000000001"]
    assert cells([*values, None], pl.Decimal(38, 10)) == [*shown, ""]
    assert cells(values, pl.Decimal(38, 10), decimal=",") == [v.replace(".", ",") for v in shown]
    assert cells([Decimal(100), Decimal(0)], pl.Decimal(10, 0)) == ["100", "0"]


def test_floats_are_as_short_as_they_can_be() -> None:
    values = [1.0, 0.1, 0.5, 1234567.0, 1e16, 1e-7, 0.1 + 0.2, None, float("nan"), float("inf"), -0.0]
    shown = ["1", "0.1", "0.5", "1234567", "10000000000000000", "0.0000001", "0.30000000000000004", "", "", "", "0"]
    assert cells(values, pl.Float64) == shown
    assert cells([1.0, 0.1, -2.5, None], pl.Float64, decimal=",") == ["1", "0,1", "-2,5", ""]


@pytest.mark.parametrize(
    ("values", "dtype", "shown"),
    [
        ([True, False, None], pl.Boolean, ["true", "false", ""]),
        ([dt.date(2024, 2, 29), None], pl.Date, ["2024-02-29", ""]),
        ([dt.datetime(2024, 2, 29, 1, 2, 3)], pl.Datetime, ["2024-02-29T01:02:03"]),
        ([dt.datetime(2024, 2, 29, 1, 2, 3, 45_000)], pl.Datetime, ["2024-02-29T01:02:03.045"]),
        ([12345678901, None], pl.Int64, ["12345678901", ""]),
        (["01234", "1e16", "TRUE", None], pl.String, ["01234", "1e16", "TRUE", ""]),
        (["a", None], pl.Categorical, ["a", ""]),
        ([["a", "b"], ["c"], [], None, ["d", None]], pl.List(pl.String), ["a|b", "c", "", "", "d"]),
    ],
)
def test_types(values: list[object], dtype: pl.DataType | type[pl.DataType], shown: list[str]) -> None:
    assert cells(values, dtype) == shown


def test_zoned_timestamps_keep_their_offset() -> None:
    frame = pl.DataFrame({"t": [dt.datetime(2024, 7, 1, 12)]})
    zoned = frame.select("t", z=pl.col("t").dt.replace_time_zone("Europe/Paris"))
    assert written(zoned).splitlines()[1] == "2024-07-01T12:00:00,2024-07-01T12:00:00+02:00"


def test_a_list_is_joined_by_its_own_separator() -> None:
    assert cells([["a", "b"]], pl.List(pl.String), separators={"x": ","}) == ["a,b"]


def test_only_cells_that_need_quotes_have_them() -> None:
    frame = pl.DataFrame({"a": ["x,y", 'say "hi"', "two\nlines", "plain", " pad "], "b": ["1", "2", "3", "4", None]})
    assert written(frame) == 'a,b\n"x,y",1\n"say ""hi""",2\n"two\nlines",3\nplain,4\n pad ,\n'


def test_delimiter_bom_and_tabs() -> None:
    frame = pl.DataFrame({"a": ["x;y"], "b": ["1,2"]})
    assert written(frame, delimiter=";") == 'a;b\n"x;y";1,2\n'
    assert written(frame, bom=True).startswith("\ufeffa,b\n")
    assert written(frame, "tsv", delimiter=";") == "a\tb\nx;y\t1,2\n"


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "\tx", "\rx", "-cmd|x"])
def test_formulas_are_escaped_where_asked(text: str) -> None:
    assert cells([text], pl.Categorical, escape_formulas=True)[0].strip('"').startswith("'")
    assert not cells([text], pl.String)[0].strip('"').startswith("'")


@pytest.mark.parametrize(
    ("value", "dtype", "shown"),
    [
        (-5, pl.Int64, "-5"),
        (-5.5, pl.Float64, "-5.5"),
        (Decimal("-5.5"), pl.Decimal(38, 10), "-5.5"),
        ("-12,50", pl.String, "-12,50"),
        ("+33612345678", pl.String, "+33612345678"),
        ("plain", pl.String, "plain"),
    ],
)
def test_numbers_are_no_formulas(
    value: Decimal | float | str, dtype: pl.DataType | type[pl.DataType], shown: str
) -> None:
    assert cells([value], dtype, escape_formulas=True) == [shown]


def test_header_and_lists_are_escaped_too() -> None:
    frame = pl.DataFrame({"=key": ["1"], "l": [["=a", "b"]]})
    assert written(frame, escape_formulas=True) == "'=key,l\n1,'=a|b\n"


def test_escaped_headers_stay_apart() -> None:
    frame = pl.DataFrame({"=a": ["1"], "'=a": ["2"], "' '=a": ["3"], "-n": [4.5], "@d": [dt.date(2024, 1, 1)]})
    assert written(frame, escape_formulas=True) == "''=a,'=a,' '=a,'-n,'@d\n1,2,3,4.5,2024-01-01\n"


def test_json_lines_hold_numbers_with_their_own_digits() -> None:
    frame = pl.DataFrame(
        {
            'k"': ['a"b\\\n\x01é'],
            "d": pl.Series([Decimal("12345678901234567890.1234567890")], dtype=pl.Decimal(38, 10)),
            "f": [5.0],
            "n": pl.Series([float("inf")]),
            "i": [7],
            "b": [True],
            "t": [dt.date(2024, 2, 29)],
            "ts": [dt.datetime(2024, 2, 29, 1)],
            "l": [["x", None]],
            "s": pl.Series([None], dtype=pl.String),
        }
    )
    line = written(frame, "ndjson")
    assert line.endswith(
        ',"d":12345678901234567890.123456789,"f":5,"n":null,"i":7,"b":true,"t":"2024-02-29",'
        '"ts":"2024-02-29T01:00:00","l":["x",null],"s":null}\n'
    )
    assert json.loads(line)['k"'] == 'a"b\\\n\x01é'


_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(st.tuples(_TEXTS, st.decimals(-99, 99, places=4))))
def test_what_is_written_is_read_again(rows: list[tuple[str, Decimal]]) -> None:
    frame = pl.DataFrame(
        {"text": [text for text, _ in rows], "number": [number for _, number in rows]},
        schema={"text": pl.String, "number": pl.Decimal(38, 10)},
    )
    lines = written(frame, "ndjson").splitlines() if rows else []
    parsed = [json.loads(line, parse_float=Decimal) for line in written(frame, "ndjson").split("\n")[:-1]]
    assert [(row["text"], Decimal(row["number"])) for row in parsed] == rows
    assert len(lines) >= len(rows)
    table = list(csv.reader(io.StringIO(written(frame), newline="")))
    assert [(text, Decimal(number)) for text, number in table[1:]] == rows


@pytest.mark.parametrize("format", EVERY_FORMAT)
def test_an_empty_frame_is_a_whole_file(format: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"key": pl.Series([], dtype=pl.String), "d": pl.Series([], dtype=pl.Decimal(38, 10))})
    path = tmp_path / f"empty.{FORMATS[format].extension}"
    write([sink(frame.lazy(), path, format)])
    if format in ("csv", "tsv"):
        assert path.read_text() in ("key,d\n", "key\td\n")
    elif format == "ndjson":
        assert path.read_text() == ""
    elif format == "xlsx":
        assert read_workbook(path).columns == ["key", "d"]
    else:
        read = pl.read_parquet if format == "parquet" else pl.read_ipc
        assert read(path).schema == frame.schema


@pytest.mark.parametrize("format", EVERY_FORMAT)
def test_rows_keep_their_order_and_runs_their_bytes(format: str, tmp_path: Path) -> None:
    size = 30_000 if format == "xlsx" else 300_000  # workbooks are written row by row
    frame = pl.select(key=pl.int_range(size).cast(pl.String), n=pl.int_range(size)).lazy()
    paths = [tmp_path / name for name in ("a", "b")]
    for path in paths:
        write([sink(frame.filter(pl.col("n") % 3 != i), path.with_suffix(f".{i}"), format) for i in range(2)])
    for i in range(2):
        assert paths[0].with_suffix(f".{i}").read_bytes() == paths[1].with_suffix(f".{i}").read_bytes()
    read: dict[str, Callable[[Path], pl.DataFrame]] = {
        "parquet": pl.read_parquet,
        "arrow": pl.read_ipc,
        "xlsx": read_workbook,
        "ndjson": pl.read_ndjson,
        "csv": pl.read_csv,
        "tsv": lambda path: pl.read_csv(path, separator="\t"),
    }
    table = read[format](tmp_path / "a.0")
    assert table["n"].is_sorted()
    assert len(table) == size // 3 * 2


def test_parquet_keeps_decimals_and_arrow_is_read_by_pyarrow(tmp_path: Path) -> None:
    frame = pl.DataFrame({"key": ["a"], "d": [Decimal("1.5")]}, schema_overrides={"d": pl.Decimal(38, 10)})
    write([sink(frame.lazy(), tmp_path / "x.parquet", "parquet")])
    assert pl.read_parquet(tmp_path / "x.parquet").equals(frame)
    ipc = pytest.importorskip("pyarrow.ipc")
    write([sink(frame.lazy(), tmp_path / "x.arrow", "arrow")])
    assert ipc.open_file(tmp_path / "x.arrow").read_all().to_pylist() == frame.to_dicts()


@pytest.mark.parametrize(
    ("name", "format"), [("a.parquet", "parquet"), ("a.TSV", "tsv"), ("a", "csv"), ("a.b/c.txt", "csv")]
)
def test_format_of_a_path(name: str, format: str) -> None:
    assert format_of(Path(name)) == format


@pytest.mark.parametrize("name", ["a.xls", "a.csv.gz"])
def test_no_format_takes_the_rest(name: str) -> None:
    with pytest.raises(RuleError, match="does not write this format"):
        format_of(Path(name))
    with pytest.raises(DataError, match="does not read this format"):
        keys_of(Path(name), "id", ",")
